"""Judge one reproduced step against the record of its run."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Version, in_pipeline
from relet.core.change import differences
from relet.core.component import Component
from relet.core.lookups import MODULE_MARK, NO_MODULE, NOTHING, PACKAGE_MARK
from relet.core.plan import RunRequest
from relet.core.record import EDITED, LOCK, NOT_LOCKED, ArtifactLink, Caveat, RunRecord
from relet.core.reproduction import Likeness, OutputVerdict, StepVerdict, machine_changes
from relet.errors import BadDataError, DamagedError
from relet.project.folder import Project
from relet.project.job import ComponentResult, RunOutcome
from relet.project.places import place_now
from relet.project.tree import file_digest_now
from relet.reproduction.checked_calls import true_content
from relet.store.contents import TABLE

if TYPE_CHECKING:
    from relet.store import Store


# The kinds of caveats that a call is watched for. The others speak of a commit and a lock.
OF_CALLS = frozenset(("import", "file", "network", "process", EDITED))
# The likeness of an output to the recorded one, the largest difference of two numbers, and the remark on it.
Found = tuple[Likeness, float | None, tuple[str, ...]]
# What a step raises that does not find a package.
_IMPORT_ERRORS = ("ModuleNotFoundError", "ImportError", "PackageNotFoundError")
_IDENTICAL: Found = (Likeness.IDENTICAL, None, ())
_NOT_MADE: Found = (Likeness.DIVERGED, None, ("it was not made",))


@dataclass(frozen=True, kw_only=True)
class RebuiltRun:
    """A run that was made again: its store, its outcome, the project, the request, and the machine."""

    store: Store
    outcome: RunOutcome
    project: Project
    request: RunRequest
    machine: Mapping[str, Any]

    def result(self, component: str) -> ComponentResult | None:
        return next((each for each in self.outcome.results if each.component == component), None)

    def observed(self, component: str) -> tuple[Caveat, ...]:
        """What a component did in its call that nobody promised, as the reproduction saw it."""
        result = self.result(component)
        return tuple(each for each in result.caveats if each.kind in OF_CALLS) if result else ()


def judge_step(record: RunRecord, made: RebuiltRun, store: Store) -> StepVerdict:
    """The verdict on one step: each recorded output is compared with the reproduced one."""
    component = made.project.pipeline.component(str(record.component))
    result = made.result(component.name)
    again = made.store.run(result.run_id) if result and result.run_id else None
    outputs = tuple(
        _judge_output(name, link, component, again, made, store) for name, link in record.outputs.items()
    )
    if again:
        inputs_equal = _contents_by_name(record.inputs) == _contents_by_name(again.inputs)
    else:
        inputs_equal = _had_equal_inputs(record, made)
    missing: tuple[str, ...] = ()
    error = "" if again else _why_not_made(component.name, result, made)
    if inputs_equal and error:
        missing = tuple(_missing_packages(record, error))
    if not missing and inputs_equal and any(each.likeness is Likeness.DIVERGED for each in outputs):
        missing = tuple(_missing_files(record, made.project.root))
    return StepVerdict(
        component=component.name,
        run=record.id,
        outputs=tuple(map(_not_judged, outputs)) if missing else outputs,
        inputs_equal=inputs_equal,
        changes=_changes_since_record(record, again, made),
        caveats=tuple(
            dict.fromkeys((*map(str, (*record.caveats, *made.observed(component.name))), *_caveats_again(again)))
        ),
        error=error,
        seconds=result.seconds if result else None,
        missing=missing,
    )


def _missing_files(record: RunRecord, root: Path) -> Iterator[str]:
    """What a step read that no record holds, and that is not the same in the project's folder `root`, in words."""
    hint = (
        f"name it in resources= of {record.component}, or give it by a parameter that is a Source, "
        "and a run keeps it"
    )
    for name, digest in record.undeclared.items():
        now = file_digest_now(name, root)
        if now is None or (digest and now != digest):
            what = "is not there when it is made again" if now is None else "is another one when it is made again"
            yield f"{record.component} read {name}, which nothing declares and which {what}; {hint}"
    for name, before in record.looked_at.items():
        # Which packages there are is the environment's part.
        if name.startswith((PACKAGE_MARK, MODULE_MARK)):
            continue
        if before not in (NOTHING, NO_MODULE) and place_now(name, before, root) != before:
            what = "is not there, or holds other files, when it is made again"
            yield f"{record.component} looked at {name}, which nothing declares and which {what}; {hint}"


def _missing_packages(record: RunRecord, error: str) -> Iterator[str]:
    """Packages that a step had and no lock has, where it failed to import something without them, in words."""
    end = f", {NOT_LOCKED}"
    of_lock = (each.what for each in record.caveats if each.kind == LOCK)
    unlocked = [what.removesuffix(end) for what in of_lock if what.endswith(end)]
    plain = error.lower().replace("_", "-")
    # a module often has its distribution's name
    unlocked = [each for each in unlocked if each.partition(" ")[0] in plain] or unlocked
    if unlocked and any(each in error for each in _IMPORT_ERRORS):
        yield (
            f"{record.component} ran with {', '.join(unlocked)}, which the lock does not have, and fails without "
            f"it: {error}; name it among the dependencies, make the lock anew with relet lock, and run it again"
        )


def _not_judged(output: OutputVerdict) -> OutputVerdict:
    return replace(output, likeness=Likeness.IMPOSSIBLE) if output.likeness is Likeness.DIVERGED else output


def _caveats_again(again: RunRecord | None) -> tuple[str, ...]:
    """What a step that was made again has to say of its packages: others are in the recorded run as well."""
    found = again.caveats if again else ()
    return tuple(f"{each} (when it was made again)" for each in found if each.kind == "package")


def _had_equal_inputs(record: RunRecord, made: RebuiltRun) -> bool:
    """Whether a step that did not run would have taken its recorded inputs, judged by the outputs of the steps
    before it.
    """
    results = made.outcome.results
    contents = {
        in_pipeline(record.pipeline, version.name): version.content
        for result in results
        for version in result.outputs.values()
    }
    names = {
        link: in_pipeline(record.pipeline, Reference.parse(link.version).name) for link in record.inputs.values()
    }
    return all(contents.get(name, link.content) == link.content for link, name in names.items())


def _contents_by_name(links: Mapping[str, ArtifactLink]) -> dict[str, str]:
    return {name: link.content for name, link in links.items()}


def _changes_since_record(record: RunRecord, again: RunRecord | None, made: RebuiltRun) -> tuple[str, ...]:
    """The changes since the record: in the parts of the key, except the inputs, and in the machine."""
    found = []
    if record.parts and again and again.parts:
        found += [each for each in differences(record.parts, again.parts) if each.part != "inputs"]
    found += machine_changes(record.machine, again.machine if again else made.machine)
    return tuple(map(str, found))


def _why_not_made(component: str, result: ComponentResult | None, made: RebuiltRun) -> str:
    if result is not None:
        return result.reason
    done = {each.component for each in made.outcome.results}
    left = [each.name for each in made.request.components if each.name not in done]
    # an error ends a run, so it belongs to the first step without a result
    return str(made.outcome.error) if component == left[0] else f"{left[0]} failed before it"


def _judge_output(
    name: str, link: ArtifactLink, component: Component, again: RunRecord | None, made: RebuiltRun, store: Store
) -> OutputVerdict:
    got = again.outputs.get(name) if again else None
    likeness, largest, told = _NOT_MADE
    if again is not None and got is not None:
        pair = _OutputPair(
            link=link,
            recorded=store.find_content(Reference.parse(link.version).name, link.content),
            reproduced=made.store.version(got.version),
            same=got.content == link.content,
            tolerance=component.tolerance.get(name),
        )
        likeness, largest, told = _compare_pair(pair, again, made, store)
    return OutputVerdict(
        name=name,
        recorded=link.version,
        recorded_content=link.content,
        reproduced_content=got.content if got else None,
        likeness=likeness,
        largest=largest,
        tolerance=component.tolerance.get(name),
        differences=told,
    )


@dataclass(frozen=True, kw_only=True)
class _OutputPair:
    """A recorded output and the reproduced one.

    `link` is what the record says of it, `recorded` the stored version of that content, None where there is none.
    `same` says that the digests are equal.
    """

    link: ArtifactLink
    recorded: Version | None
    reproduced: Version
    same: bool
    tolerance: float | None


def _compare_pair(pair: _OutputPair, again: RunRecord, made: RebuiltRun, store: Store) -> Found:
    """The judgement of a pair. What is stored is read, also where the digests are equal."""
    recorded = pair.recorded
    if recorded is None:
        return _compare_digests(pair, _why_not_stored(pair.link, store))
    with tempfile.TemporaryDirectory(prefix="relet-compare-") as folder:
        scratch = Path(folder)
        try:
            store.materialize(recorded, scratch / "recorded")
        except DamagedError as error:
            return _compare_digests(pair, str(error))
        if pair.same and _has_stated_content(recorded, scratch / "recorded"):
            return _IDENTICAL
        made.store.materialize(pair.reproduced, scratch / "reproduced")
        return _compare_files(pair, recorded, _lay_out_tables(again, made, scratch), scratch)


def _why_not_stored(link: ArtifactLink, store: Store) -> str:
    """Why the store holds no version of the content that a record names."""
    stored = store.find(Reference.parse(link.version))
    if stored is None:
        return "gone from the store"
    return f"in the store it has the content {stored.content[:12]}, and the run recorded {link.content[:12]}"


def _compare_digests(pair: _OutputPair, why: str) -> Found:
    """The judgement by the digest in the record, where the stored bytes can't be had; `why` says why."""
    if pair.same:
        return Likeness.IDENTICAL, None, (f"{why}, so that the recorded digest alone was compared",)
    return Likeness.DIVERGED, None, (f"other content; what was recorded can't be compared: {why}",)


def _has_stated_content(version: Version, folder: Path) -> bool:
    """Whether a version's files have the content that the version states."""
    try:
        return true_content(version.type, folder) == version.content
    except (BadDataError, OSError):
        return False


def _compare_files(pair: _OutputPair, recorded: Version, rows: tuple[Path, ...], scratch: Path) -> Found:
    from relet.evaluation.comparison import compare

    found = compare(
        recorded.type,
        scratch / "recorded",
        scratch / "reproduced",
        tolerance=pair.tolerance,
        rows=rows,
        # equal digests lead here only where somebody changed what is stored
        trusted=recorded.imported is None and not pair.same,
    )
    # a number without a counterpart is in the sentences; JSON has no infinity
    largest = found.largest if found.largest is not None and math.isfinite(found.largest) else None
    if pair.same:
        told = f"{recorded} in the store is not what the run recorded; somebody changed it"
        return Likeness.DIVERGED, largest, (told, *found.differences)
    # without a tolerance the digests have to be equal, those of a model's bytes too
    fine = found.within and pair.tolerance is not None
    return (Likeness.EQUIVALENT if fine else Likeness.DIVERGED), largest, found.differences


def _lay_out_tables(again: RunRecord, made: RebuiltRun, scratch: Path) -> tuple[Path, ...]:
    """Lay out the tables that a step took, so that its models can predict on them."""
    found = []
    for name, link in again.inputs.items():
        if link.type == ArtifactType.TABLE:
            made.store.materialize(made.store.version(link.version), scratch / "rows" / name)
            found.append(scratch / "rows" / name / TABLE)
    return tuple(found)
