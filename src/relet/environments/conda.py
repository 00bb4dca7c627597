"""Environments that conda makes, with a Python of its own, and pip fills."""

from __future__ import annotations

import shutil
from pathlib import Path

from relet.environments import pip
from relet.environments.cache import EnvironmentFolder
from relet.environments.programs import start
from relet.errors import SetUpError

_PROGRAMS = ("conda", "mamba", "micromamba")

# As `conda.yaml` says: without it, each of the programs takes another channel.
_CHANNEL = ("--override-channels", "--channel", "conda-forge")


def make_with_conda(site: EnvironmentFolder, python: str) -> None:
    """Make the environment, with a Python of this version, and install the lock in it.

    Raises SetUpError where none of the programs is installed, and with what conda or pip said.
    """
    program = _conda_program()
    asked = (f"python={python}", "pip")
    failure = f"no environment of Python {python} can be made"
    create = ("create", "--yes", "--quiet", *_CHANNEL, "--prefix")
    start(site, program.name, program, *create, site.prefix, *asked, failure=failure)
    pip.install(site, site.prefix / "bin" / "python")


def _conda_program() -> Path:
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if not found:
        raise SetUpError(
            "no conda on PATH: install conda, mamba or micromamba, or take another manager of environments"
        )
    return Path(found)
