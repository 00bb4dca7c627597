"""The files of a model's folder: which may be there, how large each may be, and that each is what was exported.

Each file is read once, into memory; nothing but a regular file of a known name is opened.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.archives.stored import EXPANDED_SETTING, expanded_limit, parsed_json
from relet.errors import ModelError

ARCHIVE = "inference.skops"
NATIVE = "booster.txt"
GOLDEN = "golden.json"
ABOUT = "relet.json"
EXAMPLE = "input_example.json"
# These files exist where the model gives intervals, prediction sets and explanations.
INTERVAL = "interval.json"
SETS = "sets.json"
EXPLANATION = "explanation.json"
COMPARABLES = "comparables.parquet"
# The source of the project's modules that the model needs, for a person who looks for it. Nothing loads it.
CODE = "code.json"
FORMAT = 1
# The files that loading reads beside `relet.json`, in the order in which they are checked.
LOADED = (ARCHIVE, NATIVE, GOLDEN, EXAMPLE, INTERVAL, SETS, EXPLANATION, COMPARABLES, CODE)
_REQUIRED = (ARCHIVE, GOLDEN, EXAMPLE)
# How many bytes a JSON file may have, and how many characters one text in it, and all texts.
JSON_BYTES, TEXT_LENGTH, TEXT_TOTAL = 2**24, 200_000, 4_000_000
# How many values the rows of a JSON file, and of the table of comparable rows, may have.
JSON_CELLS, TABLE_CELLS = 2_000_000, 50_000_000
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# The fields of `relet.json` and their types, where they are there.
_FIELDS: Mapping[str, type] = {"about": dict, "code": dict, "packages": dict}


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """What `relet.json` says, and the bytes of each file that it names; all digests hold."""

    folder: Path
    about: Mapping[str, Any]
    content: Mapping[str, bytes]

    def json(self, name: str) -> dict[str, Any]:
        """A file's JSON object. Raises ModelError for anything else."""
        return _json_object(self.content[name], self.folder, name)


def read_model_files(folder: Path) -> ModelFiles:
    """Read the files of a model.

    Raises ModelError for a file that is missing, is no regular file (a link, a pipe, a device), is too large or is
    not what was exported, and for a `relet.json` that names anything but a model's files.
    """
    about = _json_object(_read_regular(folder / ABOUT, JSON_BYTES), folder, ABOUT)
    named = about.setdefault("files", {})
    if not isinstance(named, dict):
        raise ModelError(f"{folder.name}: {ABOUT} is damaged: files is {named!r:.40}")
    for name in named:
        if name not in LOADED:
            raise ModelError(f"{folder.name}: {ABOUT} names {name!r:.60}, which is no file of a model")
    content = {}
    for name in dict.fromkeys((*_REQUIRED, *about["files"])):
        content[name] = _read_regular(folder / name, _largest(name))
        if sha256(content[name]).hexdigest() != about["files"].get(name):
            raise ModelError(f"{folder.name} is damaged: {name} is not what was exported; export it again")
    return ModelFiles(folder=folder, about=about, content=content)


def check_about(about: Mapping[str, Any], name: str) -> None:
    """Raise ModelError for a newer format, and unless `relet.json` says all that loading needs."""
    if type(about.get("format", 0)) is not int or about.get("format", 0) > FORMAT:
        raise ModelError(f"{name} was written by a newer relet (format {about['format']!r:.20}); install that one")
    for field, kind in _FIELDS.items():
        if not isinstance(about.get(field), kind):
            raise ModelError(f"{name}: {ABOUT} is damaged: {field} is {about.get(field)!r:.40}")
    if not is_target(target := about.get("target")):
        raise ModelError(f"{name}: {ABOUT} is damaged: target is {target!r:.40}")
    strings = about.get("strings", [])
    if not isinstance(strings, list) or not all(isinstance(each, str) for each in strings):
        raise ModelError(f"{name}: {ABOUT} is damaged: strings is {strings!r:.40}")
    for module in about["code"]:
        if not _MODULE.fullmatch(module):
            raise ModelError(f"{name}: {ABOUT} names the code {module!r:.60}, which is no module's name")


def is_target(value: object) -> bool:
    """Whether it is the name of a target, or a list of the names of several."""
    names = [value] if isinstance(value, str) else value
    return isinstance(names, list) and bool(names) and all(isinstance(each, str) for each in names)


def _largest(name: str) -> int:
    return JSON_BYTES if name.endswith(".json") else expanded_limit()


def _read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file. What else lies at the path is not opened, or not read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        # looked at before it is opened: to open a device or a pipe can already do something
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise ModelError(f"{path.parent.name}: {path.name} is no regular file, so it is not opened")
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise ModelError(f"{path.parent.name} is no whole model: {path.name} is missing") from None
    except OSError as error:
        link = " (a link)" if error.errno == errno.ELOOP else ""
        raise ModelError(f"{path.parent.name}: {path.name} can't be opened{link}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or size > most:
            setting = "" if path.suffix == ".json" else f"; set {EXPANDED_SETTING} if you expect it"
            raise ModelError(f"{path.parent.name}: {path.name} has {size} bytes, more than {most}{setting}")
        return file.read(size + 1)


def _json_object(content: bytes, folder: Path, name: str) -> dict[str, Any]:
    try:
        loaded = parsed_json(content)
    except (ModelError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder.name}: {name} is damaged: {error}") from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{folder.name}: {name} is damaged: an object was expected")
    return loaded


def check_rows(rows: Any, columns: Any, name: str) -> None:
    """Raise ModelError unless rows from JSON are a table of plain values whose size is bounded.

    `rows` are dictionaries by column, or lists in the order of `columns`; `name` is their file's.
    """
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise ModelError(f"{name} is damaged: its columns are no names")
    if len(set(columns)) != len(columns) or not isinstance(rows, list) or len(rows) * len(columns) > JSON_CELLS:
        raise ModelError(f"{name} is damaged: it has two columns of one name, or more than {JSON_CELLS} values")
    total = 0
    for row in rows:
        if not isinstance(row, dict | list) or len(row) > len(columns):
            raise ModelError(f"{name} is damaged: a row is no row of its {len(columns)} columns")
        for value in row.values() if isinstance(row, dict) else row:
            if not isinstance(value, bool | int | float | str | None):
                raise ModelError(
                    f"{name} is damaged: a row holds {type(value).__name__} in place of a plain value"
                )
            if isinstance(value, str):
                total += len(value)
                if len(value) > TEXT_LENGTH or total > TEXT_TOTAL:
                    raise ModelError(f"{name} holds longer texts than a model may: {TEXT_TOTAL} characters in all")


def check_comparables(content: bytes) -> None:
    """Raise ModelError unless a table's columns are plain, and it takes no more memory than it may."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    about, schema = file.metadata, file.schema_arrow
    sizes = [about.row_group(each).total_byte_size for each in range(about.num_row_groups)]
    if about.num_rows * about.num_columns > TABLE_CELLS or sum(sizes) > expanded_limit():
        raise ModelError(f"it has {about.num_rows} rows and {sum(sizes)} bytes, more than a model may have")
    kinds = (pa.types.is_primitive, pa.types.is_string, pa.types.is_large_string, pa.types.is_decimal)
    for field in schema:
        if not any(kind(field.type) for kind in kinds):
            raise ModelError(
                f"its column {field.name!r} is of the type {field.type}, which no table of relet holds"
            )
    # a long text that every row repeats is stored once
    texts = [field.name for field in schema if kinds[1](field.type) or kinds[2](field.type)]
    folded = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts).read(texts)
    total = 0
    for column in folded.itercolumns():
        for chunk in column.chunks:
            lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
            total += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
    if total > expanded_limit():
        raise ModelError(f"its texts take {total} bytes, more than the {expanded_limit()} that are allowed")
