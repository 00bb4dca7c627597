"""Cut a CSV file into pieces of whole records, so that threads can read them side by side in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Places = np.ndarray[Any, np.dtype[np.int64]]

SIZE = 4 * 1024**2
# How many bytes are searched for the header.
HEAD = 1024**2
# The largest record, in bytes. A larger one means that an open quote swallows what follows.
LARGEST = 64 * 1024**2
# How many bytes are searched first for the end of a record.
NEAR = 64 * 1024
BOM = b"\xef\xbb\xbf"
QUOTE = b'"'
# What may stand before a quote that opens a field, and after a quote that closes one, beside the separator.
BORDERS = b"\r\n"


class MalformedCsvError(Exception):
    """A quote is misplaced or not closed, or a byte is none of a text.

    `at` is its position in the file, if known.
    """

    def __init__(self, what: str, at: int | None = None) -> None:
        super().__init__(what)
        self.at = at


class EndlessRecordError(MalformedCsvError):
    """A record that is larger than any table has one; `at` is where it begins."""


def csv_pieces_of(path: Path, separator: str = ",") -> Iterator[bytes]:
    """The records below the header, in order, in pieces of about `SIZE` bytes that end where a record does.

    A quote that is not closed would swallow rows, and fast readers let it. Here each quote has to open a field,
    close it, or be doubled within it. Raises MalformedCsvError for any other quote and for a NUL byte.
    """
    with path.open("rb") as file:
        first = file.read(HEAD)
        file.seek(len(first) - len(first.removeprefix(BOM).lstrip(b"\r\n")))
        rest, begin = b"", file.tell()
        header = True
        while True:
            more = file.read(SIZE)
            block = rest + more
            size, quotes = _whole_records(block, final=not more)
            if size:
                _check_quotes(block, size, quotes, begin, BORDERS + separator.encode())
                start = _header_end(block, quotes) if header else 0
                header = False
                if start < size:
                    yield block[start:size]
            rest, begin = block[size:], begin + size
            if len(rest) > LARGEST:
                raise EndlessRecordError(_too_long(rest, quotes), begin)
            if not more:
                return


def has_hexadecimal(piece: bytes) -> bool:
    """Whether 0x or 0X stands anywhere in a piece. Python's own search for two letters takes longer."""
    import numpy as np

    letters = np.frombuffer(piece, np.uint8)
    # in parts that the processor's cache holds
    for start in range(0, len(letters), NEAR):
        places = np.flatnonzero((letters[start : start + NEAR] | 0x20) == ord("x")) + start
        if len(places) and (letters[places - 1] == ord("0")).any():
            return True
    return False


def _too_long(record: bytes, quotes: Places) -> str:
    what = "a quoted field is not closed" if len(quotes) % 2 else "this is no line of a table"
    return f"{what}: from here on {len(record) // 1024**2} MB belong to one row"


def _whole_records(block: bytes, *, final: bool) -> tuple[int, Places]:
    """How many bytes of the block are whole records, and where its quotes are."""
    import numpy as np

    letters = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(letters == QUOTE[0])
    if final:
        return len(block), quotes
    # the last record usually ends near the end of the block, unless a quote is open there
    for start in (max(0, len(block) - NEAR), 0):
        ends = start + np.flatnonzero((letters[start:] == ord("\n")) | (letters[start:] == ord("\r")))
        outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if len(outside) and outside[-1] == len(block) - 1 and block.endswith(b"\r"):
            outside = outside[:-1]  # its \n may be still to come
        if len(outside):
            return int(outside[-1]) + 1, quotes
    return 0, quotes


def _header_end(block: bytes, quotes: Places) -> int:
    """Where the first record ends. Its line end may differ from those of the records below."""
    import numpy as np

    letters = np.frombuffer(block, np.uint8)
    for stop in (NEAR, len(block)):
        ends = np.flatnonzero((letters[:stop] == ord("\n")) | (letters[:stop] == ord("\r")))
        outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if len(outside):
            end = int(outside[0])
            return end + 2 if block[end : end + 2] == b"\r\n" else end + 1
    return len(block)


def _check_quotes(block: bytes, size: int, quotes: Places, begin: int, borders: bytes) -> None:
    import numpy as np

    if b"\0" in block:
        raise MalformedCsvError("there is a NUL byte")
    quotes = quotes[: np.searchsorted(quotes, size)]
    letters = np.frombuffer(block, np.uint8)
    border = np.zeros(256, bool)
    border[list(borders)] = True
    opening, closing = quotes[0::2], quotes[1::2]
    # a quote that opens right behind one that closes: together they stand for a quote within a field
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens = (opening == 0) | border[letters[opening - 1]]
    closes = (closing == size - 1) | border[letters[np.minimum(closing + 1, size - 1)]]
    opens[1:] |= doubled
    closes[: len(doubled)] |= doubled
    wrong = [int(place) for good, places in ((opens, opening), (closes, closing)) for place in places[~good][:1]]
    if wrong:
        raise MalformedCsvError(
            "a quote stands within a field that is not quoted, or text behind a closing one", begin + min(wrong)
        )
    if len(quotes) % 2:
        raise MalformedCsvError("a quoted field is not closed", begin + int(quotes[-1]))
