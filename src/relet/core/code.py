"""The code that a component runs: its modules, each by the digest of its normal form, and what they import."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from relet.core.definitions import ModuleParts, module_parts
from relet.core.imports import imported_at_once, imports
from relet.core.normal_form import NestsTooDeepError, parse_source, tree_digest
from relet.errors import WiringError
from relet.names import EXPORTS, PACKAGE

# Of relet itself only the domain rooms are part of a component's code. The rooms that run a component do not
# change what the component computes.
DOMAIN_ROOMS = frozenset(
    (
        "data",
        "report",
        "checks",
        "segregation",
        "features",
        "archives",
        "training",
        "evaluation",
        "release",
        "serving",
    )
)

# Packages of which relet's own modules take hold where a value is theirs; relet does without them. They are no
# part of a key unless the project's code imports them: what a call uses of them is recorded with it. An estimator
# of relet's that is built on one of them needs it.
_FOR_THEIR_VALUES = frozenset(("catboost", "lightgbm", "matplotlib", "polars", "torch", "vl_convert", "xgboost"))
_NEEDING = "relet.training.estimators."

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class CodeClosure:
    """A module with all that it imports: first-party modules → their digests, and the names of third parties.

    Where a key may leave out definitions of a module, `modules` has the digest of its rest under its name, and
    those of the definitions that count under `module:name`.

    `third_party` holds the names as imports give them, with the names above and the members: "google",
    "google.protobuf", "google.protobuf.message", "google.protobuf.message.Message". Which of them are modules, the
    source does not say.
    """

    modules: Mapping[str, str]
    third_party: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ModuleSummary:
    """What a module's source says: the digest of its tree, and what it imports, as `imports` gives it.

    `at_once` are the modules that it imports when it is imported itself, not later in a function. `parts` are what
    a key may hold of it; None for relet's own modules, which are held as they are.
    """

    digest: str
    imports: tuple[tuple[str, str | None], ...]
    at_once: tuple[str, ...] = ()
    parts: ModuleParts | None = None


@dataclass(frozen=True)
class FirstPartyCode:
    """The first-party source below some roots, read once.

    A module is first-party when its file lies below one of `roots`; of relet, only the domain rooms are.
    `memory` holds the summaries of modules that were parsed before: equal source in an equal package is parsed
    once. Its keys are the digest of the source and the package; the summary that was asked for last comes last.
    """

    roots: tuple[Path, ...]
    memory: MutableMapping[str, ModuleSummary] = field(default_factory=dict, repr=False, compare=False)
    _contents: dict[Path, bytes] = field(default_factory=dict, repr=False, compare=False)
    _files: dict[str, Path | None] = field(default_factory=dict, repr=False, compare=False)
    _folders: dict[str, Mapping[str, bool]] = field(default_factory=dict, repr=False, compare=False)
    _imports: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    _read: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, name: str, read: Callable[[], Result]) -> Result:
        """What `read` made of this state of the code when it was first asked for by that name."""
        if name not in self._read:
            self._read[name] = read()
        found: Result = self._read[name]
        return found

    def tree(self, path: Path) -> ast.Module:
        """The tree of a Python file; a syntax error names the file and the line."""
        return parse_source(self.content(path), path)

    def content(self, path: Path) -> bytes:
        """The content of a file when it was first read: one plan sees one state of the code."""
        if path not in self._contents:
            self._contents[path] = path.read_bytes()
        return self._contents[path]

    @property
    def contents(self) -> Mapping[Path, bytes]:
        """Every file that was read so far, as it was then."""
        return self._contents

    @property
    def found(self) -> Mapping[str, Path]:
        """Every module that was found so far → its file, or the folder of a namespace package."""
        return {name: path for name, path in self._files.items() if path is not None}

    def file_digest(self, path: Path) -> str:
        """SHA-256 of a file's content when it was first read, in hex."""
        return self.once(f"digest of {path}", lambda: sha256(self.content(path)).hexdigest())

    def digest(self, module: str) -> str | None:
        """The digest of a first-party module's normal form; None where there is no such module."""
        path = self.find(module)
        return self.summary(module, path).digest if path and path.is_file() else None

    def summary(self, module: str, path: Path) -> ModuleSummary:
        """What the source of a module in a file says."""
        return self.once(f"summary of {module}", lambda: self._read_summary(module, path))

    def _read_summary(self, module: str, path: Path) -> ModuleSummary:
        source = self.content(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        key = f"{self.file_digest(path)} {package}"
        if (summary := self.memory.pop(key, None)) is None:
            # The tree is not kept: each collection of garbage would walk through all trees again.
            tree = parse_source(source, path)
            try:
                summary = ModuleSummary(
                    digest=tree_digest(tree),
                    imports=tuple(imports(tree, package)),
                    at_once=tuple(imported_at_once(tree)),
                    parts=module_parts(tree, package) if module.partition(".")[0] != "relet" else None,
                )
            except NestsTooDeepError as error:
                raise WiringError(f"{path}: {error.msg}") from None
        self.memory[key] = summary
        return summary

    def find(self, module: str) -> Path | None:
        """The file of a first-party module; for a namespace package its folder; None for any other."""
        if module not in self._files:
            self._files[module] = self._search(module)
        return self._files[module]

    def _search(self, module: str) -> Path | None:
        *parents, name = parts = module.split(".")
        for place, root in enumerate(self.roots):
            if place and root == PACKAGE.parent and parts[0] != "relet":
                continue  # where relet is installed its neighbours are third parties
            folder = str(root)
            for parent in parents:
                if not self._entries(folder).get(parent):
                    break
                folder = f"{folder}{os.sep}{parent}"
            else:
                entries = self._entries(folder)
                inside = f"{folder}{os.sep}{name}"
                if entries.get(name) and self._entries(inside).get("__init__.py") is False:
                    return Path(inside, "__init__.py")
                if entries.get(f"{name}.py") is False:
                    return Path(f"{inside}.py")
                if entries.get(name) and not _is_hidden(parts) and self._holds_python(inside):
                    return Path(inside)
        return None

    @property
    def hiding(self) -> tuple[str, ...]:
        """The modules below the roots that hide one of the standard library, which any package may import."""
        return self.once("hiding", lambda: tuple(sorted(self._hiding())))

    def _hiding(self) -> Iterator[str]:
        names = {name.removesuffix(".py") for root in self.roots for name in self._entries(str(root))}
        for name in names & sys.stdlib_module_names:
            if (path := self.find(name)) is not None and path.suffix == ".py":
                yield name

    def _holds_python(self, folder: str, depth: int = 6) -> bool:
        """Whether a folder can be a namespace package: one of data alone does not hide a package of its name.

        Folders are looked into down to a depth, for links may go round in a circle.
        """
        entries = self._entries(folder)
        if any(name.endswith((".py", ".so", ".pyd")) for name, is_folder in entries.items() if not is_folder):
            return True
        folders = [f"{folder}{os.sep}{name}" for name, is_folder in entries.items() if is_folder]
        return depth > 0 and any(self._holds_python(each, depth - 1) for each in folders)

    def _entries(self, folder: str) -> Mapping[str, bool]:
        """What lies in a folder, when it was first asked for: name → whether it is a folder."""
        if folder not in self._folders:
            try:
                with os.scandir(folder) as entries:
                    self._folders[folder] = {
                        each.name: each.is_dir() for each in entries if _leads_somewhere(each)
                    }
            except OSError:
                self._folders[folder] = {}
        return self._folders[folder]

    def closure(self, module: str) -> CodeClosure:
        """`module` and every first-party module that it imports, transitively, within functions too."""
        return self.once(f"closure of {module}", lambda: self._closure(module))

    def _closure(self, module: str) -> CodeClosure:
        digests: dict[str, str] = {}
        third_party: set[str] = set()
        waiting = [module]
        seen = {module}
        while waiting:
            name = waiting.pop()
            path = self.find(name)
            if path is None:
                if name.partition(".")[0] not in sys.stdlib_module_names:
                    third_party.add(name)
                continue
            if not counts_as_code(name) or path.is_dir():
                continue
            summary = self.summary(name, path)
            digests[name] = summary.digest
            for imported in self.imported(name, summary.imports):
                if imported not in seen:
                    seen.add(imported)
                    waiting.append(imported)
        return CodeClosure(modules=dict(sorted(digests.items())), third_party=frozenset(third_party))

    def packages_at_once(self, modules: Iterable[str]) -> Iterator[str]:
        """The modules of packages that some first-party modules import when they are imported themselves."""
        for module in modules:
            path = self.find(module)
            for name in self.summary(module, path).at_once if path else ():
                if self._is_third_party(name.partition(".")[0]):
                    yield name

    def imported(self, part: str, pairs: Iterable[tuple[str, str | None]]) -> tuple[str, ...]:
        """The names of the modules that these imports may import; `part` names the code that they stand in."""
        if part not in self._imports:
            names = dict.fromkeys(self._imported(pairs))
            if part.startswith("relet.") and not part.startswith(_NEEDING):
                names = {each: None for each in names if each.partition(".")[0] not in _FOR_THEIR_VALUES}
            self._imports[part] = tuple(names)
        return self._imports[part]

    def _imported(self, pairs: Iterable[tuple[str, str | None]]) -> Iterator[str]:
        for name, member in pairs:
            if name == "relet":
                yield from _relet_exports(member)
                continue
            yield from with_parents(name)
            if member and (self._is_third_party(name) or self.find(f"{name}.{member}") is not None):
                yield f"{name}.{member}"

    def _is_third_party(self, name: str) -> bool:
        return name.partition(".")[0] not in sys.stdlib_module_names and self.find(name) is None


def _leads_somewhere(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file or a folder; not so a link that leads nowhere, or round in a circle."""
    try:
        return entry.is_dir() or entry.is_file()
    except OSError:
        return False


def with_parents(name: str) -> Iterator[str]:
    """A module's name, and those of the packages around it."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])


def _relet_exports(member: str | None) -> Iterator[str]:
    home = EXPORTS.get(member or "", f"relet.{member}" if member else "relet")
    yield home


def counts_as_code(module: str) -> bool:
    """Whether a first-party module is part of a component's code: of relet only the domain rooms are."""
    parts = module.split(".")
    return parts[0] != "relet" or (len(parts) > 1 and parts[1] in DOMAIN_ROOMS)


def _is_hidden(parts: list[str]) -> bool:
    return any(part.startswith((".", "__")) for part in parts)
