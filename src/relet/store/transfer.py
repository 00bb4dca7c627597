"""Exports artifacts to a tar file and imports them: the file holds a manifest and the objects that it names."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from relet.core.artifact import Version
from relet.errors import DamagedError, StoreError
from relet.files import replacing
from relet.store import manifest, objects
from relet.store.arrival import ImportedBundle, refuse_false_claims, store_bundle
from relet.store.bucket import CHUNK, Bucket
from relet.store.checking import stored_false_claims
from relet.store.manifest import Bundle

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 64 * 1024 * 1024
MEMBER = re.compile(r"objects/([0-9a-f]{64})")
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


def export_version(bucket: Bucket, version: Version, to: Path) -> None:
    """Write a version to a tar file, the same bytes every time.

    Raises DamagedError where an object is damaged, or where the version is not what it claims.
    """
    _refuse_false_versions(bucket, [version])
    _write_tar(bucket, manifest.version_manifest(version), version.files.values(), to)


def export_bundle(bucket: Bucket, bundle: Bundle, to: Path) -> None:
    """Write versions and the run records that belong to them to a tar file. Raises DamagedError likewise."""
    _refuse_false_versions(bucket, bundle.versions)
    _write_tar(bucket, manifest.bundle_manifest(bundle), bundle.objects, to)


def _refuse_false_versions(bucket: Bucket, held: Iterable[Version]) -> None:
    """Raise DamagedError for what no import would take."""
    for version in held:
        for claim in stored_false_claims(bucket, version):
            raise DamagedError(f"{version} {claim}; nothing was written; run the step that made it again")


def _write_tar(bucket: Bucket, content: bytes, digests: Iterable[str], to: Path) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(to) as part,
            tempfile.TemporaryDirectory() as folder,
            # PAX shows only in the header of an object above 8 GiB, which the older USTAR can't hold.
            tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar,
        ):
            tar.addfile(_member(MANIFEST, len(content)), io.BytesIO(content))
            for digest in sorted(set(digests)):
                _add(tar, bucket, digest, Path(folder))
    except OSError as error:
        raise StoreError(f"can't write {to}: {error.strerror or error}") from error


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _add(tar: tarfile.TarFile, bucket: Bucket, digest: str, folder: Path) -> None:
    # The object becomes a file first: the tar needs its size, and only verified bytes may enter.
    file = folder / digest
    objects.fetch(bucket, digest, file)
    with file.open("rb") as content:
        tar.addfile(_member(f"objects/{digest}", file.stat().st_size), content)
    file.unlink()


def import_file(bucket: Bucket, path: Path) -> ImportedBundle:
    """Store the content of a tar file, its versions under the next numbers. Equal content is not stored twice.

    Every digest is verified before anything is stored. Raises StoreError where the file holds anything but a
    manifest and the objects that it names, or where relet would not write such a manifest; DamagedError where an
    object's bytes don't match its digest.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            bundle, found = _unpack(path, Path(folder))
        except (tarfile.TarError, EOFError) as error:
            raise StoreError(f"{path} can't be read as an exported artifact: {error}; export it again") from error
        except OSError as error:
            raise StoreError(f"can't read {path}: {error.strerror or error}") from error
        refuse_false_claims(path, bundle, found)
        return store_bundle(bucket, bundle, found)


def _unpack(path: Path, folder: Path) -> tuple[Bundle, dict[str, Path]]:
    """The bundle that a tar's manifest describes, and the objects by digest, as verified files in the folder.

    Each file is named by its digest, so that no name of a member leads out of the folder.
    """
    said: bytes | None = None
    found: dict[str, Path] = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            matched = MEMBER.fullmatch(member.name)
            # A sparse member of a few bytes could unpack to any amount of zeros.
            content = tar.extractfile(member) if member.type in PLAIN and not member.issparse() else None
            if content and member.name == MANIFEST and member.size <= LARGEST_MANIFEST and said is None:
                said = content.read()
            elif content and matched and matched[1] not in found:
                found[matched[1]] = _verified_file(path, matched[1], content, folder)
            else:
                raise StoreError(
                    f"{path} holds {member.name!r}, which an exported artifact never does; nothing was stored"
                )
    if said is None:
        raise StoreError(f"{path} is no exported artifact: it has no {MANIFEST}")
    bundle = manifest.read_manifest(path, said)
    if gone := sorted(bundle.objects - found.keys()):
        raise StoreError(f"{path} lacks object {gone[0]}, which its manifest names; export it again")
    return bundle, found


def _verified_file(path: Path, digest: str, content: IO[bytes], folder: Path) -> Path:
    file = folder / digest
    seen = hashlib.sha256()
    with file.open("wb") as out:
        while piece := content.read(CHUNK):
            seen.update(piece)
            out.write(piece)
    if seen.hexdigest() != digest:
        raise DamagedError(f"{path} is damaged: object {digest} has another SHA-256; export it again")
    return file
