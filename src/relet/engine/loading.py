"""Loads the function of a component, and hides the code of the others while it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relet.core.component import Component
from relet.project.importing import import_code

# The folder of a project → the names of loaded modules that do not belong to the project.
_foreign: dict[Path, set[str]] = {}


def function_of(
    component: Component, root: Path, code: Mapping[str, str], arguments: Mapping[str, Any]
) -> Callable[..., Any]:
    """The component's function, from source that has the digests in `code` (module → digest).

    The modules that its arguments name, and those that define its groups, are imported as well. A module that was
    edited since this process imported it is imported again; raises EditedError where relet itself was edited.
    """
    modules = import_code((component.module, *component.modules(arguments)), root, code)
    return getattr(modules[component.module], component.name)  # type: ignore[no-any-return]


@contextmanager
def only_closure(root: Path, code: Mapping[str, str]) -> Iterator[None]:
    """Hide the first-party modules that are not in a component's closure while it is called.

    A component that imports such a module all the same then reads its file, which is seen and becomes a caveat,
    even where another component has imported the module. Afterwards the hidden modules come back, and those that
    were loaded meanwhile are dropped.
    """
    hidden = {name: sys.modules.pop(name) for name in _modules_outside(root, code)}
    try:
        yield
    finally:
        for name in _modules_outside(root, code):
            del sys.modules[name]
        sys.modules.update(hidden)


def _modules_outside(root: Path, code: Mapping[str, str]) -> list[str]:
    """The first-party modules that are loaded and not in the closure. Each foreign name is looked at once."""
    foreign = _foreign.setdefault(root, set())
    below, environment = f"{root}{os.sep}", f"{sys.prefix}{os.sep}"
    outside = []
    for name in sys.modules.keys() - foreign:
        # From the namespace: to ask a lazy module for an attribute could import it.
        file = getattr(sys.modules.get(name), "__dict__", {}).get("__file__")
        own = isinstance(file, str) and file.startswith(below) and not file.startswith(environment)
        if not own or name.partition(".")[0] in ("relet", "__main__"):
            foreign.add(name)
        elif name not in code:
            outside.append(name)
    return outside
