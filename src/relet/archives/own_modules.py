"""Import modules of a project in a process that relet has not laid the project's code out for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from threading import RLock
from types import CodeType, ModuleType

from relet.core.code import FirstPartyCode

# Modules of the process are exchanged meanwhile.
_import_lock = RLock()


class _ReadSourceLoader(SourceFileLoader):
    """Loads a module from a source that was read before: what was digested is what runs."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class ProjectModules:
    """The modules of a project, imported apart from those of the same names that the process has.

    What a module imports later, within a function, is found as well, unless the process has another one by then.
    """

    def __init__(self, code: FirstPartyCode) -> None:
        self._code = code
        self._modules: dict[str, ModuleType] = {}
        self._importing = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the project, which Python asks for."""
        if not self._importing and not self._is_imported_later(name):
            return None
        found = self._code.find(name) if self._is_own(name) else None
        if found is None:
            return None
        if found.is_dir():
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(found)]
            return spec
        loader = _ReadSourceLoader(name, str(found), self._code.content(found))
        inside = [str(found.parent)] if found.name == "__init__.py" else None
        return spec_from_file_location(name, found, loader=loader, submodule_search_locations=inside)

    def imported(self, module: str) -> ModuleType:
        """A module of the project. Raises whatever the module raises."""
        with _import_lock, self._in_place():
            return import_module(module)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        before = {name: sys.modules.pop(name) for name in list(sys.modules) if self._is_own(name)}
        sys.modules.update(self._modules)
        # it stays there, for what the modules import later
        sys.meta_path[:] = [self, *(each for each in sys.meta_path if each is not self)]
        self._importing = True
        try:
            yield
        finally:
            self._importing = False
            self._modules = {name: each for name, each in list(sys.modules.items()) if self._is_own(name)}
            sys.modules.update(before)

    def _is_imported_later(self, name: str) -> bool:
        """Whether a module lies in a package that was imported from here, or in none and nowhere else."""
        parent = name.rpartition(".")[0]
        if parent:
            return parent in self._modules and sys.modules.get(parent) is self._modules[parent]
        return self._is_own(name) and bool(self._modules) and PathFinder.find_spec(name) is None

    def _is_own(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top in ("relet", "__main__") or top in sys.stdlib_module_names:
            return False
        return self._code.find(top) is not None
