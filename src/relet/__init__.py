"""relet: model workflows that can prove every model they made can be made again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relet.core.artifact import Check, Curve, Figure, Metrics, Module, Source, Stored, Verdict
    from relet.core.component import component
    from relet.core.pipeline import Pipeline
    from relet.data.table import Table
    from relet.engine.notebook import load, run
    from relet.training.model import Model

__version__ = "0.1.0"

# Where each public name lives. Importing relet imports none of them: `relet --help` stays fast, and the code
# closure of a component that says `from relet import Table` holds the room that Table lives in.
EXPORTS = {
    "Check": "relet.core.artifact",
    "Curve": "relet.core.artifact",
    "Figure": "relet.core.artifact",
    "Metrics": "relet.core.artifact",
    "Module": "relet.core.artifact",
    "Source": "relet.core.artifact",
    "Stored": "relet.core.artifact",
    "Verdict": "relet.core.artifact",
    "component": "relet.core.component",
    "Pipeline": "relet.core.pipeline",
    "Table": "relet.data.table",
    "Model": "relet.training.model",
    "load": "relet.engine.notebook",
    "run": "relet.engine.notebook",
}

__all__ = [*EXPORTS, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'relet' has no attribute {name!r}")
    return getattr(import_module(EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
