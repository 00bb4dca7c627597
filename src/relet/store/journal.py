"""The journal of a search: numbered pieces, each created put-if-absent. Of two writers the first one counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from relet.core.record import RunRecord, Status
from relet.errors import DamagedError, StoreError
from relet.store.bucket import Bucket
from relet.store.journal_checks import FindRecord, false_about, false_trials
from relet.store.layout import Document, encode, run_path, searches_folder, word
from relet.store.runs import read_record

_PIECE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)\.json")
_ABOUT = "about.json"
PIECE_ADVICE = "delete it and search again: what its trials made is kept"


@dataclass(frozen=True, kw_only=True)
class JournalPiece:
    """The piece of one batch: the batch's number from 1, how many trials it had (`size`), its entries and path."""

    number: int
    size: int
    logs: tuple[Mapping[str, Any], ...]
    path: str


class SearchJournal:
    """The journal of one search. A piece holds a whole batch, so that sixty trials are read in a few requests.

    A batch may be written again with more trials, where fewer were asked for the first time: the largest piece
    counts. Pieces after a batch that is missing don't count.

    With `facts`, those that name the search, the pieces are compared with the records of their runs.
    """

    def __init__(self, bucket: Bucket, search: str, facts: Document | None = None) -> None:
        self._bucket = bucket
        self._search = search
        self._facts = facts
        self._run = ended_records(bucket)
        self._folder = searches_folder(search)

    def describe(self, about: Document) -> None:
        """Write down what is searched, for a person who looks into the store; the first writer's text stays."""
        self._bucket.create(f"{self._folder}{_ABOUT}", encode(about))

    def about(self) -> Document | None:
        """What is searched, or None where the search is not stored."""
        return self._bucket.document(f"{self._folder}{_ABOUT}")

    def join(self, run_id: str) -> list[str]:
        """Note that a run works on this search; the runs that were noted before it, the oldest first."""
        folder = f"{self._folder}by/"
        before = [entry.path.removeprefix(folder).removesuffix(".json") for entry in self._bucket.entries(folder)]
        self._bucket.create(f"{folder}{word(run_id, 'a run id')}.json", encode({"run": run_id}))
        return sorted(before)

    def append(self, number: int, size: int, logs: Sequence[Mapping[str, Any]]) -> bool:
        """Write a piece, unless one of this number and size is stored. True where this call wrote it."""
        return self._bucket.create(f"{self._folder}{number}-{size}.json", encode({"logs": list(logs)}))

    def pieces(self) -> list[JournalPiece]:
        """The pieces in order, up to the first missing one.

        Raises DamagedError for a piece that can't be read, and for one that the records of its runs contradict.
        """
        sizes: dict[int, int] = {}
        for entry in self._bucket.entries(self._folder):
            if found := _PIECE.fullmatch(entry.path.removeprefix(self._folder)):
                number, size = int(found[1]), int(found[2])
                sizes[number] = max(size, sizes.get(number, 0))
        numbers = [number for place, number in enumerate(sorted(sizes), 1) if number == place]
        pieces = self._bucket.each(lambda number: self._piece(number, sizes[number]), numbers)
        if self._facts is not None:
            for path, claim in false_trials(self._search, self._facts, pieces, self._run):
                raise DamagedError(f"{self._bucket.url}: {path} {claim}; {PIECE_ADVICE}")
        return pieces

    def _piece(self, number: int, size: int) -> JournalPiece:
        path = f"{self._folder}{number}-{size}.json"
        return JournalPiece(number=number, size=size, logs=_entries(self._bucket, path), path=path)


def _entries(bucket: Bucket, path: str) -> tuple[Mapping[str, Any], ...]:
    document = bucket.document(path) or {}
    logs = document.get("logs")
    if not isinstance(logs, list) or not all(isinstance(each, dict) for each in logs):
        raise DamagedError(f"{bucket.url}: {path} can't be read as a piece of a search's journal; {PIECE_ADVICE}")
    return tuple(logs)


def check_piece(bucket: Bucket, path: str) -> None:
    """Raise DamagedError where a document of a search can't be read, or is a piece without entries."""
    if _PIECE.fullmatch(path.rpartition("/")[2]) and bucket.head(path) is not None:
        _entries(bucket, path)
    else:
        bucket.document(path)


def searches(bucket: Bucket) -> list[str]:
    """The searches that have a journal."""
    return bucket.folders("searches/")


def ended_records(bucket: Bucket) -> FindRecord:
    """A reader of run records, which reads one that has ended once; None for one that is gone or damaged."""
    ended: dict[str, RunRecord] = {}

    def find(run_id: str) -> RunRecord | None:
        if run_id not in ended:
            with suppress(StoreError):
                record = read_record(bucket, run_path(run_id))
                if record is None or record.status is Status.RUNNING:
                    return record
                ended[run_id] = record
        return ended.get(run_id)

    return find


@dataclass(frozen=True, kw_only=True)
class StoredSearch:
    """What a store holds of a search: its id, what describes it, and the pieces of its journal."""

    id: str
    about: Document | None
    pieces: tuple[JournalPiece, ...]


def stored_searches(bucket: Bucket) -> Iterator[StoredSearch]:
    """The searches of a store, but for those with a document that can't be read."""
    for search in searches(bucket):
        journal = SearchJournal(bucket, search)
        with suppress(StoreError):
            # A piece is written after the records that it names, and after the description.
            pieces = tuple(journal.pieces())
            yield StoredSearch(id=search, about=journal.about(), pieces=pieces)


def false_journal(search: StoredSearch, run: FindRecord) -> Iterator[tuple[str, str]]:
    """The path of each document of a search's journal that claims what no run has done, and what, in words."""
    path = f"{searches_folder(search.id)}{_ABOUT}"
    if search.about is None:
        if search.pieces:
            yield path, "is gone, so nobody can say what was searched"
    elif claim := false_about(search.id, search.about):
        yield path, claim
    else:
        yield from false_trials(search.id, search.about, search.pieces, run)
