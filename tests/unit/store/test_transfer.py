"""Files that claim to be an exported artifact."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.store import Store


def exported(store: Store, folder: Path) -> Path:
    sha = store.put_object(b"some rows " * 200)
    store.add_version(name="sample", type="file", content=sha, files={"data.csv": sha})
    store.export_version("sample", folder / "sample.tar")
    return folder / "sample.tar"


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "objects/../evil", "objects/" + "ab" * 31, "other"])
def test_a_member_that_would_leave_the_folder_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    path = exported(store, tmp_path)
    with tarfile.open(path, "a:") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(StoreError, match="never does; nothing was stored"):
        store.import_version(path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_a_link_or_a_device_in_an_exported_file_is_refused(store: Store, tmp_path: Path, kind: bytes) -> None:
    path = exported(store, tmp_path)
    with tarfile.open(path, "a:") as tar:
        member = tarfile.TarInfo("objects/" + "ab" * 32)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(StoreError, match="never does"):
        store.import_version(path)


def test_a_member_that_claims_to_hold_more_zeros_than_the_file_has_bytes_is_refused(
    store: Store, tmp_path: Path
) -> None:
    path = exported(store, tmp_path)
    with tarfile.open(path, "a:", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("objects/" + "ab" * 32)
        member.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(2**26)}
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(StoreError, match="never does"):
        store.import_version(path)


def test_a_manifest_that_is_too_big_or_that_comes_twice_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.store import transfer

    path = exported(store, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "LARGEST_MANIFEST", 20)
        with pytest.raises(StoreError, match=r"holds 'manifest\.json', which an exported artifact never does"):
            store.import_version(path)
    store.import_version(path)
    with tarfile.open(path, "a:") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"), io.BytesIO())
    with pytest.raises(StoreError, match="never does"):
        store.import_version(path)


def test_an_object_that_comes_twice_is_refused(store: Store, tmp_path: Path) -> None:
    path = exported(store, tmp_path)
    (sha,) = store.version("sample").files.values()
    with tarfile.open(path, "a:") as tar:
        member = tarfile.TarInfo(f"objects/{sha}")
        member.size = 2000
        tar.addfile(member, io.BytesIO(b"some rows " * 200))
    with pytest.raises(StoreError, match="never does"):
        store.import_version(path)


@pytest.mark.parametrize("keep", [0, 100, 1024, 2048, 3000])
def test_a_file_that_is_cut_off_or_empty_is_refused(store: Store, tmp_path: Path, keep: int) -> None:
    path = exported(store, tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match=r"sample\.tar"):
        store.import_version(path)


def test_a_file_that_is_not_there_or_lacks_its_manifest_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        store.import_version(tmp_path / "none.tar")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(StoreError, match=r"has no manifest\.json"):
        store.import_version(tmp_path / "empty.tar")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 3}, "exported by a newer relet"),
        ({"format": "x"}, "can't be read"),
        ({"files": {"../evil": "ab" * 32}}, "can't be a file of a version"),
        ({"files": {"a": "ab" * 32}}, "lacks object abab"),
        ({"name": "../evil"}, "artifact's name"),
        ({"type": "spell"}, "can't be read"),
        ({"files": None}, "can't be read"),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused(
    store: Store, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with tarfile.open(exported(store, tmp_path)) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    content = json.dumps({**manifest, **change}).encode()
    with tarfile.open(tmp_path / "forged.tar", "w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    with pytest.raises(StoreError, match=message):
        store.import_version(tmp_path / "forged.tar")
    assert store.names() == ["sample"]
    assert len(store.versions("sample")) == 1
