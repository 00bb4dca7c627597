"""Read files from outside, of any size, and name each fault by its place."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.dialect import CsvDialect
from relet.data.file_rows import checked_batches, header_of
from relet.data.layout import Layout, read_layout
from relet.data.matching import names_fault
from relet.data.opening import OpenedFile, opened_file
from relet.data.rows import RowStream
from relet.data.schema import Schema
from relet.errors import BadDataError

if TYPE_CHECKING:
    import pyarrow as pa


def read_csv(
    path: Path,
    schema: Schema,
    columns: Mapping[str, Any] | None = None,
    dialect: CsvDialect | None = None,
    *,
    setting: str = "columns",
) -> pa.Table:
    """All rows of `stream_csv`, in memory.

    >>> import tempfile
    >>> from relet.data.schema import Column
    >>> path = Path(tempfile.mkdtemp()) / "rents.csv"
    >>> rents = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "double")), unique=("id",))
    >>> _ = path.write_text("id,rent\\n1,950\\n2,cheap\\n")
    >>> read_csv(path, rents)
    Traceback (most recent call last):
    relet.errors.BadDataError: rents.csv: row 2 (line 3), column 'rent': expected a number, got 'cheap'
    """
    return stream_csv(path, schema, columns, dialect, setting=setting).read_all()


def stream_csv(
    path: Path,
    schema: Schema,
    columns: Mapping[str, Any] | None = None,
    dialect: CsvDialect | None = None,
    *,
    setting: str = "columns",
) -> RowStream:
    """Read a CSV file (any line ends, quoted newlines) with the schema's types.

    An empty field is a missing value. Columns may stand in any order and come back in the schema's. A Parquet
    file, known by its first bytes, is held to the same schema. A file that gzip packed, or that is alone in a zip
    archive, is unpacked; UTF-16 and UTF-32 are known, and so are other separators than commas: what was done is
    logged. `columns` says where a file of another layout has the columns, in which form, and what of it is left
    out (`relet.data.layout.read_layout`), and `dialect` how the file is written as a whole; `setting` is what
    `columns` is called in messages. Rows come in the file's order and need little memory, whatever their number.

    Raises BadDataError: at once for other columns than expected, as a diff; while reading for what does not fit,
    naming the row (the first after the header is row 1), the line and the column. Its `settings` are those by
    which the file would be read, where there are such: they have been tried.
    """
    dialect = dialect or CsvDialect()
    layout = read_layout(schema, columns, setting=setting, number=dialect.number, missing=dialect.missing)
    file = opened_file(path, dialect, list(layout.taken))
    rows = _explained_rows(file, layout)
    first = next(rows)
    file.tell()
    # the parser of CSV has found all text to be UTF-8
    return RowStream(schema.arrow(), chain([first], rows), is_normal=not file.is_parquet)


def _explained_rows(file: OpenedFile, layout: Layout) -> Iterator[pa.RecordBatch]:
    """The rows; an error says all that differs, and what to say so that the file is read."""
    try:
        header = header_of(file, layout)
        if fault := names_fault(file.name, layout, header):
            raise fault
        yield from checked_batches(file, header, layout)
    except BadDataError as error:
        from relet.data.advice import explained  # for a file that is refused

        raise explained(file, layout, error) from error.__cause__
