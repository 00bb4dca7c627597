"""The Pythons that this machine has."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relet.errors import SetUpError

_ASK = (
    "import platform, sys; print(sys.implementation.name, platform.python_version(), "
    "getattr(sys, '_base_executable', None) or sys.executable, sep='\\n')"
)


@dataclass(frozen=True, kw_only=True)
class InstalledPython:
    """A Python outside environments: its path, and its version such as "3.11.7"."""

    path: Path
    python: str


def find_interpreter(python: str) -> InstalledPython:
    """The Python of exactly this version, else this process's own or the newest one of the same minor version.

    Pythons are looked for on PATH and in the folders of pyenv and uv. Raises SetUpError where none fits.
    """
    minor = ".".join(python.split(".")[:2])
    own = InstalledPython(path=_own_python(), python=platform.python_version())
    if python == own.python or (python == minor and _has_minor_version(own, minor)):
        return own
    others = [found for path in dict.fromkeys(_python_candidates(minor)) if (found := interpreter_at(path))]
    fitting = [each for each in [own, *others] if _has_minor_version(each, minor)]
    exact = [each for each in fitting if each.python == python]
    if exact:
        return exact[0]
    if not fitting:
        there = ", ".join(sorted({own.python, *(each.python for each in others)}))
        raise SetUpError(
            f"no Python {minor} on this machine (it has {there}); install one, with python{minor} on PATH"
        )
    return own if own in fitting else max(fitting, key=lambda each: patch_number(each.python))


def _own_python() -> Path:
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def _has_minor_version(each: InstalledPython, minor: str) -> bool:
    return each.python.startswith(f"{minor}.")


def patch_number(python: str) -> int:
    """The third number of a version; a preview has the number of the version that it precedes."""
    digits = python.split(".")[2]
    return int("".join(c if c.isdigit() else " " for c in digits).split()[0])


def _python_candidates(minor: str) -> Iterator[Path]:
    """The paths at which a Python of this minor version may lie."""
    for folder in os.get_exec_path():
        yield from (Path(folder, name) for name in (f"python{minor}", "python3", "python"))
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for found in sorted([*pyenv.glob(f"versions/{minor}.*"), *uv.glob(f"cpython-{minor}.*")]):
        yield found / "bin" / f"python{minor}"


def interpreter_at(path: Path) -> InstalledPython | None:
    """The Python at a path, or None where it does not start, as a shim for a Python that is not installed."""
    if not os.access(path, os.X_OK):
        return None
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True
        )
        implementation, version, base = done.stdout.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return InstalledPython(path=Path(base), python=version) if implementation == sys.implementation.name else None
