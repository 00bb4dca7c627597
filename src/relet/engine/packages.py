"""The installed packages that a call used though no import statement names them, with their versions.

A module may be imported by a name that is worked out, or by a package that does not say that it needs it; and a
component may ask for the version of a package. The keys of components hold none of these.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution
from typing import Any

from relet.core.installed import Distributions, normalized_name
from relet.core.lookups import NOT_INSTALLED, PACKAGE_MARK
from relet.engine.ahead import NEUTRAL

# Words with which source gets at modules that it does not import by a statement.
_BY_NAME = re.compile(rb"\b(?:import_module|__import__|exec|eval|resolve_name|locate|sys\.modules)\b")
# Methods of tables that take a package, and import it themselves.
_BY_METHOD = {b"to_pandas(": "pandas", b"to_polars(": "polars", b"to_arrow(": "pyarrow"}


@contextmanager
def watch_versions() -> Iterator[dict[str, None]]:
    """Note the distributions that are asked for by their names, with `importlib.metadata`."""
    asked: dict[str, None] = {}
    own = Distribution.__dict__["discover"]

    def discover(cls: Any, /, **wanted: Any) -> Any:
        name = getattr(wanted.get("context"), "name", None) or wanted.get("name")
        if isinstance(name, str):
            asked[name] = None
        return own.__get__(None, cls)(**wanted)

    Distribution.discover = classmethod(discover)  # type: ignore[method-assign, assignment]
    try:
        yield asked
    finally:
        Distribution.discover = own  # type: ignore[method-assign]


def packages_used(asked: Iterable[str], before: Collection[str], sources: Iterable[bytes]) -> dict[str, str]:
    """The distributions that a call used, as records call them → their versions.

    `asked` are those whose versions it asked for, `before` the modules that were loaded before it, `sources` its
    first-party code. What relet imports ahead of calls counts where the code may have got at it by name.
    """
    new = [name for name in list(sys.modules) if name not in before and not _is_known(name)]
    by_name = list(_modules_by_name(sources))
    if not (new or by_name or asked):
        return {}
    installed = Distributions.installed()
    folders = {f"{info.parent}{os.sep}" for _, info in installed.found.values()}
    modules = {*by_name, *_modules_in(tuple(folders), new)}
    owners = {owner for module in modules for owner in installed.owners(module)}
    names = sorted({*map(normalized_name, asked), *owners} - {"relet"})
    return {f"{PACKAGE_MARK}{name}": installed.version(name) or NOT_INSTALLED for name in names}


def _is_known(module: str) -> bool:
    """Whether a module is relet's, the standard library's, or of a package that relet imports ahead."""
    top = module.partition(".")[0]
    return top == "relet" or top in NEUTRAL or top in sys.stdlib_module_names


def _modules_in(folders: tuple[str, ...], names: Iterable[str]) -> Iterator[str]:
    """The loaded modules that lie below `folders`, by the names that tell which distribution has them.

    Of a package that several distributions fill, these are the modules in it.
    """
    for name in names:
        origin = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None)
        if isinstance(origin, str) and origin.startswith(folders):
            top = name.partition(".")[0]
            yield top if getattr(sys.modules.get(top), "__file__", None) else name


def _modules_by_name(sources: Iterable[bytes]) -> Iterator[str]:
    for source in sources:
        if _BY_NAME.search(source):
            yield from NEUTRAL
        yield from (name for method, name in _BY_METHOD.items() if method in source)
