"""Loads the function of a component: the one place that imports a pipeline's code."""

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

# How OpenMP's threads wait for each other, read when a numeric library loads. With the default, active waiting, a
# fit takes ten times longer as soon as another process, such as a tracker's, needs a core.
WAIT = "PASSIVE"
# The allocator of Arrow's tables. Arrow's default keeps more freed memory: a run on 4.3 million rows needs a tenth
# more. It is set only where pyarrow is known to have jemalloc: elsewhere pyarrow would warn.
POOL = "jemalloc" if (sys.platform, platform.machine()) == ("linux", "x86_64") else None

# Module → its digest when this process imported it.
_imported: dict[str, str] = {}
# The folder of a project → the names of loaded modules that do not belong to the project.
_foreign: dict[Path, set[str]] = {}


def set_library_defaults() -> None:
    """Set how the numeric libraries wait and allocate, before they load; what the user has set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", WAIT)
    if POOL:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", POOL)


def function_of(
    component: Component, root: Path, code: Mapping[str, str], arguments: Mapping[str, Any]
) -> Callable[..., Any]:
    """The component's function, from source that has the digests in `code` (module → digest).

    The modules that its arguments name are imported as well.

    In a notebook a module may have been edited since it was imported: it is imported again, so that what runs is
    what the key speaks of. Raises EditedError where relet itself was edited.
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
