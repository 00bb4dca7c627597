"""A script as a step: what it takes, reads and writes, found in its source."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from relet.core.wording import count
from relet.errors import BadDataError
from relet.templates.adoption.arguments import ScriptArgument, identifier, script_arguments
from relet.templates.adoption.file_flow import FileFlow, file_flow

# An argument of such a name is a file that is written, or read, where its use does not tell.
_WRITTEN_NAME = re.compile(r"(^|_)(out|output|outputs|outdir|save|dest|destination|artifacts?)(_|$)|_out$|^save_")
_READ_NAME = re.compile(r"(^|_)(data|dataset|input|csv|file|path|train_file|test_file|train_data|test_data)$")
_MAGIC = re.compile(r"^\s*([%!]|\?|.*\?$)")
# Endings of files that a literal has to have to be taken for a written one.
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$")


@dataclass(frozen=True, kw_only=True)
class ReadFile:
    """A file that the script reads: by the argument `argument`, or by `literal`, its own name for it.

    `found` is where it lies here; None where nobody knows it yet.
    """

    name: str
    argument: str = ""
    literal: str = ""
    found: Path | None = None


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """A file or folder that the script writes to `path`, relative to its folder; by an argument or a literal."""

    name: str
    path: str
    argument: str = ""
    is_folder: bool = False


@dataclass(frozen=True, kw_only=True)
class AdoptedScript:
    """What was read of a script. `modules` are files of its own that it imports, `packages` those of others.

    `sometimes` are files that it writes only where a condition holds, with that condition.
    """

    name: str
    file: Path
    source: str
    tree: ast.Module
    arguments: tuple[ScriptArgument, ...]
    reads: tuple[ReadFile, ...]
    writes: tuple[WrittenFile, ...]
    modules: tuple[Path, ...]
    packages: tuple[str, ...]
    sometimes: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def hyperparameters(self) -> tuple[ScriptArgument, ...]:
        """The arguments that are no files."""
        files = {each.argument for each in self.reads} | {each.argument for each in self.writes}
        return tuple(each for each in self.arguments if each.name not in files)

    @property
    def makes_folders(self) -> bool:
        return any(
            isinstance(node, ast.Attribute) and node.attr in ("mkdir", "makedirs") for node in ast.walk(self.tree)
        )


def read_script(file: Path, name: str) -> AdoptedScript:
    """Read a script or a notebook, and never run it. Paths in it are relative to its folder or to the current one.

    Raises BadDataError for what is no file, no Python, or no notebook.
    """
    source, remarks = _source_of(file)
    try:
        tree = ast.parse(source, str(file))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        raise BadDataError(f"{file}{place}: this is no Python that relet can read: {error}") from None
    arguments = script_arguments(tree)
    flow = file_flow(tree, [each.name for each in arguments], [each.name for each in arguments if not each.option])
    if not arguments:
        remarks = (*remarks, *_unnamed_words(tree))
    writes = tuple(_unique(_written(flow, arguments, name)))
    return AdoptedScript(
        name=name,
        file=file,
        source=source,
        tree=tree,
        arguments=arguments,
        reads=tuple(_unique(_read(flow, tree, arguments, writes, file.parent))),
        writes=writes,
        modules=own_modules([tree], [file.parent]),
        packages=packages([tree], [file.parent]),
        sometimes=tuple(each for each in flow.conditions.items() if each[0] in set(_written_literals(flow))),
        remarks=remarks,
    )


def _unnamed_words(tree: ast.Module) -> Iterator[str]:
    """Where a script takes words of its command line that got no name."""
    lines = (node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr) and _is_words(node))
    for line in sorted(lines)[:1]:
        yield f"line {line}: it takes words of its command line (sys.argv), and gets none: name them with argparse"


def _is_words(node: ast.expr) -> bool:
    """Whether these are words of the command line, other than the script's own name."""
    text = ast.unparse(node) if isinstance(node, ast.Subscript) else ""
    return text.startswith("sys.argv[") and text != "sys.argv[0]"


def _source_of(file: Path) -> tuple[str, tuple[str, ...]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataError(f"{file} can't be read: {error}") from None
    if file.suffix != ".ipynb":
        return text, ()
    try:
        cells = [each["source"] for each in json.loads(text)["cells"] if each["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise BadDataError(f"{file} is no notebook: it holds no cells") from None
    joined = ["".join(each) if isinstance(each, list) else str(each) for each in cells]
    return _without_magic(joined)


def _without_magic(cells: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The cells as a script. What only a notebook understands, a line or a whole cell, is a comment."""
    lines, dropped = [], 0
    for cell in cells:
        whole = cell.lstrip().startswith("%%") and not cell.lstrip().startswith(("%%time", "%%capture"))
        for line in cell.splitlines():
            is_magic = whole or bool(_MAGIC.match(line))
            dropped += is_magic
            lines.append(f"# {line}" if is_magic else line)
        lines.append("")
    told = f"{count(dropped, 'line')} of the notebook are no Python (%, !): the script has them as comments"
    return "\n".join(lines) + "\n", (told,) if dropped else ()


def _written(flow: FileFlow, arguments: Iterable[ScriptArgument], script: str) -> Iterator[WrittenFile]:
    by_argument: dict[str, bool] = {}
    for place in flow.written:
        if place.argument:
            by_argument[place.argument] = by_argument.get(place.argument, False) or place.below
    read = {place.argument for place in flow.read}
    for each in arguments:
        is_text = each.kind == "str" and not each.is_list and each.name not in read
        named = is_text and _WRITTEN_NAME.search(each.name)
        if each.name in by_argument or named:
            default = str(each.default or "")
            is_folder = by_argument.get(each.name, False) or (named and not _SUFFIX.search(default or each.name))
            path = _inside(default) or (each.name if is_folder else f"{each.name}.bin")
            stem = each.name if default in ("", ".") else PurePosixPath(default).stem
            plain = stem if not _WRITTEN_NAME.fullmatch(stem) else f"{script}_{stem}"
            yield WrittenFile(name=identifier(plain), path=path, argument=each.name, is_folder=bool(is_folder))
    for inside in _written_literals(flow):
        if inside not in flow.conditions:
            yield WrittenFile(name=identifier(PurePosixPath(inside).stem), path=inside)


def _written_literals(flow: FileFlow) -> Iterator[str]:
    """The files in the script's folder that it writes by a name of its own."""
    for place in flow.written:
        if place.literal and not place.below and _SUFFIX.search(place.literal) and _inside(place.literal):
            yield _inside(place.literal)


def _inside(path: str) -> str:
    """A path within the script's folder; nothing for one that leaves it."""
    plain = PurePosixPath(path)
    is_inside = path and not plain.is_absolute() and ".." not in plain.parts and "://" not in path
    return str(plain) if is_inside and str(plain) != "." else ""


def _read(
    flow: FileFlow,
    tree: ast.Module,
    arguments: Iterable[ScriptArgument],
    writes: Iterable[WrittenFile],
    folder: Path,
) -> Iterator[ReadFile]:
    written = {each.argument for each in writes} | {""}
    used = {place.argument for place in flow.read}
    for each in arguments:
        named = each.kind == "str" and bool(_READ_NAME.search(each.name))
        found = _found(str(each.default), folder) if isinstance(each.default, str) else None
        if each.name not in written and not each.is_list and (each.name in used or found or named):
            yield ReadFile(name=each.name, argument=each.name, found=found)
    made = {each.path for each in writes}
    defaults = {each.default for each in arguments if isinstance(each.default, str)}
    followed = (place.literal for place in flow.read if place.literal and not place.below)
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for literal in dict.fromkeys([*followed, *(each for each in constants if isinstance(each, str))]):
        found = _found(literal, folder)
        is_other = literal in made or literal in defaults or not _inside(literal)
        if found and not is_other and found.suffix != ".py":
            yield ReadFile(name=identifier(PurePosixPath(literal).stem), literal=literal, found=found)


def _found(text: str, folder: Path) -> Path | None:
    """The file of this name, from the script's folder or the current one."""
    if not text or "\n" in text or "://" in text or len(text) > 500:
        return None
    for start in (folder, Path.cwd()):
        try:
            if (start / text).is_file():
                return (start / text).resolve()
        except (OSError, ValueError):
            return None
    return None


def _unique(files: Iterable[Any]) -> Iterator[Any]:
    """The files, each with a name of its own."""
    taken: set[str] = set()
    for each in files:
        name, number = each.name, 2
        while name in taken:
            name, number = f"{each.name}_{number}", number + 1
        taken.add(name)
        yield replace(each, name=name) if hasattr(each, "name") else each


def own_modules(trees: Iterable[ast.Module], folders: Sequence[Path]) -> tuple[Path, ...]:
    """The files in the folders that sources import, and what these import."""
    found: dict[Path, None] = {}
    waiting = list(trees)
    while waiting:
        for name in _imported(waiting.pop()):
            for path in _files_of(name, folders):
                if path not in found:
                    found[path] = None
                    waiting.extend(parsed(path))
    return tuple(found)


def parsed(path: Path) -> Iterator[ast.Module]:
    """The tree of a file; nothing for what is no Python."""
    try:
        yield ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return


def _files_of(name: str, folders: Sequence[Path]) -> list[Path]:
    first = name.partition(".")[0]
    for folder in folders if first else ():
        if (folder / f"{first}.py").is_file():
            return [folder / f"{first}.py"]
        if (folder / first).is_dir() and (files := sorted((folder / first).rglob("*.py"))):
            return files
    return []


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or (node.names[0].name if node.level else "")


def packages(trees: Sequence[ast.Module], folders: Sequence[Path]) -> tuple[str, ...]:
    """The packages of others that sources and their modules import, and that are installed here."""
    more = [tree for path in own_modules(trees, folders) for tree in parsed(path)]
    names = {name.partition(".")[0] for each in (*trees, *more) for name in _imported(each)}
    others = names - set(sys.stdlib_module_names) - {"", "relet"}
    return tuple(sorted(each for each in others if not _files_of(each, folders) and find_spec(each)))
