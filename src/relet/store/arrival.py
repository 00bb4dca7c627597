"""Stores a bundle from another store: its versions get numbers of this store, and its run records name these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from relet.core.artifact import IMPORTED, Reference, Version
from relet.core.record import BUNDLE, ArtifactLink, Caveat, RunRecord, Status
from relet.errors import StoreError
from relet.store import aliases, objects, runs, versions
from relet.store.bucket import Bucket
from relet.store.checking import false_claims
from relet.store.code_checks import StoredCode
from relet.store.layout import run_path
from relet.store.manifest import Bundle, has_made, named_versions
from relet.store.record_checks import false_record_claims, proven_metrics

LATEST = "latest"
COMMAND = "relet artifacts import"


@dataclass(frozen=True, kw_only=True)
class ImportedBundle:
    """A bundle after its import.

    `version` is the version that the bundle was made for, as it is here. `versions` maps what each version was
    called in the other store to what it is here. `runs` are the runs whose records were stored, `known` those that
    were here already. `gone` are the versions that the records name and that the bundle does not hold. `doubts`
    are sentences on versions of this store that claim a content of the bundle and do not hold it.
    """

    version: Version
    versions: Mapping[str, Version]
    runs: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def refuse_false_claims(path: Path, bundle: Bundle, files: Mapping[str, Path]) -> None:
    """Raise StoreError where a version or a record of a bundle is not what the bundle's own bytes say.

    `files` are the verified objects by their digest. The content of each version and the metadata that files
    decide are worked out again, then the key, the links and the metrics of each record are compared with them, and
    each module's digest in a key with the module's file in the code tree.
    """
    for version in bundle.versions:
        for claim in false_claims(version, files.__getitem__):
            raise StoreError(f"{path}: {version} {claim}; nothing was stored")
    held = {str(version): version for version in bundle.versions}
    runs_there = {record.id: record for record in bundle.records}
    code = StoredCode(lambda tree: bundle.trees.get(tree, {}), lambda digest: _bytes_in_bundle(files, digest))
    for record in bundle.records:
        for wrong in (*false_record_claims(record, held.get, runs_there.get), *code.false_claims(record)):
            raise StoreError(f"{path}: run {record.id} {wrong}; nothing was stored")


def _bytes_in_bundle(files: Mapping[str, Path], digest: str) -> bytes:
    if digest not in files:
        raise StoreError(f"the bundle does not hold object {digest}")
    return files[digest].read_bytes()


def store_bundle(bucket: Bucket, bundle: Bundle, files: Mapping[str, Path]) -> ImportedBundle:
    """Store a bundle, whose objects are the verified `files`: objects first, then versions, then run records.

    No key is written: a run here computes its outputs anew and does not believe what a bundle says of them.
    Nothing that is stored here changes, and each reference goes on naming the same version. Raises StoreError,
    with nothing stored, where a run of the bundle and a run of this store have one id and are not the same run.
    """
    _refuse_other_runs(bucket, bundle)
    bucket.each(lambda digest: objects.put(bucket, files[digest]), sorted(bundle.objects))
    fresh = _fresh_names(bucket, bundle)
    new = tuple(record for record in bundle.records if bucket.head(run_path(record.id)) is None)
    doubts: list[str] = []
    arrived = {
        str(version): versions.add(bucket, _marked_version(version, bundle), doubting=doubts.append)
        for version in sorted(bundle.versions, key=_version_order)
    }
    version = arrived[bundle.version]
    newest = {_referenced_name(was): each for was, each in arrived.items()} | {version.name: version}
    for name in fresh:
        aliases.move(bucket, name, LATEST, newest[name].number, by=COMMAND, why=f"came with {bundle.version}")
    contents = _arrived_contents(arrived)
    places = _references_here(bucket, new, arrived)
    marked = [_marked_record(record, bundle) for record in new]
    stored = {record.id for record in marked if runs.add(bucket, renumbered(record, places))}
    return ImportedBundle(
        version=version,
        versions=arrived,
        runs=tuple(record.id for record in bundle.records if record.id in stored),
        known=tuple(record.id for record in bundle.records if record.id not in stored),
        doubts=tuple(doubts),
        gone=tuple(
            sorted(
                was for was, content in bundle.named.items() if (_referenced_name(was), content) not in contents
            )
        ),
    )


def _marked_version(version: Version, bundle: Bundle) -> Version:
    """The version with its origin in its metadata; what the bundle itself says of an origin is replaced."""
    origin = {"bundle": bundle.digest, "version": str(version), "run": version.producer or ""}
    return replace(version, metadata={**version.metadata, IMPORTED: origin})


def _marked_record(record: RunRecord, bundle: Bundle) -> RunRecord:
    """The record with its origin as a caveat, and without the metrics that no artifact of the bundle proves."""
    held = {str(version): version for version in bundle.versions}
    runs_there = {each.id: each for each in bundle.records}
    proven = proven_metrics(record, held.get, runs_there.get) or {}
    lost = sorted(record.metrics.keys() - proven.keys())
    without = f", without {', '.join(lost)}, which it can't prove" if lost else ""
    what = f"the bundle {bundle.digest[:12]}{without}"
    caveats = (*(each for each in record.caveats if each.kind != BUNDLE), Caveat(kind=BUNDLE, what=what))
    metrics = {name: value for name, value in record.metrics.items() if name in proven}
    return replace(record, caveats=caveats, metrics=metrics)


def _version_order(version: Version) -> tuple[str, int]:
    return version.name, version.number


def _referenced_name(reference: str) -> str:
    return Reference.parse(reference).name


def _refuse_other_runs(bucket: Bucket, bundle: Bundle) -> None:
    """Raise StoreError where a run that the bundle holds or names is another run in this store."""
    made_by = {version.producer for version in bundle.versions if version.producer}
    known = {
        run_id: _record_here(bucket, run_id) for run_id in sorted(made_by | {each.id for each in bundle.records})
    }
    for record in bundle.records:
        here = known[record.id]
        if here and _run_identity(here) != _run_identity(record):
            raise StoreError(f"run {record.id} is another one in {bucket.url}; nothing was stored")
    for version in bundle.versions:
        here = known.get(version.producer or "")
        if here and here.status is Status.FINISHED and not has_made(here, version):
            raise StoreError(
                f"run {here.id} made {version}, it says, and in {bucket.url} it did not; nothing was stored"
            )


def _record_here(bucket: Bucket, run_id: str) -> RunRecord | None:
    try:
        return runs.read_record(bucket, run_path(run_id))
    except StoreError:
        return None


def _run_identity(record: RunRecord) -> tuple[str | None, ...]:
    """The fields of a run's record that are the same in its first record and in its last."""
    return record.pipeline, record.component, record.parent, record.started, record.key


def _fresh_names(bucket: Bucket, bundle: Bundle) -> list[str]:
    """The artifact names whose alias `latest` the import sets: names that are new in this store, or of which it
    holds nothing but what an unfinished import of this bundle stored.

    For every other name `latest` is set to the version that it names before the import.
    """
    coming = {(version.name, version.content) for version in bundle.versions}
    fresh = []
    for name in sorted({version.name for version in bundle.versions}):
        if aliases.current(bucket, name, LATEST) is not None:
            continue
        here = versions.living_versions(bucket, name)
        inherited = versions.inherited_versions(bucket, name)
        if not inherited and {(version.name, version.content) for version in here} <= coming:
            fresh.append(name)
        elif newest := versions.find(bucket, Reference(name)):
            aliases.move(bucket, name, LATEST, newest.number, by=COMMAND, why="an import does not move it")
    return fresh


def _references_here(
    bucket: Bucket, records: tuple[RunRecord, ...], arrived: Mapping[str, Version]
) -> dict[str, str]:
    """Each version that the run records name → what it is called in this store.

    A version that did not come gets a number of its own, which reads as pruned. So no record names a wrong
    version.
    """
    places = {was: str(version) for was, version in arrived.items()}
    for was, content in sorted(named_versions(records).items()):
        if was not in places:
            name = _referenced_name(was)
            here = versions.find_content(bucket, name, content) if content else None
            places[was] = str(here or Reference(name, f"v{versions.reserve(bucket, name, content)}"))
    return places


def _arrived_contents(arrived: Mapping[str, Version]) -> dict[tuple[str, str], str]:
    return {(version.name, version.content): str(version) for version in arrived.values()}


def renumbered(record: RunRecord, places: Mapping[str, str]) -> RunRecord:
    """The record, with each version called by its name in this store (`places`)."""

    def moved(links: Mapping[str, ArtifactLink]) -> dict[str, ArtifactLink]:
        return {name: replace(link, version=places[link.version]) for name, link in links.items()}

    steps = {
        component: {**step, "outputs": {name: places[was] for name, was in step.get("outputs", {}).items()}}
        for component, step in record.steps.items()
    }
    return replace(record, inputs=moved(record.inputs), outputs=moved(record.outputs), steps=steps)
