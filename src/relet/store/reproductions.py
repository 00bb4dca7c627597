"""The verdicts on runs that were made again, as they are stored: artifacts beside what they judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relet.core.reproduction import ARTIFACT
from relet.store.storage import Store


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A stored verdict: its own version, its word, the run that was made again with those of its steps, and the
    versions it judged.
    """

    version: str
    likeness: str
    run: str
    steps: tuple[str, ...]
    judged: frozenset[str]
    when: str

    def __str__(self) -> str:
        return f"{self.likeness} on {self.when[:10]} ({self.version})"


def verdicts(store: Store) -> Iterator[Judged]:
    """All verdicts that are stored, the newest first."""
    for version in reversed(store.versions(ARTIFACT)):
        told = version.metadata
        yield Judged(
            version=str(version),
            likeness=str(told.get("verdict", "")),
            run=str(told.get("run", "")),
            steps=tuple(told.get("steps", ())),
            judged=frozenset(told.get("judged", ())),
            when=str(told.get("when", "")),
        )


def latest_of_runs(store: Store) -> dict[str, Judged]:
    """The newest verdict on each run that has one: the one that was made again, and the runs of its steps."""
    found: dict[str, Judged] = {}
    for each in verdicts(store):
        for run in (each.run, *each.steps):
            found.setdefault(run, each)
    return found


def latest_on(store: Store, version: str) -> Judged | None:
    """The newest verdict that speaks of a version, `model:v7`."""
    return next((each for each in verdicts(store) if version in each.judged), None)
