"""Claims: a process claims a name before it computes what the name stands for, and other processes wait.

In a store on a folder a claim is a lock of the kernel, which frees it when its holder dies. In a bucket, and in a
folder whose file system has no locks, a claim is a document that only one process can create. The holder of either
kind renews it every few seconds: it sets the time of the file, or writes the document anew. A process that waits
measures by its own clock how long the claim stays the same, and takes it over from a holder that is stopped or
gone; no two machines' clocks are compared.

The lock of a claim is not that of `relet.files.locked`: the file of a claim is removed while the lock is held.
"""

from __future__ import annotations

import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from relet.errors import StoreError
from relet.files import try_flock
from relet.store.bucket import Bucket
from relet.store.layout import encode, word

FOLDER = "claims/"
# Seconds: between two looks at a claim on this machine, and in a bucket; between two renewals by its holder; and
# without a renewal until the holder counts as gone.
LOOK_HERE, LOOK_THERE, RENEW, GONE = 0.02, 1.0, 5.0, 30.0


@dataclass(frozen=True, kw_only=True)
class ClaimTiming:
    """Seconds between two looks at a claim in a bucket, between renewals, and until its holder counts as gone."""

    look: float = LOOK_THERE
    renew: float = RENEW
    gone: float = GONE


@contextmanager
def claim(
    bucket: Bucket, name: str, *, waiting: Callable[[], None] | None = None, pace: ClaimTiming = ClaimTiming()
) -> Iterator[None]:
    """Hold the claim on a name; wait while another process or thread holds it, after calling `waiting` once.

    A holder that does not renew its claim for `pace.gone` seconds loses it. A thread that holds a claim must not
    ask for the same one again: it would wait for itself. A store in memory belongs to one process, and a claim
    there holds nothing.
    """
    word(name, "the name of a claim")
    path = bucket.root / FOLDER / name if bucket.root else None
    descriptor = _lock(path, _told_once(waiting), pace) if path else None
    if path and descriptor is not None:
        with _locked_claim(path, descriptor, pace):
            yield
    elif bucket.remote or path:
        # No claim's name has a plus.
        folder = f"{FOLDER}{name}/" if bucket.remote else f"{FOLDER}{name}+/"
        held = _take_claim(bucket, folder, waiting, pace)
        with _renewed_claim(bucket, held, pace):
            yield
    else:
        yield


def _told_once(waiting: Callable[[], None] | None) -> Callable[[], None]:
    calls = [waiting] if waiting else []
    return lambda: calls.pop()() if calls else None


def _lock(path: Path, waiting: Callable[[], None], pace: ClaimTiming) -> int | None:
    """An open descriptor that holds the lock on the file at a path, which is made where it is missing; None where
    the file system has no locks.
    """
    while True:
        descriptor = _opened(path)
        try:
            taken = _wait_for_lock(path, descriptor, waiting, pace)
            # The last holder may have removed the file meanwhile: a lock on a removed file keeps nobody away.
            if taken and _is_same_file(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if taken is None:
            path.unlink(missing_ok=True)
            return None


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(f"{path.parent} can't be written ({error.strerror}); set store.url to another") from None


def _wait_for_lock(path: Path, descriptor: int, waiting: Callable[[], None], pace: ClaimTiming) -> bool | None:
    """Wait for the lock on an open file. None where the file system has no locks.

    False where the file has to be opened anew: another one is at its path, or its holder did not renew it in time.
    """
    renewed, since = os.fstat(descriptor).st_mtime_ns, time.monotonic()
    while (taken := try_flock(descriptor)) is False:
        waiting()
        time.sleep(LOOK_HERE)
        if not _is_same_file(path, descriptor):
            return False
        if (found := os.fstat(descriptor).st_mtime_ns) != renewed:
            renewed, since = found, time.monotonic()
        elif time.monotonic() - since >= pace.gone:
            path.unlink(missing_ok=True)
            return False
    return taken


@contextmanager
def _locked_claim(path: Path, descriptor: int, pace: ClaimTiming) -> Iterator[None]:
    """Renew the claim that an open file holds the lock of, and free it at the end."""
    try:
        with _renewals.of(descriptor, pace.renew):
            yield
    finally:
        # Removed before the lock is freed: a process that gets the lock then sees that its file is gone. A file
        # that another process has put in its place is that one's.
        with suppress(OSError):
            if _is_same_file(path, descriptor):
                path.unlink()
        os.close(descriptor)


class FileRenewals:
    """Sets the times of the files of held claims to now, in one thread for all: a thread for each claim would take
    longer than the claim.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf
        # Descriptor → the seconds between two renewals, and when the next one is due.
        self._held: dict[int, tuple[float, float]] = {}

    @contextmanager
    def of(self, descriptor: int, seconds: float) -> Iterator[None]:
        """Renew the claim of an open file while the block runs."""
        with self._changed:
            due = time.monotonic() + seconds
            self._held[descriptor] = (seconds, due)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._renew, name="relet-claims", daemon=True)
                self._thread.start()
            elif due < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._held[descriptor]

    def _renew(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for descriptor, (seconds, due) in self._held.items():
                    if due <= now:
                        with suppress(OSError):
                            os.utime(descriptor)
                        self._held[descriptor] = (seconds, now + seconds)
                self._wakes = min((due for _, due in self._held.values()), default=math.inf)
                self._changed.wait(None if math.isinf(self._wakes) else self._wakes - now)


_renewals = FileRenewals()


def _is_same_file(path: Path, descriptor: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def _take_claim(bucket: Bucket, folder: str, waiting: Callable[[], None] | None, pace: ClaimTiming) -> str:
    """Create the next numbered document below `folder`, once the last one is given up or no longer renewed.

    The last document stays, so that numbers only grow. A client that got no answer sends its request once more;
    with growing numbers such a late request never overwrites the document of a later holder.
    """
    seen: tuple[str, bytes] | None = None
    since, told = 0.0, False
    while True:
        found = _claim_paths(bucket, folder)
        last = max(found, default=0)
        state = (found[last], bucket.get(found[last]) or b"") if found else None
        now = time.monotonic()
        if state != seen:
            seen, since = state, now
        if state is None or _GIVEN_UP in state[1] or now - since >= pace.gone:
            path = f"{folder}{last + 1}.json"
            if bucket.create(path, _renewal()):
                if max(_claim_paths(bucket, folder), default=0) <= last + 1:
                    bucket.delete(found.values())
                    return path
                # The listing was old: other holders have come and gone since.
                bucket.delete([path])
            continue
        if waiting and not told:
            waiting()
        told = True
        time.sleep(pace.look)


def collect(bucket: Bucket, before: datetime) -> list[str]:
    """Remove the claims that nobody holds and that are older than `before`; their paths.

    A claim in a bucket whose holder died stays: only a process that waits for the claim finds that out. The
    numbers of a removed claim begin anew, so `before` has to leave time for requests that are sent once more.
    """
    removed = []
    if bucket.root is not None:
        files = [each for each in sorted((bucket.root / FOLDER).glob("*")) if each.is_file()]
        removed = [f"{FOLDER}{each.name}" for each in files if _remove_left(each, before)]
    old = [entry.path for entry in bucket.entries(FOLDER) if entry.modified <= before]
    left = [path for path in old if _GIVEN_UP in (bucket.get(path) or b"")]
    if left:
        bucket.delete(left)
    return [*removed, *left]


def _remove_left(path: Path, before: datetime) -> bool:
    """Remove the file of a claim that is old and that nobody holds. True where it was removed."""
    with suppress(OSError):
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) > before:
            return False
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if try_flock(descriptor) and _is_same_file(path, descriptor):
                path.unlink()
                return True
        finally:
            os.close(descriptor)
    return False


def _claim_paths(bucket: Bucket, folder: str) -> dict[int, str]:
    return {_claim_number(entry.path): entry.path for entry in bucket.entries(folder)}


def _claim_number(path: str) -> int:
    text = path.rpartition("/")[2].removesuffix(".json")
    return int(text) if text.isdigit() else 0


def _renewal() -> bytes:
    return encode({"renewed": secrets.token_hex(8)})


_GIVEN_UP = b'"given up"'


@contextmanager
def _renewed_claim(bucket: Bucket, path: str, pace: ClaimTiming) -> Iterator[None]:
    """Renew a claim while the block runs, and give it up at the end.

    A holder that can't reach the bucket for a while loses the claim and goes on. Two processes may then compute
    the same, which is stored once.
    """
    over = threading.Event()

    def renew() -> None:
        while not over.wait(pace.renew):
            with suppress(StoreError):
                bucket.put(path, _renewal())

    thread = threading.Thread(target=renew, name="relet-claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(StoreError):
            bucket.put(path, encode({"renewed": "given up"}))
