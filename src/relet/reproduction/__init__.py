"""Make a run again from what it recorded, in a clean place, and say whether the result is the same."""

from __future__ import annotations

from relet.reproduction.keeping import keep
from relet.reproduction.rebuild import ReproductionOptions, reproduce

__all__ = ["ReproductionOptions", "keep", "reproduce"]
