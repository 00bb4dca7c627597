"""The store: content-addressed objects, versions, aliases and run records, on a folder or a bucket."""

from __future__ import annotations

from relet.store.aliases import AliasMove
from relet.store.log import LogEntry, LogHead
from relet.store.storage import Store, open_store
from relet.store.upkeep import StoreProblem

__all__ = ["AliasMove", "LogEntry", "LogHead", "Store", "StoreProblem", "open_store"]
