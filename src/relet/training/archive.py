"""An estimator as a skops archive: the same bytes for the same estimator, and nothing in it can execute."""

# mypy: disable-error-code="import-untyped"
# skops ships no stubs.
from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from relet.errors import ModelError

SCHEMA = "schema.json"
# The time that every member of an archive is given: the earliest that zip knows.
EPOCH = (1980, 1, 1, 0, 0, 0)

# What a model may be made of beyond what skops itself trusts. The loader owns this list: what a file says of
# itself is not asked.
TRUSTED = frozenset(
    (
        "relet.features.numeric.Combinations",
        "relet.features.numeric.DaysSince",
        "relet.features.numeric.Numbers",
        "relet.features.text.PatternFeatures",
        "relet.features.text.TextWeights",
        "relet.features.text.TitleStyle",
        "relet.features.encoding.CrossFittedScore",
        "relet.features.encoding.CrossFittedTargetEncoder",
        "relet.training.estimators.BoostedRegressor",
        "sklearn.tree._tree.Tree",
    )
)


def dump(estimator: Any) -> bytes:
    """A fitted estimator as a skops archive, its ids renumbered and its times fixed.

    Raises ModelError for an estimator that holds a type which the loader would not trust.
    """
    from skops.io import dumps, get_untrusted_types

    raw = dumps(estimator)
    refused = sorted(set(get_untrusted_types(data=raw)) - TRUSTED)
    if refused:
        raise ModelError(
            f"the model holds {', '.join(refused)}, which no loader trusts; "
            "build it of relet.features blocks, scikit-learn and relet.training estimators"
        )
    return _canonical(raw)


def load(content: bytes, name: str) -> Any:
    """The estimator in an archive; `name` names it in errors.

    Raises ModelError for what is no archive, is damaged, or holds a type that is not trusted.
    """
    from skops.io import get_untrusted_types, loads

    try:
        refused = sorted(set(get_untrusted_types(data=content)) - TRUSTED)
    except Exception as error:
        # whatever a crafted or damaged file makes skops stumble over, it is no model
        raise ModelError(f"{name} can't be read as a skops archive: {type(error).__name__}: {error}") from error
    if refused:
        raise ModelError(f"{name} holds types that are not trusted, so it is not loaded: {', '.join(refused)}")
    try:
        return loads(content, trusted=sorted(TRUSTED))
    except Exception as error:
        raise ModelError(f"{name} can't be loaded: {type(error).__name__}: {error}") from error


def _canonical(raw: bytes) -> bytes:
    """The same archive with ids in order of appearance, and members in the order of those ids."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        schema = json.loads(archive.read(SCHEMA))
        members = {name: archive.read(name) for name in archive.namelist() if name != SCHEMA}
    numbers: dict[Any, int] = {}
    files: dict[str, str] = {}
    for node in _nodes(schema):
        node["__id__"] = numbers.setdefault(_identity(node), len(numbers) + 1)
        if isinstance(node.get("file"), str):
            suffix = re.sub(r"^[^.]*", "", node["file"])
            files.setdefault(node["file"], f"{len(files) + 1}{suffix}")
            node["file"] = files[node["file"]]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, SCHEMA, json.dumps(schema, indent=0).encode())
        for old, new in files.items():
            _add(archive, new, members[old])
    return written.getvalue()


def _identity(node: dict[str, Any]) -> Any:
    """What makes a node the same as another: constants by their value, since Python may or may not share them."""
    if node.get("is_json") or node["__loader__"] == "TypeNode":
        return (node["__module__"], node["__class__"], node.get("content"))
    return node["__id__"]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "__id__" in value:
            yield value
        for child in value.values():
            yield from _nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from _nodes(child)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=EPOCH), content)
