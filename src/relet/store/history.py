"""The lineage of a version, as far back as the store knows it: the runs that made it, their inputs and objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from relet.core.artifact import Reference, Version
from relet.core.record import RunRecord
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import objects, runs, trees, versions
from relet.store.bucket import Bucket
from relet.store.manifest import Bundle, name_and_content, named_versions


@dataclass(frozen=True, kw_only=True)
class VersionLineage:
    """A version with all that it was made from; each of `notes` tells a person of something that is gone."""

    bundle: Bundle
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunFamily:
    """The pipeline's run that made a version, with the runs of its components.

    `records` are the records of the pipeline and of its components; for a component that was skipped, the record
    of the earlier run that made its outputs. `standing` are the records that the version was made by. `gone` has a
    line for each record that is missing.
    """

    id: str | None = None
    records: tuple[RunRecord, ...] = ()
    standing: tuple[RunRecord, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def made(self) -> set[tuple[str, str]]:
        return {name_and_content(link) for record in self.records for link in record.outputs.values()}

    @property
    def pinned(self) -> dict[str, tuple[str, str]]:
        """The versions that these runs took as inputs and did not make → their name and content."""
        made = self.made
        taken = {
            link.version: name_and_content(link) for record in self.records for link in record.inputs.values()
        }
        return {version: what for version, what in taken.items() if what not in made}


def gather(bucket: Bucket, version: Version) -> VersionLineage:
    """All that another store needs to make a version again, with everything that it was made from.

    Raises NotFoundError, naming each missing thing, where the version itself could not be made again. A missing
    thing that only an earlier run needs, or that a reproduction makes anew, is left out and noted.
    """
    main = _family(bucket, version)
    families = {main.id: main}
    waiting = list(main.pinned.items())
    while waiting:
        reference, what = waiting.pop()
        taken = _whole_version(bucket, reference, what[1])
        family = _family(bucket, taken) if taken else RunFamily()
        if family.id not in families:
            families[family.id] = family
            waiting += family.pinned.items()
    records = {record.id: record for family in families.values() for record in family.records}
    everyone = tuple(records[run_id] for run_id in sorted(records))
    mentioned = {**named_versions(everyone), str(version): version.content}
    whole = bucket.each(lambda each: _whole_version(bucket, *each), mentioned.items())
    found = dict(zip(mentioned, whole, strict=True))
    needed = {each.id: trees.objects_of(bucket, each) for each in everyone}
    gone = frozenset(
        objects.absent_digests(bucket, {digest for each in needed.values() for digest in each.values()})
    )
    lost = {
        run_id: {what: digest for what, digest in each.items() if digest in gone}
        for run_id, each in needed.items()
    }
    refusals = [*_lost_requirements(version, main, found, lost)]
    if refusals:
        lines = "".join(f"\n  {each}" for each in refusals)
        raise NotFoundError(
            f"{version} can't be exported with its history, for what making it again stands on is gone:{lines}\n"
            "export it without --with-history: then the version goes alone, and can be used but not made again"
        )
    carried = {str(each): each for each in found.values() if each}
    bundle = Bundle(
        version=str(version),
        versions=tuple(
            _with_known_producer(each, records) for each in sorted(carried.values(), key=_by_name_and_number)
        ),
        records=everyone,
        trees=_code_trees(bucket, everyone, gone),
        gone=gone,
    )
    return VersionLineage(bundle=bundle, notes=tuple(_omission_notes(families.values(), found, lost)))


def _code_trees(
    bucket: Bucket, records: Iterable[RunRecord], gone: frozenset[str]
) -> dict[str, Mapping[str, str]]:
    digests = {each.code.tree for each in records if each.code.tree} - gone
    return {digest: trees.files_of(bucket, digest) for digest in sorted(digests)}


def _by_name_and_number(version: Version) -> tuple[str, int]:
    return version.name, version.number


def _family(bucket: Bucket, version: Version) -> RunFamily:
    if version.producer is None:
        return RunFamily(gone=(f"the run that made {version}: nothing says which it was",))
    gone: list[str] = []
    record = _record_or_gone(bucket, version.producer, f"it made {version}", gone)
    if record is None:
        return RunFamily(id=version.producer, gone=tuple(gone))
    parent = _record_or_gone(bucket, record.parent, f"run {record.id} was a part of it", gone)
    records = {each.id: each for each in (parent, record) if each}
    for component, step in (parent.steps if parent else {}).items():
        for run_id in _makers(bucket, step.get("run"), step.get("outputs", {})):
            maker = _record_or_gone(bucket, run_id, f"it is what {component} has", gone)
            records |= {maker.id: maker} if maker else {}
    return RunFamily(
        id=parent.id if parent else record.id,
        records=tuple(records.values()),
        standing=(*([parent] if parent else []), *_runs_behind(record, records.values())),
        gone=tuple(gone),
    )


def _record_or_gone(bucket: Bucket, run_id: str | None, why: str, gone: list[str]) -> RunRecord | None:
    """A run's record, or None; then `gone` gets a line that names the record and says why it matters."""
    if run_id is None:
        return None
    try:
        return runs.get_record(bucket, run_id)
    except NotFoundError:
        gone.append(f"the record of run {run_id}: {why}")
    except StoreError as error:
        gone.append(f"the record of run {run_id}: {why}, and {error}")
    return None


def _makers(bucket: Bucket, run_id: str | None, outputs: Mapping[str, str]) -> list[str]:
    """The run that made a step's outputs; where an older relet did not record it, the run of each output."""
    if run_id:
        return [run_id]
    found = (_find_readable(bucket, reference) for reference in outputs.values())
    return sorted({version.producer for version in found if version and version.producer})


def _runs_behind(record: RunRecord, records: Iterable[RunRecord]) -> tuple[RunRecord, ...]:
    """A run, the runs among `records` that made its inputs, the runs that made theirs, and so on."""
    makers = {name_and_content(link): each for each in records for link in each.outputs.values()}
    standing: dict[str, RunRecord] = {}
    waiting = [record]
    while waiting:
        each = waiting.pop()
        if each.id not in standing:
            standing[each.id] = each
            waiting += [
                makers[name_and_content(link)] for link in each.inputs.values() if name_and_content(link) in makers
            ]
    return tuple(standing.values())


def _find_readable(bucket: Bucket, reference: str) -> Version | None:
    try:
        return versions.find(bucket, Reference.parse(reference))
    except DamagedError:
        return None


def _whole_version(bucket: Bucket, reference: str, content: str | None) -> Version | None:
    """The version that a record names, or another one of the same content, if all its objects are stored."""
    found = _find_readable(bucket, reference)
    if found is None or objects.absent_digests(bucket, found.files.values()):
        name = Reference.parse(reference).name
        found = versions.find_content(bucket, name, content) if content else None
    return found if found and not objects.absent_digests(bucket, found.files.values()) else None


def _with_known_producer(version: Version, records: Mapping[str, RunRecord]) -> Version:
    """The version, with a producer among `records`: of several runs that made its content, any will do."""
    what = (version.name, version.content)
    makers = [record.id for record in records.values() if what in map(name_and_content, record.outputs.values())]
    if version.producer in makers or (version.producer not in records and not makers):
        return version
    return replace(version, producer=max(makers, default=None))


def _lost_requirements(
    version: Version, main: RunFamily, found: Mapping[str, Version | None], lost: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """A line for each missing thing without which a version can't be made again, with what needs it."""
    yield from main.gone
    if found[str(version)] is None:
        yield f"{version}: an object of its own"
    pinned = main.pinned
    for record in main.standing:
        for name, link in record.inputs.items():
            if link.version in pinned and found[link.version] is None:
                yield f"{link.version}: {record.component} took it as {name} (run {record.id})"
    yield from _lost_objects(main.standing, lost)


def _lost_objects(records: Iterable[RunRecord], lost: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    needed: dict[str, list[str]] = {}
    for record in records:
        for what, digest in lost[record.id].items():
            needed.setdefault(f"object {digest}: {what}", []).append(record.id)
    for what, run_ids in needed.items():
        yield f"{what} of run {', '.join(run_ids)}"


def _omission_notes(
    families: Iterable[RunFamily], found: Mapping[str, Version | None], lost: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """A line for each thing that is left out, and what follows from that."""
    made = {link.version for each in families for record in each.records for link in record.outputs.values()}
    for reference in sorted(reference for reference, version in found.items() if version is None):
        if reference in made:
            yield f"without {reference}: it is gone, and a reproduction makes it again"
        else:
            yield f"without {reference}: it is gone, and what took it can't be made again"
    records = {record.id: record for each in families for record in each.records}
    for each in families:
        yield from (f"without {what}" for what in each.gone if each.id)
    yield from (f"without {what}" for what in _lost_objects(records.values(), lost))
