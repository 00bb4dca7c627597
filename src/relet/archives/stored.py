"""Read a model's archive as plain values: nothing in it becomes an object before all of it was checked.

An archive is a zip file of members that are stored, not compressed: `schema.json`, in skops' protocol 2, and
arrays in numpy's format. Whatever relet does not write into an archive is refused.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from relet.errors import ModelError, SettingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA = "schema.json"
# The version of skops' format that relet writes and reads.
PROTOCOL = 2
# How many bytes the arrays of a model may take in memory, unless the environment variable gives another number.
EXPANDED, EXPANDED_SETTING = 2**30, "RELET_MODEL_BYTES"
# How many objects, lists and values a schema may have; a forest of 1000 trees has 300,000.
STRUCTURE = 2_000_000
# How deep objects may lie in each other; those of a blend of pipelines lie at 14.
DEPTH = 64
# How many objects a model may have, the trees of forests aside, and how many of these.
PARTS, TREES = 1_000, 20_000
# The longest text and the largest whole number of a schema.
LONGEST, LARGEST = 10_000_000, 2**63
# How the names of trees begin, of which a model may have more than of other parts.
_TREE_NAMES = ("DecisionTree", "ExtraTree", "TreePredictor")
# The packages whose types a model may hold, whichever project it belongs to.
_LIBRARIES = frozenset(
    ("builtins", "functools", "lightgbm", "numpy", "relet", "scipy", "sklearn", "xgboost", "catboost")
)
# Every value of a schema follows one of these bytes.
_BEGINNINGS = (b"{", b"[", b",")


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object that was not made yet: the full name of its type, and its attributes as plain values.

    `arguments` are what its type is called with; None where it is made without a call.
    """

    type: str
    attributes: Mapping[str, Any]
    arguments: tuple[Any, ...] | None = None

    @property
    def label(self) -> str:
        """The name of the type without its module; with it for a class of a project, which may have any name."""
        return self.type if self.is_own else self.type.rpartition(".")[2]

    @property
    def is_own(self) -> bool:
        """Whether its type is a class of a project."""
        return self.type.partition(".")[0] not in _LIBRARIES


@dataclass(frozen=True)
class StoredType:
    """A type or a function as a value, by its full name."""

    name: str

    @property
    def is_own(self) -> bool:
        """Whether it is a function of a project."""
        return self.name.partition(".")[0] not in _LIBRARIES


def expanded_limit() -> int:
    """The largest number of bytes that a model's arrays may take: 1 GiB, or `RELET_MODEL_BYTES`.

    Raises SettingError for a value of that variable that is no number above 0.
    """
    given = os.environ.get(EXPANDED_SETTING)
    if given is None:
        return EXPANDED
    if not given.isdecimal() or not int(given):
        raise SettingError(f"{EXPANDED_SETTING} must be a number of bytes above 0, got {given!r}")
    return int(given)


def open_archive(content: bytes, is_member: Callable[[str], Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The schema and the arrays of an archive, whose names `is_member` accepts.

    Raises ModelError for a member that does not belong there, and for more members, bytes or objects than a model
    has.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.infolist()
        for member in found:
            if member.filename != SCHEMA and not is_member(member.filename):
                raise ModelError(f"{member.filename!r} has no place in a model")
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ModelError(f"{member.filename} is compressed, which no model that relet writes is")
        if len({member.filename for member in found}) < len(found):
            raise ModelError("two members of the archive have one name")
        if sum(member.file_size for member in found) > len(content):
            raise ModelError("the members of the archive overlap: they are larger than their file")
        members = {member.filename: archive.read(member) for member in found}
    return _parsed_schema(members.pop(SCHEMA)), members


def parsed_json(content: bytes) -> Any:
    """Parse JSON, of which the number of values is bounded beforehand. Raises ModelError for too many."""
    if (size := sum(map(content.count, _BEGINNINGS))) > STRUCTURE:
        raise ModelError(f"it has {size} values, more than the {STRUCTURE} that a model may have")
    return json.loads(content)


def _parsed_schema(content: bytes) -> dict[str, Any]:
    schema = parsed_json(content)
    if not isinstance(schema, dict) or type(schema.get("protocol")) is not int or schema["protocol"] != PROTOCOL:
        raise ModelError(f"its schema is not of protocol {PROTOCOL}")
    return schema


def check_digests(members: Mapping[str, bytes]) -> None:
    """Raise ModelError unless each array is named by the digest of its bytes."""
    for member, data in members.items():
        if sha256(data).hexdigest() != PurePosixPath(member).stem:
            raise ModelError(f"it is damaged: {member} is not what its name says")


def schema_nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """All objects of a schema that name a loader, in no order."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def check_parts(schema: dict[str, Any]) -> None:
    """Raise ModelError for more objects than a model may have: each costs time whenever a row is predicted."""
    trees = parts = 0
    for node in schema_nodes(schema):
        if node["__loader__"] == "ObjectNode":
            library = str(node["__module__"]).startswith("sklearn.")
            tree = library and str(node["__class__"]).startswith(_TREE_NAMES)
            trees, parts = trees + tree, parts + (not tree)
    if parts > PARTS or trees > TREES:
        raise ModelError(f"it has {parts} parts and {trees} trees, more than {PARTS} and {TREES}")


def read_value(schema: dict[str, Any], members: Mapping[str, bytes]) -> Any:
    """The content of an archive as plain values and stored objects.

    Raises ModelError for anything that relet does not write, and for arrays that take more memory together than
    `expanded_limit` allows. An array counts once for each place where it is used.
    """
    arrays = {name: _array(name, data) for name, data in members.items()}
    uses = [node["file"] for node in schema_nodes(schema) if isinstance(node.get("file"), str)]
    total = sum(arrays[name].nbytes for name in uses if name in arrays)
    if total > expanded_limit():
        raise ModelError(
            f"its arrays take {total} bytes in memory, more than the {expanded_limit()} that are allowed; set "
            f"{EXPANDED_SETTING} if you expect a model of that size"
        )
    root = {name: value for name, value in schema.items() if name not in ("protocol", "_skops_version")}
    return _value(root, arrays, 0)


def _value(node: Any, arrays: Mapping[str, NDArray[Any]], depth: int) -> Any:
    if depth > DEPTH:
        raise ModelError(f"its objects lie more than {DEPTH} deep in each other")
    if not isinstance(node, dict) or node.get("__loader__") not in _READERS:
        raise ModelError(f"its schema holds {_shown(node)} in place of an object")
    loader = node["__loader__"]
    fields, read = _READERS[loader]
    given = set(node) - {"__class__", "__module__", "__loader__"}
    if given not in fields:
        raise ModelError(f"a {loader} of its schema has the fields {', '.join(sorted(map(str, given)))}")
    return read(node, arrays, depth + 1)


def _array(name: str, data: bytes) -> NDArray[Any]:
    """A read-only view of an array's bytes. Its header says nothing that the bytes do not hold."""
    import numpy as np
    from numpy.lib import format as layout

    stream = io.BytesIO(data)
    version = layout.read_magic(stream)
    readers = {(1, 0): layout.read_array_header_1_0, (2, 0): layout.read_array_header_2_0}
    if version not in readers:
        raise ModelError(f"{name} is no array that relet writes")
    shape, fortran, kind = readers[version](stream)
    if not _is_plain(kind):
        raise ModelError(f"{name} holds values of the type {kind}, which no model holds")
    size = math.prod(shape)
    if min(shape, default=1) < 0 or size * kind.itemsize != len(data) - stream.tell():
        raise ModelError(f"{name} says that it has the shape {shape}, and holds another number of values")
    flat = np.frombuffer(data, kind, count=size, offset=stream.tell())
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def _is_plain(kind: np.dtype[Any]) -> bool:
    """Whether an array may hold values of that type: truth values, numbers, text, or the nodes of a tree."""
    if kind.names:
        return kind == _tree_nodes(histogram="gain" in kind.names)
    return kind.kind in "biufU" and kind.itemsize > 0 and kind.isnative and kind.itemsize <= 4 * LONGEST


@cache
def _tree_nodes(*, histogram: bool) -> np.dtype[Any]:
    """The type of the nodes of trees: of forests, or of histogram boosting."""
    if histogram:
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE as NODE_DTYPE
    else:
        from sklearn.tree._tree import NODE_DTYPE
    found: np.dtype[Any] = NODE_DTYPE
    return found


def _listed(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> list[Any]:
    if not isinstance(node["content"], list):
        raise ModelError(f"its schema holds {_shown(node['content'])} in place of a list")
    return [_value(each, arrays, depth) for each in node["content"]]


def _tupled(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> tuple[Any, ...]:
    return tuple(_listed(node, arrays, depth))


def _mapped(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> dict[Any, Any]:
    kinds = _value(node["key_types"], arrays, depth)
    content = node["content"]
    if not isinstance(content, dict) or not isinstance(kinds, list) or len(kinds) != len(content):
        raise ModelError("a dictionary of its schema has not one type for each key")
    if unknown := [kind for kind in kinds if kind not in _KEYS]:
        raise ModelError(f"a dictionary of its schema has keys of the type {_shown(unknown[0])}")
    pairs = zip(kinds, content.items(), strict=True)
    return {_KEYS[kind](key): _value(value, arrays, depth) for kind, (key, value) in pairs}


# What makes the key of a dictionary from its text, by its type.
_KEYS: dict[StoredType, Callable[[str], Any]] = {
    StoredType("builtins.str"): str,
    StoredType("builtins.int"): int,
    StoredType("builtins.float"): float,
    StoredType("builtins.bool"): {"true": True, "false": False}.__getitem__,
    StoredType("numpy.int64"): int,
}


def _scalar(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> Any:
    content = node["content"]
    if not isinstance(content, str) or len(content) > 6 * LONGEST:
        raise ModelError(f"its schema holds {_shown(content)} in place of a plain value")
    # looked at before it is parsed: a list of empty lists takes twenty times its text
    value = () if content.lstrip()[:1] in ("[", "{") else json.loads(content)
    if not isinstance(value, bool | int | float | str | None):
        raise ModelError(f"its schema holds {_shown(content)} in place of a plain value")
    if (isinstance(value, int) and abs(value) >= LARGEST) or (isinstance(value, str) and len(value) > LONGEST):
        raise ModelError(f"its schema holds a value that is too large: {_shown(content)}")
    return value


def _sliced(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> slice:
    content = node["content"]
    if not isinstance(content, dict) or set(content) != {"start", "stop", "step"}:
        raise ModelError(f"its schema holds {_shown(content)} in place of a slice")
    for each in content.values():
        if not isinstance(each, int | str | None) or (isinstance(each, int) and abs(each) >= LARGEST):
            raise ModelError(f"its schema holds a slice from or to {_shown(each)}")
    return slice(content["start"], content["stop"], content["step"])


def _typed(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> StoredType:
    return StoredType(f"{node['__module__']}.{node['__class__']}")


def _arrayed(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> Any:

    if "file" not in node:
        return _object_array(node, arrays, depth)
    if node["type"] != "numpy" or not isinstance(node["file"], str) or node["file"] not in arrays:
        raise ModelError(f"its schema names the array {_shown(node['file'])}, which it does not hold")
    found = arrays[node["file"]]
    kind = f"{node['__module__']}.{node['__class__']}"
    if kind == "numpy.ndarray":
        return found
    if found.ndim or f"numpy.{type(found[()]).__name__}" not in (kind, f"{kind}_"):
        raise ModelError(f"its schema holds an array in place of one {kind}")
    return found[()]


def _object_array(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> Any:
    """An array of plain values of several types, or of objects; its lists lie in each other as its shape says."""
    import numpy as np

    items, shape = _listed(node, arrays, depth), _value(node["shape"], arrays, depth)
    if node["type"] != "json" or not isinstance(shape, tuple) or not 1 <= len(shape) <= 2:
        raise ModelError(f"its schema holds {len(items)} values in an array of the shape {_shown(shape)}")
    rows = items if len(shape) == 2 else [items]
    if any(not isinstance(row, list) or len(row) != shape[-1] for row in rows) or shape[0] != len(items):
        raise ModelError(f"its schema holds {len(items)} values in an array of the shape {_shown(shape)}")
    found = np.empty(len(rows) * shape[-1], dtype=object)
    for place, each in enumerate(each for row in rows for each in row):
        if isinstance(each, list | dict | slice | StoredType):
            raise ModelError("its schema holds an array of lists")
        found[place] = each
    return found.reshape(shape)


def _object(node: dict[str, Any], arrays: Mapping[str, NDArray[Any]], depth: int) -> StoredObject:
    attributes = _value(node["content"], arrays, depth)
    arguments = None
    if "__reduce__" in node:
        called = node["__reduce__"]
        if not isinstance(called, dict) or set(called) != {"args"}:
            raise ModelError(f"its schema makes a tree of {_shown(called)}")
        arguments = _value(called["args"], arrays, depth)
        if not isinstance(arguments, tuple):
            raise ModelError(f"its schema makes a tree of {_shown(arguments)}")
    if not isinstance(attributes, dict) or not all(isinstance(name, str) for name in attributes):
        raise ModelError(f"its schema holds an object whose attributes are {_shown(attributes)}")
    return StoredObject(
        type=f"{node['__module__']}.{node['__class__']}", attributes=attributes, arguments=arguments
    )


# The kinds of nodes that hold data, with the fields that one may have, and what reads it. The other kinds that
# skops knows call functions that the file names.
_READERS: dict[str, tuple[list[set[str]], Callable[..., Any]]] = {
    "DictNode": ([{"content", "key_types"}], _mapped),
    "JsonNode": ([{"content", "is_json"}], _scalar),
    "ListNode": ([{"content"}], _listed),
    "NdArrayNode": ([{"type", "file"}, {"type", "content", "shape"}], _arrayed),
    "ObjectNode": ([{"content"}], _object),
    "SliceNode": ([{"content"}], _sliced),
    "TreeNode": ([{"content", "__reduce__"}], _object),
    "TupleNode": ([{"content"}], _tupled),
    "TypeNode": ([set()], _typed),
}
LOADERS = frozenset(_READERS)


def inner_values(value: Any) -> Iterable[Any]:
    """The values in a list, a dictionary or an array of objects; nothing for a plain value."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple):
        return value
    if getattr(getattr(value, "dtype", None), "kind", "") == "O":
        found: list[Any] = value.ravel().tolist()
        return found
    return ()


def _shown(value: Any) -> str:
    """A value as a message shows it: not longer than 60 characters."""
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."
