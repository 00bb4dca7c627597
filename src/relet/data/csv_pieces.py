"""A CSV file cut into pieces of whole records, so that they can be read side by side, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Places = np.ndarray[Any, np.dtype[np.int64]]

SIZE = 4 * 1024**2
# So much is looked at to tell how lines end.
HEAD = 1024**2
BOM = b"\xef\xbb\xbf"
QUOTE = b'"'
# What may stand before a quote that opens a field, and after one that closes it.
BORDERS = b",\r\n"


class MalformedError(Exception):
    """A quote that neither opens nor closes a field, is not closed, or a byte that no text has."""


def pieces(path: Path) -> Iterator[bytes]:
    """The records below the header, in order, in pieces of about `SIZE` bytes that end where a record does.

    A quote that is not closed would swallow rows, and fast readers let it: here each has to open or close a field,
    or to be doubled within one. Raises MalformedError for any that does not, and for a NUL byte.
    """
    with path.open("rb") as file:
        first = file.read(HEAD)
        file.seek(len(first) - len(first.removeprefix(BOM).lstrip(b"\r\n")))
        end = b"\n" if b"\n" in first else b"\r"
        rest = b""
        header = True
        while True:
            more = file.read(SIZE)
            block = rest + more
            size, quotes = _whole(block, end, final=not more)
            if size:
                _check(block, size, quotes)
                start = _header(block, quotes, end) if header else 0
                header = False
                if start < size:
                    yield block[start:size]
            rest = block[size:]
            if not more:
                return


def _whole(block: bytes, end: bytes, *, final: bool) -> tuple[int, Places]:
    """How many bytes of the block are whole records, and where its quotes are."""
    import numpy as np

    quotes = np.flatnonzero(np.frombuffer(block, np.uint8) == QUOTE[0])
    if final:
        return len(block), quotes
    place = block.rfind(end)
    while place >= 0 and np.searchsorted(quotes, place) % 2:
        place = block.rfind(end, 0, place)
    return place + 1, quotes


def _header(block: bytes, quotes: Places, end: bytes) -> int:
    """Where the first record ends."""
    import numpy as np

    place = block.find(end)
    while place >= 0 and np.searchsorted(quotes, place) % 2:
        place = block.find(end, place + 1)
    return place + 1 if place >= 0 else len(block)


def _check(block: bytes, size: int, quotes: Places) -> None:
    import numpy as np

    if b"\0" in block:
        raise MalformedError("there is a NUL byte")
    quotes = quotes[: np.searchsorted(quotes, size)]
    if len(quotes) % 2:
        raise MalformedError("a quoted field is not closed")
    letters = np.frombuffer(block, np.uint8)
    border = np.zeros(256, bool)
    border[list(BORDERS)] = True
    opening, closing = quotes[0::2], quotes[1::2]
    # one that opens right behind one that closes: together they are a quote within a field
    doubled = opening[1:] == closing[:-1] + 1
    opens = (opening == 0) | border[letters[opening - 1]]
    closes = (closing == size - 1) | border[letters[np.minimum(closing + 1, size - 1)]]
    opens[1:] |= doubled
    closes[:-1] |= doubled
    if not (opens.all() and closes.all()):
        raise MalformedError("a quote stands within a field that is not quoted, or text behind a closing one")
