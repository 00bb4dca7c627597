"""The digest of a table's content: its schema and its rows, whatever engine or file they came from."""

# mypy: disable-error-code="import-untyped"
# pyarrow and ibis ship no stubs.
from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from relet.data.column_kinds import KINDS, Kind, kinds_in, kinds_text
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Part of every content digest. A changed way of hashing must have a new number, so that old keys match nothing.
# A table with kinds of columns has a format of its own: an older relet would not see them.
FORMAT, FORMAT_WITH_KINDS = 1, 2
# The name under which a Parquet file's metadata hold the format of the table that relet wrote.
MARK = b"relet.table"


def table_marks(kinds: Mapping[str, Kind]) -> dict[bytes, bytes]:
    """The metadata of a file that relet wrote as a table."""
    if not kinds:
        return {MARK: str(FORMAT).encode()}
    return {MARK: str(FORMAT_WITH_KINDS).encode(), KINDS: kinds_text(kinds)}


def digest_of_file(file: pq.ParquetFile) -> ContentDigest:
    """The digest of a table's file, before its rows. Raises BadDataError for a file that relet did not write."""
    marks = file.metadata.metadata or {}
    kinds = kinds_in(marks)
    if marks.get(MARK) != table_marks(kinds)[MARK]:
        raise BadDataError(
            f"it was not written by relet as a table of format {FORMAT} or {FORMAT_WITH_KINDS}; use write_table"
        )
    return ContentDigest(file.schema_arrow.remove_metadata(), kinds)


class ContentDigest:
    """SHA-256 over a normal-form schema, the kinds of its columns, and its rows.

    The rows arrive in canonical order, in chunks of any size.

    Each column has one hash per buffer: validity as a byte per row, values with nulls zeroed, or the lengths and
    the bytes of strings. So the digest does not depend on where chunks end. Values are hashed as little-endian, as
    Arrow stores them on every platform it ships for.
    """

    def __init__(self, schema: pa.Schema, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._schema = [[field.name, str(field.type)] for field in schema]
        self._columns = [(sha256(), sha256(), sha256()) for _ in schema]
        self._rows = 0

    def update(self, rows: pa.Table) -> None:
        self._rows += rows.num_rows
        for hashes, column in zip(self._columns, rows.columns, strict=True):
            for chunk in column.chunks:
                for hashed, buffer in zip(hashes, _chunk_buffers(chunk), strict=True):
                    hashed.update(buffer)

    def hexdigest(self) -> str:
        head: dict[str, Any] = {"relet.table": FORMAT, "rows": self._rows, "schema": self._schema}
        if self._kinds:
            head |= {"relet.table": FORMAT_WITH_KINDS, "kinds": self._kinds}
        whole = sha256(json.dumps(head, sort_keys=True).encode())
        for hashes in self._columns:
            for hashed in hashes:
                whole.update(hashed.digest())
        return whole.hexdigest()


def _chunk_buffers(array: pa.Array) -> tuple[Any, Any, Any]:
    """The buffers of one chunk: validity, values or lengths, and bytes.

    Nothing outside the chunk or under a null counts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = array.null_count
    validity = _value_bytes(pc.cast(array.is_valid(), pa.uint8())) if missing else b"\1" * len(array)
    if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
        lengths = pc.binary_length(array)
        if missing:
            lengths = pc.fill_null(lengths, 0)
            if len(_text_bytes(array)) != pc.sum(lengths).as_py():  # there are bytes under a null
                array = pc.fill_null(array, pa.scalar("" if pa.types.is_string(array.type) else b"", array.type))
        return validity, _value_bytes(lengths), _text_bytes(array)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.uint8())
    return validity, _value_bytes(_with_zeros_for_nulls(array)), b""


def _with_zeros_for_nulls(array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not array.null_count:
        return array
    if pa.types.is_decimal(array.type):
        return pc.fill_null(array, pa.scalar(Decimal(0), array.type))
    zero = pa.scalar(
        0, pa.int64() if pa.types.is_temporal(array.type) and array.type.bit_width == 64 else pa.int32()
    )
    return pc.fill_null(array, zero.cast(array.type))


def _value_bytes(array: pa.Array) -> Any:
    width = array.type.bit_width // 8
    start = array.offset * width
    buffer = array.buffers()[1]
    return memoryview(buffer)[start : start + len(array) * width] if buffer else b""


def _text_bytes(array: pa.Array) -> Any:
    _, offsets, content = array.buffers()
    if content is None or not len(array):
        return b""
    ends = memoryview(offsets).cast("i")
    return memoryview(content)[ends[array.offset] : ends[array.offset + len(array)]]
