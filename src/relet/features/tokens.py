"""Words and categories as a sparse matrix of tokens, each row on its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from relet.features import columns
from relet.features.text import lowered

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

# The first letter of a token that names a category; no word contains it.
CATEGORY = "\x1f"
SEPARATOR = "\n"


def words(text: pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """The distinct words of each text, as pairs (row, word), ordered by row.

    A word is a run of letters and digits, in lower case.
    """
    import pyarrow.compute as pc

    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(lowered(text), r"[^\p{L}\p{N}]+", " "))
    lists = pc.split_pattern(spaced, " ")
    row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    word = pc.list_flatten(lists).dictionary_encode()
    code = word.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    pair = np.unique(row * max(1, len(word.dictionary)) + code)
    row, code = np.divmod(pair, max(1, len(word.dictionary)))
    found = word.dictionary.take(code)
    filled = pc.not_equal(found, "").to_numpy(zero_copy_only=False)
    return row[filled], found.filter(filled)


def categories(rows: pd.DataFrame, names: Sequence[str | Sequence[str]]) -> list[pa.Array]:
    """One token per row for each entry of `names`: the name and value of a column, or of several columns."""
    import pyarrow.compute as pc

    made = []
    for entry in names:
        parts = [_category(rows, name) for name in ([entry] if isinstance(entry, str) else entry)]
        made.append(parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, ""))
    return made


def _category(rows: pd.DataFrame, name: str) -> pa.Array:
    import pyarrow.compute as pc

    value = pc.replace_substring(pc.fill_null(columns.texts(rows, name), ""), SEPARATOR, " ")
    return pc.binary_join_element_wise(f"{CATEGORY}{name}", value, "=")


@lru_cache(maxsize=16)
def vocabulary(joined: str) -> pa.Array:
    """The tokens that a fitted block keeps as one text, one per line."""
    import pyarrow as pa

    return pa.array(joined.split(SEPARATOR) if joined else [], type=pa.string())


def frequent(tokens: Sequence[pa.Array], minimum: int) -> str:
    """The tokens that occur at least `minimum` times, sorted, one per line."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pc.value_counts(pa.concat_arrays([pa.array(part) for part in tokens]))
    often = pc.greater_equal(counted.field("counts"), minimum)
    return SEPARATOR.join(sorted(counted.field("values").filter(often).to_pylist()))


def matrix(
    size: int,
    known: pa.Array,
    text: tuple[NDArray[np.int64], pa.Array],
    labels: Sequence[pa.Array],
    weights: NDArray[np.float64],
) -> csr_array:
    """Rows × known tokens. A row's words carry `weights`, scaled to length 1; its categories carry 1."""
    from scipy.sparse import csr_array

    row, column = _known(text[0], text[1], known)
    # A row's words come in the order in which they first occurred in any row. In the order of the known tokens the
    # sum of squares does not depend on other rows.
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    value = weights[column]
    length = np.sqrt(np.bincount(row, value * value, minlength=size))
    parts = [(row, column, value / length[row])]
    for label in labels:
        row, column = _known(np.arange(size), label, known)
        parts.append((row, column, np.ones(len(row))))
    row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    made = csr_array((value, (row, column)), shape=(size, len(known)))
    made.sort_indices()
    return made


def _known(
    row: NDArray[np.int64], token: pa.Array, known: pa.Array
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    import pyarrow.compute as pc

    position = pc.fill_null(pc.index_in(token, value_set=known), -1).to_numpy(zero_copy_only=False)
    found = position >= 0
    return row[found], position[found].astype(np.int64)
