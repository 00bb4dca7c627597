"""Which files a script reads and writes: where its arguments and its literals go, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from relet.templates.adoption.arguments import word_position

# Calls that write a file, and the place of its path among the arguments.
_WRITING = (
    *("to_csv", "to_parquet", "to_json", "to_pickle", "to_excel", "to_feather", "to_html", "to_markdown"),
    *("to_hdf", "to_netcdf", "write_csv", "write_parquet", "write_json", "write_ipc", "write_excel"),
    *("sink_parquet", "sink_csv", "savefig", "save", "save_model", "savez", "savez_compressed", "savetxt"),
    *("save_weights", "write_html", "write_image", "export_model", "save_pretrained"),
)
_BEHIND = ("dump", "copy", "copyfile", "copy2", "copytree", "move")
WRITERS = {**dict.fromkeys(_WRITING, 0), **dict.fromkeys(_BEHIND, 1)}
# Of these calls the first argument is what is written, not where to.
OBJECT_FIRST = {("torch", "save"): 1, ("mlflow", "save_model"): 1, ("pq", "write_table"): 1}
# Calls whose first argument is a file or folder that is read.
READERS = frozenset(
    (
        *("open", "load", "loads", "genfromtxt", "loadtxt", "imread", "fromfile", "memmap", "load_model"),
        *("Booster", "load_state_dict", "load_workbook", "listdir", "glob", "iterdir", "copy", "copyfile"),
        *("copy2", "copytree", "from_pretrained", "scan_csv", "scan_parquet", "read_text", "read_bytes"),
        *("exists", "isfile"),
    )
)
_PATH_METHODS = {"write_text": "write", "write_bytes": "write", "read_text": "read", "read_bytes": "read"}
# Calls that give back the same place: the path of their arguments.
_SAME_PLACE = frozenset(
    (
        *("Path", "PurePath", "str", "abspath", "expanduser", "resolve", "absolute", "as_posix"),
        *("realpath", "fspath", "normpath"),
    )
)
# The names by which a path is given to such calls, and the modules that have an `open`.
_WRITTEN_TO = ("path", "path_or_buf", "fname", "filename", "dst")
_READ_FROM = ("filepath_or_buffer", "path", "io", "file", "model_file")
_OPENING = ("io", "gzip", "bz2", "lzma", "codecs")
_JOINING = frozenset(("join", "joinpath"))
# How often what is known of variables is carried on: through a function that is called by a function …
_ROUNDS = 6


@dataclass(frozen=True)
class Place:
    """Where a path comes from: an argument of the script, or a literal; `below` a folder of it."""

    argument: str = ""
    literal: str = ""
    below: bool = False


# The script, and the folder where it lies: a component runs it where its files are.
_ITSELF, _HERE = Place(literal="__file__"), Place(literal=".")


@dataclass(kw_only=True)
class FileFlow:
    """The places that a script reads and writes, each with the line of the first such call.

    `conditions` are the literals that are written only where a condition holds → its source.
    """

    read: dict[Place, int] = field(default_factory=dict)
    written: dict[Place, int] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)


def file_flow(tree: ast.Module, arguments: Sequence[str], words: Sequence[str] = ()) -> FileFlow:
    """Follow paths from arguments and literals through variables and the script's own functions to the calls.

    `words` are the arguments that the script takes from `sys.argv` by their position, from the first.
    Variables of all functions are one table, and the order of lines does not count: more is found than happens.
    """
    flow = _Flow(tree, frozenset(arguments), words)
    for _ in range(_ROUNDS):
        flow.carry_on()
    found, conditional = FileFlow(), _conditional_calls(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for kind, node in _accesses(call):
            for place in flow.places(node):
                getattr(found, kind).setdefault(place, call.lineno)
                if kind == "written" and place.literal and (test := conditional.get(id(call))):
                    found.conditions.setdefault(place.literal, test)
    return found


def _conditional_calls(tree: ast.AST) -> dict[int, str]:
    """The calls below an `if`, by their id → the condition; not those below `if __name__ == "__main__"`."""
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "__name__" not in (test := ast.unparse(node.test)):
            calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
            found.update((id(call), test) for call in calls)
    return found


class _Flow:
    """What each variable may hold, as places."""

    def __init__(self, tree: ast.Module, arguments: frozenset[str], words: Sequence[str]) -> None:
        self._tree, self._arguments, self._words = tree, arguments, words
        self._known: dict[str, set[Place]] = {}
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def carry_on(self) -> None:
        """Carry what is known one step further: through assignments, loops, `with` and calls."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                self._bind(node.target, node.value)
            elif isinstance(node, ast.For):
                for element in node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else ():
                    self._bind(node.target, element)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                self._bind(node.optional_vars, node.context_expr)
            elif isinstance(node, ast.Call):
                self._bind_call(node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._bind(one, other)
        elif isinstance(target, ast.Name):
            self._known.setdefault(target.id, set()).update(self.places(value))

    def _bind_call(self, call: ast.Call) -> None:
        function = self._functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if function is None:
            return
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        for name, value in zip(names, call.args, strict=False):
            self._known.setdefault(name, set()).update(self.places(value))
        for keyword in call.keywords:
            if keyword.arg:
                self._known.setdefault(keyword.arg, set()).update(self.places(keyword.value))

    def places(self, node: ast.expr) -> set[Place]:
        """The places that an expression may stand for."""
        if isinstance(node, ast.Constant):
            return {Place(literal=node.value)} if isinstance(node.value, str) and node.value else set()
        if isinstance(node, ast.Attribute) and node.attr in self._arguments:
            return {Place(argument=node.attr)}
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            return self._own_folder(node.value)
        if isinstance(node, ast.Name):
            return {_ITSELF} if node.id == "__file__" else set(self._known.get(node.id, ()))
        if 0 < (place := word_position(node)) <= len(self._words):
            return {Place(argument=self._words[place - 1])}
        if isinstance(node, ast.Subscript):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return {Place(argument=key)} if isinstance(key, str) and key in self._arguments else set()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            return self._joined(node.left, [node.right], "/" if isinstance(node.op, ast.Div) else "")
        if isinstance(node, ast.JoinedStr):
            return self._formatted(node)
        return self._called(node) if isinstance(node, ast.Call) else set()

    def _called(self, call: ast.Call) -> set[Place]:
        name = _name(call.func)
        if name in _JOINING and call.args:
            first, *rest = [*_joined_to(call), *call.args]
            return self._joined(first, rest, "/")
        if name == "dirname" and call.args:
            return self._own_folder(call.args[0])
        if name in _SAME_PLACE or name == "open":
            joined = len(call.args) > 1 and name in ("Path", "PurePath")
            return self._joined(call.args[0], call.args[1:], "/") if joined else self._all(_same_place(call))
        return set()

    def _own_folder(self, node: ast.expr) -> set[Place]:
        """The script's own folder, where an expression stands for the script; nothing for other paths."""
        return {_HERE} if _ITSELF in self.places(node) else set()

    def _all(self, nodes: Sequence[ast.expr]) -> set[Place]:
        return {place for node in nodes for place in self.places(node)}

    def _joined(self, first: ast.expr, rest: Sequence[ast.expr], separator: str) -> set[Place]:
        heads = self.places(first)
        for node in rest:
            tails = {each.literal for each in self.places(node) if each.literal and not each.below}
            heads = {made for head in heads for made in _below(head, tails, separator)}
        return heads

    def _formatted(self, node: ast.JoinedStr) -> set[Place]:
        """The place at the beginning of an f-string: all of it where it has no other part."""
        first = node.values[0]
        if isinstance(first, ast.FormattedValue):
            places = self.places(first.value)
            is_whole = len(node.values) == 1
            return {each if is_whole else Place(each.argument, each.literal, True) for each in places}
        return set()


def _below(head: Place, tails: set[str], separator: str) -> Iterator[Place]:
    if head.argument or head.below or not tails:
        yield Place(head.argument, head.literal, True)
        return
    for tail in tails:
        if head == _HERE and separator:
            yield Place(literal=tail)
            continue
        joined = f"{head.literal.rstrip('/')}/{tail}" if separator else head.literal + tail
        yield Place(literal=joined)


def _accesses(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call does to which path: ("read" or "written", the expression of the path)."""
    name = _name(call.func)
    if name == "open":
        yield from _opened(call)
        return
    if name in _PATH_METHODS and isinstance(call.func, ast.Attribute) and _PATH_METHODS[name] == "write":
        yield "written", call.func.value
        return
    owner = _owner(call.func)
    place = OBJECT_FIRST.get((owner, name), WRITERS.get(name))
    keywords = {each.arg: each.value for each in call.keywords}
    if place is not None:
        path = call.args[place] if len(call.args) > place else None
        named = [keywords[each] for each in _WRITTEN_TO if each in keywords]
        yield from (("written", each) for each in (named if path is None else [path]))
    if name.startswith("read_") or name in READERS:
        yield from (("read", each) for each in call.args[:1])
        if not call.args and isinstance(call.func, ast.Attribute) and name.startswith("read_"):
            yield "read", call.func.value
        yield from (("read", keywords[each]) for each in _READ_FROM if each in keywords)


def _opened(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    arguments = [*_opened_by(call), *call.args]
    second = arguments[1] if len(arguments) > 1 else None
    mode = next((each.value for each in call.keywords if each.arg == "mode"), second)
    word = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    if arguments:
        yield ("written" if set(word) & set("wax") else "read"), arguments[0]


def _opened_by(call: ast.Call) -> list[ast.expr]:
    """The path whose method `open` is called; nothing for `open(…)` and for a module's, such as gzip's."""
    if not isinstance(call.func, ast.Attribute) or _is_module(call.func.value, *_OPENING):
        return []
    return [call.func.value]


def _same_place(call: ast.Call) -> list[ast.expr]:
    """What a call gives the path of: `open(x)`, `str(x)`, `x.resolve()`."""
    if _name(call.func) == "open":
        return [*_opened_by(call), *call.args][:1]
    return call.args[:1] or ([call.func.value] if isinstance(call.func, ast.Attribute) else [])


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _owner(node: ast.expr) -> str:
    """The first name of a dotted function: `mlflow` of `mlflow.sklearn.save_model`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_module(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _joined_to(call: ast.Call) -> list[ast.expr]:
    """The folder of `folder.joinpath(…)`; nothing for `os.path.join(…)`."""
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr == "joinpath"
    return [call.func.value] if is_method and isinstance(call.func, ast.Attribute) else []
