"""The programs that fill a folder with an environment: uv, virtualenv with pip, and conda with pip."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from relet.environments import indexes
from relet.environments.cache import EnvironmentFolder
from relet.environments.integrity import edited_distributions
from relet.environments.interpreters import InstalledPython
from relet.environments.programs import start
from relet.errors import SetUpError

_CONDAS = ("conda", "mamba", "micromamba")
# As `conda.yaml` says. Without it, each of the programs takes another channel.
_CHANNEL = ("--override-channels", "--channel", "conda-forge")
# The environment gets the pip that virtualenv carries: nothing is downloaded that no lock names.
_VIRTUALENV = ("-P", "-m", "virtualenv", "--quiet", "--no-download", "--no-periodic-update", "--no-setuptools")
# Files of its own: by default uv links to its cache, which other environments link to as well, so that a package
# that is edited in one of them is edited in all.
_COPIED = ("--link-mode", "copy")
# The same for conda, mamba and micromamba, whose options for it differ.
_CONDA_COPIES = {"CONDA_ALWAYS_COPY": "true", "MAMBA_ALWAYS_COPY": "true"}
# Isolated: pip sees neither the folder that it is started in nor the user's own packages.
_PIP_INSTALL = ("-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")


def make_with_uv(site: EnvironmentFolder, interpreter: InstalledPython) -> None:
    """Make the environment and install the lock in it. Raises SetUpError without uv, and with what uv said."""
    uv = uv_program()
    settings = {**indexes.for_uv(), "UV_PYTHON_DOWNLOADS": "never"}
    bare = ("venv", "--quiet", "--no-project", "--python")
    failure = f"no environment of Python {interpreter.python} can be made"
    start(site, "uv", uv, *bare, interpreter.path, site.prefix, failure=failure)
    sync = ["pip", "sync", "--quiet", "--require-hashes", "--allow-empty-requirements", *_COPIED]
    # Bytecode is written when a module is first imported. Only where that is forbidden is all of it written now:
    # it takes ten times as long as the rest.
    if sys.dont_write_bytecode:
        sync.append("--compile-bytecode")
    failure = "the lock can't be installed"
    sync = [*sync, "--python", str(_python_in(site)), str(site.lock)]
    start(site, "uv", uv, *sync, failure=failure, settings=settings)
    if edited := _edited_in(site):
        # Another environment links to uv's cache, and a package was edited there. What differs from its RECORD
        # after that is as its wheel has it, whose hash the lock names.
        anew = ("--no-cache", *(f"--reinstall-package={name}" for name in edited))
        start(site, "uv", uv, *sync, *anew, failure=failure, settings=settings)


def _edited_in(site: EnvironmentFolder) -> list[str]:
    """The distributions in the environment with files that are not as recorded."""
    return [
        name for folder in site.prefix.glob("lib/python*/site-packages") for name in edited_distributions(folder)
    ]


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


def make_with_virtualenv(site: EnvironmentFolder, interpreter: InstalledPython) -> None:
    """Make the environment, as MLflow's manager of that name does, and install the lock in it with pip.

    Without virtualenv, Python's own venv makes the same. Raises SetUpError with what virtualenv, venv or pip said.
    """
    failure = f"no environment of Python {interpreter.python} can be made"
    if find_spec("virtualenv"):
        bare = (*_VIRTUALENV, "--python")
        start(site, "virtualenv", sys.executable, *bare, interpreter.path, site.prefix, failure=failure)
    else:
        start(site, "venv", interpreter.path, "-I", "-m", "venv", site.prefix, failure=failure)
    _install_with_pip(site)


def make_with_conda(site: EnvironmentFolder, python: str) -> None:
    """Make the environment, with a Python of this version, and install the lock in it with pip.

    Raises SetUpError where neither conda nor mamba nor micromamba is installed, and with what conda or pip said.
    """
    conda = _conda_program()
    asked = (f"python={python}", "pip")
    failure = f"no environment of Python {python} can be made"
    create = ("create", "--yes", "--quiet", *_CHANNEL, "--prefix")
    start(site, conda.name, conda, *create, site.prefix, *asked, failure=failure, settings=_CONDA_COPIES)
    _install_with_pip(site)


def _conda_program() -> Path:
    found = next(filter(None, map(shutil.which, _CONDAS)), None)
    if not found:
        raise SetUpError(
            "no conda on PATH: install conda, mamba or micromamba, or take another manager of environments"
        )
    return Path(found)


def _install_with_pip(site: EnvironmentFolder) -> None:
    """Install what the lock names with the environment's own pip, each file held to its hash, and nothing else."""
    # As with uv: bytecode is written now only where an import may not write it.
    compiled = "--compile" if sys.dont_write_bytecode else "--no-compile"
    exactly = ("--no-deps", "--require-hashes", compiled)
    failure = "the lock can't be installed"
    start(site, "pip", _python_in(site), *_PIP_INSTALL, *exactly, "-r", site.lock, failure=failure)


def _python_in(site: EnvironmentFolder) -> Path:
    return site.prefix / "bin" / "python"
