"""The folders of a project that its modules are imported from, beside the project's own folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from relet.core.code import FirstPartyCode, ModuleSummary
from relet.errors import SettingError
from relet.names import PACKAGE

# Names the folder of a project that is used from elsewhere.
PROJECT_SETTING = "RELET_PROJECT"


def project_code(
    root: Path, memory: MutableMapping[str, ModuleSummary] | None = None
) -> tuple[FirstPartyCode, tuple[str, ...]]:
    """The code of a project in the folder `root` and of relet, and the project's import roots.

    What declares them counts as read: so a code tree holds it, and its modules are found wherever it is laid out.
    """
    declaration = root / "pyproject.toml"
    alone = FirstPartyCode((root,))
    roots = import_roots(root, alone.content(declaration) if declaration.is_file() else None)
    places = (root, *(root / each for each in roots), PACKAGE.parent)
    return FirstPartyCode(places, {} if memory is None else memory, dict(alone.contents)), roots


def import_roots(root: Path, pyproject: bytes | None) -> tuple[str, ...]:
    """The folders, relative to a project's folder, that its `pyproject.toml` says its packages lie in.

    They are those of hatchling, setuptools, uv, poetry, pdm and flit, and `src`, where all of them look by
    themselves. So a module in `src/` is imported whether the project is installed or not. Folders outside of the
    project are left out: what is there is found where it is installed. Raises SettingError for a file that is no
    TOML.

    >>> import_roots(Path("/nowhere"), b"")
    ()
    """
    if pyproject is None:
        return ()
    import tomllib

    try:
        tool = tomllib.loads(pyproject.decode()).get("tool", {})
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{root / 'pyproject.toml'} can't be read: {error}") from error
    found = dict.fromkeys(_normal(each) for each in ("src", *_declared(tool)) if isinstance(each, str))
    return tuple(each for each in found if each and _is_root(root, each))


def roots_in_words(roots: Sequence[str]) -> str:
    """The folders that modules are imported from.

    >>> roots_in_words(["src"])
    "the project's folder, src"
    """
    return ", ".join(("the project's folder", *roots))


def _declared(tool: object) -> Iterator[object]:
    yield from _texts(_at(tool, "setuptools", "packages", "find", "where"))
    folders = _at(tool, "setuptools", "package-dir")
    yield from (_root_of(name, folders[name]) for name in _texts(folders) if isinstance(folders, Mapping))
    for table in (_at(tool, "hatch", "build"), _at(tool, "hatch", "build", "targets", "wheel")):
        yield from (str(PurePosixPath(each).parent) for each in _texts(_at(table, "packages")))
        yield from _texts(_at(table, "sources"))
        yield from _texts(_at(table, "dev-mode-dirs"))
    yield _at(tool, "uv", "build-backend", "module-root")
    yield _at(tool, "pdm", "build", "package-dir")
    packages = _at(tool, "poetry", "packages")
    yield from (_at(each, "from") for each in packages if isinstance(packages, list))


def _at(table: object, *keys: str) -> Any:
    """What tables within tables hold at the keys; an empty list where they hold nothing there."""
    for key in keys:
        table = table.get(key, []) if isinstance(table, Mapping) else []
    return table


def _texts(value: object) -> Iterator[str]:
    """The texts of a list, or the keys of a table."""
    yield from (each for each in (value if isinstance(value, list | Mapping) else ()) if isinstance(each, str))


def _root_of(name: str, folder: object) -> str | None:
    """The root of setuptools' `package-dir`, where a package's folder ends with the package's name."""
    if not isinstance(folder, str):
        return None
    parts, package = PurePosixPath(folder).parts, tuple(filter(None, name.split(".")))
    return "/".join(parts[: len(parts) - len(package)]) if parts[len(parts) - len(package) :] == package else None


def _normal(folder: str) -> str:
    """A folder as a relative path with `/`; empty where it is the project's own, or leads out of it."""
    parts = [each for each in PurePosixPath(folder).parts if each != "."]
    return "" if PurePosixPath(folder).is_absolute() or ".." in parts else "/".join(parts)


def _is_root(root: Path, folder: str) -> bool:
    """Whether there is such a folder; relet's own, where it is developed, is found as relet."""
    return (root / folder).is_dir() and root / folder != PACKAGE.parent
