"""The lease on a tracker's outbox: one process at a time sends what waits there."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

from relet.errors import TrackerError
from relet.files import lock_holder, locked


@contextmanager
def lease(store_url: str, tracker: str, *, wait: float) -> Iterator[None]:
    """Hold the lease on a tracker's outbox, after waiting `wait` seconds at most for another process to free it.

    The lease is a lock on a file, so it keeps apart the processes of one machine. Two machines that share a bucket
    are kept apart by the tracker's look-up of `relet.run_id`. Raises TrackerError, which names the holder, when
    the wait is over.
    """
    path = lease_path(store_url, tracker)
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, timeout=wait))
        except TimeoutError:
            holder = lock_holder(path)
            raise TrackerError(
                f"{tracker}: another process (id {holder}) is sending what waits; waited {wait:g} s for it"
            ) from None
        yield


def lease_path(store_url: str, tracker: str) -> Path:
    """The file of the lock: in the store where that is a folder to write to, else in the temporary folder."""
    outbox = Path(store_url) / "outbox"
    if not re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:/", store_url) and outbox.is_dir() and os.access(outbox, os.W_OK):
        return outbox / f"{tracker}.lock"
    # A store in memory belongs to one process; a bucket is shared by all processes of this machine.
    place = f"{store_url} {os.getpid()}" if store_url.startswith("memory:") else store_url
    folder = Path(tempfile.gettempdir()) / f"relet-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / f"{sha256(place.encode()).hexdigest()[:16]}-{tracker}.lock"
