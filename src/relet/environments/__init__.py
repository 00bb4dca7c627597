"""Python environments, each made from a lock and kept in a cache.

`build` finds an environment in the cache or makes it there; `here` is the interpreter that runs this process.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from relet.core.component import MANAGERS
from relet.environments import docker, prefixes
from relet.environments.cache import cache_folder
from relet.errors import SetUpError, nearest

__all__ = ["Environment", "build", "here"]

_VERSION = re.compile(r"\d+\.\d+(\.\d+\w*)?")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python environment that exists.

    `command` starts its Python; arguments follow it: `[*command, "-P", "-m", "…"]`. `python` is the version, such
    as "3.11.7". `made` is False where the environment was found in the cache.
    """

    manager: str
    command: tuple[str, ...]
    python: str
    made: bool


def here() -> Environment:
    """The interpreter that runs this process.

    >>> here().manager
    'here'
    """
    return Environment(manager="here", command=(sys.executable,), python=platform.python_version(), made=False)


def build(
    manager: str,
    lock: bytes,
    *,
    python: str,
    folders: Sequence[Path] = (),
    environment: Mapping[str, str] = {},
    network: bool = False,
    progress: Callable[[str], None] | None = None,
    cache: Path | None = None,
) -> Environment:
    """An environment with everything that the lock names, each file checked by its hash: found in the cache, or
    made.

    `lock` is a `requirements.lock` with a hash for every file. `python` is a version such as "3.11.7" or "3.11".
    uv and virtualenv take exactly this version where the machine has it, else one of the same minor version; the
    Environment says which. They never download a Python. conda and docker bring the version that is asked for.

    `folders`, `environment` and `network` say what a container sees of this machine; it works in the first folder.
    The interpreters of the other managers are ordinary processes. `progress` is called with a line before each
    slow step. `cache` is the folder of the environments, in place of the user's own cache.

    Raises SetUpError where the manager or the Python is missing, the lock can't be installed, or the cache can't
    be written. The message says which, and what to install or set.
    """
    if manager not in MANAGERS:
        raise SetUpError(f"no manager {manager!r} of environments: {nearest(manager, MANAGERS)}")
    if not _VERSION.fullmatch(python):
        raise SetUpError(f"python takes a version as 3.11 or 3.11.7, got {python!r}")
    root = (cache or cache_folder()).absolute() / "environments"
    say = progress or _ignore_progress
    if manager == "docker":
        command, stamp, made = docker.build_image(
            lock,
            python=python,
            root=root,
            folders=folders,
            environment=environment,
            network=network,
            say=say,
        )
    else:
        command, stamp, made = prefixes.build_prefix(manager, lock, python=python, root=root, say=say)
    return Environment(manager=manager, command=command, python=stamp.python, made=made)


def _ignore_progress(_: str) -> None: ...
