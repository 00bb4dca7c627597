"""Find the container in which a test wants its table: its annotation says so, as in a component."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact_types import CONTAINERS
from relet.core.code import FirstPartyCode
from relet.core.source import ParsedModule
from relet.errors import SignatureError

# The containers that `read_table` reads a file into, by the names that an annotation may use.
TABLES = ("ibis", "pandas", "polars", "arrow", "path")
DEFAULT = "pandas"


def asked_container(request: pytest.FixtureRequest, name: str) -> str:
    """The container in which a test, or a fixture that it uses, asks for the table `name`.

    Without an annotation that is pandas. Raises SignatureError for an annotation that names no table, and where a
    test and its fixture ask for different containers, since they share one value.
    """
    wanted = {container_of(function, name): function for function in _askers(request, name)}
    if len(wanted) > 1:
        who = " and ".join(f"{function.__name__} as {container}" for container, function in wanted.items())
        raise SignatureError(f"one test gets {name} in one container, and it is asked for by {who}")
    return next(iter(wanted), DEFAULT)


def _askers(request: pytest.FixtureRequest, name: str) -> Iterator[Callable[..., Any]]:
    known: dict[str, Any] = getattr(getattr(request.node, "_fixtureinfo", None), "name2fixturedefs", {})
    fixtures = [definitions[-1].func for definitions in known.values() if definitions]
    for function in (getattr(request.node, "function", None), *fixtures):
        if function is not None and name in inspect.signature(function).parameters:
            yield function


def container_of(function: Callable[..., Any], name: str) -> str:
    """The container that a function's parameter is annotated with.

    >>> def test_rents(data: Path): ...
    >>> container_of(test_rents, "data")
    'path'
    """
    annotation = inspect.signature(function).parameters[name].annotation
    if annotation is inspect.Parameter.empty:
        return DEFAULT
    spelt = _annotation_name(function, annotation)
    found = CONTAINERS.get(spelt, "")
    if found not in TABLES:
        raise SignatureError(
            f"{function.__name__} asks for {name} as {spelt}; a table is Table (from relet), pd.DataFrame, "
            "pl.DataFrame, pa.Table or Path"
        )
    return found


def _annotation_name(function: Callable[..., Any], annotation: Any) -> str:
    """The full name of an annotation, such as `pandas.DataFrame`.

    A name that is imported only for type checkers does not exist at run time; then the module's source is read.
    """
    if isinstance(annotation, str):
        try:
            known = eval(annotation, dict(inspect.unwrap(function).__globals__))
        except (NameError, AttributeError):
            return _name_from_source(function, annotation)
        return _annotation_name(function, known)
    package = str(getattr(annotation, "__module__", "")).partition(".")[0]
    return f"{package}.{getattr(annotation, '__qualname__', annotation)}"


def _name_from_source(function: Callable[..., Any], annotation: str) -> str:
    path = Path(inspect.getfile(inspect.unwrap(function)))
    module = ParsedModule.read(path.stem, path, FirstPartyCode((path.parent,)))
    return module.dotted(ast.parse(annotation, mode="eval").body)
