"""The journal of a search: numbered pieces, each created put-if-absent. Of two writers the first one counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relet.errors import DamagedError
from relet.store.bucket import Bucket
from relet.store.layout import Document, encode, searches_folder, word

_PIECE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)\.json")
_ABOUT = "about.json"


@dataclass(frozen=True, kw_only=True)
class JournalPiece:
    """The piece of one batch: the batch's number from 1, how many trials it had (`size`), and its entries."""

    number: int
    size: int
    logs: tuple[Mapping[str, Any], ...]


class SearchJournal:
    """The journal of one search. A piece holds a whole batch, so that sixty trials are read in a few requests.

    A batch may be written again with more trials, where fewer were asked for the first time: the largest piece
    counts. Pieces after a batch that is missing don't count.
    """

    def __init__(self, bucket: Bucket, search: str) -> None:
        self._bucket = bucket
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
        """The pieces in order, up to the first missing one. Raises DamagedError for a piece that can't be read."""
        sizes: dict[int, int] = {}
        for entry in self._bucket.entries(self._folder):
            if found := _PIECE.fullmatch(entry.path.removeprefix(self._folder)):
                number, size = int(found[1]), int(found[2])
                sizes[number] = max(size, sizes.get(number, 0))
        numbers = [number for place, number in enumerate(sorted(sizes), 1) if number == place]
        return self._bucket.each(lambda number: self._piece(number, sizes[number]), numbers)

    def _piece(self, number: int, size: int) -> JournalPiece:
        path = f"{self._folder}{number}-{size}.json"
        document = self._bucket.document(path) or {}
        logs = document.get("logs")
        if not isinstance(logs, list) or not all(isinstance(each, dict) for each in logs):
            raise DamagedError(
                f"{self._bucket.url}: {path} can't be read as a piece of a search's journal; delete it and search "
                "again: what its trials made is kept"
            )
        return JournalPiece(number=number, size=size, logs=tuple(logs))


def searches(bucket: Bucket) -> list[str]:
    """The searches that have a journal."""
    return bucket.folders("searches/")
