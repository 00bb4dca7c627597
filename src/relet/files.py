"""Files that several processes share: one is replaced as a whole, and one is locked."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# The names of scratch folders and logs, each of which is locked by the processes that use it.
SCRATCH = re.compile(r"relet-[a-z]+-scratch-")
# Seconds: one that is younger may not be locked yet; and so long a log is kept that says something.
UNLOCKED, LOG_KEPT = 60.0, 86400.0
# Seconds between two tries to take a lock that another process holds.
LOOK = 0.02
# What a file system that has no hard links answers: exFAT and FAT, some network folders, folders of containers.
WITHOUT_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
# What a file system answers that takes no more.
FULL = (errno.ENOSPC, errno.EDQUOT)
# What a file system without `flock` answers: some network folders, and folders of containers.
WITHOUT_FLOCK = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)


# Each entry below a folder, by its path → mode; of what is no folder also inode, size in bytes, and when it was
# modified and when it was changed in any way, in nanoseconds.
FolderState = dict[str, list[int]]


def folder_state(folder: Path) -> FolderState:
    """The state by which a later change in a folder is noticed; what links lead to does not count."""
    found: FolderState = {}
    waiting = [(str(folder), "")]
    while waiting:
        place, inside = waiting.pop()
        with os.scandir(place) as entries:
            for each in entries:
                path = f"{inside}{each.name}"
                about = each.stat(follow_symlinks=False)
                if each.is_dir(follow_symlinks=False):
                    waiting.append((each.path, f"{path}/"))
                    found[path] = [about.st_mode]
                else:
                    times = (about.st_mtime_ns, about.st_ctime_ns)
                    found[path] = [about.st_mode, about.st_ino, about.st_size, *times]
    return found


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
    part = part or _part_beside(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part_beside(path: Path) -> Path:
    """A hidden name beside a file that no other writer has; no longer than a name may be, whatever its letters."""
    return path.with_name(f".{path.name[:50]}.{os.urandom(4).hex()}.part")


def space_advice(error: BaseException, temporary: str = "") -> str:
    """What to do where a disk is full or a quota is used up; nothing for any other error.

    `temporary` is the folder for temporary files, where that is where the error came from.

    >>> space_advice(OSError(errno.ENOSPC, "No space left on device"), "/tmp")
    '; free some space in /tmp, or set TMPDIR to a folder that has more'
    """
    if not isinstance(error, OSError) or error.errno not in FULL:
        return ""
    where = f"in {temporary}, or set TMPDIR to a folder that has more" if temporary else "there and try again"
    return f"; free some space {where}"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, over the one before: readers see the old content or the new one, never half of either."""
    with replacing(path) as part:
        part.write_bytes(content)


def create_whole(path: Path, content: bytes, *, part: Path | None = None, lock: Path | None = None) -> bool:
    """Write a file, unless there is one at `path`; of many calls at once one writes, and returns True.

    Readers see no file or the whole one. `part` is the path of the new file, as for `replacing`; `lock` is that of
    `name_whole`.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "1.json"
    >>> create_whole(path, b"first"), create_whole(path, b"second"), path.read_bytes()
    (True, False, b'first')
    """
    part = part or _part_beside(path)
    try:
        part.write_bytes(content)
        return name_whole(part, path, lock=lock)
    finally:
        part.unlink(missing_ok=True)


def name_whole(part: Path, path: Path, *, lock: Path | None = None) -> bool:
    """Give a whole file, on the same file system, the name `path` unless there is one: True when it was given.

    It is given by a hard link, and `part` stays. On a file system without hard links the file is moved there,
    under a lock on the file `lock`; where nothing is given, it lies beside `path`.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LINKS:
            raise
        with locked(lock or path.with_name(f".{path.name}.lock")):
            if path.exists():
                return False
            part.replace(path)
    return True


@contextmanager
def locked(path: Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold the lock on a file, which is made where it is missing; the file names the process that holds the lock.

    Whoever else wants the lock waits, threads of this process too: `timeout` seconds, or for ever where it is
    negative. Raises TimeoutError when the time is over. The kernel frees the lock of a process that was killed.
    On a file system without `flock` the existence of a second file, `path` with `.held`, is the lock; then the
    lock of a killed process is freed by the next one on the same machine.
    """
    # filelock costs a twentieth of a second, and few commands take a lock.
    from filelock import FileLock, SoftFileLock

    if has_flock(path):
        with FileLock(path, timeout=timeout, poll_interval=LOOK):
            path.write_text(str(os.getpid()), encoding="ascii")
            yield
    else:
        # filelock writes the holder's id itself.
        with SoftFileLock(_held_path(path), timeout=timeout, poll_interval=LOOK):
            yield


def has_flock(path: Path) -> bool:
    """Whether the file system of a file has locks; the file is made where it is missing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        return try_flock(descriptor) is not None
    finally:
        os.close(descriptor)


def try_flock(descriptor: int) -> bool | None:
    """Take the lock on an open file: False where another one holds it, None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in WITHOUT_FLOCK:
            return None
        raise
    return True


def _held_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.held")


def lock_holder(path: Path) -> str:
    """The id of the process that holds the lock on a file, or that held it last; "unknown" where it names none."""
    for each in (path, _held_path(path)):
        with suppress(OSError):
            first = each.read_text(encoding="ascii", errors="replace").partition("\n")[0]
            if first.isdecimal():
                return first
    return "unknown"


@contextmanager
def scratch_folder(purpose: str, within: str | None = None) -> Iterator[Path]:
    """A folder that is removed with all that is in it when the block ends; `within` is the temporary folder if not
    given, and the word `purpose` stands in its name. What processes that were killed have left there is removed
    first.
    """
    import tempfile

    within = within or tempfile.gettempdir()
    remove_left_scratch(Path(within))
    with tempfile.TemporaryDirectory(
        prefix=scratch_prefix(purpose), dir=within, ignore_cleanup_errors=True
    ) as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try_flock(descriptor)
            yield Path(folder)
        finally:
            os.close(descriptor)


def scratch_prefix(purpose: str) -> str:
    """How the name of a scratch folder or log begins.

    >>> scratch_prefix("run")
    'relet-run-scratch-'
    """
    return f"relet-{purpose}-scratch-"


def remove_left_scratch(folder: Path) -> None:
    """Remove the scratch folders and logs in a folder whose processes are gone; one without a lock stays."""
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if SCRATCH.match(entry.name):
                with suppress(OSError):
                    _remove_scratch(Path(entry.path), entry.stat(follow_symlinks=False))


def _remove_scratch(path: Path, state: os.stat_result) -> None:
    is_log = stat.S_ISREG(state.st_mode)
    kept = LOG_KEPT if is_log and state.st_size else UNLOCKED
    if state.st_uid != os.getuid() or time.time() - state.st_mtime < kept:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not try_flock(descriptor):
            return
        if is_log:
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


@contextmanager
def locked_for_children(path: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold the lock on a file, and give the descriptor that holds it: a child that inherits the descriptor holds
    the lock too, and goes on holding it when this process is killed.

    Waits without an end, after calling `waiting` once. Raises OSError on a file system without `flock`: no other
    lock passes to a child.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        told = False
        while not (taken := try_flock(descriptor)):
            if taken is None:
                raise OSError(
                    errno.ENOLCK,
                    "its file system has no file locks (flock); use a folder on another disk",
                    str(path),
                )
            if waiting and not told:
                waiting()
            told = True
            time.sleep(LOOK)
        yield descriptor
    finally:
        # Closed and not unlocked: to unlock would take the lock away from a child that still runs.
        os.close(descriptor)
