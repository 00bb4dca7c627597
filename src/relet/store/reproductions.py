"""The verdicts on reproductions and on determinism, read from the store, where each is an artifact."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from relet.core.artifact import Verdict, Version
from relet.core.reproduction import ARTIFACT, DETERMINISM
from relet.errors import StoreError
from relet.store.contents import VERDICT
from relet.store.storage import Store

# The word in place of one that the verdict's own files do not say.
FALSE = "FALSE"
# Where a reproduction was made, by what made its environment.
_PLACES = {"": "", "here": ", in the environment of the asker (--here)"}
_CLEAN = ", in a clean environment"


@dataclass(frozen=True, kw_only=True)
class ReproductionSummary:
    """What a verdict says of one run or one version.

    `likeness` is a word such as IDENTICAL, and FALSE where the verdict's files do not say what its metadata says.
    `when` is the time of the reproduction, `version` the verdict's own version. `environment` is what made the
    environment: here (that of the asker was taken), uv, or "" where it is not known.
    """

    version: str
    likeness: str
    when: str
    environment: str = ""

    @property
    def word(self) -> str:
        """The likeness, with a mark where the environment of the asker was taken."""
        return f"{self.likeness} (here)" if self.environment == "here" else self.likeness

    def __str__(self) -> str:
        place = _PLACES.get(self.environment, _CLEAN)
        return f"{self.likeness} on {self.when[:10]}{place} ({self.version})"


def latest_of_runs(store: Store) -> dict[str, ReproductionSummary]:
    """The newest verdict on each run that was made again, and on each of its steps' runs, by the run's id."""
    return _latest_verdicts(store, "runs")


def latest_on(store: Store, version: str) -> ReproductionSummary | None:
    """The newest verdict on a version such as `model:v7`, or None."""
    return _latest_verdicts(store, "judged").get(version)


def _latest_verdicts(store: Store, about: str) -> dict[str, ReproductionSummary]:
    found: dict[str, ReproductionSummary] = {}
    for version in reversed(store.versions(ARTIFACT)):
        new = {name: each for name, each in _verdict_words(version, about) if name not in found}
        if new and not _says_what_its_files_say(store, version):
            new = {name: replace(each, likeness=FALSE) for name, each in new.items()}
        found |= new
    return found


def _says_what_its_files_say(store: Store, version: Version) -> bool:
    """Whether the words in a verdict's metadata are those of its findings, which can be read."""
    try:
        return not store.false_claims(version)
    except StoreError:
        return False


def _verdict_words(version: Version, about: str) -> Iterator[tuple[str, ReproductionSummary]]:
    """Name and summary for each run or version that a verdict judged; metadata that can't be read gives none."""
    words = version.metadata.get(about)
    for name, word in words.items() if isinstance(words, Mapping) else ():
        yield (
            str(name),
            ReproductionSummary(
                version=str(version),
                likeness=str(word),
                when=str(version.metadata.get("when", "")),
                environment=str(version.metadata.get("environment", "")),
            ),
        )


def determinism_on(store: Store, version: str) -> str | None:
    """What the newest check of determinism that speaks of a version found of the step that made it, in words.

    None where none speaks of it.
    """
    for verdict in reversed(store.versions(DETERMINISM)):
        checked = verdict.metadata.get("checked")
        if isinstance(checked, Mapping) and version in checked:
            return f"{_check_of_step(store, verdict, str(checked[version]))} ({verdict})"
    return None


def _check_of_step(store: Store, verdict: Version, component: str) -> str:
    if not _says_what_its_files_say(store, verdict):
        return f"{FALSE}: its files do not say what it claims"
    found = Verdict.from_json(json.loads(store.read_object(verdict.files[VERDICT])))
    check = next((each for each in found.checks if each.name == component), None)
    if check is None:
        return f"{FALSE}: it has no check of {component}"
    return f"{'passed' if check.passed else 'FAILED'}: {component} {check.message}"


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
