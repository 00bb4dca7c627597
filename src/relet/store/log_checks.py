"""The log of a store, walked from its first entry, and the documents compared with what it says of them.

Others may write meanwhile. A document is put before its entry, so the documents are read first and what was
appended since is read after them; what does not fit then is looked at again for a while.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase

from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import log, objects, runs, versions
from relet.store.bucket import Bucket
from relet.store.layout import DIGEST, LOG, encode, is_logged_path, log_number, log_path, parse_json
from relet.store.log import LogEntry, LogHead
from relet.store.record_checks import lost_versions
from relet.store.upkeep import StoreProblem

# Seconds that a writer may take between a document and its entry before the document is named, and between looks.
SETTLING, LOOK = 2.0, 0.05
ENTER = "relet artifacts log --enter"
_STOPPED = "a writer was stopped before it wrote the entry"
_OLDER = "a relet that keeps no log wrote it"


class LogChain:
    """What the entries of a log say, as far as they were read.

    `digests` are the SHA-256 of each entry's bytes by its number, `states` each document's path → the numbers and
    digests of its entries, the oldest first. `problems` are those of the log itself.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.last = 0
        self.digests: dict[int, str] = {}
        self.states: dict[str, list[tuple[int, str]]] = {}
        self.problems: list[StoreProblem] = []
        self._broken = 0
        self._bucket = bucket
        paths = [entry.path for entry in bucket.entries(LOG)]
        for path in paths:
            if log_number(path) is None:
                self._name(path, "it is no entry of the log; move it away")
        for folder in bucket.folders(LOG):
            if not any(path.startswith(f"{LOG}{folder}/") for path in paths):
                self._name(f"{LOG}{folder}/", "it is an empty folder, and no entry of the log; remove it")
        numbers = sorted(number for path in paths if (number := log_number(path)))
        for number, stored in zip(numbers, bucket.each(self._stored, numbers), strict=True):
            self._skip_to(number)
            self._take(number, stored)
        self.read_on()

    def read_on(self) -> None:
        """Read what was appended since."""
        while (stored := self._stored(self.last + 1)) is not None:
            self._take(self.last + 1, stored)

    def _stored(self, number: int) -> bytes | None:
        """The bytes of an entry; none of a pipe or a device, which is named, and the entries after it are read."""
        try:
            return self._bucket.get(log_path(number))
        except DamagedError:
            return b""

    def _name(self, where: str, message: str) -> None:
        self.problems.append(StoreProblem(kind="log", where=where, message=message))

    def _skip_to(self, number: int) -> None:
        """Name the entries that are missing before a number. A listing may pass over what was just created."""
        while self.last + 1 < number and (stored := self._stored(self.last + 1)) is not None:
            self._take(self.last + 1, stored)
        if self.last + 1 < number:
            first, until = log_path(self.last + 1), number - 1
            upto = f" and all up to number {until} are" if until > self.last + 1 else " is"
            self._name(first, f"this entry{upto} missing; somebody removed it, and what it said is lost")

    def _take(self, number: int, stored: bytes | None) -> None:
        before, self.last = self.digests.get(number - 1, "" if number == 1 else None), number
        self.digests[number] = objects.digest_of(stored or b"")
        try:
            entry = log.parse_entry(number, stored or b"")
        except DamagedError as error:
            self._name(log_path(number), f"{error}; somebody changed it, or the disk did")
            return
        if before is not None and entry.previous != before:
            self._break(number)
        if entry.kind == log.BEGAN and number == 1:
            self._take_listing(entry)
        elif is_logged_path(entry.path):
            self.states.setdefault(entry.path, []).append((number, entry.sha256))
        else:
            self._name(log_path(number), f"it is about {entry.path!r}, which has no place in the log")

    def _break(self, number: int) -> None:
        """Name the first entry that does not follow the one before; those after it count."""
        self._broken += 1
        if self._broken == 1:
            self._name(
                log_path(number),
                "it does not hold the SHA-256 of the entry before: one of the two was changed or replaced",
            )

    def _take_listing(self, entry: LogEntry) -> None:
        """The digests that the documents had when the log began."""
        try:
            listing = parse_json(objects.read(self._bucket, entry.sha256))
        except (StoreError, ValueError) as error:
            self._name(log_path(1), f"what was there when the log began can't be read: {error}")
            return
        for path, digest in listing.items() if isinstance(listing, dict) else ():
            if is_logged_path(path) and isinstance(digest, str) and DIGEST.fullmatch(digest):
                self.states[path] = [(1, digest)]


def log_problems(bucket: Bucket, head: LogHead | None = None) -> list[StoreProblem]:
    """What the log and the documents contradict each other in, and where the log itself is broken.

    `head` is an end of the log that was kept elsewhere: where the log is shorter, or another one, that is named.
    """
    chain = LogChain(bucket)
    found = list(_unfitting_documents(bucket, chain).values())
    return [*chain.problems, *_cut_off(chain, head), *found]


def _cut_off(chain: LogChain, head: LogHead | None) -> Iterator[StoreProblem]:
    if head is None:
        return
    if head.number > chain.last:
        message = (
            f"it ends with entry {chain.last}, and the head that was kept is that of entry {head.number}: its end "
            "was cut off, or the head is that of another store"
        )
        yield StoreProblem(kind="log", where=LOG, message=message)
    elif chain.digests.get(head.number) != head.digest:
        message = (
            "its SHA-256 is not that of the head that was kept: the log was written anew, or the head is that of "
            "another store"
        )
        yield StoreProblem(kind="log", where=log_path(head.number), message=message)


def _unfitting_documents(bucket: Bucket, chain: LogChain) -> dict[str, StoreProblem]:
    """Each document that the log says something else of, or nothing, by its path; none where no log has begun."""
    if not chain.last:
        return {}
    found = log.document_digests(bucket, chain.states)
    chain.read_on()
    wrong = {path for path in chain.states.keys() | found.keys() if not _fits(chain, path, found.get(path))}
    until = time.monotonic() + SETTLING
    while wrong:
        found |= {path: log.document_digest(bucket, path, chain.states) or log.GONE for path in wrong}
        chain.read_on()
        wrong = {path for path in wrong if not _fits(chain, path, found[path])}
        if time.monotonic() >= until:
            break
        time.sleep(LOOK)
    return {path: _problem(bucket, chain, path, found[path]) for path in sorted(wrong)}


def _fits(chain: LogChain, path: str, digest: str | None) -> bool:
    states = chain.states.get(path)
    return (states[-1][1] if states else log.GONE) == (digest or log.GONE)


def _problem(bucket: Bucket, chain: LogChain, path: str, digest: str) -> StoreProblem:
    states = chain.states.get(path)
    if not states:
        kind, what = "unlogged", "it has no entry in the log"
        causes = f"{_STOPPED}, {_OLDER}{_written_by(bucket, path)}, or somebody put it there"
        advice = "if it is right, enter it"
    elif digest == log.GONE:
        kind, what = "gone", f"entry {states[-1][0]} of the log names it, and it is gone"
        causes, advice = "somebody deleted it", "restore it from a backup, or enter that it is gone"
    else:
        kind, what = "changed", f"its bytes are not those of its last entry in the log ({states[-1][0]})"
        older = next((number for number, each in reversed(states) if each == digest), None)
        what += f", and are those of an older one ({older})" if older else ""
        causes, advice = f"{_STOPPED}, {_OLDER}, or somebody changed it", "if it is right, enter it"
    return StoreProblem(kind=kind, where=path, message=f"{what}: {causes}; {advice}: {ENTER} {path}")


def _written_by(bucket: Bucket, path: str) -> str:
    """The version of relet that a record says it was written by, in words; "" for other documents."""
    with suppress(StoreError):
        document = bucket.document(path)
        machine: object = (document or {}).get("machine")
        if isinstance(machine, Mapping) and isinstance(machine.get("relet"), str):
            return f" (it says {machine['relet']})"
    return ""


def enter(bucket: Bucket, path: str) -> list[LogEntry]:
    """Enter a document that has no entry, as it is now, or that it is gone; the new entries.

    A version that is gone reads as a pruned one from then on, so that its number is never given again. A path with
    `*` enters each document that it matches. Raises NotFoundError where there is nothing to enter.
    """
    chain = LogChain(bucket)
    lost = lost_versions(bucket, runs.newest_first(bucket))
    wrong = _unfitting_documents(bucket, chain)
    chosen = [
        each for each in sorted({*wrong, *lost}) if each == path or ("*" in path and fnmatchcase(each, path))
    ]
    if not chosen:
        raise NotFoundError(
            f"{path!r} is no document that the log lacks or says something else of; "
            "`relet artifacts verify` names those"
        )
    for each in lost.keys() & set(chosen):
        name, number = lost[each].reference.name, lost[each].reference.number or 0
        bucket.create(each, encode(versions.tombstone(name, number, lost[each].content)))
    return [
        log.append(bucket, each, log.document_digest(bucket, each, chosen) or log.GONE, log.ENTERED)
        for each in chosen
    ]
