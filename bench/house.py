"""Count the figures of the house: how the code is divided into rooms, and whether each name is used once.

    python bench/house.py [--at TREE] [TREE]

A TREE is a folder or a revision of git; without one it is the folder that this program lies in. With `--at` the
table has two columns of figures: `then` is that tree, `now` the other. Only source is read: nothing is imported
and nothing has to be installed.

Code lines are the lines that hold code: without blank lines, comments and docstrings. A function's lines begin
with its `def`, and a function inside another counts for both. Helper names are those of functions at the top of a
module, without `command` and `main`, by which the command line and programs are entered. Tests are what lies in
`tests`, source is what lies in `src`, and the flagship is `pipelines/nyc_rentals`.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import subprocess
import tarfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "src/relet"
FLAGSHIP = "pipelines/nyc_rentals"
LONG_FILE = 400
LONG_FUNCTION = 50
# A helper's name counts as repeated where so many modules have it.
TAKEN = 4
# Each command's file has a function `command`, each program a `main`. These names don't count.
DOORS = frozenset(("command", "main"))
Files = Iterable[tuple[str, bytes]]
# Files by their path in the tree, with their text.
Tree = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class HouseFigure:
    """A figure of a tree: its number, its text, and, where a person will ask which ones, their names."""

    value: float
    shown: str
    which: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Must:
    """The largest value that a figure may have, and the text for it."""

    most: float
    shown: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?", default=str(ROOT), help="a folder or a revision of git")
    parser.add_argument("--at", metavar="TREE", help="the tree to compare with")
    parser.add_argument("--which", action="store_true", help="name what each figure counts, below the table")
    given = parser.parse_args()
    now = figures(read_tree(given.tree))
    print(table(now, figures(read_tree(given.at)) if given.at else None))
    if given.which:
        for name, figure in now.items():
            if figure.which:
                print(f"\n{name}:", *figure.which, sep="\n  ")


def read_tree(where: str) -> Tree:
    """The text files of a folder that git doesn't ignore, or of a revision."""
    if Path(where).is_dir():
        listed = _git("-C", where, "ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
        paths = ((name, Path(where) / name) for name in sorted(set(listed.split("\0")) - {""}))
        contents: Files = ((name, path.read_bytes()) for name, path in paths if path.is_file())
    else:
        contents = _archived_files(_git("-C", str(ROOT), "archive", "--format=tar", where))
    return {name: text for name, content in contents if (text := _text(content)) is not None}


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], capture_output=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _archived_files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            if member.isfile() and (file := files.extractfile(member)):
                yield member.name, file.read()


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


MUSTS: Mapping[str, Must] = {
    "largest room, share of the lines of src": Must(most=0.12, shown="12%"),
    "rows in the flagship's settings table": Must(most=12, shown="12"),
    "most hyperparameters of a component, a group is one": Must(most=7, shown="7"),
    "class names used twice": Must(most=3, shown="3"),
    f"helper names in {TAKEN} modules and more": Must(most=10, shown="10"),
    "import cycles, those inside functions counted": Must(most=0, shown="0"),
    f"files over {LONG_FILE} lines in src": Must(most=0, shown="0"),
}


def figures(tree: Tree) -> dict[str, HouseFigure]:
    """Every figure by its name, in the order of the table."""
    modules = {name: text for name, text in tree.items() if _is_source(name) and name.endswith(".py")}
    return {
        "largest room, share of the lines of src": largest_room(tree),
        "rows in the flagship's settings table": settings_table(tree),
        "most hyperparameters of a component, a group is one": hyperparameters(tree),
        "class names used twice": repeated_classes(modules),
        f"helper names in {TAKEN} modules and more": taken_helpers(modules),
        "import cycles, those inside functions counted": import_cycles(modules),
        f"files over {LONG_FILE} lines in src": long_files(tree),
        f"functions over {LONG_FUNCTION} code lines": long_functions(tree),
        "code lines of a function: median, 95th percentile": function_lengths(tree),
        "test code ÷ source code": weight_of_tests(tree),
    }


def table(now: Mapping[str, HouseFigure], then: Mapping[str, HouseFigure] | None) -> str:
    """The figures as a Markdown table, with the musts that are set."""
    names = ["figure", *(["then"] if then else []), "now", "must", "reached"]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for name, figure in now.items():
        must = MUSTS.get(name)
        cells = [name, *([then[name].shown] if then else []), figure.shown]
        cells += [must.shown, "must" if figure.value <= must.most else "no"] if must else ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """All nodes of a file, collected once: most figures look at each of them."""
    return tuple(ast.walk(parsed(text)))


def _is_source(name: str) -> bool:
    return name.startswith(f"{PACKAGE}/")


def largest_room(tree: Tree) -> HouseFigure:
    """The first level of the package: a folder with all that lies in it, or a module that stands alone."""
    rooms: Counter[str] = Counter()
    for name, text in tree.items():
        if _is_source(name):
            rooms[PurePosixPath(name).relative_to(PACKAGE).parts[0]] += len(text.splitlines())
    whole = rooms.total()
    room, lines = rooms.most_common(1)[0]
    shares = [f"{name} {count / whole:.1%} ({count:,} lines)" for name, count in rooms.most_common()]
    return HouseFigure(value=lines / whole, shown=f"{lines / whole:.1%} ({room})", which=shares)


def settings_table(tree: Tree) -> HouseFigure:
    """The number of rows of `settings={…}`, and of the parameters that they feed."""
    calls = (node for node in nodes(tree[f"{FLAGSHIP}/pipeline.py"]) if isinstance(node, ast.Call))
    tables = (keyword.value for call in calls for keyword in call.keywords if keyword.arg == "settings")
    feeds = [value for each in tables if isinstance(each, ast.Dict) for value in each.values]
    fed = sum(len(value.elts) if isinstance(value, ast.List | ast.Tuple) else 1 for value in feeds)
    return HouseFigure(value=len(feeds), shown=f"{len(feeds)} (naming {fed} parameters)")


def hyperparameters(tree: Tree) -> HouseFigure:
    """Keyword-only parameters in the signature of a component of the flagship."""
    counts = {
        node.name: len(node.args.kwonlyargs)
        for name, text in tree.items()
        if name.startswith(f"{FLAGSHIP}/") and name.endswith(".py")
        for node in nodes(text)
        if isinstance(node, ast.FunctionDef) and any(map(_is_component_mark, node.decorator_list))
    }
    most = max(counts, key=lambda name: counts[name])
    which = [f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return HouseFigure(value=counts[most], shown=f"{counts[most]} ({most})", which=which)


def _is_component_mark(decorator: ast.expr) -> bool:
    mark = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(mark, ast.Name) and mark.id == "component"


def repeated_classes(modules: Tree) -> HouseFigure:
    """Names that several classes of the package have, a leading underscore left aside."""
    places = _places(
        (node.name.lstrip("_"), name)
        for name, text in modules.items()
        for node in nodes(text)
        if isinstance(node, ast.ClassDef)
    )
    twice = {name: where for name, where in places.items() if len(where) > 1}
    classes = sum(map(len, places.values()))
    return HouseFigure(value=len(twice), shown=f"{len(twice)} of {classes}", which=_listed(twice))


def taken_helpers(modules: Tree) -> HouseFigure:
    """Names that top-level functions of many modules have, as they are written."""
    places = _places(
        {
            (node.name, name)
            for name, text in modules.items()
            for node in parsed(text).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    )
    taken = {name: where for name, where in places.items() if len(where) >= TAKEN and name not in DOORS}
    return HouseFigure(value=len(taken), shown=f"{len(taken)} of {len(places):,}", which=_listed(taken))


def _places(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for name, module in named:
        places.setdefault(name, []).append(module.removeprefix(f"{PACKAGE}/"))
    return places


def _listed(places: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name}: {', '.join(sorted(where))}" for name, where in sorted(places.items())]


def import_cycles(modules: Tree) -> HouseFigure:
    """Groups of modules that import one another. Imports for type checkers alone are left out."""
    named = {_module_name(name): text for name, text in modules.items()}
    graph = {name: set(_imported(parsed(text), named)) - {name} for name, text in named.items()}
    cycles = [sorted(group) for group in strongly_connected(graph) if len(group) > 1]
    return HouseFigure(
        value=len(cycles),
        shown=f"{len(cycles)}" + (f" ({max(map(len, cycles))} modules)" if cycles else ""),
        which=[", ".join(group) for group in cycles],
    )


def _module_name(name: str) -> str:
    parts = PurePosixPath(name).relative_to("src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(module: ast.Module, known: Collection[str]) -> Iterator[str]:
    """What a module imports, in functions too: `from a import b` is the module `a.b` if it exists, else `a`."""
    for node in _executed(module):
        if isinstance(node, ast.Import):
            names = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
        else:
            continue
        yield from (each for name, package in names if (each := name if name in known else package) in known)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, without the branches that stand under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _executed(other)
            continue
        yield child
        yield from _executed(child)


def strongly_connected(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """The groups in which each node reaches every other.

    >>> sorted(sorted(group) for group in strongly_connected({"a": "b", "b": "a", "c": "a"}))
    [['a', 'b'], ['c']]
    """
    reached = {name: _reached(name, graph) for name in graph}
    groups: dict[str, set[str]] = {}
    for name in graph:
        group = {other for other in reached[name] if name in reached[other]} | {name}
        groups[min(group)] = group
    return list(groups.values())


def _reached(start: str, graph: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def long_files(tree: Tree) -> HouseFigure:
    lengths = {name: len(text.splitlines()) for name, text in tree.items() if _is_source(name)}
    found = {name: lines for name, lines in lengths.items() if lines > LONG_FILE and name.endswith(".py")}
    return HouseFigure(
        value=len(found), shown=str(len(found)), which=[f"{name} {lines}" for name, lines in found.items()]
    )


def long_functions(tree: Tree) -> HouseFigure:
    lengths = _function_lengths(tree)
    found = {name: lines for name, lines in lengths.items() if lines > LONG_FUNCTION}
    return HouseFigure(
        value=len(found),
        shown=f"{len(found)} of {len(lengths):,}",
        which=[f"{name} {lines}" for name, lines in found.items()],
    )


def function_lengths(tree: Tree) -> HouseFigure:
    lengths = list(_function_lengths(tree).values())
    middle, high = statistics.median(lengths), statistics.quantiles(lengths, n=20)[-1]
    return HouseFigure(value=middle, shown=f"{middle:.0f}, {high:.0f}")


def _function_lengths(tree: Tree) -> dict[str, int]:
    lengths = {}
    for name, text in tree.items():
        if _is_source(name) and name.endswith(".py"):
            code = code_lines(text)
            for node in nodes(text):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    within = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                    lengths[f"{name}:{node.lineno} {node.name}"] = len(code.intersection(within))
    return lengths


def weight_of_tests(tree: Tree) -> HouseFigure:
    """The code lines of `tests` for each code line of `src`."""
    lines = {
        folder: sum(
            len(code_lines(text))
            for name, text in tree.items()
            if name.startswith(f"{folder}/") and name.endswith(".py")
        )
        for folder in ("src", "tests")
    }
    weight = lines["tests"] / lines["src"]
    return HouseFigure(value=weight, shown=f"{weight:.2f} ({lines['tests']:,} ÷ {lines['src']:,})")


@cache
def code_lines(text: str) -> frozenset[int]:
    """The numbers of the lines that hold code.

    >>> sorted(code_lines('def f():\\n    "What it does."\\n\\n    # why\\n    return 1\\n'))
    [1, 5]
    """
    lines = {
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if (code := line.strip()) and not code.startswith("#")
    }
    documented = []
    for node in nodes(text):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            # a string of many lines may hold lines that look blank, or like a comment
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented.append(node)
    return frozenset(lines.difference(*map(_docstring_lines, documented)))


def _docstring_lines(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    if ast.get_docstring(node, clean=False) is None:
        return set()
    first = node.body[0]
    return set(range(first.lineno, (first.end_lineno or first.lineno) + 1))


if __name__ == "__main__":
    main()
