"""An environment that the real uv makes shares no file with another one, and holds what the lock names."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from relet.environments import build, makers

SOURCE = "answer = 42\n"
METADATA = "Metadata-Version: 2.1\nName: pack\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def digest(content: str) -> str:
    return urlsafe_b64encode(sha256(content.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A lock with one package, which lies in a folder, where uv looks for it and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    files = {
        "pack/__init__.py": SOURCE,
        "pack-1.0.dist-info/METADATA": METADATA,
        "pack-1.0.dist-info/WHEEL": WHEEL,
    }
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    with ZipFile(wheels / "pack-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, "pack-1.0.dist-info/RECORD": f"{record}pack-1.0.dist-info/RECORD,,\n"}.items():
            wheel.writestr(path, text)
    for name, value in {
        "UV_FIND_LINKS": str(wheels),
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        # uv's own default on Linux, whatever this machine's settings are
        "UV_LINK_MODE": "hardlink",
    }.items():
        monkeypatch.setenv(name, value)
    (wheel_file,) = wheels.iterdir()
    return f"pack==1.0 --hash=sha256:{sha256(wheel_file.read_bytes()).hexdigest()}\n".encode()


def package_file(prefix: Path) -> Path:
    (found,) = prefix.glob("lib/python*/site-packages/pack/__init__.py")
    return found


def built(folder: Path, lock: bytes) -> Path:
    made = build("uv", lock, python=platform.python_version(), cache=folder / "cache")
    return package_file(Path(made.command[0]).parents[1])


def working_environment(folder: Path, lock: bytes) -> Path:
    """The package's file in an environment that a person made, which links to uv's cache."""
    prefix, named = folder / "working", folder / "working.lock"
    named.write_bytes(lock)
    uv = makers.uv_program()
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, prefix], check=True)
    subprocess.run([uv, "pip", "sync", "-q", "--python", prefix / "bin" / "python", named], check=True)
    file = package_file(prefix)
    if file.stat().st_nlink == 1:
        pytest.skip("this file system has no hard links")
    return file


def test_a_file_of_an_environment_is_in_no_other_one(tmp_path: Path, lock: bytes) -> None:
    working = working_environment(tmp_path, lock)
    made = built(tmp_path, lock)
    assert not made.samefile(working) and made.stat().st_nlink == 1
    working.write_text("answer = 43\n")
    assert made.read_text() == SOURCE


def test_what_was_edited_in_uv_s_cache_is_not_installed(tmp_path: Path, lock: bytes) -> None:
    working = working_environment(tmp_path, lock)
    working.write_text("answer = 43\n")
    assert built(tmp_path, lock).read_text() == SOURCE
    assert working.read_text() == "answer = 43\n" and os.environ["UV_LINK_MODE"] == "hardlink"


def test_a_wheel_whose_record_is_wrong_is_installed_as_the_lock_names_it(tmp_path: Path, lock: bytes) -> None:
    (file,) = (tmp_path / "wheels").iterdir()
    with ZipFile(file) as wheel:
        held = {name: wheel.read(name) for name in wheel.namelist()}
    with ZipFile(file, "w") as wheel:
        for name, content in (held | {"pack/__init__.py": b"answer = 44\n"}).items():
            wheel.writestr(name, content)
    lock = f"pack==1.0 --hash=sha256:{sha256(file.read_bytes()).hexdigest()}\n".encode()
    assert built(tmp_path, lock).read_text() == "answer = 44\n"
