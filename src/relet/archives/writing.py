"""Take a fitted estimator apart into plain values, and write these as an archive.

The archive is the one that `stored` reads. Equal values have equal bytes: without times, without memory addresses,
and with each array named by the digest of its bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import numpy as np

from relet.archives.functions import function_name
from relet.archives.learned import DROPPED
from relet.archives.making import REBUILT
from relet.archives.own_code import own_code
from relet.archives.stored import DEPTH, PROTOCOL, SCHEMA, StoredObject, StoredType
from relet.archives.torch_modules import is_torch_module, torch_values
from relet.errors import ModelError

# The time stamp of every archive member: the earliest that zip allows.
EPOCH = (1980, 1, 1, 0, 0, 0)
# What to do with a model that can't be stored.
ADVICE = "change that, or return the model's files as a Path, which relet keeps, but not as an inference artifact"
# Numbers that say how loud and on how many threads an estimator works, which is a matter of the machine.
_MACHINE = {"verbose": (0, False, None), "n_jobs": (None, 1, -1)}
# What to keep in place of an object whose state is not plain.
_KEPT_AS = {
    **dict.fromkeys(("builtins.set", "builtins.frozenset"), "a sorted list of its values"),
    **dict.fromkeys(("datetime.date", "datetime.datetime"), "its text, by isoformat()"),
    **dict.fromkeys(("pandas.DataFrame", "pandas.Series", "pandas.Index"), "its values, by to_numpy()"),
    "re.Pattern": "the text of the pattern",
    "torch.Tensor": "its values, by numpy()",
}
_FITTED = ("estimator_", "n_features_in_", "feature_names_in_")
_QUIET = {"verbose": 0, "n_jobs": 1}


def plain_value(value: Any, where: str = "the model", depth: int = 0) -> Any:
    """A fitted estimator, or a value in one, as plain values and stored objects.

    A search of hyperparameters is taken as the estimator that it found. Raises ModelError, with the estimator and
    the attribute, for a function, a generator of random numbers or another value that no archive holds.
    """
    if depth > DEPTH:
        raise ModelError(f"{where}: its objects lie more than {DEPTH} deep in each other; {ADVICE}")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(value, where, depth)
    if isinstance(value, np.dtype):
        return _taken_apart("numpy.dtype", value, where, depth)
    if type(value) in (list, tuple):
        return type(value)(plain_value(each, where, depth + 1) for each in value)
    if isinstance(value, dict):
        return {_plain_key(key, where): plain_value(each, where, depth + 1) for key, each in value.items()}
    if isinstance(value, slice):
        return value
    if isinstance(value, type) or (callable(value) and not hasattr(value, "__dict__")):
        return StoredType(function_name(value, where))
    return _plain_object(value, where, depth)


def _plain_key(key: Any, where: str) -> Any:
    plain = key.item() if isinstance(key, np.generic) else key
    if type(plain) not in (bool, int, float, str):
        raise ModelError(f"{where} is a dictionary with a key of the type {type(key).__name__}; {ADVICE}")
    return plain


def _plain_array(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, np.str_):
        return str(value)
    if isinstance(value, np.ma.MaskedArray):
        raise ModelError(f"{where} is an array that hides some of its values, which no archive holds; {ADVICE}")
    if value.dtype != object:
        return value if value.dtype.isnative else value.astype(value.dtype.newbyteorder("="))
    found = np.empty(value.size, dtype=object)
    for place, each in enumerate(value.ravel().tolist()):
        found[place] = plain_value(each, where, depth + 1)
    return found.reshape(value.shape)


def _plain_object(value: Any, where: str, depth: int) -> Any:
    name = f"{type(value).__module__}.{type(value).__name__}"
    if name in REBUILT:
        return _taken_apart(name, value, where, depth)
    if (found := _found_estimator(value, name)) is not value:
        return plain_value(found, where, depth)
    own = _is_own_class(type(value), name, where)
    if not own and is_torch_module(type(value)):
        raise ModelError(
            f"{where} is a {name}; hold it within a class of the project that extends torch.nn.Module, whose "
            "constructor makes it"
        )
    if callable(value) and not own and not name.startswith(("sklearn.", "relet.")):
        return StoredType(function_name(value, where))
    if name in _KEPT_AS:
        raise ModelError(f"{where} is a {name}, which no archive holds; keep {_KEPT_AS[name]}, or {ADVICE}")
    arguments, state = _object_state(value, name, where)
    label = type(value).__name__
    held = {
        key: plain_value(_quiet(key, each), f"{label}.{key}", depth + 1)
        for key, each in state.items()
        if not ((own or name.startswith("sklearn.")) and key in DROPPED)
    }
    return StoredObject(type=name, attributes=held, arguments=plain_value(arguments, where, depth + 1))


def _is_own_class(kind: type[Any], name: str, where: str) -> bool:
    """Whether a class is the project's. Raises ModelError, with what to do, for one that has to be moved."""
    module = kind.__module__
    if module == "__main__" or kind.__qualname__ != kind.__name__:
        own = own_code()
        if module == "__main__" or (own and own.holds(module)):
            raise ModelError(
                f"{where} is an object of {module}.{kind.__qualname__}, which no loader finds: move the class to "
                "the top level of a module of the project"
            )
    return name.partition(".")[0] not in ("sklearn", "relet") and bool((own := own_code()) and own.holds(module))


def _object_state(value: Any, name: str, where: str) -> tuple[tuple[Any, ...] | None, Mapping[str, Any]]:
    """What an object is made with, None for all but trees, and its attributes."""
    if name == "sklearn.tree._tree.Tree":
        _, arguments, state = value.__reduce__()
        return arguments, state
    if is_torch_module(type(value)):
        return None, torch_values(value, where)
    state = value.__getstate__() or {}
    if not isinstance(state, Mapping):
        raise ModelError(f"{where} is an object of {name}, whose state is not plain; {ADVICE}")
    if type(value).__name__ == "ColumnTransformer" and "_columns" in state:
        state = {**state, "transformers": _chosen_columns(state)}
    return None, state


def _chosen_columns(state: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The parts of a column transformer, with the columns that a function chose in place of the function."""
    pairs = zip(state["transformers"], state["_columns"], strict=True)
    return [(*part[:2], chosen) if callable(part[2]) else part for part, chosen in pairs]


def _found_estimator(value: Any, name: str) -> Any:
    """The estimator or threshold that a search found, which predicts as it does; another value as it is."""
    if name.startswith("sklearn.model_selection._search"):
        return getattr(value, "best_estimator_", value.estimator)
    if name.endswith(".TunedThresholdClassifierCV") and hasattr(value, "best_threshold_"):
        from sklearn.model_selection import FixedThresholdClassifier

        found = FixedThresholdClassifier(
            value.estimator,
            threshold=float(value.best_threshold_),
            pos_label=value._curve_scorer._get_pos_label(),
            response_method=value.response_method,
        )
        fitted = {each: getattr(value, each) for each in _FITTED if hasattr(value, each)}
        vars(found).update(fitted)
        return found
    return value


def _quiet(name: str, value: Any) -> Any:
    """What decides about threads and messages is stored as a model is loaded: alone and silent.

    A generator that drew random numbers while fitting is not kept.
    """
    if name == "random_state" and isinstance(value, np.random.RandomState | np.random.Generator):
        return None
    if name == "_cached_dict":
        return None
    if name == "_n_threads":
        return 1
    if name in _MACHINE and type(value) in (int, bool) and value not in _MACHINE[name]:
        return _QUIET[name]
    return value


def _taken_apart(name: str, value: Any, where: str, depth: int) -> StoredObject:
    held = REBUILT[name].take(value)
    return StoredObject(
        type=name, attributes={key: plain_value(each, where, depth + 1) for key, each in held.items()}
    )


def written_archive(value: Any) -> bytes:
    """An archive of plain values and stored objects."""
    members: dict[str, bytes] = {}
    # the version of the format's own writer, which stays in models so that their bytes stay
    schema = {**_node(value, members), "protocol": PROTOCOL, "_skops_version": version("skops")}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        _add_member(archive, SCHEMA, json.dumps(schema, indent=0).encode())
        for name, data in sorted(members.items()):
            _add_member(archive, name, data)
    return written.getvalue()


def _add_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=EPOCH), content)


def _node(value: Any, members: dict[str, bytes]) -> dict[str, Any]:
    """The node of a value; arrays go to the members."""
    if value is None or type(value) in (bool, int, float, str):
        return {**_head("builtins.str", "JsonNode"), "content": json.dumps(value), "is_json": True}
    if isinstance(value, StoredObject):
        return _object_node(value, members)
    if isinstance(value, StoredType):
        return _head(value.name, "TypeNode")
    if isinstance(value, np.ndarray | np.generic):
        return _array_node(value, members)
    if isinstance(value, slice):
        places = {"start": value.start, "stop": value.stop, "step": value.step}
        return {**_head("builtins.slice", "SliceNode"), "content": places}
    if isinstance(value, dict):
        return _dict_node(value, members)
    kind = type(value).__name__
    content = [_node(each, members) for each in value]
    return {**_head(f"builtins.{kind}", f"{kind.title()}Node"), "content": content}


def _head(name: str, loader: str) -> dict[str, Any]:
    module, _, label = name.rpartition(".")
    return {"__class__": label, "__module__": module, "__loader__": loader}


def _dict_node(value: Mapping[Any, Any], members: dict[str, bytes]) -> dict[str, Any]:
    content = {key: _node(each, members) for key, each in value.items()}
    kinds = [StoredType(f"builtins.{type(key).__name__}") for key in value]
    return {**_head("builtins.dict", "DictNode"), "content": content, "key_types": _node(kinds, members)}


def _object_node(value: StoredObject, members: dict[str, bytes]) -> dict[str, Any]:
    content = _dict_node(value.attributes, members)
    if value.arguments is None:
        return {**_head(value.type, "ObjectNode"), "content": content}
    head = _head(value.type, "TreeNode")
    loader = head.pop("__loader__")
    arguments = {"args": _node(value.arguments, members)}
    return {**head, "__reduce__": arguments, "content": content, "__loader__": loader}


def _array_node(value: Any, members: dict[str, bytes]) -> dict[str, Any]:
    head = _head(f"numpy.{type(value).__name__}", "NdArrayNode")
    if value.dtype == object:
        content = [_node(each, members) for each in value.tolist()]
        return {**head, "content": content, "type": "json", "shape": _node(value.shape, members)}
    stream = io.BytesIO()
    np.save(stream, _without_padding(np.asarray(value)), allow_pickle=False)
    data = stream.getvalue()
    file = f"{sha256(data).hexdigest()}.npy"
    members[file] = data
    return {**head, "type": "numpy", "file": file}


def _without_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array with zeros between the fields of a record, where unwritten memory would show."""
    if not array.dtype.names:
        return array
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    return clean
