"""relet: model workflows that can prove every model they made can be made again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from relet.names import EXPORTS, __version__

if TYPE_CHECKING:
    from relet.core.artifact import Check, ChosenBy, Curve, Figure, Metrics, Module, Source, Stored, Verdict
    from relet.core.component import component
    from relet.core.pipeline import Pipeline
    from relet.data.rows import RowStream
    from relet.data.table import Table
    from relet.engine.notebook import load, run
    from relet.engine.progress import progress
    from relet.training.model import Model

__all__ = [*EXPORTS, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'relet' has no attribute {name!r}")
    return getattr(import_module(EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
