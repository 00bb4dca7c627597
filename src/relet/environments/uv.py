"""Environments that uv makes: fast, from files that it keeps in a cache of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from relet.environments import indexes
from relet.environments.cache import EnvironmentFolder
from relet.environments.interpreters import InstalledPython
from relet.environments.programs import start
from relet.errors import SetUpError


def make_with_uv(site: EnvironmentFolder, interpreter: InstalledPython) -> None:
    """Make the environment and install the lock in it. Raises SetUpError without uv, and with what uv said."""
    uv = uv_program()
    settings = {**indexes.for_uv(), "UV_PYTHON_DOWNLOADS": "never"}
    bare = ("venv", "--quiet", "--no-project", "--python")
    failure = f"no environment of Python {interpreter.python} can be made"
    start(site, "uv", uv, *bare, interpreter.path, site.prefix, failure=failure)
    sync = ["pip", "sync", "--quiet", "--require-hashes", "--allow-empty-requirements"]
    # Bytecode is written when a module is first imported. Only where that is forbidden is all of it written now:
    # it takes ten times as long as the rest.
    if sys.dont_write_bytecode:
        sync.append("--compile-bytecode")
    python = site.prefix / "bin" / "python"
    failure = "the lock can't be installed"
    start(site, "uv", uv, *sync, "--python", python, site.lock, failure=failure, settings=settings)


def uv_program() -> Path:
    """uv: beside this interpreter, where its package put it, or on PATH. Raises SetUpError where there is none."""
    beside = Path(sys.executable).with_name("uv")
    if os.access(beside, os.X_OK):
        return beside
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        pass
    if found := shutil.which("uv"):
        return Path(found)
    raise SetUpError("uv is not installed: `pip install uv`, or take another manager of environments")
