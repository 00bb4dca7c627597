"""A run's store, and watchers of a run that remember what they were told."""

from __future__ import annotations

import threading

from relet.core.plan import Step
from relet.project.job import SilentWatcher
from relet.store import Store, open_store
from tests.tiny_project import Tiny


def store_of(tiny: Tiny) -> Store:
    return open_store(tiny.root / ".relet")


class Notes(SilentWatcher):
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)


class Begun(SilentWatcher):
    """A watcher that says when the first component begins."""

    def __init__(self) -> None:
        self.first = threading.Event()

    def started(self, step: Step) -> None:
        self.first.set()
