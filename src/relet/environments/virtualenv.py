"""Environments that virtualenv makes and pip fills, as MLflow's manager of that name does."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from relet.environments import pip
from relet.environments.cache import EnvironmentFolder
from relet.environments.interpreters import InstalledPython
from relet.environments.programs import start

# Its pip is the one that virtualenv carries: nothing is fetched that no lock names.
_BARE = ("--quiet", "--no-download", "--no-periodic-update", "--no-setuptools")


def make_with_virtualenv(site: EnvironmentFolder, interpreter: InstalledPython) -> None:
    """Make the environment and install the lock in it; without virtualenv, Python's own venv makes the same.

    Raises SetUpError with what virtualenv, venv or pip said.
    """
    failure = f"no environment of Python {interpreter.python} can be made"
    if find_spec("virtualenv"):
        bare = ("-P", "-m", "virtualenv", *_BARE, "--python")
        start(site, "virtualenv", sys.executable, *bare, interpreter.path, site.prefix, failure=failure)
    else:
        start(site, "venv", interpreter.path, "-I", "-m", "venv", site.prefix, failure=failure)
    pip.install(site, site.prefix / "bin" / "python")
