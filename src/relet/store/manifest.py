"""The manifest of an exported tar file: its versions, and the runs that made them. Nothing in it is believed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from relet.core import record as records
from relet.core.artifact import DETERMINISM, IMPORTED, REPRODUCTION, ArtifactType, Reference, Version
from relet.core.record import BUNDLE, ArtifactLink, RunRecord, Status
from relet.errors import ReletError, StoreError
from relet.store.fields import wrong_code_fields, wrong_record_fields, wrong_version_fields
from relet.store.layout import DIGEST, Document, artifact_name, encode, file_path, file_paths, parse_json, word
from relet.store.objects import digest_of

# Format 1 holds one version without its history, and is still written for that.
SINGLE = 1
FORMAT = 2
# A version's number and date belong to the store that it leaves: without them equal versions give equal bytes.
CARRIED = ("name", "type", "content", "files", "description", "metadata", "producer")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Versions and run records on their way to another store, under the names of the store that they leave.

    `version` names the version that was asked for, one of `versions`. `trees` are the files of the records' code
    trees: the document's SHA-256 → path → SHA-256. `gone` are the objects that a record needs to be made again and
    that the first store had lost: the record comes without them. `digest` is the SHA-256 of the manifest that the
    bundle was read from, "" for one that was gathered here.
    """

    version: str
    versions: tuple[Version, ...]
    records: tuple[RunRecord, ...] = ()
    trees: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    digest: str = ""

    @property
    def objects(self) -> set[str]:
        """The digests of the objects that come with the bundle."""
        needed = {digest for record in self.records for digest in record.objects.values()}
        needed |= {digest for files in self.trees.values() for digest in files.values()}
        needed -= self.gone
        return needed | {digest for version in self.versions for digest in version.files.values()}

    @property
    def named(self) -> dict[str, str | None]:
        """Each version that the bundle holds or that a record of it names → its content, None where unknown."""
        return named_versions(self.records) | {str(version): version.content for version in self.versions}


def named_versions(runs: tuple[RunRecord, ...]) -> dict[str, str | None]:
    """Each version that run records name → its content; None where only a pipeline's steps name the version."""
    found: dict[str, str | None] = {reference: None for record in runs for reference in step_outputs(record)}
    return found | {link.version: link.content for record in runs for link in links(record)}


def links(record: RunRecord) -> Iterator[ArtifactLink]:
    yield from record.inputs.values()
    yield from record.outputs.values()


def step_outputs(record: RunRecord) -> Iterator[str]:
    for step in record.steps.values():
        yield from step.get("outputs", {}).values()


def name_and_content(link: ArtifactLink) -> tuple[str, str]:
    """The artifact's name and the content of a linked version; both are the same in every store."""
    return Reference.parse(link.version).name, link.content


def has_made(record: RunRecord, version: Version) -> bool:
    """Whether a run's record names, among its outputs, a version of this name and this content."""
    return (version.name, version.content) in map(name_and_content, record.outputs.values())


def disowns(record: RunRecord | None, version: Version) -> bool:
    """Whether a run's record contradicts that the run made a version; one that has not finished says nothing."""
    return record is not None and record.status is Status.FINISHED and not has_made(record, version)


def bundle_manifest(bundle: Bundle) -> bytes:
    """The manifest of a bundle; equal bundles give equal bytes."""
    document: Document = {
        "format": FORMAT,
        "version": bundle.version,
        "versions": [{**_carried_fields(version), "number": version.number} for version in bundle.versions],
        "runs": [_unmarked(record).to_json() for record in bundle.records],
        "gone": sorted(bundle.gone),
        **({"trees": bundle.trees} if bundle.trees else {}),
    }
    return encode(document)


def version_manifest(version: Version) -> bytes:
    return encode({"format": SINGLE, **_carried_fields(version)})


def _carried_fields(version: Version) -> Document:
    stored = version.to_json()
    metadata = {field: value for field, value in stored["metadata"].items() if field != IMPORTED}
    return {field: stored[field] for field in CARRIED} | {"metadata": metadata}


def _unmarked(record: RunRecord) -> RunRecord:
    """The record without the mark of its own import: that belongs to the store that it leaves."""
    return replace(record, caveats=tuple(each for each in record.caveats if each.kind != BUNDLE))


def read_manifest(path: Path, manifest: bytes) -> Bundle:
    """The bundle that a manifest describes. Raises StoreError where anything in it is not as relet writes it."""
    try:
        stored = parse_json(manifest)
        if stored["format"] > FORMAT:
            raise StoreError(f"{path} was exported by a newer relet (format {stored['format']}); upgrade relet")
        bundle = _single_from_manifest(stored) if stored["format"] == SINGLE else _bundle_from_manifest(stored)
        return replace(bundle, digest=sha256(manifest).hexdigest())
    except StoreError as error:
        raise StoreError(f"{path}: {error}; nothing was stored") from error
    except (ReletError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path}: its manifest can't be read: {error}; export it again") from error


def _single_from_manifest(stored: Document) -> Bundle:
    draft = _version_from_manifest({**stored, "number": 1})
    return Bundle(version=str(draft), versions=(draft,))


def _bundle_from_manifest(stored: Document) -> Bundle:
    bundle = Bundle(
        version=stored["version"],
        versions=tuple(map(_version_from_manifest, stored["versions"])),
        records=tuple(map(_record_from_manifest, stored["runs"])),
        trees=dict(map(_tree_from_manifest, stored.get("trees", {}).items())),
        gone=frozenset(map(_checked_digest, stored["gone"])),
    )
    held = [str(version) for version in bundle.versions]
    _refuse_duplicates(held)
    _refuse_duplicates([record.id for record in bundle.records])
    if bundle.version not in held:
        raise StoreError(f"it says that it holds {bundle.version}, and does not")
    _refuse_contradictions(bundle)
    unnamed = (
        {record.code.tree for record in bundle.records if record.code.tree} - bundle.trees.keys() - bundle.gone
    )
    if unnamed:
        raise StoreError(f"it does not say which files the code tree {min(unnamed)} has")
    return bundle


def _tree_from_manifest(named: tuple[str, Document]) -> tuple[str, Mapping[str, str]]:
    digest, files = named
    if digest_of(records.tree_document(files)) != digest:
        raise StoreError(f"the code tree {digest} has other files than it says")
    for path, each in files.items():
        file_path(path)
        _checked_digest(each)
    return digest, files


def _refuse_duplicates(found: list[str]) -> None:
    twice = [name for name, times in Counter(found).items() if times > 1]
    if twice:
        raise StoreError(f"it holds {twice[0]} twice")


def _refuse_contradictions(bundle: Bundle) -> None:
    """Raise StoreError where two places in a bundle contradict each other about a version."""
    said = {str(version): (version.content, version.type) for version in bundle.versions}
    for record in bundle.records:
        for link in links(record):
            if said.setdefault(link.version, (link.content, ArtifactType(link.type))) != (link.content, link.type):
                raise StoreError(f"run {record.id} says of {link.version} what it is not")
    outputs = {
        record.id: {name_and_content(link) for link in record.outputs.values()} for record in bundle.records
    }
    for version in bundle.versions:
        if version.producer in outputs and (version.name, version.content) not in outputs[version.producer]:
            raise StoreError(f"{version} says that run {version.producer} made it, and that run does not")


def _version_from_manifest(stored: Document) -> Version:
    number, producer = stored["number"], stored["producer"]
    version = Version.from_json({**{field: stored[field] for field in CARRIED}, "number": number})
    if artifact_name(version.name) in (REPRODUCTION, DETERMINISM):
        raise StoreError(f"it holds {version.name}, relet's own verdict, which is to be found here, not believed")
    word(version.content, "a content digest")
    file_paths(version.files)
    for digest in version.files.values():
        _checked_digest(digest)
    if type(number) is not int or number < 1:
        raise StoreError(f"{version} can't be a version: they are numbered from 1")
    if producer is not None:
        word(producer, "a run id")
    if not isinstance(version.description, str) or not isinstance(version.metadata, dict):
        raise StoreError(f"{version} has no description, or no metadata")
    for what in wrong_version_fields(version):
        raise StoreError(f"{version}: its {what} can't be read")
    return version


def _checked_digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise StoreError(f"{text!r} can't be an object's SHA-256")
    return text


def _record_from_manifest(stored: Document) -> RunRecord:
    if stored["format"] > records.FORMAT:
        raise StoreError(f"it holds a run's record of format {stored['format']}; upgrade relet")
    record = RunRecord.from_json(stored)
    word(record.id, "a run id")
    for what in (*wrong_record_fields(record), *wrong_code_fields(record)):
        raise StoreError(f"run {record.id}: its {what} can't be read")
    for name in (record.parent, record.winner, record.key, *(step.get("run") for step in record.steps.values())):
        if name is not None:
            word(name, "a run id")
    for digest in record.objects.values():
        _checked_digest(digest)
    for link in links(record):
        _refuse_unnumbered(link.version)
        word(link.content, "a content digest")
    for reference in step_outputs(record):
        _refuse_unnumbered(reference)
    # A reproduction writes these paths and hands them to git: none may lead outside or be an option.
    for path in (
        *record.code.untracked,
        *record.modules_kept,
        *([record.code.folder] if record.code.folder else []),
    ):
        file_path(path)
    return record


def _refuse_unnumbered(reference: str) -> None:
    if Reference.parse(reference).number is None:
        raise StoreError(f"{reference!r} names no version by its number")
