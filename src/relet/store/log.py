"""The log of a store: an entry for each record, move of an alias and verdict that was put, chained by digests.

`log/000000001.json` and the following are created put-if-absent and never change. Each holds the SHA-256 of the
bytes of the entry before. Decision 28 says what that shows, and what it does not.
"""

from __future__ import annotations

import functools
import os
import pwd
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from relet.core.artifact import ArtifactType
from relet.core.record import now
from relet.errors import DamagedError, StoreError
from relet.store import objects
from relet.store.bucket import PARALLEL, Bucket
from relet.store.fields import is_time
from relet.store.layout import (
    DIGEST,
    LOG,
    TOMBSTONE,
    encode,
    is_logged_path,
    is_version_path,
    log_number,
    log_path,
    object_path,
    parse_json,
)

# What an entry is about. An entry of another kind was written by a newer relet, and is read all the same.
BEGAN, RECORD, ALIAS, VERDICT, PRUNED, ENTERED = "began", "record", "alias", "verdict", "pruned", "entered"
# The digest in the entry of a document that is gone, and that somebody has entered as gone.
GONE = ""
# An entry that is further than this beyond a gap was planted, and the log does not go on from there.
GAP = 100_000


@dataclass(frozen=True, kw_only=True)
class LogWriter:
    """The user and the host that wrote an entry, as the machine named them. Nobody proved either."""

    user: str
    host: str

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, unauthenticated"


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One entry of the log.

    `previous` is the SHA-256 of the bytes of the entry before, and "" in the first. `sha256` is that of the
    document at `path`, as it was put; "" where somebody has entered that the document is gone. The first entry is
    of the kind `began`: its document is an object that lists what was there when the log began, path → SHA-256.
    """

    number: int
    previous: str
    path: str
    sha256: str
    when: str
    who: LogWriter
    kind: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class LogHead:
    """The end of a log: the number of its last entry, and the SHA-256 of that entry's bytes.

    >>> head = LogHead(12, "ab" * 32)
    >>> LogHead.parse(str(head)) == head
    True
    """

    number: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> LogHead:
        """The head that `relet artifacts log --head` printed. Raises StoreError for any other text."""
        found = re.fullmatch(rf"([1-9][0-9]{{0,17}}):({DIGEST.pattern})", text.strip())
        if not found:
            raise StoreError(
                f"{text[:90]!r} is no head of a log; write NUMBER:DIGEST, as `relet artifacts log --head` prints"
            )
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


def put_logged(bucket: Bucket, path: str, content: bytes, kind: str) -> None:
    """Put a document, over what is at the path, and then its entry.

    Where another writer has put the same document meanwhile, the entry of what is there now is the last one.
    """
    bucket.put(path, content)
    logged, there = "", objects.digest_of(content)
    while there != logged:
        append(bucket, path, there, kind)
        stored = bucket.get(path)
        logged, there = there, there if stored is None else objects.digest_of(stored)


def create_logged(bucket: Bucket, path: str, content: bytes, kind: str) -> bool:
    """Create a document unless there is one at the path, and then its entry. True where this call created it.

    A client that got no answer asks once more, and is told then that its own document is there: so equal bytes get
    an entry, too.
    """
    created = bucket.create(path, content)
    if created or bucket.get(path) == content:
        append(bucket, path, objects.digest_of(content), kind)
    return created


def append(bucket: Bucket, path: str, digest: str, kind: str) -> LogEntry:
    """Write the next entry, whoever else is writing. Damaged entries before it stay as they are, and gaps too.

    Raises StoreError where a folder, a pipe or a device stands at its path.
    """
    last = _known_end(bucket) or _end(bucket)
    if last.number == 0:
        last = _begin(bucket)
    while True:
        entry = _next_entry(last, path, digest, kind)
        content = encode(entry.to_json())
        mine = LogHead(entry.number, objects.digest_of(content))
        last = mine if bucket.create(log_path(entry.number), content) else _end_after(bucket, entry.number)
        bucket.log_end = last
        if last == mine:
            return entry


def _next_entry(last: LogHead, path: str, digest: str, kind: str) -> LogEntry:
    return LogEntry(
        number=last.number + 1,
        previous=last.digest,
        path=path,
        sha256=digest,
        when=now(),
        who=this_writer(),
        kind=kind,
    )


def _known_end(bucket: Bucket) -> LogHead | None:
    """The last entry that this handle has seen. A folder may have been emptied since, whose log begins anew."""
    known = bucket.log_end
    emptied = known and bucket.root is not None and bucket.head(log_path(known.number)) is None
    return None if emptied else known


def _end(bucket: Bucket) -> LogHead:
    """The end of the log, past every gap that somebody made in it; the number 0 where it has not begun."""
    found = _end_from(bucket, 0)
    last = max((each for each in _numbers_after(bucket, found.number) if each <= found.number + GAP), default=0)
    return _end_from(bucket, last) if last > found.number else found


def _numbers_after(bucket: Bucket, number: int) -> list[int]:
    listed = bucket.entries(LOG, after=log_path(number))
    return sorted(found for entry in listed if (found := log_number(entry.path)) and found > number)


def first_missing(bucket: Bucket) -> int | None:
    """The number of the first entry that is missing before the end of the log; None where there is no gap."""
    found = _end_from(bucket, 0).number
    return found + 1 if found < _end(bucket).number and bucket.head(log_path(found + 1)) is None else None


def _end_after(bucket: Bucket, number: int) -> LogHead:
    """The end of a log whose entry of this number another writer has put."""
    bucket.refuse_special_file(log_path(number))
    if bucket.is_folder(log_path(number)):
        raise StoreError(
            f"{bucket.url}: {log_path(number)} is a folder, where the next entry of the log goes; move it away, "
            "then enter what `relet artifacts verify` names"
        )
    return _end_from(bucket, number)


def _end_from(bucket: Bucket, low: int) -> LogHead:
    """The end of the log, which has an entry of the number `low`, found by doubling and halving."""
    step = 1
    while bucket.head(log_path(low + step)):
        low, step = low + step, step * 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bucket.head(log_path(middle)) else (low, middle)
    return LogHead(low, objects.digest_of(bucket.get(log_path(low)) or b"") if low else "")


def _begin(bucket: Bucket) -> LogHead:
    """Write the first entry, which says what is there now, unless another writer has; the end of the log."""
    listing = encode(document_digests(bucket))
    digest = objects.put(bucket, listing)
    content = encode(_next_entry(LogHead(0, ""), object_path(digest), digest, BEGAN).to_json())
    if not bucket.create(log_path(1), content):
        return _end_from(bucket, 1)
    # A garbage collection that did not see the entry yet may have taken the object (decision 29).
    if objects.absent_digests(bucket, [digest]):
        objects.put(bucket, listing)
    return LogHead(1, objects.digest_of(content))


def document_digests(bucket: Bucket, also: Container[str] = ()) -> dict[str, str]:
    """Each document whose changes are logged → its SHA-256. Of the versions these are the verdicts, those that
    are pruned, and `also`.
    """
    listed = (entry.path for prefix in ("artifacts/", "runs/") for entry in bucket.entries(prefix))
    paths = list(filter(is_logged_path, listed))
    found = bucket.each(lambda path: document_digest(bucket, path, also), paths)
    return {path: digest for path, digest in zip(paths, found, strict=True) if digest is not None}


def document_digest(bucket: Bucket, path: str, also: Container[str] = ()) -> str | None:
    """The SHA-256 of a document; None where it is gone, or is a version, and none that is logged or in `also`."""
    stored = bucket.get(path)
    if stored is None or (is_version_path(path) and path not in also and not _is_logged_version(stored)):
        return None
    return objects.digest_of(stored)


def _is_logged_version(stored: bytes) -> bool:
    """Whether a version's document is that of a verdict, or stands in the place of a pruned version."""
    try:
        document = parse_json(stored)
    except ValueError:
        return False
    if not isinstance(document, dict):
        return False
    return TOMBSTONE in document or document.get("type") == ArtifactType.VERDICT


@functools.cache
def this_writer() -> LogWriter:
    """The user and the host of this process, as the machine names them."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"a user without a name (number {os.getuid()})"
    return LogWriter(user=_encodable(user), host=_encodable(os.uname().nodename) or "a host without a name")


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def head(bucket: Bucket) -> LogHead | None:
    """The end of the log; None where it has not begun."""
    found = _end(bucket)
    return found if found.number else None


def entries(bucket: Bucket, last: int | None = None, unread: list[str] | None = None) -> Iterator[LogEntry]:
    """The entries, or the `last` ones, the oldest first; the paths of those that can't be read join `unread`."""
    end = _end(bucket).number
    lost = [] if unread is None else unread
    first = 1 if last is None else max(1, end - last + 1)
    for start in range(first, end + 1, PARALLEL):
        numbers = range(start, min(start + PARALLEL, end + 1))
        for number, stored in zip(numbers, bucket.each(lambda n: bucket.get(log_path(n)), numbers), strict=True):
            try:
                yield parse_entry(number, stored or b"")
            except DamagedError:
                lost.append(log_path(number))


def parse_entry(number: int, stored: bytes) -> LogEntry:
    """The entry that the bytes at a number's path hold. Raises DamagedError where they hold none."""
    try:
        document = parse_json(stored)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise DamagedError(f"{log_path(number)} can't be read as JSON")
    if wrong := next((field for field, right in _entry_fields(number, document) if not right), None):
        raise DamagedError(f"{log_path(number)} is no entry of a log: its {wrong} is not what it should be")
    known = {field: document[field] for field in ("number", "previous", "path", "sha256", "when", "kind")}
    return LogEntry(**known, who=LogWriter(user=document["who"]["user"], host=document["who"]["host"]))


def _entry_fields(number: int, document: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    who = document.get("who")
    yield "number", type(document.get("number")) is int and document["number"] == number
    for field in ("path", "kind"):
        yield field, isinstance(document.get(field), str)
    for field in ("previous", "sha256"):
        value = document.get(field)
        yield field, isinstance(value, str) and (value == "" or bool(DIGEST.fullmatch(value)))
    yield "when", is_time(document.get("when"))
    yield "who", isinstance(who, dict) and all(isinstance(who.get(field), str) for field in ("user", "host"))
