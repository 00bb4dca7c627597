"""The cache of environments: one folder each, named by the digest of the lock, with a stamp that is written last.

An environment is made where it stays, since neither scripts nor a conda prefix can be moved. A folder without a
stamp was never finished: it is cleared, and the environment is made again. The process that makes an environment
holds a lock on the file beside the folder, and so do the programs that it starts: if the process is killed, others
wait until the last of these programs has ended.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from relet.errors import SetUpError
from relet.files import locked_for_children, write_whole

# The number of this layout. It is a part of the digest, so that environments of an older relet are left alone.
# Those of format 1 shared their files with uv's cache.
FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class EnvironmentFolder:
    """The folder in which an environment is being made; `held` is the descriptor that holds the lock on it."""

    folder: Path
    held: int

    @property
    def prefix(self) -> Path:
        return self.folder / "env"

    @property
    def lock(self) -> Path:
        return self.folder / "requirements.lock"


@dataclass(frozen=True, kw_only=True)
class EnvironmentStamp:
    """A finished environment's Python, and the evidence that it has not changed since."""

    python: str
    evidence: str


def cache_folder() -> Path:
    """The user's cache: `RELET_CACHE`, else the folder that the XDG specification names."""
    if own := os.environ.get("RELET_CACHE"):
        return Path(own)
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative path is to be ignored: XDG Base Directory Specification 0.8.
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "relet"


def environment_digest(lock: bytes, python: str) -> str:
    """The digest that an environment is named by: of the lock, the Python and the platform.

    >>> environment_digest(b"", "3.11.7") == environment_digest(b"", "3.11.8")
    False
    """
    about = [FORMAT, python, platform.system(), platform.machine(), *platform.libc_ver()]
    return sha256(json.dumps(about).encode() + lock).hexdigest()[:16]


def ensure_environment(
    folder: Path,
    lock: bytes,
    *,
    make: Callable[[EnvironmentFolder], str],
    evidence: Callable[[], str | None],
    say: Callable[[str], None],
) -> tuple[EnvironmentStamp, bool]:
    """The stamp of the finished environment in `folder`, and whether it had to be made.

    `make` makes the environment and returns the version of its Python. `evidence` returns a text that changes when
    the environment is damaged, and None where it is gone. Raises SetUpError where the folder can't be written, and
    whatever `make` raises.
    """
    if found := intact_stamp(folder, evidence):
        return found, False
    try:
        with _environment_lock(folder, say) as held:
            if found := intact_stamp(folder, evidence):
                return found, False
            clear_environment(folder)
            folder.mkdir()
            site = EnvironmentFolder(folder=folder, held=held)
            try:
                site.lock.write_bytes(lock)
                stamp = EnvironmentStamp(python=make(site), evidence=evidence() or "")
                _write_stamp(folder, stamp)
            except BaseException:
                clear_environment(folder)
                raise
            return stamp, True
    except OSError as error:
        raise SetUpError(f"{folder.parent} can't hold environments ({error.strerror}); set RELET_CACHE") from error


def intact_stamp(folder: Path, evidence: Callable[[], str | None]) -> EnvironmentStamp | None:
    """The stamp of the environment in `folder`, if it was finished and has not changed since, else None."""
    try:
        stamp = EnvironmentStamp(**json.loads((folder / "stamp.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return stamp if stamp.evidence == evidence() else None


def clear_environment(folder: Path) -> None:
    """Remove an environment, its stamp first."""
    (folder / "stamp.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _write_stamp(folder: Path, stamp: EnvironmentStamp) -> None:
    content = json.dumps({"python": stamp.python, "evidence": stamp.evidence})
    write_whole(folder / "stamp.json", content.encode())


@contextmanager
def _environment_lock(folder: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock on an environment; the descriptor is for the programs that make it, which then hold it too."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    message = f"waiting for another process that makes the environment {folder.name}"
    with locked_for_children(folder.with_name(f"{folder.name}.lock"), waiting=lambda: say(message)) as held:
        yield held
