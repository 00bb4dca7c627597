"""Change the folder of an exported model as an attacker would: the digests are made to fit what is changed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Schema = dict[str, Any]
Members = dict[str, bytes]


@dataclass(frozen=True)
class HostileKind:
    """A way to change the folder of a model of a family so that it does harm."""

    family: str
    change: Callable[[Path], None]
    needs_process: bool

    @property
    def name(self) -> str:
        return self.change.__name__

    @property
    def words(self) -> str:
        return (self.change.__doc__ or "").strip()


KINDS: list[HostileKind] = []


def hostile(
    family: str, *, needs_process: bool = False
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Add a function to the kinds. With `needs_process` only a process of its own tries it."""

    def added(change: Callable[[Path], None]) -> Callable[[Path], None]:
        KINDS.append(HostileKind(family, change, needs_process))
        return change

    return added


def reseal(folder: Path) -> None:
    """Make the digests in `relet.json` those of the files, as an attacker can."""
    about = json.loads((folder / "relet.json").read_text())
    for name in about["files"]:
        about["files"][name] = sha256((folder / name).read_bytes()).hexdigest()
    (folder / "relet.json").write_text(json.dumps(about))


def edit_json(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    value = json.loads((folder / name).read_text())
    change(value)
    (folder / name).write_text(json.dumps(value))
    if name != "relet.json":
        reseal(folder)


def edit_text(folder: Path, change: Callable[[str], str]) -> None:
    """Change the text of the boosters; the sizes that its header gives are made to fit."""
    text = change((folder / "booster.txt").read_text())
    (folder / "booster.txt").write_text("\x1e\n".join(map(sized, text.split("\x1e\n"))), newline="\n")
    reseal(folder)


def sized(text: str) -> str:
    """A booster's text with the true sizes of its trees."""
    body = text.partition("\n\nTree=0\n")[2].partition("end of trees")[0]
    sizes = [len(f"Tree={each}") for each in f"Tree=0\n{body}".split("Tree=")[1:]]
    lines = [
        f"tree_sizes={' '.join(map(str, sizes))}" if line.startswith("tree_sizes=") else line
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def read_archive(folder: Path) -> tuple[Schema, Members]:
    with zipfile.ZipFile(folder / "inference.skops") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop("schema.json")), members


def write_archive(folder: Path, schema: Schema | bytes, members: Members) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("schema.json", schema if isinstance(schema, bytes) else json.dumps(schema))
        for name, data in members.items():
            archive.writestr(name, data)
    (folder / "inference.skops").write_bytes(written.getvalue())
    reseal(folder)


def edit_archive(folder: Path, change: Callable[[Schema, Members], None]) -> None:
    schema, members = read_archive(folder)
    change(schema, members)
    write_archive(folder, schema, members)


def objects(value: Any, name: str) -> Iterator[Schema]:
    """The nodes of a schema whose class has that name."""
    if isinstance(value, dict):
        if value.get("__class__") == name and "content" in value:
            yield value
        for each in value.values():
            yield from objects(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each, name)


def attributes(node: Schema) -> Schema:
    found: Schema = node["content"]["content"]
    return found


def plain(value: Any) -> Schema:
    """The node of a plain value."""
    return {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "JsonNode",
        "content": json.dumps(value),
        "is_json": True,
    }


def sequence(nodes: list[Schema], kind: str = "list") -> Schema:
    return {"__class__": kind, "__module__": "builtins", "__loader__": f"{kind.title()}Node", "content": nodes}


def stored_array(array: NDArray[Any], members: Members) -> Schema:
    """Store an array and give its node."""
    written = io.BytesIO()
    np.save(written, array, allow_pickle=True)
    return stored_bytes(written.getvalue(), members)


def stored_bytes(data: bytes, members: Members, suffix: str = "npy") -> Schema:
    name = f"{sha256(data).hexdigest()}.{suffix}"
    members[name] = data
    return {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": name,
    }


def array_of(node: Schema, members: Members) -> NDArray[Any]:
    """A copy of a node's array that can be changed."""
    return np.load(io.BytesIO(members[node["file"]])).copy()


def set_value(folder: Path, of: str, name: str, value: Any) -> None:
    """Give an attribute of every object of a class another plain value."""

    def change(schema: Schema, members: Members) -> None:
        found = [node for node in objects(schema, of) if name in attributes(node)]
        assert found, f"no {of} has the attribute {name}"
        for node in found:
            attributes(node)[name] = plain(value)

    edit_archive(folder, change)


def set_node(folder: Path, of: str, name: str, made: Callable[[Members], Schema]) -> None:
    """Give an attribute of the last object of a class another node."""

    def change(schema: Schema, members: Members) -> None:
        list(objects(schema, of))[-1]["content"]["content"][name] = made(members)

    edit_archive(folder, change)


def add_node(folder: Path, of: str, name: str, made: Callable[[Members], Schema]) -> None:
    """Give the last object of a class an attribute that it does not have."""

    def change(schema: Schema, members: Members) -> None:
        content = list(objects(schema, of))[-1]["content"]
        content["content"][name] = made(members)
        content["key_types"]["content"].append(content["key_types"]["content"][0])

    edit_archive(folder, change)


def set_array(
    folder: Path, of: str, name: str, change_array: Callable[[NDArray[Any]], NDArray[Any] | None]
) -> None:
    """Change an array that every object of a class holds."""

    def change(schema: Schema, members: Members) -> None:
        found = [node for node in objects(schema, of) if name in attributes(node)]
        assert found, f"no {of} has the array {name}"
        for node in found:
            array = array_of(attributes(node)[name], members)
            changed = change_array(array)
            attributes(node)[name] = stored_array(array if changed is None else changed, members)

    edit_archive(folder, change)
