"""A run's store, and watchers of a run that remember what they were told."""

from __future__ import annotations

import threading

from relet.core.plan import Step
from relet.project.job import SilentWatcher


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
