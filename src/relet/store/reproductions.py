"""The verdicts on reproductions, read from the store, where each is an artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relet.core.reproduction import ARTIFACT
from relet.store.storage import Store


@dataclass(frozen=True, kw_only=True)
class ReproductionSummary:
    """What a verdict says of one run or one version.

    `likeness` is a word such as IDENTICAL, `when` the time of the reproduction, `version` the verdict's own
    version.
    """

    version: str
    likeness: str
    when: str

    def __str__(self) -> str:
        return f"{self.likeness} on {self.when[:10]} ({self.version})"


def latest_of_runs(store: Store) -> dict[str, ReproductionSummary]:
    """The newest verdict on each run that was made again, and on each of its steps' runs, by the run's id."""
    return _latest_verdicts(store, "runs")


def latest_on(store: Store, version: str) -> ReproductionSummary | None:
    """The newest verdict on a version such as `model:v7`, or None."""
    return _latest_verdicts(store, "judged").get(version)


def _latest_verdicts(store: Store, about: str) -> dict[str, ReproductionSummary]:
    found: dict[str, ReproductionSummary] = {}
    for name, judged in _verdict_words(store, about):
        found.setdefault(name, judged)
    return found


def _verdict_words(store: Store, about: str) -> Iterator[tuple[str, ReproductionSummary]]:
    """Name and summary for each run or version that a verdict judged, the newest verdict first.

    Metadata that can't be read is passed over.
    """
    for version in reversed(store.versions(ARTIFACT)):
        words = version.metadata.get(about)
        for name, word in words.items() if isinstance(words, Mapping) else ():
            when = str(version.metadata.get("when", ""))
            yield str(name), ReproductionSummary(version=str(version), likeness=str(word), when=when)


class RunVerdicts:
    """The newest verdict on each run; the verdicts are read again only where a newer one was stored."""

    def __init__(self) -> None:
        self._newest: tuple[str, int] = ("", 0)
        self._found: dict[str, ReproductionSummary] = {}

    def latest(self, store: Store, run_id: str) -> str | None:
        """The newest verdict on a run in words, or None."""
        version = store.find(ARTIFACT)
        newest = (store.url, version.number if version else 0)
        if self._newest != newest:
            self._newest, self._found = newest, latest_of_runs(store) if version else {}
        found = self._found.get(run_id)
        return str(found) if found else None
