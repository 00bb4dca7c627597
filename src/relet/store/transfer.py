"""One artifact version as a file that can be carried to another store: a tar of its manifest and its objects."""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from relet.core.artifact import Version
from relet.errors import DamagedError, StoreError
from relet.store import objects, versions
from relet.store.bucket import CHUNK, Bucket
from relet.store.layout import Document, artifact_name, encode, file_paths

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 64 * 1024 * 1024
MEMBER = re.compile(r"objects/([0-9a-f]{64})")
# Its number and its date belong to the store that it leaves: equal versions give equal bytes.
CARRIED = ("name", "type", "content", "files", "description", "metadata", "producer")


def export(bucket: Bucket, version: Version, to: Path) -> None:
    """Write a version to a tar file, the same bytes every time. Raises DamagedError."""
    stored = version.to_json()
    manifest: Document = {"format": FORMAT, **{field: stored[field] for field in CARRIED}}
    part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder, tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            content = encode(manifest)
            tar.addfile(_member(MANIFEST, len(content)), io.BytesIO(content))
            for digest in sorted(set(version.files.values())):
                _add(tar, bucket, digest, Path(folder))
        part.replace(to)
    except OSError as error:
        raise StoreError(f"can't write {to}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _add(tar: tarfile.TarFile, bucket: Bucket, digest: str, folder: Path) -> None:
    # By way of a file: the tar needs the size first, and only verified bytes may enter it.
    file = folder / digest
    objects.fetch(bucket, digest, file)
    with file.open("rb") as content:
        tar.addfile(_member(f"objects/{digest}", file.stat().st_size), content)
    file.unlink()


def load(bucket: Bucket, path: Path) -> Version:
    """Store the version that a tar file holds, under the next number; an equal one is not stored twice.

    Every digest is verified before anything is stored. Raises StoreError where the file holds anything but a
    manifest and the objects that it names, DamagedError where an object is not what its digest says.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            draft, found = _unpack(path, Path(folder))
        except (tarfile.TarError, EOFError) as error:
            raise StoreError(f"{path} can't be read as an exported artifact: {error}; export it again") from error
        except OSError as error:
            raise StoreError(f"can't read {path}: {error.strerror or error}") from error
        for digest in sorted(set(draft.files.values())):
            objects.put(bucket, found[digest])
    return versions.add(bucket, draft)


def _unpack(path: Path, folder: Path) -> tuple[Version, dict[str, Path]]:
    """The version, and its objects as verified files. Members are named by digest, so none leaves the folder."""
    manifest: bytes | None = None
    found: dict[str, Path] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            matched = MEMBER.fullmatch(member.name)
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None and member.name == MANIFEST and member.size <= LARGEST_MANIFEST:
                manifest = content.read()
            elif content is not None and matched:
                found[matched[1]] = _verified(path, matched[1], content, folder)
            else:
                raise StoreError(
                    f"{path} holds {member.name!r}, which an exported artifact never does; nothing was stored"
                )
    draft = _draft(path, manifest)
    if gone := sorted(set(draft.files.values()) - set(found)):
        raise StoreError(f"{path} lacks object {gone[0]}, which its manifest names; export it again")
    return draft, found


def _verified(path: Path, digest: str, content: IO[bytes], folder: Path) -> Path:
    file = folder / digest
    seen = hashlib.sha256()
    with file.open("wb") as out:
        while piece := content.read(CHUNK):
            seen.update(piece)
            out.write(piece)
    if seen.hexdigest() != digest:
        raise DamagedError(f"{path} is damaged: object {digest} has another SHA-256; export it again")
    return file


def _draft(path: Path, manifest: bytes | None) -> Version:
    if manifest is None:
        raise StoreError(f"{path} is no exported artifact: it has no {MANIFEST}")
    try:
        stored = json.loads(manifest)
        if stored["format"] > FORMAT:
            raise StoreError(f"{path} was exported by a newer relet (format {stored['format']}); upgrade relet")
        draft = Version.from_json({**{field: stored[field] for field in CARRIED}, "number": 0})
        artifact_name(draft.name)
        file_paths(draft.files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: its {MANIFEST} can't be read: {error}; export it again") from error
    return draft
