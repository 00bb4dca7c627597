"""The code that a component can reach: of each module the rest, and the functions whose names are said.

A function runs only if somebody gets at it. Who gets at it says its name, unless it works names out
(`relet.core.naming`): then all modules count as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relet.core.code import CodeClosure, FirstPartyCode, ModuleSummary, counts_as_code, with_parents
from relet.core.definitions import EXISTS, CodePart
from relet.core.naming import OWN_NAME, STAR


@dataclass(frozen=True, kw_only=True)
class CodeStart:
    """Where a component's code begins.

    `modules` are its module and those that its parameters name; `words` are its function's name and whatever else
    says names, and `texts` are dotted names in it. `scripts` are the modules of resources: all of their functions
    count, and they are no part of the code themselves. A module that `is_whole` counts as it is, with all that it
    imports.
    """

    modules: tuple[str, ...]
    words: Collection[str]
    texts: Collection[str] = ()
    scripts: tuple[str, ...] = ()
    is_whole: Callable[[str], bool] = lambda module: False


def reached_code(code: FirstPartyCode, start: CodeStart) -> CodeClosure:
    """The code that is reached from a start: modules and functions with their digests, and third parties."""
    reach = _Reach(code, start)
    reach.follow()
    if reach.names_freely or reach.hands_on_a_module():
        return _whole_closure(code, start)
    read = set(start.scripts) - set(start.modules)
    found = {name: digest for name, digest in reach.digests().items() if name.partition(":")[0] not in read}
    return CodeClosure(modules=dict(sorted(found.items())), third_party=frozenset(reach.third_party))


def _whole_closure(code: FirstPartyCode, start: CodeStart) -> CodeClosure:
    modules: dict[str, str] = {}
    third_party: set[str] = set()
    for module in (*start.modules, *start.scripts):
        closure = code.closure(module)
        third_party |= closure.third_party
        own = module if module in start.scripts else None
        modules |= {name: digest for name, digest in closure.modules.items() if name != own}
    return CodeClosure(modules=dict(sorted(modules.items())), third_party=frozenset(third_party))


@dataclass
class _Reach:
    """What is reached so far.

    `modules` maps each module to the names of its definitions that count; `waiting` are modules to come. `unsaid`
    are definitions whose names nobody has said yet: name → where they stand. `imported` maps each module to the
    names that are imported from it.
    """

    code: FirstPartyCode
    start: CodeStart
    words: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    modules: dict[str, set[str]] = field(default_factory=dict)
    summaries: dict[str, ModuleSummary] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    third_party: set[str] = field(default_factory=set)
    bound: list[tuple[str, str]] = field(default_factory=list)
    names_freely: bool = False
    waiting: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    unsaid: dict[str, list[tuple[str, CodePart]]] = field(default_factory=dict)
    imported: dict[str, set[str]] = field(default_factory=dict)

    def follow(self) -> None:
        """Read modules and functions until nothing new is said and imported."""
        self._say(self.start.words)
        self.values.update(self.start.texts)
        self._wait_for((*self.start.modules, *self.start.scripts))
        while self.waiting:
            name = self.waiting.pop()
            path = self.code.find(name)
            if path is None:
                if name.partition(".")[0] not in sys.stdlib_module_names:
                    self.third_party.add(name)
            elif counts_as_code(name) and not path.is_dir():
                self._read_module(name, path)

    def _wait_for(self, modules: Iterable[str]) -> None:
        for module in modules:
            if module not in self.seen:
                self.seen.add(module)
                self.waiting.append(module)

    def _read_module(self, name: str, path: Path) -> None:
        summary = self.summaries[name] = self.code.summary(name, path)
        self.modules[name] = set()
        if (parts := summary.parts) is None:
            self._note_members(summary.imports)
            self._wait_for(self.code.imported(name, summary.imports))
            return
        if name not in self.whole and self.start.is_whole(name):
            self._take_whole(self.code.closure(name).modules)
        self.bound.extend(parts.bound)
        self._read_part(f"{name}:", parts.rest)
        for function, part in parts.definitions.items():
            if function in self.words or name in self.whole or name in self.start.scripts:
                self._hold(name, function, part)
            else:
                self.unsaid.setdefault(function, []).append((name, part))

    def _take_whole(self, modules: Iterable[str]) -> None:
        """Count modules as they are; what of them was left out so far counts now."""
        self.whole |= set(modules)
        for function, places in list(self.unsaid.items()):
            for module, part in [each for each in places if each[0] in self.whole]:
                places.remove((module, part))
                self._hold(module, function, part)

    def _hold(self, module: str, function: str, part: CodePart) -> None:
        self.modules[module].add(function)
        self._read_part(f"{module}:{function}", part)

    def _read_part(self, name: str, part: CodePart) -> None:
        self.names_freely |= part.names_freely
        own = name.partition(":")[0]
        self.values.update(own if each == OWN_NAME else each for each in part.values)
        self._note_members(part.imports)
        self._wait_for(self.code.imported(name, part.imports))
        self._say(part.words)

    def _note_members(self, imports: Iterable[tuple[str, str | None]]) -> None:
        for module, member in imports:
            if member:
                self.imported.setdefault(module, set()).add(member)

    def _note_members_behind_stars(self) -> None:
        """What is imported from a module that imports all names of another may be that one's."""
        waiting = list(self.imported)
        while waiting:
            name = waiting.pop()
            parts = self.summaries[name].parts if name in self.summaries else None
            for module in parts.stars if parts else ():
                known = self.imported.setdefault(module, set())
                if new := self.imported[name] - known:
                    known |= new
                    waiting.append(module)

    def _say(self, words: Collection[str]) -> None:
        new = set(words) - self.words
        self.words |= new
        for function in new & self.unsaid.keys():
            for module, part in self.unsaid.pop(function):
                self._hold(module, function, part)

    def hands_on_a_module(self) -> bool:
        """Whether what is reached uses a module, or a package around one, as a value."""
        own = {name for module in self.modules if not module.startswith("relet.") for name in with_parents(module)}
        names = {name for name, full in self.bound if full in own}
        meant = (each for value in self.values for each in self._meanings(value))
        parts = (each.rpartition(".") for each in meant)
        # a module may lead to another one that it has imported itself
        return any(
            f"{around}{dot}{last}" in own or (around in own and last in names) for around, dot, last in parts
        )

    def _meanings(self, value: str) -> Iterator[str]:
        """The dotted names that a value may have: an import of all names may have bound it."""
        if not value.startswith(f"{STAR}."):
            yield value
            return
        first, dot, others = value.removeprefix(f"{STAR}.").partition(".")
        yield from (f"{full}{dot}{others}" for name, full in self.bound if name == first)

    def digests(self) -> dict[str, str]:
        """The digests of what is reached, as a key has them."""
        found: dict[str, str] = {}
        self._note_members_behind_stars()
        for name, held in self.modules.items():
            summary = self.summaries[name]
            if (parts := summary.parts) is None or parts.is_whole or name in self.whole:
                found[name] = summary.digest
            else:
                there = self.imported.get(name, set()) & parts.definitions.keys() - held
                found[name] = parts.rest_digest(held | there)
                found |= {f"{name}:{each}": parts.definitions[each].digest for each in held}
                found |= {f"{name}:{each}": EXISTS for each in there}
        return found
