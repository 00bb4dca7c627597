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
from hashlib import sha256
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from relet.errors import ModelError
from relet.training import stored
from relet.training.stored import SCHEMA
from relet.training.structure import broken_parts
from relet.training.trusted import TRUSTED, refused_values

# The time stamp of every archive member: the earliest that zip allows.
EPOCH = (1980, 1, 1, 0, 0, 0)
# An array's name in an archive is the digest of its bytes.
MEMBER = re.compile(r"[0-9a-f]{64}\.np[yz]")


def dump_estimator(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops archive, without ids or times, with arrays named by their digests.

    Raises ModelError for an estimator that holds a type or a value which the loader would not trust.
    """
    from skops.io import dumps

    content = _canonical_archive(dumps(estimator))
    if refused := _untrusted_types(stored.open_archive(content, MEMBER.fullmatch)[0]):
        raise ModelError(
            f"the model holds {', '.join(refused)}, which no loader trusts; "
            "build it of relet.features blocks, scikit-learn and relet.training estimators"
        )
    try:
        _checked_value(content)
    except ModelError as error:
        raise ModelError(f"the model could not be loaded again: {error}") from error
    return content


def load_estimator(content: bytes, name: str) -> Any:
    """Load the estimator of an archive; `name` is its name in errors.

    Raises ModelError for a file that is no archive, is damaged, holds a type or a value that is not trusted, or
    holds parts that don't fit together.
    """
    try:
        return stored.made(_checked_value(content))
    except ModelError as error:
        raise ModelError(f"{name} is not loaded: {error}") from error
    except Exception as error:
        # whatever error a crafted or damaged file causes in a reader, it is no model
        raise ModelError(f"{name} can't be read as a skops archive: {type(error).__name__}: {error}") from error


def _checked_value(content: bytes) -> Any:
    """What an archive holds, as plain values and stored objects. Raises ModelError unless all of it is trusted."""
    schema, members = stored.open_archive(content, MEMBER.fullmatch)
    if refused := _untrusted_types(schema):
        raise ModelError(f"it holds types that are not trusted: {', '.join(refused)}")
    stored.check_parts(schema)
    stored.check_digests(members)
    value = stored.read_value(schema, members)
    for wrong in (*islice(refused_values(value), 1), *islice(broken_parts(value), 1)):
        raise ModelError(wrong)
    return value


def _untrusted_types(schema: dict[str, Any]) -> list[str]:
    """The types and node kinds of a schema that are not trusted."""
    found = set()
    for node in stored.schema_nodes(schema):
        name = f"{node['__module__']}.{node['__class__']}"
        if name not in TRUSTED:
            found.add(name)
        elif node["__loader__"] not in stored.LOADERS:
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
    for node in stored.schema_nodes(schema):
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


def _add_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, date_time=EPOCH), content)
