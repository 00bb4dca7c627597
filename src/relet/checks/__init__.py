"""Data tests in pytest: a suite gets the batch, its reference and every hyperparameter as fixtures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from relet.checks.suite import run_suite

if TYPE_CHECKING:
    from relet.checks.fixtures import Judge, OffendingRows

__all__ = ["Judge", "OffendingRows", "run_suite"]


def __getattr__(name: str) -> Any:
    # These are annotations in a suite, where pytest is imported anyway. A component that runs a suite imports
    # neither.
    if name in ("Judge", "OffendingRows"):
        return getattr(import_module("relet.checks.fixtures"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
