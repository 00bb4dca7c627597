"""Write an estimator as a skops archive: equal estimators have equal bytes, and nothing in the archive can
execute.
"""

# mypy: disable-error-code="import-untyped"
# skops ships no stubs.
from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from relet.errors import ModelError

SCHEMA = "schema.json"
# The time stamp of every archive member: the earliest that zip allows.
EPOCH = (1980, 1, 1, 0, 0, 0)
# An array's name in an archive is the digest of its bytes.
MEMBER = re.compile(r"[0-9a-f]{64}\.np[yz]")

# All types that a model may contain. The loader owns this list: neither the file's own list nor skops' counts. A
# type belongs here if setting its attributes can't run or read anything.
TRUSTED = frozenset(
    (
        "builtins.bool",
        "builtins.dict",
        "builtins.float",
        "builtins.int",
        "builtins.list",
        "builtins.slice",
        "builtins.str",
        "builtins.tuple",
        "numpy.bool",
        "numpy.float32",
        "numpy.float64",
        "numpy.int32",
        "numpy.int64",
        "numpy.ndarray",
        "relet.features.encoding.CrossFittedScore",
        "relet.features.encoding.CrossFittedTargetEncoder",
        "relet.features.numeric.Combinations",
        "relet.features.numeric.DaysSince",
        "relet.features.numeric.Logarithms",
        "relet.features.numeric.Numbers",
        "relet.features.scaling.Scaled",
        "relet.features.text.PatternFeatures",
        "relet.features.text.TextWeights",
        "relet.features.text.TitleStyle",
        "relet.training.estimators.blend.BlendRegressor",
        "relet.training.estimators.boosted.BoostedRegressor",
        "relet.training.estimators.histogram.HistogramRegressor",
        "relet.training.estimators.linear.LinearRegressor",
        "relet.training.estimators.network.NetworkRegressor",
        "sklearn.compose._column_transformer.ColumnTransformer",
        "sklearn.dummy.DummyClassifier",
        "sklearn.dummy.DummyRegressor",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.ExtraTreesRegressor",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.feature_extraction.text.TfidfTransformer",
        "sklearn.feature_extraction.text.TfidfVectorizer",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.linear_model._base.LinearRegression",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.pipeline.FeatureUnion",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._encoders.OneHotEncoder",
        "sklearn.preprocessing._encoders.OrdinalEncoder",
        "sklearn.preprocessing._target_encoder.TargetEncoder",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.DecisionTreeRegressor",
        "sklearn.tree._classes.ExtraTreeClassifier",
        "sklearn.tree._classes.ExtraTreeRegressor",
        "sklearn.tree._tree.Tree",
    )
)
# The skops nodes that hold data. Its other nodes call functions that the file names.
LOADERS = frozenset(
    (
        "DictNode",
        "JsonNode",
        "ListNode",
        "NdArrayNode",
        "ObjectNode",
        "SliceNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    )
)


def dump_estimator(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops archive, without ids or times, with arrays named by their digests.

    Raises ModelError for an estimator that holds a type which the loader would not trust.
    """
    from skops.io import dumps

    content = _canonical_archive(dumps(estimator))
    refused = _untrusted_types(_schema_and_members(content)[0])
    if refused:
        raise ModelError(
            f"the model holds {', '.join(refused)}, which no loader trusts; "
            "build it of relet.features blocks, scikit-learn and relet.training estimators"
        )
    return content


def load_estimator(content: bytes, name: str) -> Any:
    """Load the estimator of an archive; `name` is its name in errors.

    Raises ModelError for a file that is no archive, is damaged, or holds a type that is not trusted.
    """
    try:
        schema, members = _schema_and_members(content)
        refused = _untrusted_types(schema)
    except Exception as error:
        # whatever error a crafted or damaged file causes in a reader, it is no model
        raise ModelError(f"{name} can't be read as a skops archive: {type(error).__name__}: {error}") from error
    if refused:
        raise ModelError(f"{name} holds types that are not trusted, so it is not loaded: {', '.join(refused)}")
    for member, data in members.items():
        if sha256(data).hexdigest() != PurePosixPath(member).stem:
            raise ModelError(f"{name} is damaged: {member} is not what its name says")
    from skops.io import loads

    try:
        return loads(content, trusted=sorted(TRUSTED))
    except Exception as error:
        raise ModelError(f"{name} can't be loaded: {type(error).__name__}: {error}") from error


def _schema_and_members(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The schema and the arrays of an archive. Raises for a member that does not belong there."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.filename != SCHEMA and not MEMBER.fullmatch(member.filename):
                raise ModelError(f"{member.filename!r} has no place in a model")
            if member.compress_type != zipfile.ZIP_STORED:
                raise ModelError(f"{member.filename} is compressed, which no model that relet writes is")
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop(SCHEMA)), members


def _untrusted_types(schema: dict[str, Any]) -> list[str]:
    """The types and node kinds of a schema that are not trusted."""
    found = set()
    for node in _schema_nodes(schema):
        name = f"{node['__module__']}.{node['__class__']}"
        if name not in TRUSTED:
            found.add(name)
        elif node["__loader__"] not in LOADERS:
            found.add(f"{name} by {node['__loader__']}")
    return sorted(found)


def _canonical_archive(raw: bytes) -> bytes:
    """The archive without ids, which are memory addresses, and with arrays named by their digests.

    Sharing of one object by two attributes is not kept, since it differs between a fitted and a loaded estimator.
    """
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        arrays = {name: archive.read(name) for name in archive.namelist() if name != SCHEMA}
    members: dict[str, bytes] = {}
    for node in _schema_nodes(schema):
        node.pop("__id__", None)
        if isinstance(node.get("file"), str):
            data = _without_padding(arrays[node["file"]])
            node["file"] = sha256(data).hexdigest() + PurePosixPath(node["file"]).suffix
            members[node["file"]] = data
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        _add_member(archive, SCHEMA, json.dumps(schema, indent=0).encode())
        for name, data in sorted(members.items()):
            _add_member(archive, name, data)
    return written.getvalue()


def _without_padding(stored: bytes) -> bytes:
    """The array with zeros between the fields of a record, where unwritten memory would show."""
    import numpy as np

    if not stored.startswith(np.lib.format.MAGIC_PREFIX):
        return stored
    array = np.load(io.BytesIO(stored), allow_pickle=False)
    if not array.dtype.names:
        return stored
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    written = io.BytesIO()
    np.save(written, clean, allow_pickle=False)
    return written.getvalue()


def _schema_nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "__loader__" in value:
            yield value
        for child in value.values():
            yield from _schema_nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from _schema_nodes(child)


def _add_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=EPOCH), content)
