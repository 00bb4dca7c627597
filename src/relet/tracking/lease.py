"""One deliverer at a time: a lock that the kernel takes back when its holder dies, so that none goes stale."""

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
    """Hold the lease on a tracker's outbox; wait so many seconds for another process to give it back.

    It keeps the processes of one machine apart. Between machines that share a bucket the tracker's own look-up
    by `relet.run_id` does. Raises TrackerError, naming the holder, when the wait is over.
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
    """The lock's file: in the store where that is a folder that can be written, else beside temporary files."""
    outbox = Path(store_url) / "outbox"
    if not re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:/", store_url) and outbox.is_dir() and os.access(outbox, os.W_OK):
        return outbox / f"{tracker}.lock"
    # Memory is a process's own; a bucket is everyone's on this machine.
    place = f"{store_url} {os.getpid()}" if store_url.startswith("memory:") else store_url
    folder = Path(tempfile.gettempdir()) / f"relet-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / f"{sha256(place.encode()).hexdigest()[:16]}-{tracker}.lock"
