"""The lock of a project: made by uv from what its `pyproject.toml` asks for, with hashes and without addresses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from relet.core.installed import normalized_name
from relet.environments import indexes
from relet.environments.lock_faults import lock_faults, relet_needs
from relet.environments.makers import uv_program
from relet.errors import SettingError, SetUpError
from relet.files import write_whole

LOCK = "requirements.lock"
# The Python that a lock is made for, where the project does not say: the oldest that relet runs on.
OLDEST_PYTHON = "3.11"
_COMPILE = ("pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-emit-index-url")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.\-]*://\S+")
_RELET = re.compile(r"relet\s*(\[(?P<extras>[^\]]*)\])?\s*([<>=!~;@ ].*)?$", re.IGNORECASE)
_SHOWN_LINES = 8


def make_lock(
    root: Path,
    *,
    extras: Sequence[str] = (),
    upgrade: bool = False,
    installed: bool = False,
    timeout: float = 600,
) -> bytes:
    """Write the lock of the project in the folder `root`, and return it.

    Versions that the lock has and that still fit are kept; without a lock, or with `installed`, those that are
    installed here, so that the lock holds what runs; with `upgrade` none. A relet that was installed from a
    file or a folder is in no index: then the lock holds what relet needs in its place, and whoever makes an
    environment from it brings relet along. Raises SettingError for a `pyproject.toml` that asks for nothing,
    SetUpError without uv, and with what uv said where no lock can be made; then the lock that was there stays.
    """
    project = _project_table(root)
    uv = uv_program()
    with tempfile.TemporaryDirectory(prefix="relet-lock-") as folder:
        asked = Path(folder) / "pyproject.toml"
        asked.write_text(_as_toml(project, extras), encoding="utf-8")
        made = Path(folder) / LOCK
        if not upgrade:
            before = root / LOCK
            kept = before.read_bytes() if before.is_file() and not installed else _installed_versions()
            made.write_bytes(kept)
        command = [uv, *_COMPILE, "--no-emit-find-links", "--output-file", made, asked]
        command += ["--upgrade"] if upgrade else []
        _run_uv([*map(str, command)], root, timeout)
        lock = made.read_bytes().replace(str(asked).encode(), b"pyproject.toml")
    write_whole(root / LOCK, lock)
    return lock


def check_lock(root: Path) -> tuple[str, ...]:
    """What is wrong with a project's lock, in words. Raises SetUpError where there is none."""
    lock, project = root / LOCK, root / "pyproject.toml"
    if not lock.is_file():
        raise SetUpError(f"{root} has no {LOCK}; make it with: relet lock")
    return lock_faults(lock.read_bytes(), project.read_bytes() if project.is_file() else None)


def _project_table(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        dependencies = table["dependencies"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(f"{path} can't be read: {error}") from error
    except (KeyError, TypeError):
        dependencies = None
    if not isinstance(dependencies, list) or not all(isinstance(each, str) for each in dependencies):
        raise SettingError(f'{path} declares no dependencies; write [project] with dependencies = ["relet", …]')
    return dict(table)


def _as_toml(project: dict[str, Any], extras: Sequence[str]) -> str:
    """A `pyproject.toml` with the dependencies alone, those of relet in place of a relet that no index has."""
    optional = project.get("optional-dependencies") or {}
    if unknown := [each for each in extras if each not in optional]:
        known = ", ".join(optional) or "none"
        raise SettingError(f"pyproject.toml has no extra {unknown[0]!r}; it has: {known}")
    asked = [*project["dependencies"], *(each for extra in extras for each in optional[extra])]
    if is_without_index("relet"):
        asked = [each for one in asked for each in _instead_of_relet(one)]
    facts = {
        "name": str(project.get("name") or "project"),
        "version": "0",
        "requires-python": str(project.get("requires-python") or f">={OLDEST_PYTHON}"),
        "dependencies": asked,
    }
    return "[project]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in facts.items())


def _instead_of_relet(requirement: str) -> tuple[str, ...]:
    found = _RELET.match(requirement.strip())
    extras = [each.strip() for each in (found["extras"] or "").split(",") if each.strip()] if found else []
    return relet_needs(extras) if found else (requirement,)


def is_without_index(name: str) -> bool:
    """Whether a package was installed from a file, a folder or a repository, so that no index need have it."""
    try:
        found = distribution(normalized_name(name))
    except PackageNotFoundError:
        return True
    return found.read_text("direct_url.json") is not None


def _installed_versions() -> bytes:
    """The packages of this environment, as lines of a lock: uv keeps a version that fits."""
    found = {normalized_name(each.name): each.version for each in distributions() if each.name and each.version}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items())).encode()


def _run_uv(command: Sequence[str], root: Path, timeout: float) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env={**kept, **indexes.for_uv(), "NO_COLOR": "1", "UV_PYTHON_DOWNLOADS": "never"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetUpError(f"no lock can be made: uv did not answer ({type(error).__name__})") from error
    if done.returncode:
        lines = [line.rstrip() for line in done.stderr.splitlines() if line.strip()][:_SHOWN_LINES]
        told = "\n  ".join(_ADDRESS.sub("…", line) for line in lines)
        raise SetUpError(f"no lock can be made; uv says:\n  {told}")
