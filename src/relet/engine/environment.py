"""What a run's surroundings were: the commit, the lock, Python, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.record import CodeState

if TYPE_CHECKING:
    from relet.store import Store

# What decides how many threads the numeric libraries use.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED")


def code_state(root: Path, store: Store) -> CodeState:
    """The commit that `root` is at, and the diff of what is not committed, stored as an object.

    Python and whatever lies in `pipelines/` counts as code: there a file that git does not know is not committed.

    Outside a git repository, or without git, there is no commit and nothing can be said of changes.
    """
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return CodeState(dirty=True)
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    unknown = _git(root, "ls-files", "--others", "--exclude-standard", "--", "*.py", "pipelines")
    if not changed:
        return CodeState(commit=commit.strip(), dirty=bool(unknown))
    diff = _git(root, "diff", "HEAD", "--binary") or ""
    return CodeState(commit=commit.strip(), dirty=True, diff=store.put_object(diff.encode()))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, timeout=20, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def lock_digest(lock: Path, store: Store) -> str | None:
    """The SHA-256 of the lock file, stored as an object; None where there is none."""
    return store.put_object(lock.read_bytes()) if lock.is_file() else None


def machine() -> dict[str, Any]:
    """Python, platform and what decides the number of threads; no host name, no user, no path."""
    about = {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": f"{platform.system()}-{platform.machine()}",
        "libc": "-".join(platform.libc_ver()),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "environment": {name: os.environ[name] for name in _THREADS if name in os.environ},
    }
    if run_id := os.environ.get("MLFLOW_RUN_ID"):
        about["mlflow_run_id"] = run_id
    return about
