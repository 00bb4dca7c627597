"""Claims: a process claims a name before it computes what the name stands for, and other processes wait.

In a store on a folder a claim is a lock of the kernel, which frees it when its holder dies. In a bucket a claim is
a document that only one process can create, and that its holder writes anew every few seconds. A process that
waits measures by its own clock how long the document stays the same; no two machines' clocks are compared.

Claims don't use `relet.files`: the file of a claim is removed while the lock on it is held, and a claim in a
bucket is no file at all.
"""

from __future__ import annotations

import fcntl
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

    A thread that holds a claim must not ask for the same one again: it would wait for itself. A store in memory
    belongs to one process, and a claim there holds nothing.
    """
    word(name, "the name of a claim")
    if bucket.root is not None:
        path = bucket.root / FOLDER / name
        descriptor = _lock(path, waiting)
        try:
            yield
        finally:
            # Removed before the lock is freed: a process that gets the lock then sees that its file is gone.
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)
    elif bucket.remote:
        held = _take_claim(bucket, f"{FOLDER}{name}/", waiting, pace)
        with _renewed_claim(bucket, held, pace):
            yield
    else:
        yield


def _lock(path: Path, waiting: Callable[[], None] | None) -> int:
    """An open descriptor that holds the lock on the file at a path, which is made where it is missing."""
    told = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise StoreError(
                f"{path.parent} can't be written ({error.strerror}); set store.url to another"
            ) from None
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not told and waiting:
                        waiting()
                    told = True
                    time.sleep(LOOK_HERE)
            # The last holder may have removed the file meanwhile: a lock on a removed file keeps nobody away.
            if _is_same_file(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


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
    if bucket.root is not None:
        paths = [each for each in sorted((bucket.root / FOLDER).glob("*")) if _remove_left(each, before)]
        return [f"{FOLDER}{each.name}" for each in paths]
    old = [entry.path for entry in bucket.entries(FOLDER) if entry.modified <= before]
    left = [path for path in old if _GIVEN_UP in (bucket.get(path) or b"")]
    if left:
        bucket.delete(left)
    return left


def _remove_left(path: Path, before: datetime) -> bool:
    """Remove the file of a claim that is old and that nobody holds. True where it was removed."""
    with suppress(OSError):
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) > before:
            return False
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same_file(path, descriptor):
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
