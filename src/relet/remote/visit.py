"""Turns this process into a run of a clone's pipeline, by the relet in the clone's own lock.

The run works in the caller's folder, so that relative paths keep their meaning. `RELET_PROJECT` names the clone,
where its code comes from; `RELET_STORE` names the caller's store, where its outputs go.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from relet import environments
from relet.engine.interpreter import clean_environment
from relet.environments import Environment, interpreters
from relet.errors import NotFoundError, SetUpError, nearest
from relet.names import PACKAGE
from relet.project.checkout import clones
from relet.project.folder import SETTING, pipelines
from relet.project.order import VISITED
from relet.project.stores import STORE, callers_store, names_store
from relet.remote.address import RepositoryAddress
from relet.remote.clones import Clone, Tell, folder_lock, obtain_clone

LOCK = "requirements.lock"
# The minor versions that relet itself runs on, and those to come.
_MINORS = [f"3.{number}" for number in range(20, 10, -1)]
# A relet can run a project of another folder if it has this room, which an older version had in another place. A
# relet before that would take the caller's folder for the project.
_ABLE = """
import relet.cli
try:
    import relet.remote
except ModuleNotFoundError:
    import relet.engine.remote
"""


def visit(
    address: RepositoryAddress, words: Sequence[str], *, here: bool = False, tell: Tell = lambda _: None
) -> NoReturn:
    """Become `relet run WORDS` in a clone of the address: this process ends as that run does.

    `here` takes this environment in place of one made from the clone's lock. `tell` is called with a line before
    each slow step. Raises SetUpError where the repository can't be read, or its lock is missing or can't be
    installed; NotFoundError for an unknown revision, project or pipeline.
    """
    clone = obtain_clone(address, tell=tell)
    _check_pipeline_name(address, clone, words)
    tell(f"code         commit {clone.commit[:12]} of {address}")
    environment = environments.here() if here else _clone_environment(address, clone, tell)
    tell(f"environment  {environment.manager}, Python {environment.python}")
    variables = _clone_variables(clone, words, here=here)
    variables[VISITED] = shlex.join([str(address), *(["--here"] if here else [])])
    _check_relet(address, environment, variables)
    sys.stdout.flush()
    command = [*environment.command, "-P", "-m", "relet", "run", *words]
    os.execve(command[0], command, variables)


def _check_pipeline_name(address: RepositoryAddress, clone: Clone, words: Sequence[str]) -> None:
    known = pipelines(clone.folder)
    if not known:
        raise NotFoundError(f"{address} is no relet project: it has no pipelines/NAME/pipeline.py")
    name = next((word for word in words if not word.startswith("-")), "")
    if not re.fullmatch(r"[\w.]+", name):
        raise NotFoundError(f"say which pipeline of {address} to run: {nearest('', known)}")
    if name.partition(".")[0] not in known:
        raise NotFoundError(f"{address} has no pipeline {name!r}: {nearest(name, known)}")


def _clone_environment(address: RepositoryAddress, clone: Clone, tell: Tell) -> Environment:
    path = clone.folder / LOCK
    if not path.is_file():
        raise SetUpError(
            f"{address} has no {LOCK} to make its environment from; --here runs it in this environment"
        )
    lock = path.read_bytes()
    wanted, *others = _fitting_pythons(address, clone.folder)
    try:
        return environments.build("uv", lock, python=wanted, progress=tell)
    except SetUpError:
        other = None if _has_python(wanted) else next(filter(_has_python, others), None)
        if other is None:
            raise
    tell(f"no Python {wanted} on this machine: taking {other}, which the project allows")
    return environments.build("uv", lock, python=other, progress=tell)


def _fitting_pythons(address: RepositoryAddress, root: Path) -> list[str]:
    """The Pythons that a project may be run by, the best one first.

    First the one that its python_env.yaml names, then this process's own if requires-python allows it, then the
    others that requires-python allows. A project that declares nothing gets this process's own.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        content = (root / "pyproject.toml").read_text(encoding="utf-8")
        allowed = SpecifierSet(tomllib.loads(content)["project"]["requires-python"])
    except (OSError, KeyError, TypeError):
        allowed = SpecifierSet()
    except (InvalidSpecifier, ValueError, RecursionError) as error:
        raise SetUpError(f"pyproject.toml of {address} can't be read: {error}") from None
    own = platform.python_version()
    minor = own.rpartition(".")[0]
    found = [declared] if (declared := _declared_python(root)) else []
    found += [minor] if own in allowed and (allowed or not found) else []
    # The highest patch number stands for its minor version.
    found += [each for each in _MINORS if allowed and f"{each}.99" in allowed]
    if not found:
        raise SetUpError(f"{address} allows no Python that relet knows: requires-python is {allowed}")
    return list(dict.fromkeys(found))


def _declared_python(root: Path) -> str | None:
    """The Python of the project's python_env.yaml."""
    import yaml

    try:
        # The base loader leaves 3.10 a text; another one would make it the number 3.1.
        content = yaml.load((root / "python_env.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    python = content.get("python") if isinstance(content, dict) else None
    return python if isinstance(python, str) and re.fullmatch(r"3\.\d+(\.\d+)?", python) else None


def _has_python(python: str) -> bool:
    try:
        interpreters.find_interpreter(python)
    except SetUpError:
        return False
    return True


def _clone_variables(clone: Clone, words: Sequence[str], *, here: bool) -> dict[str, str]:
    """The environment variables of the run."""
    changes = {SETTING: str(clone.folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if not names_store(words):
        changes[STORE] = callers_store()
    path = clone.folder / LOCK
    lock = b"" if here else path.read_bytes()
    itself = PACKAGE
    scratch = clones() / f"relet-{sha256(str(itself).encode()).hexdigest()[:16]}"
    scratch.mkdir(parents=True, exist_ok=True)
    with folder_lock(scratch):
        return clean_environment(changes, lock=lock, root=clone.folder, scratch=scratch)


def _check_relet(address: RepositoryAddress, environment: Environment, variables: dict[str, str]) -> None:
    command = [*environment.command, "-P", "-c", _ABLE]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise SetUpError(
            f"the relet of {address} can't be run from elsewhere ({said}); clone the repository and run it there"
        )
