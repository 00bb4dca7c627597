"""What the values of a file say of how they are written: of each column, those that are not as usual."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relet.data.layout import NUMBERS, ColumnOrigin, Layout
from relet.data.reshaping import reshape_column
from relet.data.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa

# So many different texts of a column are looked at. A column with more of them is text.
MOST = 20_000
# By type: what needs no explanation. A point before three digits may stand between thousands.
USUAL = {
    "int64": (r"^[+-]?\d+(?:\.0{1,2})?$",),
    "double": (
        r"^[+-]?\d+(?:[eE][+-]?\d+)?$",
        r"^[+-]?(?:0\d*|\d{4,})?\.\d*(?:[eE][+-]?\d+)?$",
        r"^[+-]?\d+\.(?:\d{0,2}|\d{4,})(?:[eE][+-]?\d+)?$",
    ),
    "date32": (r"^\d{4}-\d{2}-\d{2}$",),
    "timestamp[us]": (r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$",),
    "bool": (r"^(?i:true|false|0|1)$",),
}
_POINT = r"\."


@dataclass(frozen=True)
class SeenText:
    """A text as it stands in the file, and the first row that has it, from 0."""

    text: str
    row: int


@dataclass(kw_only=True)
class ColumnEvidence:
    """What the values of one column say.

    `odd` are the texts that are not as usual, each once; of numbers, those that differ only in their digits count
    as one, which the key shows with 9 for each digit but 0. `fails` says whether the column can't be read as it
    is told, `has_usual` whether it has usual values, too, `has_points` whether some have a decimal point that can
    be nothing else. `overflows` where there are more odd texts than were kept. `other_type` is the type of a
    Parquet file's column which holds no text and does not fit.
    """

    column: Column
    origin: ColumnOrigin
    odd: dict[str, SeenText] = field(default_factory=dict)
    fails: bool = False
    has_usual: bool = False
    has_points: bool = False
    overflows: bool = False
    other_type: str = ""

    @property
    def in_order(self) -> list[tuple[str, SeenText]]:
        return sorted(self.odd.items(), key=lambda each: each[1].row)


def gather_evidence(tables: Iterable[pa.Table], layout: Layout) -> dict[str, ColumnEvidence]:
    """The evidence of each column of the schema that a file has. `tables` are its columns as texts."""
    found = {
        column.name: ColumnEvidence(column=column, origin=layout.origins[column.name])
        for column in layout.taken.values()
    }
    before = 0
    for table in tables:
        for each in found.values():
            if each.origin.column in table.column_names:
                _add_values(each, table.column(each.origin.column).combine_chunks(), before)
        before += table.num_rows
    return found


def _add_values(evidence: ColumnEvidence, texts: pa.Array, before: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column, origin = evidence.column, evidence.origin
    if not pa.types.is_string(texts.type):
        if not reads(texts, column, origin):
            evidence.fails, evidence.other_type = True, str(texts.type).replace("[day]", "")
        return
    if not column.values:  # there, a space around a value makes another one
        texts = pc.utf8_trim_whitespace(texts)
    if not evidence.fails:
        evidence.fails = not reads(texts, column, origin) or _has_other_values(texts, column, origin)
    rows = pa.array(np.arange(before, before + len(texts)))
    there = texts.is_valid()
    if origin.missing:
        missing = pa.array(origin.missing, pa.string())
        there = pc.and_(there, pc.invert(pc.is_in(pc.utf8_trim_whitespace(texts), value_set=missing)))
    texts, rows = texts.filter(there), rows.filter(there)
    usual = _usual(texts, column, origin)
    evidence.has_usual = evidence.has_usual or pc.any(usual, min_count=0).as_py()
    is_number = column.type in NUMBERS
    if is_number and not evidence.has_points:
        evidence.has_points = pc.any(pc.match_substring_regex(texts.filter(usual), _POINT), min_count=0).as_py()
    odd, rows = texts.filter(pc.invert(usual)), rows.filter(pc.invert(usual))
    keys = pc.replace_substring_regex(odd, "[1-9]", "9") if is_number else odd
    firsts = pa.table({"key": keys, "row": rows}).group_by("key").aggregate([("row", "min")])
    for key, row in zip(firsts["key"].to_pylist(), firsts["row_min"].to_pylist(), strict=True):
        if key in evidence.odd:
            continue
        if len(evidence.odd) >= MOST:
            evidence.overflows = True
            return
        evidence.odd[key] = SeenText(odd[pc.index(rows, row).as_py()].as_py(), row)


def reads(texts: pa.Array, column: Column, origin: ColumnOrigin) -> bool:
    """Whether all these texts can be read as the column's type."""
    import pyarrow as pa

    try:
        reshape_column(pa.chunked_array([texts]), column, origin)
    except pa.ArrowInvalid:
        return False
    return True


def _has_other_values(texts: pa.Array, column: Column, origin: ColumnOrigin) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not column.values:
        return False
    values = reshape_column(pa.chunked_array([texts]), column, origin)
    return not pc.all(pc.is_in(values.drop_null(), value_set=pa.array(column.values)), min_count=0).as_py()


def _usual(texts: pa.Array, column: Column, origin: ColumnOrigin) -> pa.Array:
    """Which of the texts need no explanation."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == "string":
        known = (*column.values, *origin.values)
        return pc.is_in(texts, value_set=pa.array(known, pa.string())) if known else pc.equal(texts, texts)
    found = pa.array([False] * len(texts), pa.bool_())
    for pattern in USUAL[column.type]:
        found = pc.or_(found, pc.match_substring_regex(texts, pattern))
    return found
