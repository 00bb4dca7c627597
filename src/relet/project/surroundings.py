"""The surroundings of a run: the commit, what is not committed, the lock, Python, the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from relet.core.record import Caveat, CodeState
from relet.names import __version__

if TYPE_CHECKING:
    from relet.store import Store

# The time zone and the language: a component should not depend on them, and a reproduction says where one does.
PLACE = ("TZ", "LANG", "LC_ALL")
# The variables that decide how many threads the numeric libraries use, and in which order sets are iterated.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED")
# The user's own settings of git must not change what is recorded.
_DIFF = ("diff", "HEAD", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv")
_PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/", "--no-relative", "--unified=3", "--submodule=short")
# Where one of these is set, as in a hook, git works in the repository that it names, not in the current folder.
_ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_PIN = re.compile(r"^([A-Za-z0-9][\w.\-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The code, the lock and the versions that are the same for every component of a run.

    `changed` are the files, relative to the project's folder, that differ from the commit or are not in it. `lost`
    says that git failed to give the changes. `locked` are the versions that the lock has for each distribution.
    """

    code: CodeState
    changed: frozenset[str]
    lock: str | None
    locked: Mapping[str, frozenset[str]]
    lost: bool = False

    def caveats(
        self, files: Iterable[str], packages: Mapping[str, str], own_lock: Path | None = None
    ) -> tuple[Caveat, ...]:
        """A caveat for each of a component's `files` that is not committed, and each of its `packages` not locked.

        `own_lock` is the lock of the component's own environment, where it has one.
        """
        uncommitted = sorted(self.changed & set(files)) if self.code.commit else ["there is no commit"]
        uncommitted += ["changes that git could not give, and that are not stored"] if self.lost else []
        locked = _pins(own_lock.read_bytes()) if own_lock else self.locked
        unlocked = [
            f"{name} {version}, locked {' or '.join(sorted(locked[name]))}"
            if name in locked
            else f"{name} {version}, not in the lock"
            for name, version in packages.items()
            if version not in locked.get(name, ())
        ]
        if not (self.lock or own_lock):
            unlocked = ["there is no lock"]
        return (
            *(Caveat(kind="uncommitted", what=file) for file in uncommitted),
            *(Caveat(kind="lock", what=each) for each in unlocked),
        )


def surroundings(root: Path, lock: Path, files: Iterable[str], store: Store) -> Surroundings:
    """The commit of the project's folder `root`, what is not committed, and the lock; the last two are stored.

    `files` are those of the code closures, relative to `root`: those that git does not hold are stored. Outside of
    a git repository, or without git, there is no commit, and all of them are stored.
    """
    content = lock.read_bytes() if lock.is_file() else None
    code, changed, lost = _code_state(root, sorted(set(files)), store)
    return Surroundings(
        code=code,
        changed=changed,
        lost=lost,
        lock=None if content is None else store.put_object(content),
        locked=_pins(content or b""),
    )


def _pins(lock: bytes) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, version in _PIN.findall(lock.decode(errors="replace")):
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)
    return {name: frozenset(versions) for name, versions in found.items()}


def _code_state(root: Path, files: list[str], store: Store) -> tuple[CodeState, frozenset[str], bool]:
    """The state of the code, the files that are not committed, and whether git failed to give the changes."""
    place = git(root, "rev-parse", "HEAD", "--show-prefix")
    if place is None:
        untracked = _store_files(root, files, store)
        return CodeState(dirty=True, untracked=untracked), frozenset(untracked), False
    commit, folder, *_ = (*place.decode().split("\n"), "")
    # git names changed files from the top of the repository; tracked and untracked files from the current folder.
    modified = _listed_names(git(root, "diff", "HEAD", "--name-only", "--no-relative", "-z"))
    unknown = _listed_names(
        git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py", "pipelines")
    )
    tracked = _listed_names(git(root, "ls-files", "-z", "--", *files)) if files else set()
    diff = git(root, *_DIFF, *_PREFIXES) if modified else b""
    # Beside the files of the closures, all Python that git does not ignore: what runs the components is among it.
    not_in_git = {file for file in files if file not in tracked} | set(filter(_is_importable, unknown))
    untracked = _store_files(root, sorted(not_in_git), store)
    state = CodeState(
        commit=commit,
        dirty=bool(modified or unknown or untracked),
        diff=store.put_object(diff) if diff else None,
        untracked=untracked,
        repository=_repository(root),
        folder=folder.rstrip("/"),
    )
    modified_here = {name.removeprefix(folder) for name in modified if name.startswith(folder)}
    return state, frozenset(modified_here | set(untracked)), diff is None


def _is_importable(name: str) -> bool:
    """Whether a file may hold a module: Python, under a name that a record can hold."""
    return name.endswith(".py") and name.isprintable()


def _store_files(root: Path, files: Iterable[str], store: Store) -> dict[str, str]:
    return {file: store.put_object(root / file) for file in files if (root / file).is_file()}


def _listed_names(listed: bytes | None) -> set[str]:
    return {os.fsdecode(name) for name in (listed or b"").split(b"\0") if name}


def _repository(root: Path) -> str | None:
    """Where the commit can be fetched: the remote's URL without a name or password; None for a local path."""
    url = (git(root, "config", "--get", "remote.origin.url") or b"").decode(errors="replace").strip()
    parts = urlsplit(url)
    if not parts.scheme or parts.scheme == "file":
        # An address such as git@host:path holds no password; a local path means nothing on another machine.
        return url if re.fullmatch(r"[\w.\-]+@[\w.\-]+:.+", url) else None
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    user = "git@" if parts.scheme == "ssh" and parts.username == "git" else ""
    return urlunsplit((parts.scheme, f"{user}{host}{port}", parts.path, "", ""))


def git(folder: Path, *arguments: str, timeout: float = 60, input: bytes | None = None) -> bytes | None:
    """What git prints; None where there is no git or no repository, or the command fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=timeout,
            check=True,
            input=input,
            env=git_environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def git_environment() -> dict[str, str]:
    """This process's environment for git: it asks for no password, and works in the folder that it is given."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def machine() -> dict[str, Any]:
    """Python, relet, the platform and the variables that matter; no host name, no user, no path."""
    about: dict[str, Any] = {
        "python": platform.python_version(),
        "relet": __version__,
        "implementation": sys.implementation.name,
        "platform": f"{platform.system()}-{platform.machine()}",
        "libc": "-".join(platform.libc_ver()),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "environment": {name: os.environ[name] for name in (*THREADS, *PLACE) if name in os.environ},
    }
    if run_id := os.environ.get("MLFLOW_RUN_ID"):
        about["mlflow_run_id"] = run_id
    return about
