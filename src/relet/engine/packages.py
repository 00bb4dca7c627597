"""The installed packages that a call used though no import statement names them, with their versions.

A module may be imported by a name that is worked out, or by a package that does not say that it needs it; and a
component may ask for the version of a package. The keys of components hold none of these.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution
from pathlib import Path
from types import FrameType
from typing import Any

from relet.core.installed import Distributions, normalized_name
from relet.core.lookups import ALL_PACKAGES, MODULE_MARK, PACKAGE_MARK
from relet.engine.ahead import NEUTRAL
from relet.engine.observing import outside_name, package_folders
from relet.engine.opened_files import digest_at
from relet.engine.preloaded import packages_ahead
from relet.project.importing import CodePlace
from relet.project.places import InstalledState

# Where the standard library lies; a folder of packages may lie in it.
_STANDARD = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
# What is installed, with the owners of what relet imports ahead, as the process knows it that is copied for calls.
_known: Distributions | None = None


def learn_owners() -> None:
    """Find out what is installed, so that no copy of this process has to."""
    global _known
    found = Distributions.installed()
    found.closure(NEUTRAL)
    _known = found


def _distributions_now() -> Distributions:
    found = Distributions.installed()
    return _known if _known is not None and _known.found == found.found else found


@contextmanager
def watch_versions() -> Iterator[dict[str, None]]:
    """Note the distributions that are asked for by their names, with `importlib.metadata`.

    `ALL_PACKAGES` stands for all of them, where the project's own code lists them. Packages do so to find plugins:
    with every package that is installed each step that uses them would run again.
    """
    asked: dict[str, None] = {}
    own = Distribution.__dict__["discover"]

    def discover(cls: Any, /, **wanted: Any) -> Any:
        name = getattr(wanted.get("context"), "name", None) or wanted.get("name")
        if isinstance(name, str):
            asked[name] = None
        elif _is_asked_by_project():
            asked[ALL_PACKAGES] = None
        return own.__get__(None, cls)(**wanted)

    Distribution.discover = classmethod(discover)  # type: ignore[method-assign, assignment]
    try:
        yield asked
    finally:
        Distribution.discover = own  # type: ignore[method-assign]


def _is_asked_by_project() -> bool:
    """Whether the code that lists what is installed is the project's, or a thread's, and nobody knows whose."""
    frame: FrameType | None = sys._getframe(2)
    while frame:
        file = frame.f_code.co_filename
        if package_folders() & {*Path(file).parents}:
            return False
        if not (file.startswith(("<", *_STANDARD)) or _is_relets(frame)):
            return True
        frame = frame.f_back
    return True


def _is_relets(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == "relet"


def packages_used(
    asked: Iterable[str], before: Collection[str], place: CodePlace, opened: Iterable[str] = ()
) -> dict[str, str]:
    """The distributions that a call used, and the modules of packages that were imported, as records call them.

    `asked` are the distributions whose versions it asked for, `before` the modules that were loaded before it,
    `place` the code of the project, `opened` the files that it opened in folders of packages. A distribution
    counts with those that it needs.
    """
    new = [name for name in list(sys.modules) if name not in before and not _is_known(name)]
    sought = [name for name in packages_ahead.sought if name not in sys.modules]
    ahead = [name for name in (*packages_ahead.asked, *sought) if not _is_known(name)]
    tops_opened = {top for each in opened if (top := _top_folder(Path(each))) and top.name not in sys.modules}
    if not (new or ahead or asked or tops_opened):
        return {}
    state = InstalledState(place.home, place.roots, _distributions_now)
    installed = state.distributions
    folders = {f"{info.parent}{os.sep}" for _, info in installed.found.values()}
    modules = {*ahead, *_modules_in(tuple(folders), new)}
    names = {each if each == ALL_PACKAGES else normalized_name(each) for each in asked}
    names |= installed.closure(modules).keys() | {each for top in tops_opened for each in installed.owners_of(top)}
    used = {f"{PACKAGE_MARK}{name}": state.version(name) for name in sorted(names - {"relet"})}
    tops = sorted({each.partition(".")[0] for each in (*modules, *packages_ahead.missing)})
    origins = {f"{MODULE_MARK}{name}": state.origin(name) for name in tops}
    # What the project has of that name is noted as any module of the project.
    own = tuple(f"in {place.home / root}" for root in ("", *place.roots))
    return used | {name: origin for name, origin in origins.items() if origin not in own}


def files_of_no_package(opened: Iterable[str]) -> dict[str, str]:
    """The opened files below folders of packages that no distribution has, by their names in records → SHA-256.

    Byte code counts as its source. What lies in a package's own folder counts as that package's.
    """
    files = dict.fromkeys(_source_at(Path(each)) for each in opened)
    installed = _distributions_now() if files else Distributions({})
    sites = package_folders()
    owned: dict[Path, bool] = {}
    for file in files:
        site = next((each for each in file.parents if each in sites), file.parent)
        top = site / file.relative_to(site).parts[0]
        if top not in owned:
            owned[top] = top.suffix == ".dist-info" or installed.has(top)
    lone = (file for file in files if not any(owned.get(each) for each in (file, *file.parents)))
    return {outside_name(file): digest_at(str(file)) for file in lone if file.is_file()}


def _top_folder(file: Path) -> Path | None:
    """What a file lies in, or is itself, directly below a folder of packages; None for one of their metadata."""
    site = next((each for each in file.parents if each in package_folders()), None)
    top = site / file.relative_to(site).parts[0] if site else None
    return None if top is None or top.suffix == ".dist-info" else top


def _source_at(file: Path) -> Path:
    source = file.parent.parent / f"{file.name.partition('.')[0]}.py"
    return source if file.suffix == ".pyc" and file.parent.name == "__pycache__" and source.is_file() else file


def _is_known(module: str) -> bool:
    """Whether a module is relet's or the standard library's."""
    top = module.partition(".")[0]
    return top == "relet" or top in sys.stdlib_module_names


def _modules_in(folders: tuple[str, ...], names: Iterable[str]) -> Iterator[str]:
    """The loaded modules that lie below `folders`, by the names that tell which distribution has them.

    Of a package that several distributions fill, these are the modules in it.
    """
    for name in names:
        origin = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None)
        if isinstance(origin, str) and origin.startswith(folders):
            top = name.partition(".")[0]
            yield top if getattr(sys.modules.get(top), "__file__", None) else name
