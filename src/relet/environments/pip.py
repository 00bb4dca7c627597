"""Installing a lock with the pip that an environment came with."""

from __future__ import annotations

import sys
from pathlib import Path

from relet.environments.cache import EnvironmentFolder
from relet.environments.programs import start

_QUIETLY = ("--quiet", "--disable-pip-version-check", "--no-input")


def install(site: EnvironmentFolder, python: Path) -> None:
    """Install what the lock names, each file held to its hash, and nothing that it does not name.

    Raises SetUpError with what pip said.
    """
    # Isolated: neither the folder that it is started in nor the user's own packages are seen.
    command = ("-I", "-m", "pip", "install", *_QUIETLY, "--no-deps", "--require-hashes")
    # As with uv: bytecode is written now only where an import may not write it.
    compiled = "--compile" if sys.dont_write_bytecode else "--no-compile"
    start(site, "pip", python, *command, compiled, "-r", site.lock, failure="the lock can't be installed")
