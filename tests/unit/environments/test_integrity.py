"""Installed files that are not what their distribution says they are."""

from __future__ import annotations

import json
import os
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from relet.environments import integrity
from relet.environments.integrity import FileStamp, edited_distributions, edited_packages

SOURCES = {f"pack/{name}.py": f"x = {name!r}" for name in ("__init__", "a", "b", "c", "d")}


def digest(content: str) -> str:
    return urlsafe_b64encode(sha256(content.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on `sys.path` with one distribution, and a cache of its own."""
    monkeypatch.setenv("RELET_CACHE", str(tmp_path / "cache"))
    site = tmp_path / "site"
    info = site / "pack-1.0.dist-info"
    for folder in (info, site / "pack"):
        folder.mkdir(parents=True)
    for path, content in SOURCES.items():
        (site / path).write_text(content)
    lines = [f"{path},sha256={digest(content)},{len(content)}" for path, content in SOURCES.items()]
    (info / "RECORD").write_text("\n".join([*lines, "../../bin/pack,sha256=00,1", "pack-1.0.dist-info/RECORD,,"]))
    monkeypatch.setattr("sys.path", [str(site)])
    return site


def files(site: Path) -> list[str]:
    return [str(path) for path in site.rglob("*.py")]


def test_files_as_they_were_installed_are_not_edited(site: Path) -> None:
    known: dict[str, FileStamp] = {}
    assert edited_packages(files(site), known) == ()
    assert known.keys() == set(files(site))
    assert edited_distributions(site) == []


def test_an_edited_package_is_named_with_its_version_and_files(site: Path) -> None:
    (site / "pack" / "b.py").write_text("x = 2")
    assert edited_packages(files(site), {}) == ("pack 1.0 with files that were edited: pack/b.py",)
    assert edited_distributions(site) == ["pack"]
    for path in SOURCES:
        (site / path).write_text("x = 2")
    assert edited_packages(files(site), {}) == (
        "pack 1.0 with files that were edited: pack/__init__.py, pack/a.py, pack/b.py and 2 more",
    )


def test_only_loaded_files_count(site: Path) -> None:
    (site / "pack" / "b.py").write_text("x = 2")
    assert edited_packages([str(site / "pack" / "a.py")], {}) == ()


def test_files_elsewhere_are_not_looked_at(site: Path, tmp_path: Path) -> None:
    known: dict[str, FileStamp] = {}
    (tmp_path / "code.py").touch()
    assert edited_packages([str(tmp_path / "code.py"), str(site / "gone.py")], known) == ()
    assert known == {}


def test_a_module_that_was_put_into_a_package_counts_as_edited(site: Path) -> None:
    (site / "pack" / "extra.py").touch()
    (site / "alone.py").touch()
    assert edited_packages(files(site), {}) == ("pack 1.0 with files that were edited: pack/extra.py",)


def keep_times(file: Path) -> None:
    """Edit a file so that neither its size nor its mtime tells it."""
    state = file.stat()
    file.write_text(file.read_text().replace("x", "y"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def replace_it(file: Path) -> None:
    state = file.stat()
    (other := file.with_name("other")).write_text(file.read_text().replace("x", "y"))
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(file)


@pytest.mark.parametrize("edit", [keep_times, replace_it])
def test_an_edit_after_the_check_is_found_whatever_it_keeps(site: Path, edit: Callable[[Path], None]) -> None:
    known: dict[str, FileStamp] = {}
    edited_packages(files(site), known)
    edit(site / "pack" / "a.py")
    assert edited_packages(files(site), known) == ("pack 1.0 with files that were edited: pack/a.py",)
    assert edited_packages(files(site), known), "what is edited is never known"


def test_what_was_checked_is_not_read_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, FileStamp] = {}
    edited_packages(files(site), known)
    integrity.keep_checked(known)

    def refuse(*_: object) -> str:
        raise AssertionError("a file was read")

    monkeypatch.setattr(integrity, "_recorded_form", refuse)
    assert edited_packages(files(site), integrity.recall_checked()) == ()


@pytest.mark.parametrize("content", ["", "[]", "3", '{"a": 1}', '{"a": [1, 2]}', "\0"])
def test_a_damaged_memory_counts_as_absent(site: Path, content: str) -> None:
    integrity.keep_checked({})
    (Path(os.environ["RELET_CACHE"]) / integrity.NAME).write_text(content)
    assert integrity.recall_checked() == {}


def test_a_memory_that_can_t_be_written_is_done_without(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_CACHE", "/proc/nowhere")
    integrity.keep_checked({"a": (1, 2, 3, 4)})
    assert integrity.recall_checked() == {}


def test_the_files_of_this_process_s_modules_and_libraries_are_found() -> None:
    found = integrity.loaded_files()
    assert json.__file__ in found
    assert integrity.module_files(["json", "no such module", "sys"]) == {json.__file__}
    if sys.platform == "linux":
        assert any("libc" in Path(file).name for file in found)
