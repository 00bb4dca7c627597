"""Make a run again from what it recorded, in a clean place, and say whether the result is the same."""

from __future__ import annotations

from relet.engine.reproduce.keeping import keep
from relet.engine.reproduce.rebuild import Wishes, reproduce

__all__ = ["Wishes", "keep", "reproduce"]
