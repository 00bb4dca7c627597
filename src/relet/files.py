"""Files that several processes share: one is replaced as a whole, and one is locked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Seconds between two tries to take a lock that another process holds.
LOOK = 0.02


@contextmanager
def replacing(path: Path, *, part: Path | None = None) -> Iterator[Path]:
    """The path of a new file, which takes the place of the file at `path` when the block ends.

    Readers see the old file or the new one, never half of either. A block that raises leaves the old file as it
    was. `part` is the path of the new file; where nothing is given it lies beside `path`, under a hidden name that
    no other writer has. A process that is killed in the block leaves the new file behind.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "prices.txt"
    >>> with replacing(path) as new:
    ...     _ = new.write_text("70")
    ...     print(path.exists())
    False
    >>> path.read_text()
    '70'
    """
    part = part or path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, over the one before: readers see the old content or the new one, never half of either."""
    with replacing(path) as part:
        part.write_bytes(content)


@contextmanager
def locked(path: Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold the lock on a file, which is made where it is missing; the file names the process that holds the lock.

    Whoever else wants the lock waits, threads of this process too: `timeout` seconds, or for ever where it is
    negative. Raises TimeoutError when the time is over. The kernel frees the lock of a process that was killed.
    On a file system without `flock` the existence of the file is the lock; then the lock of a killed process is
    freed by the next one on the same machine.
    """
    # filelock costs a twentieth of a second, and few commands take a lock.
    from filelock import FileLock, SoftFileLock

    lock = FileLock(path, timeout=timeout, poll_interval=LOOK)
    with lock:
        # filelock changes the class on a file system without flock, and then writes the holder's id itself.
        if not isinstance(lock, SoftFileLock):
            path.write_text(str(os.getpid()), encoding="ascii")
        yield


def lock_holder(path: Path) -> str:
    """The id of the process that holds the lock on a file, or that held it last; "unknown" where it names none."""
    try:
        first = path.read_text(encoding="ascii", errors="replace").partition("\n")[0]
    except OSError:
        return "unknown"
    return first if first.isdecimal() else "unknown"


@contextmanager
def locked_for_children(path: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold the lock on a file, and give the descriptor that holds it: a child that inherits the descriptor holds
    the lock too, and goes on holding it when this process is killed.

    Waits without an end, after calling `waiting` once.
    """
    from filelock import lock_descriptor

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not lock_descriptor(descriptor, blocking=False):
            if waiting:
                waiting()
            lock_descriptor(descriptor, poll_interval=LOOK)
        yield descriptor
    finally:
        # Closed and not unlocked: to unlock would take the lock away from a child that still runs.
        os.close(descriptor)
