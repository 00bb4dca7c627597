"""What a version claims of its files, worked out again from the files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relet.core.artifact import REPRODUCTION, ArtifactType, Version
from relet.errors import BadDataError, DamagedError
from relet.store import contents, objects
from relet.store.bucket import Bucket
from relet.store.layout import object_path

# The files that decide metadata, and the fields that they decide, by the type of the artifact.
DECIDING = {
    ArtifactType.TABLE: (contents.TABLE,),
    ArtifactType.ARRAY: (contents.ARRAY,),
    ArtifactType.METRICS: (contents.METRICS,),
    ArtifactType.VERDICT: (contents.VERDICT, contents.REPORT, contents.CHECKED),
}
DECIDED: Mapping[ArtifactType, tuple[str, ...]] = {
    ArtifactType.TABLE: ("rows", "columns"),
    ArtifactType.ARRAY: ("dtype", "shape"),
    ArtifactType.METRICS: ("metrics", "curves"),
    ArtifactType.VERDICT: (
        *("passed", "reason", "verdict", "run", "target", "runs", "judged", "when", "environment", "checked"),
    ),
}
# Types whose files may be larger than memory: they are read from a file.
LARGE = (ArtifactType.TABLE, ArtifactType.ARRAY)
SHOWN = 60
# A table or an array of more bytes is not read where a person only looks at it.
CHEAP = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class FalseClaim:
    """A field that is not what the bytes say: what it says, and what was found, both as text."""

    field: str
    said: str
    found: str

    def __str__(self) -> str:
        return f"says {self.field} = {self.said}, and its files say {self.found}"


def stored_false_claims(bucket: Bucket, version: Version) -> list[FalseClaim]:
    """What a stored version claims and is not so; of a table or an array the file is read as a stream.

    Raises DamagedError where an object is missing or damaged.
    """
    if version.type not in LARGE:
        return false_claims(version, lambda digest: _small_object(bucket, digest))
    with tempfile.TemporaryDirectory(prefix="relet-check-") as scratch:

        def fetched(digest: str) -> Path:
            path = Path(scratch) / digest
            objects.fetch(bucket, digest, path)
            return path

        return false_claims(version, fetched)


def _small_object(bucket: Bucket, digest: str) -> bytes:
    """The bytes of a document of metrics or of a verdict; none of an object that is too large to be one."""
    about = bucket.head(object_path(digest))
    return b"" if about and about.size > contents.LARGEST_DOCUMENT else objects.read(bucket, digest)


def false_claims(version: Version, file_of: Callable[[str], Path | bytes]) -> list[FalseClaim]:
    """What a version claims and is not so. `file_of` gives the verified file of a SHA-256, or its bytes.

    Of a table or an array it has to give the file.
    """
    names = [name for name in DECIDING.get(version.type, ()) if name in version.files]
    files = {name: file_of(version.files[name]) for name in names}
    return [*_false_content(version, files), *false_metadata(version, files)]


def _false_content(version: Version, files: Mapping[str, Path | bytes]) -> Iterator[FalseClaim]:
    only = contents.ONLY_FILES.get(version.type)
    if only and set(version.files) != {only}:
        found = f"{version.type} artifacts have one file, {only}"
        yield FalseClaim(field="files", said=_shown(sorted(version.files)), found=found)
        return
    if version.type is not ArtifactType.TABLE:
        if not fits_files(version):
            found = contents.files_digest(version.files)
            yield FalseClaim(field="content", said=version.content, found=found)
        return
    from relet.data.footer import checked_content_digest

    path = files[contents.TABLE]
    assert isinstance(path, Path)
    try:
        found = checked_content_digest(path)
    except BadDataError as error:
        found = f"nothing: {error}"
    if found != version.content:
        yield FalseClaim(field="content", said=version.content, found=found)


def cheap_false_claims(bucket: Bucket, version: Version) -> list[FalseClaim]:
    """The same, but none of a table or an array above `CHEAP` bytes. Raises DamagedError likewise."""
    if version.type in LARGE:
        found = [bucket.head(object_path(digest)) for digest in version.files.values()]
        if sum(each.size for each in found if each) > CHEAP:
            return []
    return stored_false_claims(bucket, version)


def holds(bucket: Bucket, version: Version) -> bool:
    """Whether a stored version is what it claims, as far as that costs little: no table or array is read."""
    if version.type in LARGE:
        return True
    try:
        return not stored_false_claims(bucket, version)
    except DamagedError:
        return False


def fits_files(version: Version) -> bool:
    """Whether the content of a version that is no table is the digest of its files; no file is read.

    A single file that was stored by `Store.add_version` may have its own SHA-256 as its content.
    """
    possible = {contents.files_digest(version.files)}
    if version.type is ArtifactType.FILE and len(version.files) == 1:
        possible.update(version.files.values())
    if version.name == REPRODUCTION and contents.REPORT in version.files:
        possible.add(version.files[contents.REPORT])
    return version.content in possible


def refuse_false_files(version: Version, folder: Path) -> None:
    """Raise DamagedError where the content of a version is not that of its files, which lie in a folder."""
    refuse_other_files(version)
    if version.type in contents.ONLY_FILES:
        files: dict[str, Path | bytes] = {path: folder / path for path in version.files}
        for claim in _false_content(version, files):
            raise DamagedError(f"{version} is not what it claims: it {claim}")


def refuse_other_files(version: Version) -> None:
    """Raise DamagedError where the content of a version that is no table is not the digest of its files."""
    if version.type is not ArtifactType.TABLE and not fits_files(version):
        raise DamagedError(
            f"{version} is not what it claims: its files have the content {contents.files_digest(version.files)}, "
            f"and it says {version.content}; `relet artifacts verify` names all such versions"
        )


def false_metadata(version: Version, files: Mapping[str, Path | bytes]) -> Iterator[FalseClaim]:
    """What the metadata of a version says and is not so; `files` are its files by name, or their bytes."""
    claimed = decided_fields(version)
    if not claimed:
        return
    try:
        found = contents.decided_metadata(version.type, files)
    except BadDataError as error:
        yield FalseClaim(field=", ".join(claimed), said=_shown(claimed), found=f"nothing: {error}")
        return
    for field, said in claimed.items():
        if field not in found or _canonical(said) != _canonical(found[field]):
            yield FalseClaim(
                field=field, said=_shown(said), found=_shown(found[field]) if field in found else "nothing of it"
            )


def decided_fields(version: Version) -> dict[str, Any]:
    """The metadata of a version that its files decide."""
    return {name: version.metadata[name] for name in DECIDED.get(version.type, ()) if name in version.metadata}


def says_the_same(one: Version, other: Version) -> bool:
    """Whether two versions of equal files say the same of them."""
    return _canonical(decided_fields(one)) == _canonical(decided_fields(other))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _shown(value: Any) -> str:
    text = _canonical(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
