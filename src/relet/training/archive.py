"""Write an estimator as a skops archive, and load one: equal estimators have equal bytes, and nothing executes."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from relet.errors import ModelError
from relet.training import stored
from relet.training.making import made
from relet.training.native import broken_parts
from relet.training.trusted import TRUSTED, refused_values
from relet.training.writing import ADVICE, plain_value, written_archive

# An array's name in an archive is the digest of its bytes.
MEMBER = re.compile(r"[0-9a-f]{64}\.np[yz]")


def dump_estimator(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops archive, without ids or times, with arrays named by their digests.

    Raises ModelError for an estimator that holds a type or a value which the loader would not trust.
    """
    content = written_archive(plain_value(estimator))
    if refused := _untrusted_types(stored.open_archive(content, MEMBER.fullmatch)[0]):
        raise ModelError(
            f"the model holds {', '.join(refused)}, which no loader trusts; build it of relet.features blocks, "
            f"scikit-learn and relet.training estimators: {ADVICE}"
        )
    try:
        _checked_value(content)
    except ModelError as error:
        raise ModelError(f"the model could not be loaded again: {error}; {ADVICE}") from error
    return content


def load_estimator(content: bytes, name: str) -> Any:
    """Load the estimator of an archive; `name` is its name in errors.

    Raises ModelError for a file that is no archive, is damaged, holds a type or a value that is not trusted, or
    holds parts that don't fit together.
    """
    try:
        return made(_checked_value(content))
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
