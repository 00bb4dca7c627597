"""Imports a project's code: the one place that does, so that what runs is what the keys speak of."""

from __future__ import annotations

import os
import platform
import stat
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, all_suffixes
from importlib.util import spec_from_file_location
from itertools import takewhile
from pathlib import Path
from types import CodeType, ModuleType

from relet.core.lookups import IMPORT_ROOTS, MODULE_MARK, NO_MODULE, NOTHING
from relet.core.roots import roots_in_words
from relet.errors import EditedError
from relet.names import PACKAGE
from relet.project.telling import ToldFunctions, telling_tree, told_functions

# How OpenMP's threads wait for each other, read when a numeric library loads. With the default, active waiting, a
# fit takes ten times longer as soon as another process, such as a tracker's, needs a core.
WAIT = "PASSIVE"
# The allocator of Arrow's tables. Arrow's default keeps more freed memory: a run on 4.3 million rows needs a tenth
# more. It is set only where pyarrow is known to have jemalloc: elsewhere pyarrow would warn.
POOL = "jemalloc" if (sys.platform, platform.machine()) == ("linux", "x86_64") else None

# Where Python, the installed packages and relet itself lie.
_INSTALLED = tuple(
    f"{each}{os.sep}"
    for each in (*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), PACKAGE)
)
# The system's own, whatever `os.stat` is while a component is called.
_status = os.stat
# The SHA-256 of a source, the name of its file and what tells its calls → its code. A process that is forked off
# compiles nothing again.
_compiled: dict[tuple[str, str, ToldFunctions | None], CodeType] = {}


def set_library_defaults() -> None:
    """Set how the numeric libraries wait and allocate, before they load; what the user has set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", WAIT)
    if POOL:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", POOL)


@dataclass(frozen=True, kw_only=True)
class CodePlace:
    """A code tree that is laid out in `folder`; `home` is the project's folder, which it was read from.

    `digests` maps the tree's paths to the SHA-256 of their files, `modules` its modules to their paths. `roots`
    are folders that modules are imported from beside `folder`, relative to it.
    """

    folder: Path
    home: Path
    digests: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()

    def source(self, path: str) -> bytes:
        """A file of the tree. Raises EditedError where it is not what was laid out."""
        content = (self.folder / path).read_bytes()
        if sha256(content).hexdigest() != self.digests[path]:
            raise EditedError(f"{self.folder / path} was edited after relet laid it out; run again")
        return content

    def compile(self, path: str) -> None:
        """Compile a module, so that no process that is forked off has to."""
        with suppress(SyntaxError, ValueError, OSError, EditedError):  # an import reports it
            compiled(self.source(path), self.home / path)


def compiled(source: bytes, shown: Path, told: ToldFunctions | None = None) -> CodeType:
    """The code of a module; tracebacks and debuggers show `shown` as its file. `told` are functions that tell."""
    key = sha256(source).hexdigest(), str(shown), told
    if key not in _compiled:
        text = telling_tree(source, told) if told else source
        _compiled[key] = compile(text, str(shown), "exec", dont_inherit=True)
    return _compiled[key]


class _SourceLoader(SourceFileLoader):
    """Loads a module from the source that it is given: no byte code, nothing that was edited since.

    `texts` gets what somebody asks for as text: the loader's path → the source.
    """

    def __init__(
        self,
        name: str,
        path: str,
        source: bytes,
        *,
        shown: Path,
        texts: dict[str, bytes],
        told: ToldFunctions | None,
    ) -> None:
        super().__init__(name, path)
        self._source = source
        self._shown = shown
        self._texts = texts
        self._told = told

    def get_code(self, fullname: str) -> CodeType:
        return compiled(self._source, self._shown, self._told)

    def get_data(self, path: str) -> bytes:
        if path != self.path:
            return super().get_data(path)
        self._texts[path] = self._source
        return self._source


class FirstPartyFinder:
    """Finds first-party modules: those of a code tree, and any other on disk, digested as it is served.

    `modules` maps the modules that it serves from the tree to their paths. What is not in the closure `code`
    counts as `undeclared`: path → the source that was served. `lookups` are the modules that it was asked for and
    that are not there: place → what was there. `texts` are the modules whose source a loader was asked for: where
    it lies → the source. `path_before` is `sys.path` without what a component added. A function that a key leaves
    out (`code` is then that of the key) tells when it is called: `relet.project.telling`.
    """

    def __init__(self, place: CodePlace, modules: Mapping[str, str], code: Mapping[str, str]) -> None:
        self.place = place
        self.undeclared: dict[str, bytes] = {}
        self.lookups: dict[str, str] = {}
        self.texts: dict[str, bytes] = {}
        self.last = _LastFinder(self)
        self.path_before: tuple[str, ...] = ()
        self._modules, self._code = modules, frozenset(code)
        self._key = code
        self._sources = {path: place.source(path) for path in modules.values()}

    def declare(self, modules: Iterable[str]) -> None:
        """Count modules as declared from now on: something that the key speaks of holds their digests."""
        self._code |= {*modules}

    @property
    def names(self) -> Collection[str]:
        """The modules that it serves from the tree."""
        return self._modules.keys()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module with a file of its own."""
        if (known := self._modules.get(name)) is not None:
            source = self._sources[known]
            if name not in self._code and not name.startswith("relet."):
                self._note_undeclared(known, source)
                self._note_places_before(name, known)
            return self._spec(name, known, source)
        if name.startswith("relet."):
            # relet writes outputs and reads inputs with modules that the component's code does not name. The tree
            # holds none of them, though it may hold the package that they lie in.
            return PathFinder.find_spec(name, [str(PACKAGE.parent.joinpath(*name.split(".")[:-1]))])
        if name.partition(".")[0] in ("relet", *sys.builtin_module_names) or self.is_elsewhere(path):
            return None
        found = next(filter(self._is_file, self._places(name)), None)
        self._note_places_before(name, found)
        if found is None:
            self._note_added_folders(name)
            return None
        source = (self.place.folder / found).read_bytes()
        self.undeclared[found] = source
        return self._spec(name, found, source)

    def _note_undeclared(self, path: str, source: bytes) -> None:
        """Note a module that is served from the tree; a package's blank `__init__.py` is as good as none."""
        if source.strip() or not path.endswith("__init__.py"):
            self.undeclared[path] = source
        else:
            self.lookups[path] = NOTHING

    def is_elsewhere(self, folders: Sequence[str] | None) -> bool:
        """Whether the folders of a package, None for a module that lies in none, are not the project's."""
        below = (str(self.place.folder), str(self.place.home))
        return folders is not None and not any(str(each).startswith(below) for each in folders)

    def _places(self, name: str) -> Iterator[str]:
        """The files that a module may lie in, those first that are imported first."""
        # in the project's folder first, then in its roots
        for root in ("", *(f"{each}/" for each in self.place.roots)):
            base = f"{root}{name.replace('.', '/')}"
            yield from (f"{base}/__init__.py", f"{base}.py")

    def _note_places_before(self, name: str, found: str | None) -> None:
        """Note the files that are not there, and would be imported in place of the one that was found."""
        places = list(self._places(name))
        if found is None:
            self._note_no_file(name, places)
        elif found in places:
            before = list(takewhile(lambda place: place != found, places))
            self.lookups |= dict.fromkeys(before[1::2], NOTHING)
            # As a module, not as a file: beside a module even a blank package counts.
            self.lookups |= {each.removesuffix(".py"): NO_MODULE for each in before[::2]}
            if found not in places[:2]:
                self.note_roots()

    def _note_no_file(self, name: str, places: Sequence[str]) -> None:
        """Note that a package has no `__init__.py`; the key says of one around a step that it is no module."""
        folders = [each for each in places if self._mode(str(Path(each).parent)) and each.endswith("/__init__.py")]
        if any(each.startswith(f"{name}.") for each in self._code):
            self.lookups |= dict.fromkeys(folders, NOTHING)
        elif folders:
            self.lookups |= dict.fromkeys(places, NOTHING)
            self.note_roots()

    def note_roots(self) -> None:
        """Note which folders modules are imported from: another one may hold the module that was asked for."""
        self.lookups[IMPORT_ROOTS] = roots_in_words(self.place.roots)

    def _note_added_folders(self, name: str) -> None:
        """Note that a module is not in the folders of the project that a component put on the path."""
        folder = name.replace(".", "/")
        for entry in (os.path.abspath(each) for each in sys.path if each not in self.path_before):  # noqa: PTH100
            own = next((at for at in (self.place.folder, self.place.home) if Path(entry).is_relative_to(at)), None)
            if own is None:
                continue
            base = (Path(entry).relative_to(own) / folder).as_posix()
            if self._mode(base) is not None or any(self._is_file(base + each) for each in all_suffixes()):
                break
            self.lookups[base] = NO_MODULE

    def _is_file(self, path: str) -> bool:
        return stat.S_ISREG(self._mode(path) or 0)

    def _mode(self, path: str) -> int | None:
        try:
            return _status(self.place.folder / path).st_mode
        except (OSError, ValueError):
            return None

    def _spec(self, name: str, path: str, source: bytes) -> ModuleSpec | None:
        place = str(self.place.folder / path)
        told = told_functions(name, place, self._key)
        loader = _SourceLoader(name, place, source, shown=self.place.home / path, texts=self.texts, told=told)
        locations = [str(Path(place).parent)] if path.endswith("__init__.py") else None
        return spec_from_file_location(name, place, loader=loader, submodule_search_locations=locations)


class _LastFinder:
    """Is asked for the modules that no other finder finds, and notes that they are not there."""

    def __init__(self, first: FirstPartyFinder) -> None:
        self._first = first

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if not name.startswith("relet.") and not self._first.is_elsewhere(path):
            bases = ("", *(f"{root}/" for root in self._first.place.roots))
            self._first.lookups |= {f"{each}{name.replace('.', '/')}": NO_MODULE for each in bases}
            self._first.note_roots()
            if "." not in name and name not in sys.stdlib_module_names:
                self._first.lookups[f"{MODULE_MARK}{name}"] = NO_MODULE


@contextmanager
def importing(finder: FirstPartyFinder) -> Iterator[None]:
    """Import first-party modules by `finder`, anew; afterwards they are gone, and those from before come back.

    The finder's folders are on `sys.path`, too: for folders without `__init__.py`, and for the processes that a
    component starts.
    """
    set_library_defaults()
    # A module of the project may have the name of one that this process has loaded, such as `queue`.
    named = [name for name in finder.names if name in sys.modules and not name.startswith("relet.")]
    before = {name: sys.modules.pop(name) for name in dict.fromkeys((*_first_party(finder), *named))}
    path = sys.path.copy()
    place = finder.place
    sys.path[:0] = [str(place.folder), *(str(place.folder / each) for each in place.roots)]
    finder.path_before = tuple(sys.path)
    sys.meta_path[:] = [finder, *sys.meta_path, finder.last]
    try:
        with _without_byte_code(place):
            yield
    finally:
        sys.meta_path[:] = [each for each in sys.meta_path if each not in (finder, finder.last)]
        sys.path[:] = path
        for name in _first_party(finder):
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def _without_byte_code(place: CodePlace) -> Iterator[None]:
    """Load files of the project from their source alone, whoever loads them: no byte code is read or written.

    Python trusts byte code whose source was as long and as old, in seconds, as the file is now.
    """
    folders = (place.folder, place.home, place.folder.resolve(), place.home.resolve())
    own = tuple(f"{each}{os.sep}" for each in folders)
    replaced, plain = vars(SourceFileLoader).get("get_code"), SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        path = os.path.abspath(loader.path)  # noqa: PTH100
        is_own = not path.startswith(_INSTALLED) and (
            path.startswith(own) or os.path.realpath(path).startswith(own)
        )
        return loader.source_to_code(loader.get_data(path), path) if is_own else plain(loader, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        if replaced:
            SourceFileLoader.get_code = replaced  # type: ignore[method-assign]
        else:
            del SourceFileLoader.get_code


def _first_party(finder: FirstPartyFinder) -> list[str]:
    """The loaded modules that lie below the finder's folder, or below the project's; none of relet's."""
    below = (f"{finder.place.folder}{os.sep}", f"{finder.place.home}{os.sep}")
    environment = f"{sys.prefix}{os.sep}"
    found = []
    for name, module in list(sys.modules.items()):
        # From the namespace: to ask a lazy module for an attribute could import it.
        about = getattr(module, "__dict__", {})
        places = [about.get("__file__") or "", *_folders_of(about.get("__spec__"))]
        own = any(str(each).startswith(below) and not str(each).startswith(environment) for each in places)
        if own and name.partition(".")[0] not in ("relet", "__main__"):
            found.append(name)
    return found


def _folders_of(spec: ModuleSpec | None) -> list[str]:
    """The folders of a package without `__init__.py`."""
    return list(getattr(spec, "submodule_search_locations", None) or ()) if getattr(spec, "loader", 0) else []


def import_code(names: Iterable[str]) -> dict[str, ModuleType]:
    """Modules by their names, within `importing`."""
    return {name: import_module(name) for name in names}
