"""Write an estimator as a skops archive, and load one: equal estimators have equal bytes, and nothing executes."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

from relet.archives import stored
from relet.archives.making import made
from relet.archives.native import broken_parts
from relet.archives.own_code import needed_own_code, own_code
from relet.archives.trusted import TRUSTED, refused_values
from relet.archives.writing import ADVICE, plain_value, written_archive
from relet.errors import ModelError

# An array's name in an archive is the digest of its bytes.
MEMBER = re.compile(r"[0-9a-f]{64}\.np[yz]")


def dump_estimator(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops archive, without ids or times, with arrays named by their digests.

    Raises ModelError for an estimator that holds a type or a value which the loader would not trust.
    """
    content = written_archive(plain_value(estimator))
    if refused := _untrusted_types(stored.open_archive(content, MEMBER.fullmatch)[0]):
        if own := _refused_own_class(refused):
            raise ModelError(f"the model holds a class that is not trusted: {own}")
        raise ModelError(
            f"the model holds {', '.join(refused)}, which no loader trusts; build it of relet.features blocks, "
            f"scikit-learn and relet.training estimators: {ADVICE}"
        )
    try:
        _checked_value(content)
    except ModelError as error:
        raise ModelError(f"the model could not be loaded again: {error}; {ADVICE}") from error
    return content


def load_estimator(content: bytes, name: str, code: Mapping[str, str] | None = None) -> Any:
    """Load the estimator of an archive; `name` is its name in errors, `code` the modules that made it.

    Raises ModelError for a file that is no archive, is damaged, holds a type or a value that is not trusted, holds
    a class of a project whose code is not in `code` as it is here, or holds parts that don't fit together.
    """
    try:
        return made(_checked_value(content, code or {}))
    except ModelError as error:
        raise ModelError(f"{name} is not loaded: {error}") from error
    except Exception as error:
        # whatever error a crafted or damaged file causes in a reader, it is no model
        raise ModelError(f"{name} can't be read as a skops archive: {type(error).__name__}: {error}") from error


def _checked_value(content: bytes, code: Mapping[str, str] | None = None) -> Any:
    """What an archive holds, as plain values and stored objects. Raises ModelError unless all of it is trusted.

    With `code`, the modules of a project's classes have to be those.
    """
    schema, members = stored.open_archive(content, MEMBER.fullmatch)
    if refused := _untrusted_types(schema):
        raise ModelError(
            _refused_own_class(refused) or f"it holds types that are not trusted: {', '.join(refused)}"
        )
    if code is not None and (own := sorted(_type_names(schema) - TRUSTED)):
        needed_own_code(own[0]).check({each.rpartition(".")[0] for each in own}, code)
    stored.check_parts(schema)
    stored.check_digests(members)
    value = stored.read_value(schema, members)
    # what does not fit together is looked for among values that may be there
    for wrong in chain(refused_values(value), broken_parts(value)):
        raise ModelError(wrong)
    return value


def _untrusted_types(schema: dict[str, Any]) -> list[str]:
    """The types and node kinds of a schema that are not trusted."""
    found = set()
    own = own_code() if _type_names(schema) - TRUSTED else None
    for node in stored.schema_nodes(schema):
        name = f"{node['__module__']}.{node['__class__']}"
        function = node["__loader__"] == "TypeNode" and name not in TRUSTED
        kind = ast.FunctionDef if function else ast.ClassDef
        if name not in TRUSTED and not (own and own.trusts(name) and own.defines(name, kind)):
            found.add(name)
        elif node["__loader__"] not in (stored.LOADERS if name in TRUSTED else ("ObjectNode", "TypeNode")):
            found.add(f"{name} by {node['__loader__']}")
    return sorted(found)


def own_modules(content: bytes) -> set[str]:
    """The modules of a project that the classes and functions in an archive are defined in."""
    schema, _ = stored.open_archive(content, MEMBER.fullmatch)
    return {name.rpartition(".")[0] for name in _type_names(schema) - TRUSTED}


def _type_names(schema: dict[str, Any]) -> set[str]:
    return {f"{node['__module__']}.{node['__class__']}" for node in stored.schema_nodes(schema)}


def _refused_own_class(names: list[str]) -> str:
    """What to write where, for the first of these types that is a class of the project; empty where none is."""
    own = own_code()
    kinds = (ast.ClassDef, ast.FunctionDef)
    found = [
        name for name in names if own and not own.trusts(name) and any(own.defines(name, kind) for kind in kinds)
    ]
    return own.refusal(found[0]) if own and found else ""
