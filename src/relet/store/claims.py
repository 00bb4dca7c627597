"""One at a time at what two would otherwise both make: a claim on a name, which a holder that dies loses.

In a store on a folder the kernel keeps the claim, and takes it back at the moment its holder dies. In a bucket a
claim is a document that only one can create, and that its holder renews. Who waits for it watches by a clock of
his own whether that goes on: no two machines' clocks are compared.
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
# Seconds: between looks at a claim on this machine and in a bucket; between a holder's renewals; and how long one
# who waits has to see none before the holder counts as gone.
LOOK_HERE, LOOK_THERE, RENEW, GONE = 0.02, 1.0, 5.0, 30.0


@dataclass(frozen=True, kw_only=True)
class ClaimTiming:
    """How often a claim in a bucket is looked at and renewed, and when its holder counts as gone; in seconds."""

    look: float = LOOK_THERE
    renew: float = RENEW
    gone: float = GONE


@contextmanager
def claim(
    bucket: Bucket, name: str, *, waiting: Callable[[], None] | None = None, pace: ClaimTiming = ClaimTiming()
) -> Iterator[None]:
    """Hold the claim on a name; wait while another holds it. `waiting` is called once, where there is a wait.

    The same thread must not ask for it again. Nobody shares a store in memory, where nothing is waited for.
    """
    word(name, "the name of a claim")
    if bucket.root is not None:
        path = bucket.root / FOLDER / name
        descriptor = _lock(path, waiting)
        try:
            yield
        finally:
            # removed while it is still held: whoever waits sees that his lock is on a file that is gone
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
    """An open descriptor that holds the lock on a file, which is gone as soon as the lock is given up."""
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
            # Who held it before may have removed the file: then the lock is on one that nobody else will find.
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
    """Create the next numbered document below `folder`, once the last one was given up or is not renewed.

    The last one stays, so that numbers only grow: a request that is sent once more, as clients do where an answer
    got lost, then never meets a later holder's document.
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
                # what was listed had long been over: others have come and gone since
                bucket.delete([path])
            continue
        if waiting and not told:
            waiting()
        told = True
        time.sleep(pace.look)


def collect(bucket: Bucket, before: datetime) -> list[str]:
    """Remove claims that nobody holds and that are older than a time; their paths.

    A claim in a bucket whose holder died without giving it up stays: only who waits for it sees that. Once one is
    removed its numbers begin anew: `before` leaves time for any request that may be sent once more.
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
    """Remove the file of a claim that is old and nobody's; whether it was removed."""
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
    """Write the claim's document again and again while the block runs, and at the end that it is given up.

    A bucket that can't be reached for a while costs the claim, at worst: its holder goes on, and what two make
    twice is stored once.
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
