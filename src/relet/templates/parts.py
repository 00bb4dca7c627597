"""One more component, or one more data test, for a pipeline that is there."""

from __future__ import annotations

import ast

from relet.core.artifact import ArtifactType
from relet.core.pipeline import Pipeline
from relet.errors import NotFoundError, ReletError, SettingError
from relet.project.folder import Project, find_root, open_project, pipelines
from relet.templates.filling import filled, write_files
from relet.templates.project import check_name

# The table that a new component takes, where the pipeline has one of that name.
USUAL_TABLE = "clean_sample"


def new_component(target: str) -> list[str]:
    """Write a component and its test, and list the component in `pipeline.py`; says what was done, in lines.

    `target` is the component's name; with the pipeline's before it (`rents.count_rooms`) where there are several.
    Raises SettingError for a name that is taken or none, NotFoundError outside of a project.
    """
    project, name = _project_of(target, "a component")
    if name in project.pipeline.names:
        raise SettingError(f"{project.pipeline.name} has a component {name} already; choose another name")
    folder = project.folder / "components" if (project.folder / "components").is_dir() else project.folder
    file = folder.relative_to(project.root) / f"{name}.py"
    test = f"tests/test_{project.pipeline.name}_{name}.py"
    words = _component_words(project, name, ".".join(file.with_suffix("").parts[1:]))
    listing = project.folder / "pipeline.py"
    before = listing.read_bytes()
    after = with_component(before, f"pipelines.{words['module']}", name)
    written = {str(file): filled("parts/component.py", words), test: filled("parts/test_component.py", words)}
    write_files(project.root, written)
    listing.write_bytes(after)
    try:
        open_project(project.pipeline.name, project.root)
    except ReletError:
        listing.write_bytes(before)
        for each in written:
            (project.root / each).unlink()
        raise
    return [
        f"{file} is there, with {test}; pipeline.py lists {name}",
        f"go on with: relet run {project.pipeline.name} steps={name}",
    ]


def new_check(target: str) -> list[str]:
    """Write a data test into the pipeline's folder `checks`; says what was done, in lines.

    Raises as `new_component` does, and SettingError where no component of the pipeline runs that folder's tests.
    """
    project, name = _project_of(target, "a check")
    name = name.removeprefix("test_")
    runs = [each for each in project.pipeline.components if "checks" in each.resources and each.gates]
    if not runs:
        raise SettingError(
            f"no component of {project.pipeline.name} runs the data tests of a folder checks/: write one with "
            '@component(…, resources=("checks",)) that calls relet.checks.run_suite'
        )
    file = (project.folder / "checks").relative_to(project.root) / f"test_{name}.py"
    words = {"title": _title(name), "check": name}
    write_files(project.root, {str(file): filled("parts/check.py", words)})
    step = runs[0].name
    return [f"{file} is there; {step} runs it", f"go on with: relet run {project.pipeline.name} steps={step}"]


def with_component(source: bytes, module: str, name: str) -> bytes:
    """The source of a `pipeline.py` that imports and lists one more component.

    Raises SettingError where its list of components is no list in brackets, with the lines to write by hand.

    >>> print(with_component(b"from p.a import a\\n\\npipeline = Pipeline([a])\\n", "p.b", "b").decode())
    from p.a import a
    from p.b import b
    <BLANKLINE>
    pipeline = Pipeline([a, b])
    <BLANKLINE>
    """
    line = f"from {module} import {name}"
    tree = ast.parse(source)
    components = _component_list(tree)
    if components is None:
        raise SettingError(
            f"pipeline.py has no line `pipeline = Pipeline([…])` that could be extended; write there: {line}, and "
            f"{name} among the components"
        )
    lines = source.splitlines(keepends=True)
    _insert_element(lines, components, name)
    root = module.partition(".")[0]
    own = [each for each in tree.body if isinstance(each, ast.ImportFrom) and f"{each.module}".startswith(root)]
    later = [each.lineno - 1 for each in own if str(each.module) > module]
    last = max((each.end_lineno or 0 for each in own), default=components.lineno - 1)
    lines.insert(min(later, default=last), f"{line}\n".encode())
    return b"".join(lines)


def _component_list(tree: ast.Module) -> ast.List | None:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(call := statement.value, ast.Call):
            named = [each.value for each in call.keywords if each.arg == "components"]
            for node in (*call.args[:1], *named):
                if ast.unparse(call.func).endswith("Pipeline") and isinstance(node, ast.List) and node.elts:
                    return node
    return None


def _insert_element(lines: list[bytes], components: ast.List, name: str) -> None:
    """Put a name behind the last element: on a line of its own, where that has one."""
    last = components.elts[-1]
    row, end = (last.end_lineno or 0) - 1, last.end_col_offset or 0
    line = lines[row]
    if components.end_lineno == last.end_lineno:
        lines[row] = line[:end] + f", {name}".encode() + line[end:]
        return
    indent = line[: len(line) - len(line.lstrip())]
    rest = line[end:] if line[end:].lstrip().startswith(b",") else b"," + line[end:]
    lines[row] = line[:end] + rest
    lines.insert(row + 1, indent + f"{name},\n".encode())


def _project_of(target: str, what: str) -> tuple[Project, str]:
    """The project with the pipeline that is meant, and the name of the new part."""
    root = find_root()
    pipeline, _, name = target.rpartition(".")
    check_name(name, what)
    known = pipelines(root)
    if not pipeline and len(known) > 1:
        raise SettingError(f"which pipeline is {name} for? write {known[0]}.{name}; there are {', '.join(known)}")
    if not pipeline and not known:
        raise NotFoundError(f"{root} has no pipeline yet; write one: relet new pipeline NAME")
    return open_project(pipeline or known[0], root), name


def _component_words(project: Project, name: str, module: str) -> dict[str, str]:
    table = _table_to_take(project.pipeline)
    return {
        "name": project.pipeline.name,
        "component": name,
        "module": module,
        "title": _title(name),
        "class_name": f"{''.join(part.capitalize() for part in name.split('_'))}Made",
        "output": f"{name}_metrics",
        "pandas_import": "import pandas as pd\n" if table else "",
        "blank": "\n" if table else "",
        "parameters": f"{table}: pd.DataFrame" if table else "",
        "rows": f"float(len({table}))" if table else "0.0",
        "argument": 'pd.DataFrame({"n": [1, 2]})' if table else "",
        "expected": "2.0" if table else "0.0",
    }


def _table_to_take(pipeline: Pipeline) -> str | None:
    tables = [out.name for each in pipeline.components for out in each.outputs if out.type is ArtifactType.TABLE]
    return USUAL_TABLE if USUAL_TABLE in tables else tables[-1] if tables else None


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
