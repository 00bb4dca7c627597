"""Hash each row's key, the same on every machine, and take the parts as intervals of the hash."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from math import fsum
from typing import TYPE_CHECKING, Any

from relet.core.wording import count
from relet.errors import BadDataError, SettingError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Hashes = np.ndarray[Any, np.dtype[np.uint64]]
    Bytes = np.ndarray[Any, np.dtype[np.int8]]

# So many rows stay in a core's cache between the steps of the hash.
_BLOCK = 32_768


def parts_by_key(
    column: pa.ChunkedArray, shares: Mapping[str, float], *, seed: int, salt: str, name: str
) -> Bytes:
    """The number of each row's part, by the hash of its key.

    The parts are intervals of the hash: the last part is the lowest interval, the first part the rest. A changed
    share of a middle part moves rows only between that part and the first, never into or out of the last.
    Raises BadDataError for a missing key, SettingError for keys that are neither whole numbers nor text.
    """
    import numpy as np

    if column.null_count:
        raise BadDataError(
            f"segregation: {count(column.null_count, 'row has', 'rows have')} no {name}, "
            "by which rows are told apart; leave them out, or set another key or method"
        )
    ends = _interval_ends(shares)
    found = np.zeros(len(column), dtype=np.int8)
    start = 0
    for hashes in _hashes_by_block(column, seed=seed, salt=salt, name=name):
        here = found[start : start + len(hashes)]
        for place, end in ends.items():
            here[hashes < end] = place
        start += len(hashes)
    return found


def _interval_ends(shares: Mapping[str, float]) -> dict[int, Any]:
    """The end of each part's interval, except the first part's, the largest end first: a later part overrides an
    earlier one.
    """
    import numpy as np

    values = list(shares.values())
    return {place: np.uint64(int(fsum(values[place:]) * 2.0**64)) for place in range(1, len(values))}


def hashes_of(column: pa.ChunkedArray, *, seed: int, salt: str = "", name: str = "key") -> Hashes:
    """A hash of 64 bits for each key: equal keys have equal hashes, which otherwise look random.

    Whole numbers are mixed by the finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
    number generators", 2014), and mixed again with the hash of `seed` and `salt`. Text enters as its BLAKE2b
    digest. The number 7 and the text "7" are different keys.

    >>> import pyarrow as pa
    >>> [hex(each) for each in hashes_of(pa.chunked_array([[1, 2]]), seed=42)]
    ['0x1eb4061d9c3eb7ed', '0xc9daf12021ac4c00']
    """
    import numpy as np

    return np.concatenate(
        [np.empty(0, dtype=np.uint64), *_hashes_by_block(column, seed=seed, salt=salt, name=name)]
    )


def _hashes_by_block(column: pa.ChunkedArray, *, seed: int, salt: str, name: str) -> Iterator[Hashes]:
    import numpy as np

    state = np.uint64(_digest_of_text(f"{seed}:{salt}"))
    for numbers in _keys_as_bits(column, name):
        for start in range(0, len(numbers), _BLOCK):
            part = numbers[start : start + _BLOCK]
            yield _splitmix(_splitmix(part) ^ state)


def _keys_as_bits(column: pa.ChunkedArray, name: str) -> Iterator[Hashes]:
    """Each chunk's keys as 64 bits that are equal where the keys are."""
    import numpy as np
    import pyarrow as pa

    values = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(values):
        wide = pa.uint64() if pa.types.is_uint64(values) else pa.int64()
        for chunk in column.cast(wide).chunks:
            yield chunk.to_numpy().view(np.uint64)
    elif pa.types.is_string(values) or pa.types.is_large_string(values):
        for chunk in column.chunks:
            if not pa.types.is_dictionary(chunk.type):
                chunk = chunk.dictionary_encode()
            known = np.array([_digest_of_text(text) for text in chunk.dictionary.to_pylist()], dtype=np.uint64)
            yield known[chunk.indices.to_numpy()]
    else:
        raise SettingError(
            f"segregation: rows are keyed by whole numbers or text, and {name} holds {values}; "
            "cast it, or set another key"
        )


def _digest_of_text(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _splitmix(numbers: Hashes) -> Hashes:
    """The next output of splitmix64 for a state. Every output bit depends on every bit of the state."""
    import numpy as np

    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
