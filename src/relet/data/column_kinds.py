"""What pandas knows of a column beyond its values: its categories with their order, and its time zone.

A table's rows are the same on every engine. So the kind of a column lies beside them, in the Arrow schema's
metadata and in the file's: whoever reads the table with pandas gets the column as it was written, and every other
engine gets text, numbers, or times in UTC. The kinds are part of the content digest.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from relet.errors import BadDataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# A column's kind: {"categories": […], "ordered": bool}, or {"zone": "Asia/Tokyo"}.
Kind = Mapping[str, Any]
# The name of the kinds in a schema's metadata, and in those of a file.
KINDS = b"relet.columns"
# Categories whose JSON is longer than this, in letters, are not kept: a column of names of rows is no category.
LONGEST = 256 * 1024
# A time in a zone of one of these names comes back as it went in.
UTC_NAMES = ("UTC", "Etc/UTC", "+00:00")


def frame_kinds(frame: pd.DataFrame, schema: pa.Schema) -> dict[str, Kind]:
    """The kinds of a pandas frame's columns that can be kept; `schema` is what Arrow makes of it. No row is read.

    >>> import pandas as pd, pyarrow as pa
    >>> frame = pd.DataFrame({"size": pd.Categorical(["s"], categories=["s", "m"], ordered=True), "n": [1]})
    >>> frame_kinds(frame, pa.Schema.from_pandas(frame))
    {'size': {'categories': ['s', 'm'], 'ordered': True}}
    """
    import pandas as pd

    kinds: dict[str, Kind] = {}
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            values = _kept_categories(dtype.categories)
            if values is not None:
                kinds[str(name)] = {"categories": values, "ordered": bool(dtype.ordered)}
        elif isinstance(dtype, pd.DatetimeTZDtype):
            zone = schema.field(name).type.tz
            if zone not in UTC_NAMES and _is_known_zone(zone):
                kinds[str(name)] = {"zone": zone}
    return kinds


def _kept_categories(categories: pd.Index) -> list[Any] | None:
    """Categories as JSON has them; None where they are no text, numbers or booleans, or too many."""
    values = categories.tolist()
    if not (all(type(each) is str for each in values) or all(map(_is_plain_number, values))):
        return None
    return values if len(json.dumps(values)) <= LONGEST else None


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))


def _is_known_zone(zone: str) -> bool:
    import pyarrow as pa

    try:
        pa.array([0], pa.timestamp("us", zone)).to_pandas()
    except Exception:  # each library of zones raises another error
        return False
    return True


def kinds_in(metadata: Mapping[bytes, bytes] | None) -> dict[str, Kind]:
    """The kinds that metadata of a schema or a file hold. Raises BadDataError where they are none."""
    text = (metadata or {}).get(KINDS)
    if text is None:
        return {}
    try:
        kinds = json.loads(text)
        if all(isinstance(name, str) and _is_kind(kind) for name, kind in kinds.items()):
            return dict(kinds)
    except (ValueError, AttributeError):
        pass
    raise BadDataError(f"the kinds of its columns can't be read: {text[:60]!r}")


def _is_kind(kind: Any) -> bool:
    if not isinstance(kind, dict):
        return False
    if kind.keys() == {"zone"}:
        return isinstance(kind["zone"], str)
    return kind.keys() == {"categories", "ordered"} and isinstance(kind["categories"], list)


def with_kinds(schema: pa.Schema, kinds: Mapping[str, Kind]) -> pa.Schema:
    """The schema with the kinds of its columns as its only metadata; a kind that fits no column is left out."""
    kept = {name: kinds[name] for name in schema.names if name in kinds and _fits(schema, name, kinds[name])}
    return schema.with_metadata({KINDS: kinds_text(kept)} if kept else None)


def kinds_text(kinds: Mapping[str, Kind]) -> bytes:
    return json.dumps(kinds, sort_keys=True, separators=(",", ":")).encode()


def _fits(schema: pa.Schema, name: str, kind: Kind) -> bool:
    import pyarrow as pa

    type = schema.field(name).type
    if "zone" in kind:
        return bool(pa.types.is_timestamp(type) and type.tz)
    if not kind["categories"]:
        return bool(pa.types.is_string(type) or pa.types.is_primitive(type))
    of_text = isinstance(kind["categories"][0], str)
    return bool(pa.types.is_string(type) if of_text else pa.types.is_primitive(type))


def kind_words(kind: Kind | None) -> str:
    """A kind as a message says it.

    >>> kind_words({"categories": ["s", "m"], "ordered": True})
    '2 ordered categories'
    """
    if kind is None:
        return "plain values"
    if "zone" in kind:
        return f"times in {kind['zone']}"
    return f"{len(kind['categories'])} {'ordered ' if kind['ordered'] else ''}categories"


def restored(column: pa.ChunkedArray, plain: pd.Series, kind: Kind) -> pd.Series:
    """A column as pandas had it: `column` is what is stored, `plain` the same in pandas without its kind.

    A column that its categories do not fit, one with a value outside of them, stays as it is. Raises BadDataError
    for a zone that is not known on this machine.
    """
    import pyarrow as pa

    if "zone" in kind:
        if not _is_known_zone(kind["zone"]):
            raise BadDataError(f"it has times in the zone {kind['zone']}, which this machine does not know")
        return cast("pd.Series", column.cast(pa.timestamp("us", kind["zone"])).to_pandas())
    try:
        found = _categorical(column, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):  # categories that somebody else wrote
        return plain
    return plain if found is None else found


def _categorical(column: pa.ChunkedArray, kind: Kind) -> pd.Series | None:
    """The column as categories; None where it has a value outside of them."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    dtype = "str" if pa.types.is_string(column.type) else column.type.to_pandas_dtype()
    codes = pc.index_in(column, value_set=pa.array(kind["categories"], column.type))
    if codes.null_count > column.null_count:
        return None
    index, ordered = pd.Index(kind["categories"], dtype=dtype), bool(kind["ordered"])
    return pd.Series(pd.Categorical.from_codes(pc.fill_null(codes, -1).to_numpy(), index, ordered=ordered))


def kind_changes(before: Mapping[str, Kind], after: Mapping[str, Kind]) -> Iterable[tuple[str, str, str]]:
    """The columns that are of another kind: the name, and the kinds in words."""
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield name, kind_words(before.get(name)), kind_words(after.get(name))
