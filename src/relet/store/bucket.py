"""Bytes by path in a folder, in memory or in a bucket. No other module uses obstore; errors say what to do."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from relet.errors import DamagedError, StoreError
from relet.files import create_whole, replacing
from relet.store.disk import (
    STAGED,
    BucketEntry,
    files_below,
    is_special_file,
    names_without_letters,
    special_files,
)
from relet.store.layout import (
    EARLIER,
    FORMAT,
    FORMAT_PATH,
    READERS,
    Document,
    encode,
    number_of_format,
    parse_json,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from relet.store.log import LogHead

Item = TypeVar("Item")
Result = TypeVar("Result")

PARALLEL = 16
CHUNK = 8 * 1024 * 1024
# Held for each new document where a folder's file system has no hard links.
CREATE_LOCK = "create.lock"

ADVICE = {
    errno.ENOSPC: "the disk is full; free some space (`relet artifacts gc` finds garbage) and run again",
    errno.EDQUOT: "the quota is used up; free some space (`relet artifacts gc` finds garbage) and run again",
    errno.EROFS: "it is read-only; set store.url to a store that can be written",
    errno.EACCES: "permission denied; set its permissions, or store.url to a store you may use",
    errno.EPERM: "permission denied; set its permissions, or store.url to a store you may use",
    errno.ENOTDIR: "a file stands where a folder should be; move it away, or set store.url to another folder",
    errno.EEXIST: "a file stands where a folder should be; move it away, or set store.url to another folder",
    errno.EISDIR: "a folder stands where a file should be; move it away, or set store.url to another folder",
}


class Bucket:
    """A handle on one place that keeps bytes by path. Everything that relet stores is written by these methods.

    `connect(create)` returns obstore's store; it returns None where the folder is missing and `create` is False,
    so that reading a store that does not exist makes no folder. `root` is the folder of a store on disk, else
    None.
    """

    def __init__(
        self, url: str, connect: Callable[[bool], ObjectStore | None], *, root: Path | None, remote: bool
    ) -> None:
        self.url = url
        self.root = root
        self.remote = remote
        self.layout = FORMAT
        # The last entry of the log that this handle has seen or written (`relet.store.log`).
        self.log_end: LogHead | None = None
        self._connect = connect
        self._backend: ObjectStore | None = None
        self._found_format = False
        self._writable = False
        self._lock = threading.Lock()

    def check(self) -> None:
        """Read the layout's number. Raises StoreError where this relet can't read it."""
        stored = self.get(FORMAT_PATH)
        if stored is not None:
            self.layout = number_of_format(stored, self.url)
            self._found_format = True

    def get(self, path: str) -> bytes | None:
        """The content, or None where nothing is stored at the path. Raises DamagedError for a pipe or a device."""
        self.refuse_special_file(path)
        with self._reading(path) as backend:
            return bytes(backend.get(path).bytes()) if backend else None
        return None

    def stream(self, path: str) -> Iterator[bytes] | None:
        """The content piece by piece, or None where nothing is stored at the path. Raises as `get` does."""
        self.refuse_special_file(path)
        with self._reading(path) as backend:
            return self._pieces(path, backend.get(path)) if backend else None
        return None

    def refuse_special_file(self, path: str) -> None:
        """Raise DamagedError where a read might never end."""
        if self.root is not None and is_special_file(self.root / path):
            raise DamagedError(
                f"{self.root / path} can't be read: it is a pipe or a device, no file; move it away"
            )

    def _pieces(self, path: str, found: Any) -> Iterator[bytes]:
        with self._advising("read", path):
            yield from found.stream(min_chunk_size=CHUNK)

    def document(self, path: str) -> Document | None:
        """The JSON object at a path, in today's layout, or None. Raises DamagedError for other bytes."""
        stored = self.get(path)
        return None if stored is None else self.parse(path, stored)

    def parse(self, path: str, stored: bytes) -> Document:
        try:
            document = parse_json(stored)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise DamagedError(
                f"{self.url}: {path} can't be read as JSON: it is damaged; restore it from a backup, or delete it"
            )
        return READERS[self.layout](path, document)

    def head(self, path: str) -> BucketEntry | None:
        """What is stored at a path; None where nothing is, or a pipe or a device, which obstore would open."""
        if self.root is not None and is_special_file(self.root / path):
            return None
        with self._reading(path) as backend:
            return _entry_of_object(backend.head(path)) if backend else None
        return None

    def entries(self, prefix: str, after: str = "") -> list[BucketEntry]:
        """Everything below a folder, at any depth, sorted by path; with `after` only what comes after it."""
        with self._reading(prefix) as backend:
            found = self._listed(backend, prefix, after) if backend else []
            return sorted(found, key=lambda entry: entry.path)
        return []

    def is_folder(self, path: str) -> bool:
        """Whether a folder stands at a path where a file should be; a listing may pass it over. Only on a disk."""
        return self.root is not None and (self.root / path).is_dir()

    def _listed(self, backend: Any, prefix: str, after: str) -> list[BucketEntry]:
        from obstore.exceptions import InvalidPathError

        try:
            found = backend.list(prefix, offset=after or None).collect()
            return list(map(_entry_of_object, found))
        except InvalidPathError:  # obstore lists nothing where one name is no UTF-8
            if self.root is None:
                raise
            return [entry for entry in files_below(self.root, prefix) if entry.path > after]

    def unreadable_names(self) -> list[str]:
        """The files and folders of a store on disk whose names are no UTF-8; listings pass them over."""
        return sorted(names_without_letters(self.root)) if self.root else []

    def special_files(self) -> list[str]:
        """What is no file in a store on disk, but a pipe, a socket or a device; listings pass it over."""
        return sorted(special_files(self.root)) if self.root else []

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below a folder."""
        with self._reading(prefix) as backend:
            return sorted(self._listed_folders(backend, prefix)) if backend else []
        return []

    def _listed_folders(self, backend: Any, prefix: str) -> Iterable[str]:
        from obstore.exceptions import InvalidPathError

        try:
            found = backend.list_with_delimiter(prefix)["common_prefixes"]
        except InvalidPathError:
            if self.root is None:
                raise
            return {entry.path.removeprefix(prefix).split("/")[0] for entry in files_below(self.root, prefix)}
        return (path.rstrip("/").rpartition("/")[2] for path in found)

    def create(self, path: str, content: bytes) -> bool:
        """Write, unless something is stored at the path. Of many calls at once one writes, and returns True."""
        return self._create(self._ready(), path, content)

    def put(self, path: str, content: bytes | Path) -> None:
        """Write over what is at the path. Readers see the old content or the new one, never half of either."""
        backend = self._ready()
        with self._advising("write", path):
            if isinstance(content, Path) and self.root is not None:
                _copy(content, self.root / path)
            else:
                backend.put(path, content)

    def put_document(self, path: str, document: Document) -> None:
        self.put(path, encode(document))

    def delete(self, paths: Iterable[str]) -> None:
        """Delete these paths; those that are gone already are passed over."""
        backend = self._ready()
        for path in paths:
            with self._advising("delete", path):
                try:
                    backend.delete(path)
                except FileNotFoundError:
                    continue

    def move(self, path: str, to: str) -> bool:
        """Give a stored file another path, in place of what is there. False where nothing is stored at `path`."""
        backend = self._ready()
        with self._advising("move", path):
            try:
                backend.rename(path, to)
            except FileNotFoundError:
                return False
        return True

    def copy_back(self, path: str, to: str) -> bool:
        """Store under `to`, too, what is stored at `path`; in a folder it is moved. False where nothing is there.

        A move in a bucket is a copy and a deletion, and the deletion may come late: whoever moves `to` to `path`
        at the same time would delete what is put back, and needs what lies at `path`.
        """
        if self.root is not None:
            return self.move(path, to)
        backend = self._ready()
        with self._advising("copy", path):
            try:
                backend.copy(path, to)
            except FileNotFoundError:
                return False
        return True

    def touch(self, path: str) -> bool:
        """Set the time of a stored file to now. False where the file is gone, and in a bucket, where only a new
        write sets the time.
        """
        if self.root is None:
            return False
        with self._advising("write", path):
            try:
                os.utime(self.root / path)
            except FileNotFoundError:
                return False
        return True

    def staged(self) -> Iterator[Path]:
        """Half-written files of writers that were killed; obstore's listings leave them out."""
        if self.root is not None:
            for folder in ("objects", "artifacts", "runs", "keys", "outbox", "searches", "damaged", "log"):
                yield from (path for path in (self.root / folder).rglob("*#*") if STAGED.search(path.name))
            yield from (path for path in self.root.glob(f"{FORMAT_PATH}#*") if STAGED.search(path.name))

    def each(self, act: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results of `act` on each item, in the items' order; in a bucket many run at once."""
        if not self.remote:
            return [act(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(act, items))

    def _ready(self) -> Any:
        """obstore's store, once it is known that relet can write to it.

        Before its first write every process creates the file `format` put-if-absent. Where the file exists and is
        created all the same, the place ignores put-if-absent, and is refused. A store of an earlier layout gets
        today's number: an older relet refuses it then, and does not take it for one that stands still.
        """
        with self._lock:
            backend = self._open(create=True)
            if self._writable:
                return backend
            if self.layout not in (FORMAT, *EARLIER):
                raise StoreError(
                    f"{self.url} has the older layout {self.layout}, which this relet only reads; export what you "
                    "need (`relet artifacts export`) and import it into a new store, set by store.url"
                )
            number = f"{FORMAT}\n".encode()
            created = self._create(backend, FORMAT_PATH, number)
            if created and (self._found_format or self._create(backend, FORMAT_PATH, number)):
                raise StoreError(
                    f"{self.url} ignores conditional writes (If-None-Match), so two writers could take one "
                    "number; set store.url to a bucket that honours them, or to a folder"
                )
            if self.layout in EARLIER:
                with self._advising("write", FORMAT_PATH):
                    backend.put(FORMAT_PATH, number)
                self.layout = FORMAT
            self._writable = True
            return backend

    def _open(self, *, create: bool) -> Any:
        if self._backend is None:
            with self._advising("open", ""):
                self._backend = self._connect(create)
        return self._backend

    def _create(self, backend: Any, path: str, content: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError

        with self._advising("write", path):
            if self.root is not None:
                to = self.root / path
                to.parent.mkdir(parents=True, exist_ok=True)
                return create_whole(to, content, part=_staged_path(to), lock=self.root / CREATE_LOCK)
            try:
                backend.put(path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    @contextmanager
    def _reading(self, path: str) -> Iterator[Any]:
        """obstore's store, or None where the folder is missing. A missing path ends the block without an error."""
        backend = self._open(create=False)
        with self._advising("read", path):
            try:
                yield backend
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise

    @contextmanager
    def _advising(self, action: str, path: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (OSError, BaseError) as error:
            where = self.root / path if self.root else f"{self.url.rstrip('/')}/{path}"
            raise StoreError(f"can't {action} {where}: {_error_advice(error)}") from error


def _copy(file: Path, to: Path) -> None:
    """Copy a file in one piece: faster than obstore reads and writes it. The half-written file is named as obstore
    names its own, so that listings leave it out and a garbage collection finds it; so is that of `create`.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with replacing(to, part=_staged_path(to)) as staged:
        shutil.copyfile(file, staged)


def _staged_path(to: Path) -> Path:
    return to.with_name(f"{to.name}#{secrets.randbelow(10**12)}")


def _entry_of_object(meta: Any) -> BucketEntry:
    return BucketEntry(path=meta["path"], size=meta["size"], modified=meta["last_modified"])


def _error_advice(error: Exception) -> str:
    """What is wrong and what to do, for an error of obstore or of the operating system.

    >>> _error_advice(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full; free some space (`relet artifacts gc` finds garbage) and run again'
    """
    from obstore.exceptions import NotSupportedError, PermissionDeniedError, UnauthenticatedError

    text = str(error)
    number = re.search(r"(?:os error|Errno) ([0-9]+)", text)
    if number and int(number[1]) in ADVICE:
        return ADVICE[int(number[1])]
    first = text.partition("\n")[0]
    if "NoSuchBucket" in text:
        return "there is no such bucket; create it, or set store.url to one that exists"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return f"the credentials in the environment were refused; set them (AWS_ACCESS_KEY_ID, …): {first}"
    if isinstance(error, NotSupportedError):
        return f"this kind of store can't do that; set store.url to a folder or another bucket: {first}"
    if "error sending request" in text:
        return f"it can't be reached; see that store.url and the endpoint (AWS_ENDPOINT_URL, …) are right: {first}"
    return f"{first}; see that store.url is right"
