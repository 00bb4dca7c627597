"""Documents as the signature of a component says: a mapping, a list, or an instance of a dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from relet.core.component import Input, Output
from relet.data.dataclass_documents import dataclass_value
from relet.data.documents import kind_words
from relet.errors import BadDataError, ComponentError


def document_taken(taken: Input, value: Any) -> Any:
    """An input as its annotation says, from what was read; the module of its class has to be importable.

    Raises BadDataError, with the field, for a document that the class does not fit.
    """
    if not taken.document or value is None:
        return value
    kind = _document_kind(taken.document)
    if kind in (dict, list):
        if not isinstance(value, kind):
            raise BadDataError(f"{taken.name} is a {kind_words(value)}, and is taken as a {kind.__name__}")
        return value
    try:
        return dataclass_value(value, kind)
    except BadDataError as error:
        raise BadDataError(f"the input {taken.name}: {error}") from error


def refuse_other_document(made: Output, value: Any) -> None:
    """Raise ComponentError where a document that was returned is not what the signature promises."""
    if not made.document:
        return
    kind = _document_kind(made.document)
    wanted: Any = Mapping if kind is dict else (list, tuple) if kind is list else kind
    if not isinstance(value, wanted):
        raise ComponentError(f"{made.name} is a {kind_words(value)}, and the signature promises a {kind.__name__}")


def _document_kind(document: str) -> type:
    module, _, name = document.rpartition(":")
    if not module:
        return {"dict": dict, "list": list}[document]
    found: type = getattr(import_module(module), name)
    return found
