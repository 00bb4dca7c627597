"""Packages that are imported ahead of calls are set aside for a call, and come back when something imports them.

A call finds the modules loaded that it would find had nothing been imported ahead. So nothing takes such a package
unseen: by a statement, by a name that is worked out, from `sys.modules`, or in a package's own code.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class PreloadedPackages:
    """The packages that this process has imported ahead, by the names of their top modules.

    It is a finder that stands first. While a package is imported ahead, it notes what other packages that one
    imports, and which are missing. In a call it notes which of them are `asked` for, and which other modules are
    `sought`: they may be loaded, or be found and not loaded, or not be there.
    """

    def __init__(self) -> None:
        self.asked: dict[str, None] = {}
        self.sought: dict[str, None] = {}
        self._needed: dict[str, set[str]] = {}
        self._missing: dict[str, set[str]] = {}
        self._aside: dict[str, dict[str, ModuleType]] = {}
        self._loading: list[str] = []
        self._ahead: set[str] = set()
        self._others: set[str] = set()

    def install(self) -> None:
        """Stand first among the finders."""
        sys.meta_path.insert(0, self)

    def import_ahead(self, name: str) -> None:
        if name in sys.modules:
            return
        self._note_others()
        try:
            with self._loading_of(_top(name)):
                import_module(name)
        finally:
            self._ahead |= {*map(_top, sys.modules)} - self._others

    def begin_call(self) -> None:
        """Set aside what was imported ahead. What was asked for until now, nothing in the call did."""
        self._note_others()
        self._set_aside(())
        self.asked.clear()
        self.sought.clear()

    def _note_others(self) -> None:
        """Note what this process has loaded for itself, such as what shows it another clock: that stays."""
        self._others |= {*map(_top, sys.modules)} - self._ahead

    @property
    def missing(self) -> set[str]:
        """The modules that those which are `asked` for imported ahead in vain."""
        return set[str]().union(*(self._missing.get(each, ()) for each in self.asked))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that is set aside; while packages are imported ahead, of any of theirs."""
        if name in self._aside:
            self._note(name)
            return self._spec_set_aside(name)
        if _top(name) in self._others or _top(name) in sys.stdlib_module_names:
            return None
        if not self._loading:
            self.sought |= {} if "." in name else {name: None}
            return None
        spec: ModuleSpec | None = _spec_of_others(self, name, path, target)
        if spec is None:
            if "." not in name:
                self._missing.setdefault(self._loading[-1], set()).add(name)
        else:
            self._note(_top(name))
            if hasattr(spec.loader, "exec_module"):
                spec.loader = _TracedLoader(spec.loader, self)  # type: ignore[assignment]
        return spec

    def _note(self, top: str) -> None:
        if self._loading:
            self._needed.setdefault(self._loading[-1], set()).add(top)
        else:
            self.asked |= dict.fromkeys(self._with_needed(top))

    def _with_needed(self, top: str) -> list[str]:
        """A package, and those that it imported when it was imported ahead, with what these imported."""
        found = {top: None}
        waiting = [top]
        while waiting:
            new = self._needed.get(waiting.pop(), set()) - found.keys()
            found |= dict.fromkeys(sorted(new))
            waiting += new
        return list(found)

    def _spec_set_aside(self, name: str) -> ModuleSpec | None:
        own = self._aside[name][name].__spec__
        if own is None:
            self.bring_back([name])
            return None
        spec = copy(own)
        spec.loader = _LoadedAhead(own, self._aside[name][name], self)  # type: ignore[assignment]
        return spec

    def bring_back(self, tops: Iterable[str]) -> None:
        """Load packages again that were set aside, with those that they need."""
        for top in (each for name in tops for each in self._with_needed(name)):
            sys.modules.update(self._aside.pop(top, {}))

    def _set_aside(self, kept: Collection[str]) -> set[str]:
        """Take the packages out of the loaded modules but for those that are `kept`; which they were."""
        aside: dict[str, dict[str, ModuleType]] = {}
        passed = self._others.union(sys.stdlib_module_names, kept)
        for name in list(sys.modules):
            if (top := _top(name)) not in passed:
                aside.setdefault(top, {})[name] = sys.modules.pop(name)
        complete = {top: modules for top, modules in aside.items() if top in modules}
        for top in aside.keys() - complete.keys():
            sys.modules.update(aside[top])
        self._aside |= complete
        return set(complete)

    @contextmanager
    def _loading_of(self, top: str) -> Iterator[None]:
        """What is asked for meanwhile, this package asks for: what others have loaded is set aside."""
        if self._loading[-1:] == [top]:
            yield
            return
        aside = self._set_aside((*self._loading, top))
        self._loading.append(top)
        try:
            yield
        finally:
            self._loading.pop()
            for each in aside:
                sys.modules.update(self._aside.pop(each, {}))


class _LoadedAhead:
    """The loader of a module that was imported ahead."""

    def __init__(self, spec: ModuleSpec, module: ModuleType, packages: PreloadedPackages) -> None:
        self._spec, self._module, self._packages = spec, module, packages

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._spec.loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        self._packages.bring_back([spec.name])
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


class _TracedLoader:
    """A loader that tells whose module is loaded, and that is gone once the module is there."""

    def __init__(self, loader: Any, packages: PreloadedPackages) -> None:
        self._loader, self._packages = loader, packages

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        create = getattr(self._loader, "create_module", None)
        with self._packages._loading_of(_top(spec.name)):
            return create(spec) if create else None

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        with self._packages._loading_of(_top(module.__name__)):
            self._loader.exec_module(module)


def _spec_of_others(own: object, name: str, path: Sequence[str] | None, target: ModuleType | None) -> Any:
    """What the finders behind this one find."""
    behind = sys.meta_path[sys.meta_path.index(own) + 1 :]  # type: ignore[arg-type]
    found = (finder.find_spec(name, path, target) for finder in behind)
    return next((spec for spec in found if spec is not None), None)


def _top(module: str) -> str:
    return module.partition(".")[0]


packages_ahead = PreloadedPackages()
