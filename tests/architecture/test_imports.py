"""What imports what: checked on the source, and in fresh processes."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
OLDEST_PYTHON = (3, 11)

# Each costs from a twentieth of a second to four seconds: importing relet, or asking for help, pays for none.
HEAVY = {
    "duckdb",
    "filelock",
    "hydra",
    "ibis",
    "lightgbm",
    "marimo",
    "matplotlib",
    "mlflow",
    "omegaconf",
    "optuna",
    "pandas",
    "polars",
    "pyarrow",
    "requests",
    "rich",
    "scipy",
    "sklearn",
    "skops",
    "sqlalchemy",
    "wandb",
}

# The blocks of inference pipelines are scikit-learn estimators: their classes need it to be defined at all.
ESTIMATORS = {
    "relet.features": {"numpy", "sklearn", "scipy"},
    "relet.training.estimators": {"numpy", "sklearn", "scipy"},
}

# The one room, or module that stands alone, that may import a library, for each library that only one room may.
DOORS = {
    "mlflow": "tracking",
    "wandb": "tracking",
    "hydra": "config",
    "omegaconf": "config",
    "obstore": "store",
    "optuna": "trials",
    "filelock": "files.py",
}


def modules() -> list[str]:
    files = sorted((SOURCE / "relet").rglob("*.py"))
    names = [".".join(file.relative_to(SOURCE).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def loaded(*names: str) -> set[str]:
    """The top-level packages that importing these modules in a fresh process brings along."""
    program = (
        f"import sys, json, {', '.join(names)}; print(json.dumps([n.partition('.')[0] for n in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def imported(file: Path) -> Iterator[str]:
    """The top-level packages that a file imports anywhere, inside functions and type hints included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def test_importing_all_of_relet_loads_no_heavy_library() -> None:
    cheap = [name for name in modules() if not name.startswith(tuple(ESTIMATORS))]
    program = f"""
import importlib, json, sys
seen, found = set(), {{}}
for name in {cheap!r}:
    importlib.import_module(name)
    new = {{n.partition('.')[0] for n in sys.modules}} & {HEAVY!r} - seen
    seen |= new
    if new:
        found[name] = sorted(new)
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


@pytest.mark.parametrize("room", ESTIMATORS)
@pytest.mark.long
def test_a_room_of_estimators_loads_only_what_defines_them(room: str) -> None:
    names = [name for name in modules() if name.startswith(room)]
    brought = loaded(*sorted(ESTIMATORS[room])) if names else set()
    assert (loaded(*names) & HEAVY if names else set()) <= brought


@pytest.mark.parametrize("argument", ["--help", "run --help"])
def test_asking_for_help_loads_no_heavy_library(argument: str) -> None:
    program = f"""
import json, sys
sys.argv = ["relet", *{argument.split()!r}]
from relet.cli import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}} & {HEAVY!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_core_needs_the_standard_library_alone() -> None:
    allowed = sys.stdlib_module_names | {"relet"}
    files = [SOURCE / "relet" / "errors.py", *sorted((SOURCE / "relet" / "core").rglob("*.py"))]
    assert [f"{file.name}: {name}" for file in files for name in imported(file) if name not in allowed] == []


@pytest.mark.parametrize("library", DOORS)
@pytest.mark.sampled
def test_a_library_has_one_door(library: str) -> None:
    elsewhere = [
        str(file.relative_to(SOURCE))
        for file in sorted((SOURCE / "relet").rglob("*.py"))
        if library in imported(file) and file.relative_to(SOURCE / "relet").parts[0] != DOORS[library]
    ]
    assert elsewhere == []


def test_relet_knows_nothing_of_the_pipelines_built_on_it() -> None:
    files = sorted((SOURCE / "relet").rglob("*.py"))
    assert [str(file) for file in files if "pipelines" in set(imported(file))] == []


def test_every_module_is_read_on_the_oldest_python() -> None:
    refused = []
    for file in [*SOURCE.rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]:
        try:
            ast.parse(file.read_text(encoding="utf-8"), filename=str(file), feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            refused.append(f"{error.filename}:{error.lineno}: {error.msg}")
    assert refused == []


def test_type_hints_look_downward_too() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    height = {
        room: -number for number, layer in enumerate(contract["layers"]) for room in re.findall(r"\w+", layer)
    }
    upward = []
    for file in sorted((SOURCE / "relet").rglob("*.py")):
        room = file.relative_to(SOURCE / "relet").with_suffix("").parts[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = (node.module or "").split(".") if isinstance(node, ast.ImportFrom) else []
            inside = room in height and len(parts) > 1 and parts[0] == "relet" and parts[1] != room
            if inside and height[parts[1]] >= height[room]:
                upward.append(f"{file.relative_to(SOURCE)}:{node.lineno} imports {'.'.join(parts)}")
    assert upward == []


def imports_of(file: Path) -> set[str]:
    """The modules of relet that a file imports, inside functions too; what only type checkers read is left out."""
    module, known = module_name(file), {module_name(each) for each in (SOURCE / "relet").rglob("*.py")}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    hints = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for line in node.body
        for inner in ast.walk(line)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in hints:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports by a relative name"
            # `from relet.core import code` imports a module, `from relet.core.code import closure` what is in one.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(names & known, {str(node.module)} if names - known else ())
    return found & known - {module}


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, by way of others or not.

    >>> cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    [['b', 'c']]
    """
    reached = {name: set(imports) for name, imports in graph.items()}
    for middle in graph:
        for imports in reached.values():
            if middle in imports:
                imports |= reached[middle]
    groups = {tuple(sorted(each for each in reached[name] if name in reached[each])) for name in graph}
    return [list(group) for group in sorted(groups) if group]


@pytest.mark.long
def test_no_modules_import_each_other() -> None:
    graph = {module_name(file): imports_of(file) for file in sorted((SOURCE / "relet").rglob("*.py"))}
    # The test reads the graph as it is, if it finds these: imports at the top, in a function, and of a module.
    assert "relet.errors" in graph["relet.store.bucket"]
    assert "relet.store.transfer" in graph["relet.store.storage"]
    assert "relet.tracking.wandb.ledger" in graph["relet.tracking.wandb.tracker"]
    assert cycles(graph) == []


def test_imports_go_only_downward() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
