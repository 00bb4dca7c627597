"""Which words a piece of code holds, and whether it can find a function by a word that it works out."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from relet.core.imports import absolute_module
from relet.core.normal_form import read_children

_WORD = re.compile(r"\w+")
# Functions that read their caller's names, or run text. As attributes, many have another meaning.
_BUILTINS = frozenset(("breakpoint", "dir", "eval", "exec", "globals", "help", "locals", "vars"))
# What leads from an object to all names of a module, or to their code; what finds objects by a stored name, or
# starts programs; and the sizes of files, of which a module's own is one.
_LEADING = frozenset(
    _WORD.findall(
        """__builtins__ __dict__ __getattr__ __getattribute__ __globals__ __import__ __loader__ __spec__
        __subclasses__ CodeType FullLoader FunctionType InteractiveConsole InteractiveInterpreter
        LambdaType Loader Popen UnsafeLoader _current_frames _getframe ag_frame cr_frame
        currentframe dictConfig exec_module f_back f_builtins f_code f_globals f_locals fileConfig fork
        forkpty full_load get_code getmembers getsize gi_frame import_module import_string instantiate
        load_module popen posix_spawn posix_spawnp read_pickle resolve_name run_module run_path scandir
        setprofile settrace st_size tb_frame unsafe_load walk_stack walk_tb"""
    )
) | {f"{way}{end}" for way in ("exec", "spawn") for end in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")}
# Modules that do one of these things for whoever imports them.
_MODULES = frozenset(
    _WORD.findall(
        """IPython __main__ _pickle bdb builtins cPickle cProfile cffi cloudpickle code codeop copyreg
        ctypes dill doctest filecmp fire formula formulaic gc hydra imp importlib inspect joblib jsonpickle
        jupyter_client marshal nbclient numexpr papermill patsy pdb pickle pkgutil profile pydoc
        rlcompleter runpy shelve statsmodels subprocess timeit trace unittest zipimport"""
    )
)
# Functions that take a name → the place of the name among their arguments; None stands for each argument.
_ASKING: Mapping[str, int | None] = {
    **dict.fromkeys(("getattr", "hasattr", "setattr", "delattr"), 1),
    "attrgetter": None,
    "methodcaller": 0,
}
# Functions that look into a value.
_OF_VALUES = frozenset(("getattr", "hasattr", "setattr", "delattr", "vars"))
# Arguments by which a library loads objects by their names → the value by which it does.
_UNPICKLING: Mapping[str | None, bool] = {"allow_pickle": True, "weights_only": False}
# What is a way as an attribute, and has another meaning in some calls.
_OF_ATTRIBUTES = frozenset(("eval", "modules", "query", "system"))
# What is a way as a text: the name of an attribute that is asked for.
_BY_TEXT = (_BUILTINS | _LEADING | {"getattr"}) - {"dir", "help"}
# How a name is called that an import of all names may have bound.
STAR = "*"
# What stands for the name of the module itself among the values that it hands on, and who does no harm with it.
OWN_NAME = "__name__"
_LOGGERS = frozenset(("getLogger", "get_logger", "get_run_logger"))
_DOTTED = re.compile(r"\w+(\.\w+)+")
_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def words_of(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every word in the names and texts of some code, but for docstrings and for names that are only bound.

    These are the names of functions, of classes and of what they take, and those by which an import calls what the
    other module calls so, too: whoever uses one of them says it again.
    """
    found: set[str] = set()
    for node in _walk(nodes):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.update(each.name.rpartition(".")[2] for each in node.names if each.asname)
        elif not isinstance(node, ast.alias):
            found.update(word for text in _texts_of(node) for word in _WORD.findall(text))
    return frozenset(found)


def works_out_names(nodes: Iterable[ast.AST], outer: Collection[str] = ()) -> bool:
    """Whether some code can get at a function without saying its name.

    It may look at all names of a module, ask for a name that it works out, run a text, read the frames of its
    callers, load objects by names that are stored, or start a program. `outer` are the names of the module itself:
    what else is asked for its attributes is no module, unless one was handed on (`values_of`).
    """
    harmless: set[int] = set()
    for node in _walk(nodes):
        if isinstance(node, ast.Call) and _is_harmless_call(node, outer):
            harmless.add(id(node.func))
        elif isinstance(node, ast.Attribute) and node.attr == "__dict__" and not _is_of(node.value, outer):
            harmless.add(id(node))
        elif isinstance(node, ast.Import | ast.ImportFrom) and _imports_a_way(node):
            return True
        if id(node) not in harmless and _is_a_way(node):
            return True
    return False


def _is_of(node: ast.AST, outer: Collection[str]) -> bool:
    """Whether an expression says a name of the module itself."""
    return any(isinstance(each, ast.Name) and each.id in outer for each in ast.walk(node))


def _is_harmless_call(node: ast.Call, outer: Collection[str]) -> bool:
    """Whether a call of a suspicious name asks no module, asks for a name that it says, or has another meaning."""
    name = _name_of(node.func)
    asks_a_value = isinstance(node.func, ast.Name) and node.args and not isinstance(node.args[0], ast.Starred)
    if name in _OF_VALUES and asks_a_value and not _is_of(node.args[0], outer):
        return True
    if name in _ASKING:
        place = _ASKING[name]
        asked = node.args if place is None else node.args[place : place + 1]
        return bool(asked) and all(map(_is_text, asked)) and not node.keywords
    if isinstance(node.func, ast.Attribute):
        # `model.eval()` of PyTorch, `platform.system()`, `module.modules()`; pandas reads names in a query
        if name == "query":
            return bool(node.args) and _is_text(node.args[0])
        return name in ("eval", "system", "modules") and not node.args and not node.keywords
    return False


def _is_a_way(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _BUILTINS or node.id in _LEADING or node.id in _ASKING or node.id == "__package__"
    if isinstance(node, ast.Attribute):
        # a name that is worked out of a module's own
        if node.attr == "__module__" or (isinstance(node.value, ast.Name) and node.value.id == OWN_NAME):
            return True
        is_main = node.attr == "main" and _name_of(node.value) == "pytest"
        return is_main or node.attr in _LEADING or node.attr in _ASKING or node.attr in _OF_ATTRIBUTES
    if isinstance(node, ast.keyword) and node.arg in _UNPICKLING:
        return not isinstance(node.value, ast.Constant) or node.value.value is _UNPICKLING[node.arg]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        hidden = (each for each in _WORD.findall(node.value) if each.startswith("__"))
        return not _BY_TEXT.isdisjoint((*node.value.split("."), *hidden))
    if isinstance(node, ast.MatchClass):
        return not _LEADING.isdisjoint(node.kwd_attrs)
    return False


def _imports_a_way(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in _MODULES for alias in node.names)
    module = "" if node.level else (node.module or "").partition(".")[0]
    names = {alias.name for alias in node.names}
    renamed = {alias.name for alias in node.names if alias.asname}
    return (
        module in _MODULES
        or not names.isdisjoint(_LEADING | _OF_ATTRIBUTES)
        or not renamed.isdisjoint(_ASKING)
        or (module == "pytest" and "main" in names)
    )


def values_of(nodes: Iterable[ast.AST], bound: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The dotted names of what is imported and used as a value, not by an attribute alone.

    `bound` says what each name that an import binds stands for. Where such a value is a module of the project, it
    is handed to somebody who may look at all that is in it. So is one whose dotted name is handed on as a text:
    the module's own is `OWN_NAME`, unless a logger is asked for by it, or it is compared.
    """
    found: set[str] = set()
    passed: set[int] = set()
    for node in _walk(nodes):
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and _name_of(node.func) in _LOGGERS):
            below = ast.iter_child_nodes(node)
            passed.update(id(each) for each in below if isinstance(each, ast.Name) and each.id == OWN_NAME)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(dotted_names(node.value))
        if isinstance(node, ast.ClassDef):
            # a class leads to the modules that are imported in it
            inside = (each for each in node.body if isinstance(each, ast.Import | ast.ImportFrom))
            names = {alias.asname or alias.name.partition(".")[0] for each in inside for alias in each.names}
            found.update(full for name in names for full in bound.get(name, ()))
        if id(node) in passed or not isinstance(node, ast.Name | ast.Attribute):
            continue
        parts: list[str] = []
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            parts.append(root.attr)
            root = root.value
            passed.add(id(root))
        if isinstance(root, ast.Name) and root.id == OWN_NAME and not parts:
            found.add(OWN_NAME)
        if isinstance(root, ast.Name) and isinstance(root.ctx, ast.Load):
            chain = list(takewhile(lambda part: not part.startswith("__"), reversed(parts)))
            found.update(".".join((each, *chain)) for each in bound.get(root.id, ()))
            if STAR in bound and root.id not in bound:
                found.add(".".join((STAR, root.id, *chain)))
    return frozenset(found)


def dotted_names(text: str) -> Iterator[str]:
    """The dotted names in a text, any of which may be a module's.

    >>> list(dotted_names("p.tools and 'p.steps'"))
    ['p.tools', 'p.steps']
    """
    yield from (found[0] for found in _DOTTED.finditer(text))


def bound_by_imports(tree: ast.Module, package: str) -> dict[str, frozenset[str]]:
    """Each name that an import in a module binds → what it may stand for; `STAR` where one binds any name.

    What is the standard library's and relet's is left out.
    """
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        for name, full in _bindings(node, package):
            if full.partition(".")[0] not in ("relet", *sys.stdlib_module_names):
                found[name] = found.get(name, frozenset()) | {full}
    return found


def _bindings(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        module = absolute_module(node, package)
        yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)


def _walk(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Some nodes and all below them, each before what is in it, without docstrings."""
    waiting: list[Any] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            yield node
            for _, child in read_children(node):
                waiting.extend(child if isinstance(child, list) else (child,))


def _texts_of(node: ast.AST) -> Iterator[str]:
    binds = "name" if isinstance(node, _DEFINING) else "arg" if isinstance(node, ast.arg) else ""
    for name, child in read_children(node):
        if name == binds:
            continue
        for each in child if isinstance(child, list) else (child,):
            if isinstance(each, str):
                yield each


def _name_of(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
