"""Rows on their way from one step to the next, with what is known of them.

To find out whether rows are in the normal form (`relet.data.normal`) takes a pass over every value. A `RowStream`
and a `StoredTablePath` carry the answer with the rows. Whatever is made of them (a filter, one more column, a copy
of the file) is another value, which does not carry it.
"""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

    from relet.data.fork import ForkPart


class FileState(NamedTuple):
    """The state by which a later write to a file is noticed: inode, size in bytes, modification time in
    nanoseconds.
    """

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of a file now."""
        about = path.stat()
        return cls(about.st_ino, about.st_size, about.st_mtime_ns)


class StoredTablePath(PosixPath):
    """The path of a file that `write_table` wrote, with the file's state when its digest was verified.

    A path that is made of this one (`path.parent`, `Path(path)`) is a plain path.
    """

    verified: FileState | None = None

    @classmethod
    def of(cls, path: Path, verified: FileState) -> StoredTablePath:
        stored = cls(path)
        stored.verified = verified
        return stored


def is_stored_table(path: Path) -> bool:
    """Whether a path carries the fact that its file is a stored table, and the file was not written to since.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "table.parquet"
    >>> _ = file.write_bytes(b"rows")
    >>> stored = StoredTablePath.of(file, FileState.of(file))
    >>> is_stored_table(stored), is_stored_table(file)
    (True, False)
    >>> _ = file.write_bytes(b"other rows")
    >>> is_stored_table(stored)
    False
    """
    verified = getattr(path, "verified", None)
    return verified is not None and verified == FileState.of(path)


class RowStream:
    """Rows as a stream of record batches, which can be read once and needs little memory.

    `is_normal` says that all rows are known to be in the normal form; `part` is the part of a fork that the stream
    is (`relet.data.fork`). Whatever takes an Arrow stream takes this one: pandas, Polars, DuckDB, pyarrow.

    >>> import pyarrow as pa
    >>> table = pa.table({"n": [1, 2]})
    >>> RowStream(table.schema, table.to_batches()).read_all().to_pylist()
    [{'n': 1}, {'n': 2}]
    """

    def __init__(
        self,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        *,
        is_normal: bool = False,
        part: ForkPart | None = None,
    ) -> None:
        self.schema = schema
        self.is_normal = is_normal
        self.part = part
        self._batches = iter(batches)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_reader().__arrow_c_stream__(requested_schema)

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as pyarrow's own stream, which does not carry what is known of them."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self.schema, self._batches)

    def read_all(self) -> pa.Table:
        """All rows, in memory."""
        import pyarrow as pa

        return pa.Table.from_batches(self._batches, self.schema)
