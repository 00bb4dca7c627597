"""Imports a project's code: the one place that does, so that what runs is what the keys speak of."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from relet.errors import EditedError

# How OpenMP's threads wait for each other, read when a numeric library loads. With the default, active waiting, a
# fit takes ten times longer as soon as another process, such as a tracker's, needs a core.
WAIT = "PASSIVE"
# The allocator of Arrow's tables. Arrow's default keeps more freed memory: a run on 4.3 million rows needs a tenth
# more. It is set only where pyarrow is known to have jemalloc: elsewhere pyarrow would warn.
POOL = "jemalloc" if (sys.platform, platform.machine()) == ("linux", "x86_64") else None

# Module → its digest when this process imported it.
_imported: dict[str, str] = {}


def set_library_defaults() -> None:
    """Set how the numeric libraries wait and allocate, before they load; what the user has set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", WAIT)
    if POOL:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", POOL)


def import_code(names: Iterable[str], root: Path, code: Mapping[str, str]) -> dict[str, ModuleType]:
    """Modules by their names, from source that has the digests in `code` (module → digest).

    In a notebook a module may have been edited since it was imported: it is imported again, so that what runs is
    what the key speaks of. Raises EditedError where relet itself was edited.
    """
    _forget_edited(code)
    set_library_defaults()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    found = {name: import_module(name) for name in names}
    _imported.update({name: digest for name, digest in code.items() if name in sys.modules})
    return found


def _forget_edited(code: Mapping[str, str]) -> None:
    edited = [name for name, digest in code.items() if _imported.get(name, digest) != digest]
    for name in edited:
        if name.startswith("relet."):
            raise EditedError(f"{name} was edited after this process imported it; start Python again")
    unknown = [name for name in code if name in sys.modules and name not in _imported]
    if edited or any(not name.startswith("relet.") for name in unknown):
        # Modules outside of this closure go, too: they may hold what an edited one defined before.
        for name in {*code, *_imported}:
            if not name.startswith("relet."):
                sys.modules.pop(name, None)
                _imported.pop(name, None)
