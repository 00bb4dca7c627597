"""From a component's description to its function: the one place that imports a pipeline's code."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from relet.core.component import Component
from relet.errors import EditedError

# How OpenMP's threads wait for each other, read when a numeric library loads. Waiting actively, which is the
# default, makes a fit ten times slower as soon as another process wants a core: the tracker's, for one.
WAIT = "PASSIVE"
# What hands out the memory of Arrow's tables. Its own default keeps more of what was freed: a run on 4.3 million
# rows needs a tenth more. Only where pyarrow is known to bring the other one: it warns where it does not.
POOL = "jemalloc" if (sys.platform, platform.machine()) == ("linux", "x86_64") else None

# What each module's digest was when this process imported it.
_imported: dict[str, str] = {}
# The names of loaded modules that are none of a project's own.
_foreign: dict[Path, set[str]] = {}


def set_library_defaults() -> None:
    """Tell the numeric libraries, before they load, how to wait and where to get memory; a user's word counts."""
    os.environ.setdefault("OMP_WAIT_POLICY", WAIT)
    if POOL:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", POOL)


def function_of(
    component: Component, root: Path, code: Mapping[str, str], arguments: Mapping[str, Any]
) -> Callable[..., Any]:
    """The component's function, from source that has the digests in `code` (module → digest).

    The modules that its arguments name are imported as well.

    In a notebook a module may have been edited since it was imported: it is imported anew, since its key
    speaks of the edited one. Raises EditedError where relet itself was edited.
    """
    _forget_edited(code)
    set_library_defaults()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = import_module(component.module)
    for name in component.modules(arguments):
        import_module(name)
    _imported.update({name: digest for name, digest in code.items() if name in sys.modules})
    return getattr(module, component.name)  # type: ignore[no-any-return]


def _forget_edited(code: Mapping[str, str]) -> None:
    edited = [name for name, digest in code.items() if _imported.get(name, digest) != digest]
    for name in edited:
        if name.startswith("relet."):
            raise EditedError(f"{name} was edited after this process imported it; start Python again")
    unknown = [name for name in code if name in sys.modules and name not in _imported]
    if edited or any(not name.startswith("relet.") for name in unknown):
        for name in code:
            if not name.startswith("relet."):
                sys.modules.pop(name, None)
                _imported.pop(name, None)


@contextmanager
def only_closure(root: Path, code: Mapping[str, str]) -> Iterator[None]:
    """Hide the first-party modules that are not in a component's closure while it is called.

    One that it imports all the same is then read from its file, which is seen, rather than found in memory
    because another component needed it. What was hidden comes back, and what it loaded goes.
    """
    hidden = {name: sys.modules.pop(name) for name in _modules_outside(root, code)}
    try:
        yield
    finally:
        for name in _modules_outside(root, code):
            del sys.modules[name]
        sys.modules.update(hidden)


def _modules_outside(root: Path, code: Mapping[str, str]) -> list[str]:
    """The first-party modules that are loaded and not in the closure. Each name is looked at once for a root."""
    foreign = _foreign.setdefault(root, set())
    below, environment = f"{root}{os.sep}", f"{sys.prefix}{os.sep}"
    found = []
    for name in sys.modules.keys() - foreign:
        # out of its namespace: asking a lazy module for an attribute could import it
        file = getattr(sys.modules.get(name), "__dict__", {}).get("__file__")
        own = isinstance(file, str) and file.startswith(below) and not file.startswith(environment)
        if not own or name.partition(".")[0] in ("relet", "__main__"):
            foreign.add(name)
        elif name not in code:
            found.append(name)
    return found
