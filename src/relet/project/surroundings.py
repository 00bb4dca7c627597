"""The surroundings of a run: the commit, what is not committed, the lock, Python, the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from relet.core.installed import has_unknown_content, is_direct_reference, normalized_name
from relet.core.record import LOCK, LOCKFILE, NO_LOCK, NOT_LOCKED, Caveat, CodeState
from relet.environments.lock_faults import lock_faults
from relet.names import __version__
from relet.project.processor import vector_instructions

if TYPE_CHECKING:
    from relet.project.tree import CodeTree
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
# How many paths git is given as words of one command.
_PATHS_AT_ONCE = 500
_PIN = re.compile(r"^([A-Za-z0-9][\w.\-]*)==([^\s;\\]+)", re.MULTILINE)
# `name @ git+https://…@commit`, or a file's address.
_REFERENCE = re.compile(r"^([A-Za-z0-9][\w.\-]*) *(?:\[[^\]]*\])? *@ *\S", re.MULTILINE)
# What stands for the version of a distribution that the lock names by a reference.
_ANY_CONTENT = "a reference"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The code, the lock and the versions that are the same for every component of a run.

    `lock` is the SHA-256 of the stored lock. `locked` are the versions that it has for each distribution.
    `lock_content` are its bytes, and `pyproject` those of the project's `pyproject.toml`, where they are known.
    """

    code: CodeState
    lock: str | None
    locked: Mapping[str, frozenset[str]]
    lock_content: bytes | None = None
    pyproject: bytes | None = None

    @cached_property
    def lock_faults(self) -> tuple[str, ...]:
        """Why no environment can be made from the lock, in words."""
        return () if self.lock_content is None else lock_faults(self.lock_content, self.pyproject)

    def caveats(
        self, files: Iterable[str], packages: Mapping[str, str], own_lock: Path | None = None
    ) -> tuple[Caveat, ...]:
        """A caveat for each of a component's `files` that is not committed, and each of its `packages` not locked.

        A package that the lock names by a reference is known by its content; where nobody can read that, there is
        a caveat, too. So there is where no environment can be made from the lock. `own_lock` is the lock of the
        component's own environment, where it has one.
        """
        uncommitted = sorted(set(self.code.uncommitted) & set(files))
        if self.code.commit is None:
            uncommitted = [f"there is no commit ({self.code.git})" if self.code.git else "there is no commit"]
        own = own_lock.read_bytes() if own_lock else None
        locked = self.locked if own is None else locked_versions(own)
        faults = self.lock_faults if own is None else lock_faults(own)
        unlocked = [
            f"{name} {version}, locked {' or '.join(sorted(locked[name]))}"
            if name in locked
            else f"{name} {version}, {NOT_LOCKED}"
            for name, version in packages.items()
            if not _is_locked(version, locked.get(name, frozenset()))
        ]
        unknown = [
            f"{name} {version}: it was installed from a reference, and its files can't be read"
            for name, version in packages.items()
            if has_unknown_content(version)
        ]
        if not (self.lock or own_lock):
            unlocked = [NO_LOCK]
        return (
            *(Caveat(kind="uncommitted", what=file) for file in uncommitted),
            *(Caveat(kind=LOCK, what=each) for each in unlocked),
            *(Caveat(kind=LOCKFILE, what=each) for each in faults),
            *(Caveat(kind="package", what=each) for each in unknown),
        )


def surroundings(root: Path, lock: Path, tree: CodeTree, store: Store) -> Surroundings:
    """The run's code and lock, which are stored, and what git says of the code.

    `root` is the project's folder.
    """
    content = lock.read_bytes() if lock.is_file() else None
    declared = root / "pyproject.toml"
    stored = store.put_tree(tree.document, tree.files)
    return Surroundings(
        code=replace(_provenance(root, tree, store), tree=stored),
        lock=None if content is None else store.put_object(content),
        locked=locked_versions(content or b""),
        lock_content=content,
        pyproject=declared.read_bytes() if declared.is_file() else None,
    )


def locked_versions(lock: bytes) -> dict[str, frozenset[str]]:
    """The versions that a lock has for each distribution.

    >>> locked_versions(b"Numpy==2.4\\n")
    {'numpy': frozenset({'2.4'})}
    """
    found: dict[str, set[str]] = {}
    text = lock.decode(errors="replace")
    references = ((name, _ANY_CONTENT) for name in _REFERENCE.findall(text))
    for name, version in (*_PIN.findall(text), *references):
        found.setdefault(normalized_name(name), set()).add(version)
    return {name: frozenset(versions) for name, versions in found.items()}


def _is_locked(version: str, locked: frozenset[str]) -> bool:
    return version in locked or (is_direct_reference(version) and _ANY_CONTENT in locked)


def _provenance(root: Path, tree: CodeTree, store: Store) -> CodeState:
    """What git says of the files of a tree: their bytes are compared with those of the commit.

    Git's own word on what changed is not asked: settings, filters and marks in its index change that.
    """
    place, said = _git_or_reason(root, "rev-parse", "HEAD", "--show-prefix")
    if place is None:
        return CodeState(dirty=True, git="" if said.startswith("not a git repository") else said)
    commit, folder, *_ = (*place.decode().split("\n"), "")
    committed = _committed_blobs(root, list(tree.files))
    other = [path for path, content in tree.files.items() if committed.get(path) != _blob(content, commit)]
    ignored = _listed_names(git(root, "check-ignore", "-z", "--stdin", input=_as_list(other))) if other else set()
    state = {
        path: "changed" if path in committed else "ignored" if path in ignored else "untracked" for path in other
    }
    changed = [path for path in other if path in committed]
    diff = git(root, *_DIFF, *_PREFIXES, "--", *changed) if changed else None
    return CodeState(
        commit=commit,
        dirty=bool(other),
        diff=store.put_object(diff) if diff else None,
        uncommitted=state,
        repository=_repository(root),
        folder=folder.rstrip("/"),
    )


def uncommitted_files(root: Path, code: CodeState, contents: Mapping[str, bytes]) -> dict[str, str] | None:
    """The files of a recorded code tree whose bytes are not those of its commit: path → changed or untracked.

    None where the repository around `root` does not hold the commit. `contents` are the files of the tree.
    """
    toplevel = git(root, "rev-parse", "--show-toplevel")
    if toplevel is None or code.commit is None:
        return None
    top = Path(os.fsdecode(toplevel).removesuffix("\n"))
    if git(top, "cat-file", "-e", f"{code.commit}^{{commit}}") is None:
        return None
    names = {path: f"{code.folder}/{path}" if code.folder else path for path in contents}
    committed = _committed_blobs(top, list(names.values()), code.commit)
    return {
        path: "changed" if names[path] in committed else "untracked"
        for path, content in contents.items()
        if committed.get(names[path]) != _blob(content, code.commit)
    }


def _committed_blobs(root: Path, paths: list[str], commit: str = "HEAD") -> dict[str, str]:
    """Each of the paths that the commit holds as a file → the digest of its content there."""
    listed = b""
    for start in range(0, len(paths), _PATHS_AT_ONCE):
        listed += git(root, "ls-tree", "-r", "-z", commit, "--", *paths[start : start + _PATHS_AT_ONCE]) or b""
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0") if entry)
    return {os.fsdecode(path): about.split()[2].decode() for about, _, path in entries if about.startswith(b"100")}


def _blob(content: bytes, commit: str) -> str:
    """The digest that git has for a file of this content, in a repository with such digests as `commit`."""
    made = hashlib.sha1(usedforsecurity=False) if len(commit) == 40 else hashlib.sha256()
    made.update(f"blob {len(content)}\0".encode())
    made.update(content)
    return made.hexdigest()


def _as_list(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


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
    return _git_or_reason(folder, *arguments, timeout=timeout, input=input)[0]


def _git_or_reason(
    folder: Path, *arguments: str, timeout: float = 60, input: bytes | None = None
) -> tuple[bytes | None, str]:
    """What git prints, or else None and why it printed nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=timeout,
            check=True,
            input=input,
            env=git_environment(),
        )
    except FileNotFoundError:
        return None, "git is not on this machine"
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in error.stderr.decode(errors="replace").splitlines() if line.strip()]
        return None, next((line.partition(": ")[2] for line in lines if line.startswith("fatal: ")), "git failed")
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"git could not be asked: {type(error).__name__}"
    return done.stdout, ""


def git_environment() -> dict[str, str]:
    """This process's environment for git: it asks for no password, and works in the folder that it is given."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


_libc = cache(platform.libc_ver)


def machine() -> dict[str, Any]:
    """Python, relet, the platform, the processor and the variables that matter; no host name, no user, no path."""
    about: dict[str, Any] = {
        "python": platform.python_version(),
        "relet": __version__,
        "implementation": sys.implementation.name,
        "platform": f"{platform.system()}-{platform.machine()}",
        "libc": "-".join(_libc()),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "environment": {name: os.environ[name] for name in (*THREADS, *PLACE) if name in os.environ},
        **vector_instructions(),
    }
    if run_id := os.environ.get("MLFLOW_RUN_ID"):
        about["mlflow_run_id"] = run_id
    return about
