"""Versions of artifacts: numbered by put-if-absent, one small JSON file each, written after their objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from relet.core.artifact import ArtifactType, Reference, Version, is_full_name, short_name
from relet.core.record import now
from relet.errors import DamagedError, NotFoundError, StoreError, nearest
from relet.store import aliases, checking, log, objects
from relet.store.bucket import Bucket
from relet.store.fields import wrong_version_fields
from relet.store.layout import (
    TOMBSTONE,
    Document,
    artifact_folder,
    content_path,
    contents_folder,
    encode,
    file_path,
    file_paths,
    name_of_folder,
    number_in_path,
    numbers_in_folder,
    run_path,
    version_path,
    versions_folder,
)

# How many of the newest versions are compared with a new one whose content has no pointer. A writer that was
# killed after it wrote a version and before it wrote the pointer, or that is there right now, wrote one of these.
RECENT = 8


def add(bucket: Bucket, draft: Version, *, doubting: Callable[[str], None] = lambda _: None) -> Version:
    """Store a version under the next free number; where a version has this content already, that one is given.

    `draft` says what is true of its files. A stored version of its content that says anything else of them, or
    that has other files, is worked out again; where it is not what it claims, it is passed over, and `doubting` is
    told in a sentence. Raises StoreError where an object that the draft names is not stored.
    """
    file_paths(draft.files)
    _check_objects(bucket, draft)
    version = _found_or_added(bucket, draft, _DraftComparison(bucket, draft, doubting))
    # Once more: a garbage collection that did not see the version yet may have taken an object (decision 29).
    _check_objects(bucket, version)
    return version


def _check_objects(bucket: Bucket, version: Version) -> None:
    """Raise StoreError unless each object of a version is stored; one that is condemned is put back."""
    if absent := objects.absent_digests(bucket, version.files.values()):
        raise StoreError(
            f"{version.name}: object {absent[0]} is not stored; put the objects before the version, and put them "
            "again where a garbage collection (`relet artifacts gc --older-than`) took them in between"
        )


def _found_or_added(bucket: Bucket, draft: Version, same: _DraftComparison) -> Version:
    pointed = bucket.get(content_path(draft.name, draft.content))
    if pointed is not None:
        known = _readable_version(bucket, draft.name, _pointed_number(bucket, pointed))
        if known and same(known):
            return known
    return _add_numbered(bucket, draft, same)


def _add_numbered(bucket: Bucket, draft: Version, same: _DraftComparison) -> Version:
    named = _largest_named(bucket, draft.name)
    taken = version_numbers(bucket, draft.name)
    for known in bucket.each(
        lambda number: _readable_version(bucket, draft.name, number), reversed(taken[-RECENT:])
    ):
        if known and same(known):
            return _write_pointer(bucket, known)
    older = _inheritable_numbers(bucket, draft.name, taken)
    if older and (known := _inherited_content(bucket, draft.name, draft.content)) and same(known):
        return known
    number = max([*taken[-1:], *older[-1:], named]) + 1
    while True:
        version = replace(draft, number=number, created=now())
        if _create(bucket, version):
            return _write_pointer(bucket, version)
        known = _readable_version(bucket, draft.name, number)
        if known and same(known):
            return _write_pointer(bucket, known)
        number += 1


def _create(bucket: Bucket, version: Version) -> bool:
    path, content = version_path(version.name, version.number), _encoded(version)
    if version.type is ArtifactType.VERDICT:
        return log.create_logged(bucket, path, content, log.VERDICT)
    return bucket.create(path, content)


class _DraftComparison:
    """Whether stored versions are the same as a draft; each version is compared once."""

    def __init__(self, bucket: Bucket, draft: Version, doubting: Callable[[str], None]) -> None:
        self._bucket = bucket
        self._draft = draft
        self._doubting = doubting
        self._answers: dict[int, bool] = {}

    def __call__(self, known: Version) -> bool:
        if known.number not in self._answers:
            self._answers[known.number] = self._is_same(known)
        return self._answers[known.number]

    def _is_same(self, known: Version) -> bool:
        if (known.content, known.type) != (self._draft.content, self._draft.type):
            return False
        if known.imported and not self._draft.imported:
            return False  # What somebody else says of a content is not said of what was made here.
        if known.files == self._draft.files and checking.says_the_same(known, self._draft):
            return True
        if objects.absent_digests(self._bucket, known.files.values()):
            return False
        try:
            false = checking.stored_false_claims(self._bucket, known)
        except DamagedError:
            return False
        for claim in false[:1]:
            self._doubting(
                f"{known} is not what it claims and was not taken: it {claim}; `relet artifacts verify` says more"
            )
        return not false


def _encoded(version: Version) -> bytes:
    try:
        return encode(version.to_json())
    except (TypeError, ValueError) as error:
        raise StoreError(f"{version.name}: its metadata can't be written as JSON: {error}") from error


def _write_pointer(bucket: Bucket, version: Version) -> Version:
    bucket.put_document(content_path(version.name, version.content), {"number": version.number})
    return version


def _pointed_number(bucket: Bucket, pointer: bytes) -> int:
    try:
        return int(bucket.parse("a content's pointer", pointer)["number"])
    except (DamagedError, KeyError, TypeError, ValueError):
        return 0


def version_numbers(bucket: Bucket, name: str) -> list[int]:
    """Every number that was ever used, in ascending order; those of pruned versions too."""
    folder = versions_folder(name)
    return numbers_in_folder(folder, (entry.path for entry in bucket.entries(folder)))


def _largest_named(bucket: Bucket, name: str) -> int:
    """The largest number that an alias or the pointer of a content names; 0 where there is none.

    They go on naming a version whose document somebody deleted, and so do records: given again, its number would
    let them name another content. It has to be asked before the documents are listed, for those are written first.
    """
    newest = sorted(bucket.entries(contents_folder(name)), key=lambda entry: entry.modified)[-RECENT:]
    named = bucket.each(lambda entry: _pointed_number(bucket, bucket.get(entry.path) or b""), newest)
    with suppress(DamagedError):  # `verify` names an alias that can't be read.
        named += aliases.current_numbers(bucket, name).values()
    # Where the next one would be the number of no version, it was made up.
    return max((each for each in named if number_in_path(f"{each + 1}.json")), default=0)


def tombstone(name: str, number: int, content: str | None) -> Document:
    """The document in the place of a pruned version: with it, the number is never given again."""
    return {TOMBSTONE: now(), "name": name, "number": number, "content": content}


def reserve(bucket: Bucket, name: str, content: str | None) -> int:
    """A number that reads as a pruned version, for a version that records of another store name and that did not
    come.

    Equal content gets the same number, where the content is known.
    """
    named = _largest_named(bucket, name)
    taken = version_numbers(bucket, name)
    for number in taken if content else []:
        with suppress(DamagedError):
            document = bucket.document(version_path(name, number)) or {}
            if TOMBSTONE in document and document.get("content") == content:
                return number
    number = max([*taken[-1:], *_inheritable_numbers(bucket, name, taken)[-1:], named]) + 1
    while not log.create_logged(
        bucket, version_path(name, number), encode(tombstone(name, number, content)), log.PRUNED
    ):
        number += 1
    return number


def read(bucket: Bucket, name: str, number: int) -> Version | None:
    """A version by its number; None where there is none or it was pruned. Raises DamagedError."""
    path = version_path(name, number)
    document = bucket.document(path)
    if document is None or TOMBSTONE in document:
        return None
    try:
        version = Version.from_json(document)
        file_paths(version.files)
    except (TypeError, ValueError, KeyError, AttributeError, StoreError) as error:
        raise DamagedError(f"{bucket.url}: {path} can't be read as a version: {error}") from error
    if wrong := next(wrong_version_fields(version), None):
        raise DamagedError(
            f"{bucket.url}: {path} can't be read as a version: its {wrong} is not what it should be"
        )
    if (version.name, version.number) != (name, number):
        raise DamagedError(f"{bucket.url}: {path} says that it is {version}; restore it from a backup")
    return version


def _readable_version(bucket: Bucket, name: str, number: int, unread: list[str] | None = None) -> Version | None:
    try:
        return read(bucket, name, number)
    except DamagedError:
        if unread is not None:
            unread.append(f"{name}:v{number}")
        return None


def read_or_inherited(bucket: Bucket, name: str, number: int) -> Version | None:
    """A version by its number, or the inherited one of that number. Raises DamagedError."""
    return read(bucket, name, number) or _inherited_version(bucket, name, number)


def _inherited_version(bucket: Bucket, name: str, number: int) -> Version | None:
    """The version of a full name that an older relet stored under the short one; None where there is none.

    A pipeline inherits what it made itself, and that of which no record says who made it, unless it came with a
    bundle. Its own versions have numbers above all that it inherits.
    """
    if not is_full_name(name):
        return None
    version = read(bucket, short_name(name), number)
    maker = pipeline_of_run(bucket, version.producer) if version else None
    if version is None or maker not in (None, name.partition("/")[0]) or (maker is None and version.imported):
        return None
    own = version_numbers(bucket, name)
    return version if not own or number < own[0] else None


def pipeline_of_run(bucket: Bucket, run: str | None) -> str | None:
    """The pipeline that a run is of; None where its record is gone or can't be read."""
    with suppress(DamagedError):
        document = bucket.document(run_path(run)) if run else None
        pipeline = (document or {}).get("pipeline")
        return pipeline if isinstance(pipeline, str) else None
    return None


def _inheritable_numbers(bucket: Bucket, name: str, own: list[int]) -> list[int]:
    """The numbers of the versions that an older relet stored under the short name, whoever made them.

    `own` are the numbers of the full name: where they begin with 1, nothing was there before.
    """
    if not is_full_name(name) or own[:1] == [1]:
        return []
    return [each for each in version_numbers(bucket, short_name(name)) if not own or each < own[0]]


def _inherited_content(bucket: Bucket, name: str, content: str) -> Version | None:
    known = find_content(bucket, short_name(name), content)
    with suppress(DamagedError):
        return _inherited_version(bucket, name, known.number) if known else None
    return None


def inherited_versions(bucket: Bucket, name: str, unread: list[str] | None = None) -> list[Version]:
    """The versions of a full name that an older relet stored under the short one, the oldest first."""

    def readable(number: int) -> Version | None:
        try:
            return _inherited_version(bucket, name, number)
        except DamagedError:
            if unread is not None:
                unread.append(f"{short_name(name)}:v{number}")
            return None

    older = _inheritable_numbers(bucket, name, version_numbers(bucket, name))
    return [version for version in bucket.each(readable, older) if version]


def inherited_aliases(bucket: Bucket, name: str) -> dict[str, int]:
    """The aliases of the short name that are set to an inherited version → its number; none of a short name."""
    if not is_full_name(name):
        return {}
    found = aliases.current_numbers(bucket, short_name(name))
    return {alias: number for alias, number in found.items() if _inherited_version(bucket, name, number)}


def living_versions(bucket: Bucket, name: str, unread: list[str] | None = None) -> list[Version]:
    """The versions that were not pruned and can be read, the oldest first; the others are added to `unread`."""
    lost = [] if unread is None else unread
    found = bucket.each(
        lambda number: _readable_version(bucket, name, number, lost), version_numbers(bucket, name)
    )
    return [version for version in found if version]


def names(bucket: Bucket) -> list[str]:
    """The names of the artifacts that have a version; a folder of another name is passed over."""
    named = filter(None, map(name_of_folder, bucket.folders("artifacts/")))
    return sorted(name for name in named if version_numbers(bucket, name))


def owners(bucket: Bucket, name: str) -> list[str]:
    """The full names that pipelines have for a short one, sorted."""
    return [each for each in full_names(bucket) if short_name(each) == name]


def full_names(bucket: Bucket) -> list[str]:
    """The full names of versions, and those of aliases alone, which are set to inherited versions; sorted."""
    named = filter(None, map(name_of_folder, bucket.folders("artifacts/")))
    return sorted(each for each in named if is_full_name(each) and bucket.entries(artifact_folder(each)))


def find(bucket: Bucket, reference: Reference) -> Version | None:
    """The version that a reference names, or None. Where no alias `latest` is set, it is the newest version.

    Of a full name the pipeline's own version or alias is taken; where it has none, the one that it inherits.
    """
    name, number = reference.name, reference.number
    if number is None:
        number = aliases.current(bucket, name, reference.selector)
    if number is not None:
        return read_or_inherited(bucket, name, number)
    older = aliases.current(bucket, short_name(name), reference.selector) if is_full_name(name) else None
    if older and (inherited := _inherited_version(bucket, name, older)):
        return inherited
    return next(_versions_newest_first(bucket, name), None) if reference.selector == "latest" else None


def _versions_newest_first(bucket: Bucket, name: str) -> Iterator[Version]:
    for number in reversed(version_numbers(bucket, name)):
        if version := _readable_version(bucket, name, number):
            yield version
    yield from reversed(inherited_versions(bucket, name))


def get(bucket: Bucket, reference: Reference) -> Version:
    """The version that a reference names. Raises NotFoundError with the nearest right name."""
    version = find(bucket, reference)
    if version:
        return version
    known = names(bucket)
    if not {reference.name, short_name(reference.name)} & {*known}:
        offered = known if is_full_name(reference.name) else sorted({*map(short_name, known)})
        advice = nearest(reference.name, offered)
        raise NotFoundError(f"{bucket.url} holds no artifact {reference.name!r}: {advice}")
    if reference.number in version_numbers(bucket, reference.name):
        raise NotFoundError(f"{reference} was pruned; {_nearest_selector(bucket, reference)}")
    raise NotFoundError(f"{bucket.url} holds no {reference}: {_nearest_selector(bucket, reference)}")


def _nearest_selector(bucket: Bucket, reference: Reference) -> str:
    name = reference.name
    living = [*inherited_versions(bucket, name), *living_versions(bucket, name)]
    selectors = [f"v{version.number}" for version in living]
    names = {*aliases.current_numbers(bucket, name), *inherited_aliases(bucket, name), "latest"}
    return nearest(reference.selector, [*selectors, *sorted(names)])


def find_content(bucket: Bucket, name: str, content: str) -> Version | None:
    """The version of an artifact that has this content and was not pruned, or None.

    It is found by the content's pointer. Where a writer was killed before it wrote that, all versions are read.
    """
    pointed = bucket.get(content_path(name, content))
    known = None if pointed is None else _readable_version(bucket, name, _pointed_number(bucket, pointed))
    if known and known.content == content:
        return known
    return next((each for each in reversed(living_versions(bucket, name)) if each.content == content), None)


def materialize(bucket: Bucket, version: Version, folder: Path) -> None:
    """Write a version's files below a folder, each verified. Raises DamagedError, which names version and file."""
    for path, digest in sorted(version.files.items()):
        try:
            objects.fetch(bucket, digest, folder / file_path(path))
        except DamagedError as error:
            raise DamagedError(f"{version} can't be read: {path}: {error}") from error
