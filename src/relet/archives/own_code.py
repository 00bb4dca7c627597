"""The project's own classes in a model: which of them the project trusts, and whether their code is the same.

A model says by itself neither. A class is loaded only where the `pyproject.toml` of the project that loads it
names it under `[tool.relet] trust`, where a module below that project's folder defines it, and where the code that
made the model is the code that is there.
"""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from relet.archives.own_modules import ProjectModules
from relet.core.code import FirstPartyCode
from relet.core.roots import PROJECT_SETTING, project_code
from relet.errors import ModelError, SettingError
from relet.names import PACKAGE

DECLARATION = "pyproject.toml"
# How many digits of a digest a message shows.
_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The code of the project that models are written and loaded in.

    `root` is the project's folder as messages name it, and `declaration` its `pyproject.toml`. `imported` imports
    a module. What is read of the project meanwhile is read within `quietly`. `declare` is told the modules that a
    model needs.
    """

    root: Path
    declaration: Path
    code: FirstPartyCode
    imported: Callable[[str], ModuleType]
    quietly: Callable[[], AbstractContextManager[None]] = nullcontext
    declare: Callable[[Iterable[str]], None] = lambda names: None
    _known: dict[str, type[Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, root: Path) -> OwnCode:
        """The code of the project in a folder, as it is now. Its modules are imported from what was read."""
        code, _ = project_code(root)
        return cls(root=root, declaration=root / DECLARATION, code=code, imported=ProjectModules(code).imported)

    def holds(self, module: str) -> bool:
        """Whether a file of the project holds a module; relet's own are not the project's."""
        top = module.partition(".")[0]
        if top in ("relet", "__main__") or not all(part.isidentifier() for part in module.split(".")):
            return False
        with self.quietly():
            path = self.code.find(module)
            return path is not None and path.is_file() and not path.is_relative_to(PACKAGE)

    @property
    def trust(self) -> tuple[str, ...]:
        """What `[tool.relet] trust` names. Raises SettingError for what is no list of such names."""
        found: tuple[str, ...] = self.code.once("trusted classes", self._declared_trust)
        return found

    def _declared_trust(self) -> tuple[str, ...]:
        with self.quietly():
            text = self.code.content(self.declaration).decode() if self.declaration.is_file() else ""
        try:
            named: Any = tomllib.loads(text).get("tool", {}).get("relet", {}).get("trust", [])
        except (ValueError, AttributeError, RecursionError) as error:
            raise SettingError(f"{self.root / DECLARATION} can't be read: {error}") from error
        if not isinstance(named, list) or not all(map(_is_pattern, named)):
            raise SettingError(
                f"[tool.relet] trust in {self.root / DECLARATION} must be a list of classes, such as "
                f"'mylib.blocks.Ratio', or of all classes of a module or package, 'mylib.blocks.*'; got {named!r}"
            )
        return tuple(named)

    def trusts(self, name: str) -> bool:
        """Whether the project's declaration names a class, by its full name."""
        return any(name == each or (each.endswith(".*") and name.startswith(each[:-1])) for each in self.trust)

    def may_trust(self, module: str) -> bool:
        """Whether the declaration names all classes of a module, or one that it may define."""
        return self.trusts(f"{module}.") or any(each.rpartition(".")[0] == module for each in self.trust)

    def refusal(self, name: str) -> str:
        """Why a class of the project is not trusted, and what to write where."""
        module = name.rpartition(".")[0]
        named = ", ".join(f'"{each}"' for each in (*self.trust, f"{module}.*"))
        return (
            f"{name} is of this project, and its code runs wherever the model is loaded; if that is meant, "
            f"write into {self.root / DECLARATION}, under [tool.relet]: trust = [{named}]"
        )

    def class_of(self, name: str) -> type[Any]:
        """A trusted class, imported. Raises ModelError unless a module of the project defines a class so named."""
        if name not in self._known:
            module, _, label = name.rpartition(".")
            if not self.trusts(name):
                raise ModelError(self.refusal(name))
            if not self.defines(name):
                raise ModelError(f"{name} is no class that a module of {self.root} defines")
            try:
                found = vars(self.imported(module)).get(label)
            except Exception as error:
                raise ModelError(f"{module} can't be imported: {type(error).__name__}: {error}") from error
            self._known[name] = _checked_class(found, module, label)
        return self._known[name]

    def function_of(self, name: str) -> Any:
        """A trusted function, imported. Raises ModelError unless a module of the project defines one so named."""
        module, _, label = name.rpartition(".")
        if not self.trusts(name) or not self.defines(name, ast.FunctionDef):
            raise ModelError(f"{name} is no function that {self.root} defines and trusts")
        found = vars(self.imported(module)).get(label)
        if not isfunction(found) or (found.__module__, found.__qualname__) != (module, label):
            raise ModelError(f"{name} is no function that {module} defines")
        return found

    def defines(self, name: str, kind: type[ast.stmt] = ast.ClassDef) -> bool:
        """Whether the source of a module of the project defines a class so named, outside of all functions.

        With `ast.FunctionDef` as `kind`, a function.
        """
        module, _, label = name.rpartition(".")
        if not self.holds(module):
            return False
        with self.quietly():
            path = self.code.find(module)
            return path is not None and label in _defined_names(self.code.tree(path).body, kind)

    def import_ahead(self, modules: Iterable[str]) -> None:
        """Read modules of the project with what they import, and import those in which a class may be trusted."""
        for module in filter(self.holds, modules):
            # an error of a module is told where a class of it is needed
            with suppress(Exception):
                self.closure([module])
                if self.may_trust(module):
                    self.imported(module)

    def closure(self, modules: Iterable[str]) -> dict[str, str]:
        """Modules of the project and all that they import, the project's and relet's, with their digests."""
        found: dict[str, str] = {}
        with self.quietly():
            for module in sorted(set(modules)):
                found |= self.code.closure(module).modules
        return dict(sorted(found.items()))

    def third_party(self, modules: Iterable[str]) -> set[str]:
        """The names of the packages that modules of the project, and what they import, import."""
        with self.quietly():
            named = {each for module in modules for each in self.code.closure(module).third_party}
        return {each.partition(".")[0] for each in named}

    def sources(self, modules: Iterable[str]) -> dict[str, str]:
        """The source of each of these modules that is the project's."""
        found = {}
        for module in modules:
            if self.holds(module):
                with self.quietly():
                    path = self.code.find(module)
                    found[module] = self.code.content(path).decode() if path else ""
        return found

    def check(self, modules: Iterable[str], recorded: Mapping[str, str]) -> None:
        """Raise ModelError unless modules of the project, and what they import, are those that made a model."""
        here = self.closure(modules)
        with self.quietly():
            others = [each for each in recorded if not each.startswith("relet.") and each not in here]
            here |= {each: digest for each in others if (digest := self.code.digest(each)) is not None}
        for module in sorted({*here, *others}, key=lambda name: (name not in recorded, name not in here, name)):
            was, now = recorded.get(module), here.get(module)
            if was != now:
                raise ModelError(
                    f"it was made with {_code_in_words(module, was)}, and {self.root} has "
                    f"{_code_in_words(module, now)}: its predictions would belong to neither; take the code that "
                    "made it (its source lies beside the model, in code.json), or train it again"
                )
        self.declare(here)


def _code_in_words(module: str, digest: str | None) -> str:
    return f"no {module}" if digest is None else f"the {module} of the digest {str(digest)[:_SHOWN]}"


def _is_pattern(value: Any) -> bool:
    """Whether a text is the full name of a class, or of a module with `.*` behind it."""
    if not isinstance(value, str):
        return False
    parts = value.removesuffix(".*").split(".")
    return all(part.isidentifier() for part in parts) and (value.endswith(".*") or len(parts) > 1)


def _defined_names(body: Iterable[ast.stmt], kind: type[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, kind):
            yield str(getattr(node, "name", ""))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from _defined_names(getattr(node, name, ()), kind)
            for handler in getattr(node, "handlers", ()):
                yield from _defined_names(handler.body, kind)


def _checked_class(found: Any, module: str, label: str) -> type[Any]:
    """A class whose objects are made of nothing but attributes, and that its module defines itself."""
    if not isinstance(found, type) or (found.__module__, found.__qualname__) != (module, label):
        raise ModelError(f"{module}.{label} is no class that {module} defines")
    try:
        object.__new__(found)
    except TypeError as error:
        raise ModelError(f"{module}.{label} is no class whose objects have attributes alone: {error}") from None
    return found


_of_context: ContextVar[OwnCode | None] = ContextVar("own code")
# That of the component which this process calls: it counts in the component's own threads as well.
_of_calls: list[OwnCode] = []


@contextmanager
def own_code_in_effect(own: OwnCode | None) -> Iterator[None]:
    """Write and load models with the code of a project; None stands for no project."""
    token = _of_context.set(own)
    try:
        yield
    finally:
        _of_context.reset(token)


@contextmanager
def own_code_of_call(own: OwnCode) -> Iterator[None]:
    """Write and load models with the code that a component is called with, in all threads of this process."""
    _of_calls.append(own)
    try:
        yield
    finally:
        _of_calls.remove(own)


def own_code() -> OwnCode | None:
    """The code of the project in effect, else of the one that `RELET_PROJECT` names; None where there is none."""
    try:
        return _of_context.get()
    except LookupError:
        pass
    if _of_calls:
        return _of_calls[-1]
    named = os.environ.get(PROJECT_SETTING)
    return OwnCode.of(Path(named).resolve()) if named else None


def needed_own_code(name: str) -> OwnCode:
    """The code of the project in effect. Raises ModelError where there is none; `name` is a class or a module."""
    if (own := own_code()) is None:
        raise ModelError(
            f"it needs {name}, which is code of a project: load it within that project, by relet.load in its "
            f"folder, or set {PROJECT_SETTING} to its folder"
        )
    return own
