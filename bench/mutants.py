"""Make mutants of the package: small changes of the source, each of which some test should detect.

A mutant is a change of one place in one file, found in the parsed source and made in its text, so that its diff is
as small as the change. The sample is drawn by digests of the mutants' names: it stays when other code is edited.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

KINDS = (
    "comparison",
    "arithmetic",
    "boolean",
    "constant",
    "return",
    "arguments",
    "condition",
    "call removed",
    "slice",
    "default",
)
_COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change: its module and function, its kind, the text before and the text after."""

    path: str
    function: str
    kind: str
    line: int
    before: str
    after: str
    # in bytes of the file
    start: int
    end: int
    # the same change may be possible at several places of a function
    place: int = 1

    @property
    def module(self) -> str:
        return self.path.removeprefix("src/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def room(self) -> str:
        return self.path.removeprefix("src/relet/").partition("/")[0].removesuffix(".py")

    @property
    def name(self) -> str:
        """The mutant's name in lists. It holds no line number, so that edits of other code don't change it."""
        change = f"`{_one_line(self.before)}` → `{_one_line(self.after)}`"
        place = f" #{self.place}" if self.place > 1 else ""
        return f"{self.module} {self.function} {self.kind}: {change}{place}"

    def applied(self, text: str) -> str:
        content = text.encode()
        return (content[: self.start] + self.after.encode() + content[self.end :]).decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def sample(sources: Mapping[str, str], size: int, seed: int) -> list[Mutant]:
    """Draw so many mutants: from each room by its share of the lines, and in a room from the kinds in turn."""
    rooms: dict[str, list[Mutant]] = {}
    lines: dict[str, int] = {}
    for path, text in sorted(sources.items()):
        found = mutants(path, text)
        room = path.removeprefix("src/relet/").partition("/")[0].removesuffix(".py")
        rooms.setdefault(room, []).extend(found)
        lines[room] = lines.get(room, 0) + len(text.splitlines())
    shares = _apportioned({room: lines[room] for room, found in rooms.items() if found}, size)
    return [
        mutant
        for room in sorted(shares)
        for mutant in islice(
            (each for each in _drawn(rooms[room], seed) if _changes_code(each, sources[each.path])), shares[room]
        )
    ]


def _apportioned(lines: Mapping[str, int], size: int) -> dict[str, int]:
    """Divide so many seats by lines: the whole parts first, then one seat each for the largest remainders.

    >>> _apportioned({"a": 50, "b": 30, "c": 20}, 4)
    {'a': 2, 'b': 1, 'c': 1}
    """
    whole = sum(lines.values())
    exact = {room: count * size / whole for room, count in lines.items()}
    seats = {room: int(share) for room, share in exact.items()}
    for room in sorted(exact, key=lambda room: (seats[room] - exact[room], room))[: size - sum(seats.values())]:
        seats[room] += 1
    return seats


def _drawn(found: Sequence[Mutant], seed: int) -> Iterator[Mutant]:
    """All mutants in the order in which they are drawn."""

    def digest(text: str) -> str:
        return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()

    queues: dict[str, list[Mutant]] = {}
    for mutant in sorted(found, key=lambda mutant: digest(mutant.name)):
        queues.setdefault(mutant.kind, []).append(mutant)
    kinds = sorted(queues, key=lambda kind: digest(f"{found[0].room} {kind}"))
    for turn in range(len(found)):
        yield from (queues[kind][turn] for kind in kinds if turn < len(queues[kind]))


def mutants(path: str, text: str) -> list[Mutant]:
    """All mutants of a file, in the order of its text."""
    content = text.encode()
    offsets = [0]
    for line in content.split(b"\n"):
        offsets.append(offsets[-1] + len(line) + 1)

    def mutant(found: _Change) -> Mutant:
        node = found.node
        start = offsets[node.lineno - 1] + node.col_offset
        end = offsets[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        return Mutant(
            path=path,
            function=found.function,
            kind=found.kind,
            line=node.lineno,
            before=content[start:end].decode(),
            after=found.after,
            start=start,
            end=end,
        )

    made = sorted(map(mutant, _changes(ast.parse(text))), key=lambda each: (each.start, each.end, each.after))
    return list(_placed(made))


def _placed(found: Iterable[Mutant]) -> Iterator[Mutant]:
    counts: dict[str, int] = {}
    for each in found:
        counts[each.name] = counts.get(each.name, 0) + 1
        yield replace(each, place=counts[each.name])


def _changes_code(mutant: Mutant, text: str) -> bool:
    try:
        return ast.dump(ast.parse(mutant.applied(text))) != ast.dump(ast.parse(text))
    except SyntaxError:
        return False


@dataclass(frozen=True, kw_only=True)
class _Change:
    node: ast.expr | ast.stmt
    kind: str
    after: str
    function: str


def _changes(tree: ast.Module) -> Iterator[_Change]:
    left_out = {id(text) for node in ast.walk(tree) for text in _strings_that_say_only(node)}
    for node, function in _mutable(tree, "<module>"):
        for kind, changed, after in _options(node):
            if id(changed) not in left_out:
                # the change of a default comes before that of the constant in it
                left_out |= {id(changed)} if kind == "default" else set()
                yield _Change(node=changed, kind=kind, after=after, function=function)


def _strings_that_say_only(node: ast.AST) -> Iterator[ast.expr]:
    body = getattr(node, "body", None)
    for each in body if isinstance(body, list) else []:
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            yield each.value


def _mutable(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """The nodes that run, each with its function.

    Left out are annotations and types, imports for type checkers, and what stands in an f-string: Python 3.11 does
    not say where in the file that is.
    """
    annotations = {id(getattr(node, name, None)) for name in ("annotation", "returns")}
    for child in ast.iter_child_nodes(node):
        if id(child) in annotations or isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
            continue
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Subscript) and isinstance(child.value, ast.Name) and child.value.id == "Literal":
            continue
        inner = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{function}.{child.name}".removeprefix("<module>.")
        yield child, inner
        yield from _mutable(child, inner)


def _options(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """The possible changes of a node: the kind, the node that is replaced, and the new text."""
    match node:
        case ast.Compare(ops=[operator]):
            other = _COMPARISONS[type(operator)]()
            yield "comparison", node, _text(ast.Compare(node.left, [other], node.comparators))
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield "arithmetic", node, _text(ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
        case ast.BoolOp():
            turned = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "boolean", node, _text(ast.BoolOp(turned, node.values))
        case ast.UnaryOp(op=ast.Not()):
            yield "boolean", node, _text(node.operand)
        case ast.Constant():
            yield from (("constant", node, after) for after in _other_constants(node))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "return", node, "return None"
        case ast.Call(args=[first, second, *_]) if not isinstance(first, ast.Starred):
            yield from _swapped(node, first, second)
        case ast.If() | ast.IfExp() | ast.While():
            yield "condition", node.test, _text(ast.UnaryOp(ast.Not(), node.test))
        case ast.comprehension():
            yield from (("condition", test, _text(ast.UnaryOp(ast.Not(), test))) for test in node.ifs)
        case ast.Expr(value=ast.Call() as call):
            yield "call removed", call, "None"
        case ast.Slice():
            yield from _other_bounds(node)
        case ast.arguments():
            defaults = [*node.defaults, *(each for each in node.kw_defaults if each)]
            yield from (("default", each, after) for each in defaults for after in _other_constants(each))


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _other_constants(node: ast.expr) -> Iterator[str]:
    if not isinstance(node, ast.Constant):
        return
    match node.value:
        case bool():
            yield str(not node.value)
        case int() | float():
            yield f"({node.value + 1!r})"
        case str(text):
            yield "''" if text else "'x'"
        case bytes(content):
            yield "b''" if content else "b'x'"


def _swapped(call: ast.Call, first: ast.expr, second: ast.expr) -> Iterator[tuple[str, ast.expr, str]]:
    if not isinstance(second, ast.Starred) and ast.dump(first) != ast.dump(second):
        turned = ast.Call(call.func, [second, first, *call.args[2:]], call.keywords)
        yield "arguments", call, ast.unparse(ast.fix_missing_locations(turned))


def _other_bounds(node: ast.Slice) -> Iterator[tuple[str, ast.expr, str]]:
    for bound in filter(None, (node.lower, node.upper)):
        yield "slice", bound, _text(ast.BinOp(bound, ast.Add(), ast.Constant(1)))
