"""Environments that are a folder on this machine with a `bin/python`, as uv, virtualenv and conda make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

from relet.environments import interpreters, makers
from relet.environments.cache import (
    EnvironmentFolder,
    EnvironmentStamp,
    ensure_environment,
    environment_digest,
    intact_stamp,
)
from relet.environments.interpreters import InstalledPython
from relet.errors import SetUpError

# The managers that fill `site.prefix` from `site.lock` with a Python of this machine.
_MAKERS: Mapping[str, Callable[[EnvironmentFolder, InstalledPython], None]] = {
    "uv": makers.make_with_uv,
    "virtualenv": makers.make_with_virtualenv,
}


def build_prefix(
    manager: str, lock: bytes, *, python: str, root: Path, say: Callable[[str], None]
) -> tuple[tuple[str, ...], EnvironmentStamp, bool]:
    """The command that starts the environment's Python, its stamp, and whether it had to be made.

    Raises SetUpError without the manager or the Python, and where the lock can't be installed.
    """
    for folder in _finished_prefixes(manager, lock, python, root):
        if found := intact_stamp(folder, partial(prefix_evidence, folder)):
            return (str(_prefix_python(folder)),), found, False
    make, version = _prefix_maker(manager, python)
    if version != python and _is_full_version(python):
        say(f"no Python {python} on this machine: taking {version}")
    folder = root / _prefix_name(manager, lock, version)

    def made_here(site: EnvironmentFolder) -> str:
        say(f"making an environment of Python {version} with {manager}, once for this lock")
        make(site)
        found = interpreters.interpreter_at(_prefix_python(folder))
        if found is None:
            raise SetUpError(f"the environment that {manager} made has no Python that starts")
        return found.python

    stamp, made = ensure_environment(
        folder, lock, make=made_here, evidence=partial(prefix_evidence, folder), say=say
    )
    return (str(_prefix_python(folder)),), stamp, made


def _prefix_maker(manager: str, python: str) -> tuple[Callable[[EnvironmentFolder], None], str]:
    """The function that fills a prefix, and the Python that the prefix will have, as far as known beforehand."""
    if manager == "conda":
        return partial(makers.make_with_conda, python=python), python
    interpreter = interpreters.find_interpreter(python)
    return lambda site: _MAKERS[manager](site, interpreter), interpreter.python


def prefix_evidence(folder: Path) -> str | None:
    """A digest of the Python's file and the packages' names, which changes when an environment is damaged.

    None where the Python is gone. A package that is installed later changes it too; an edited file does not. The
    environment is not started.
    """
    try:
        python = _prefix_python(folder).resolve(strict=True)
        state = python.stat()
        names = sorted(path.name for path in folder.glob("env/lib/python*/site-packages/*"))
    except OSError:
        return None
    about = [str(python), state.st_size, state.st_mtime_ns, *(name for name in names if name != "__pycache__")]
    return sha256("\n".join(map(str, about)).encode()).hexdigest()


def _prefix_python(folder: Path) -> Path:
    return folder / "env" / "bin" / "python"


def _is_full_version(python: str) -> bool:
    return python.count(".") > 1


def _prefix_name(manager: str, lock: bytes, python: str) -> str:
    return f"{manager}-{python}-{environment_digest(lock, python)}"


def _finished_prefixes(manager: str, lock: bytes, python: str, root: Path) -> list[Path]:
    """The folders in the cache that are made from this lock and fit the Python, the newest Python first.

    An exact version fits itself alone. A folder of conda is named by the version that was asked for, since conda
    decides which one it brings. The Pythons of the machine are not looked at.
    """
    if _is_full_version(python) or manager == "conda":
        return [root / _prefix_name(manager, lock, python)]
    versions = {path.name.split("-")[1] for path in root.glob(f"{manager}-{python}.*-*") if path.is_dir()}
    there = [
        root / _prefix_name(manager, lock, version)
        for version in sorted(versions, key=interpreters.patch_number, reverse=True)
    ]
    return [folder for folder in there if folder.is_dir()]
