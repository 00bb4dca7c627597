"""Archives whose container, schema or arrays do harm before a model is made of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.hostile.folders import (
    Members,
    Schema,
    attributes,
    edit_archive,
    hostile,
    objects,
    plain,
    read_archive,
    reseal,
    sequence,
    set_node,
    stored_array,
    stored_bytes,
    write_archive,
)


@hostile("linear", needs_process=True)
def archive_that_expands(folder: Path) -> None:
    """One array of 20 MB is used at 250 places: 5 GB of memory."""

    def made(members: Members) -> Schema:
        return sequence([stored_array(np.zeros((1, 2_500_000)), members)] * 250)

    def change(schema: Schema, members: Members) -> None:
        attributes(next(objects(schema, "LinearRegressor")))["weights_"] = made(members)

    edit_archive(folder, change)


def _rezip(folder: Path, write: Callable[[zipfile.ZipFile, str, bytes], None]) -> None:
    schema, members = read_archive(folder)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in {"schema.json": json.dumps(schema).encode(), **members}.items():
            write(archive, name, data)
    (folder / "inference.skops").write_bytes(written.getvalue())
    reseal(folder)


@hostile("linear")
def archive_of_compressed_members(folder: Path) -> None:
    """The members are compressed, so that zeros take no room."""
    _rezip(folder, lambda archive, name, data: archive.writestr(name, data, zipfile.ZIP_DEFLATED))


@hostile("linear")
def archive_that_says_it_is_stored(folder: Path) -> None:
    """A member's size in the archive's list is a thousand times its size in the archive."""
    content = bytearray((folder / "inference.skops").read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 24 : place + 28] = (2**31 - 1).to_bytes(4, "little")
    (folder / "inference.skops").write_bytes(bytes(content))
    reseal(folder)


@hostile("linear")
def archive_whose_members_overlap(folder: Path) -> None:
    """Fifty members are one and the same range of bytes."""
    schema, members = read_archive(folder)
    data = io.BytesIO()
    np.save(data, np.zeros(100_000))
    stored_bytes(data.getvalue(), members)
    write_archive(folder, schema, members)
    with zipfile.ZipFile(folder / "inference.skops", "a") as archive:
        last = archive.infolist()[-1]
        for place in range(50):
            copied = zipfile.ZipInfo(f"{place:064x}.npy")
            copied.CRC, copied.file_size, copied.compress_size = last.CRC, last.file_size, last.compress_size
            copied.header_offset = last.header_offset
            archive.filelist.append(copied)
            archive.NameToInfo[copied.filename] = copied
        archive._didModify = True  # type: ignore[attr-defined]
    reseal(folder)


@hostile("linear")
def archive_with_two_members_of_one_name(folder: Path) -> None:
    """Two schemas: one reader may take the first, another the second."""
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(folder / "inference.skops", "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("schema.json", "{}")
    reseal(folder)


@hostile("linear")
def archive_with_code(folder: Path) -> None:
    """A member is a program."""
    _rezip(folder, lambda archive, name, data: archive.writestr(name, data))
    with zipfile.ZipFile(folder / "inference.skops", "a") as archive:
        archive.writestr("../code.py", "raise SystemExit")
    reseal(folder)


@hostile("linear")
def archive_that_is_none(folder: Path) -> None:
    """The archive is a pickle."""
    (folder / "inference.skops").write_bytes(b"\x80\x05cos\nsystem\n(S'true'\ntR.")
    reseal(folder)


def _set_weights(folder: Path, data: bytes, suffix: str = "npy") -> None:
    set_node(folder, "LinearRegressor", "weights_", lambda members: stored_bytes(data, members, suffix))


def _header(text: str, data: bytes = b"") -> bytes:
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body + data


@hostile("linear")
def array_in_an_archive_of_its_own(folder: Path) -> None:
    """An array lies in a compressed archive, which expands."""
    written = io.BytesIO()
    np.savez_compressed(written, np.zeros(10_000_000))
    _set_weights(folder, written.getvalue(), "npz")


@hostile("linear")
def array_that_says_it_is_larger(folder: Path) -> None:
    """An array's header gives a size of terabytes."""
    _set_weights(folder, _header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"))


@hostile("linear")
def array_of_values_without_size(folder: Path) -> None:
    """An array has a billion values of no bytes."""
    _set_weights(folder, _header("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000,), }"))


@hostile("linear")
def array_of_less_than_nothing(folder: Path) -> None:
    """An array has a negative shape."""
    _set_weights(folder, _header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }", bytes(8)))


@hostile("linear")
def array_of_pickles(folder: Path) -> None:
    """An array holds pickled objects."""
    set_node(
        folder,
        "LinearRegressor",
        "weights_",
        lambda members: stored_array(np.array([object], dtype=object), members),
    )


@hostile("linear")
def array_in_another_byte_order(folder: Path) -> None:
    """An array holds numbers in an order that no processor here has."""
    set_node(folder, "LinearRegressor", "weights_", lambda members: stored_array(np.ones(4, dtype=">f8"), members))


@hostile("linear")
def array_that_is_not_there(folder: Path) -> None:
    """The schema names an array that the archive does not hold."""
    missing = {**plain(None), "__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode"}
    missing = {name: value for name, value in missing.items() if name.startswith("__")}
    set_node(folder, "LinearRegressor", "weights_", lambda _: {**missing, "type": "numpy", "file": "/etc/passwd"})


def _set_schema(folder: Path, content: bytes) -> None:
    write_archive(folder, content, read_archive(folder)[1])


@hostile("linear")
def schema_deeper_than_a_stack(folder: Path) -> None:
    """The schema is a hundred thousand lists in each other."""
    _set_schema(folder, b"[" * 100_000 + b"]" * 100_000)


@hostile("linear")
def schema_of_objects_in_each_other(folder: Path) -> None:
    """Two hundred lists lie in each other."""
    node = plain(1)
    for _ in range(200):
        node = sequence([node])
    set_node(folder, "LinearRegressor", "weights_", lambda _: node)


@hostile("linear")
def schema_of_many_values(folder: Path) -> None:
    """The schema is 30 MB of empty lists, which take ten times as much memory."""
    _set_schema(folder, b"[" + b"[]," * 10_000_000 + b"[]]")


@hostile("linear")
def schema_with_many_values_in_a_text(folder: Path) -> None:
    """A plain value is a text of millions of empty lists."""
    set_node(
        folder, "LinearRegressor", "offset_", lambda _: {**plain(0), "content": " [" + "[]," * 500_000 + "[]]"}
    )


@hostile("linear")
def schema_with_a_number_too_long(folder: Path) -> None:
    """A whole number has 4000 digits."""
    set_node(folder, "LinearRegressor", "max_iter", lambda _: {**plain(0), "content": "9" * 4000})


@hostile("linear")
def schema_of_an_older_protocol(folder: Path) -> None:
    """The schema asks for skops' older readers."""

    def change(schema: Schema, members: Members) -> None:
        schema["protocol"] = 0

    edit_archive(folder, change)


@hostile("linear")
def schema_that_shares_objects(folder: Path) -> None:
    """An object has an id, so that another place can mean it: objects hold themselves."""
    set_node(folder, "LinearRegressor", "weights_", lambda _: {**sequence([]), "__id__": 7})


@hostile("linear")
def schema_with_a_function(folder: Path) -> None:
    """A part is a function of the system."""
    function = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
    set_node(folder, "LinearRegressor", "weights_", lambda _: function)


@hostile("linear")
def schema_with_an_untrusted_type(folder: Path) -> None:
    """A part is a type that starts processes."""
    node = {**sequence([]), "__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"}
    set_node(folder, "LinearRegressor", "weights_", lambda _: node)


@hostile("linear")
def schema_with_a_dictionary_of_other_keys(folder: Path) -> None:
    """A dictionary has more keys than types of keys."""

    def change(schema: Schema, members: Members) -> None:
        next(objects(schema, "LinearRegressor"))["content"]["key_types"]["content"].pop()

    edit_archive(folder, change)
