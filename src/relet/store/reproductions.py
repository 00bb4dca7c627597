"""The verdicts on runs that were made again, as they are stored: artifacts beside what they judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relet.core.reproduction import ARTIFACT
from relet.store.storage import Store


@dataclass(frozen=True, kw_only=True)
class ReproductionSummary:
    """What a stored verdict says of one run or one version: its word, when, and the verdict's own version."""

    version: str
    likeness: str
    when: str

    def __str__(self) -> str:
        return f"{self.likeness} on {self.when[:10]} ({self.version})"


def latest_of_runs(store: Store) -> dict[str, ReproductionSummary]:
    """The newest word on each run that has one: on the run that was made again, and on the runs of its steps."""
    return _latest_verdicts(store, "runs")


def latest_on(store: Store, version: str) -> ReproductionSummary | None:
    """The newest word on a version, `model:v7`."""
    return _latest_verdicts(store, "judged").get(version)


def _latest_verdicts(store: Store, about: str) -> dict[str, ReproductionSummary]:
    found: dict[str, ReproductionSummary] = {}
    for name, judged in _verdict_words(store, about):
        found.setdefault(name, judged)
    return found


def _verdict_words(store: Store, about: str) -> Iterator[tuple[str, ReproductionSummary]]:
    """What each verdict says of what it judged, the newest verdict first; what can't be read says nothing."""
    for version in reversed(store.versions(ARTIFACT)):
        words = version.metadata.get(about)
        for name, word in words.items() if isinstance(words, Mapping) else ():
            when = str(version.metadata.get("when", ""))
            yield str(name), ReproductionSummary(version=str(version), likeness=str(word), when=when)
