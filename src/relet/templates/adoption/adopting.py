"""A script or a notebook becomes a pipeline of one component, which runs it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from relet.core.installed import Distributions
from relet.errors import BadDataError, SettingError
from relet.names import __version__
from relet.project.folder import enclosing_root
from relet.templates.adoption.advice import advice
from relet.templates.adoption.arguments import identifier
from relet.templates.adoption.script import AdoptedScript, read_script
from relet.templates.adoption.step import AdoptedStep, component_source, settings_section
from relet.templates.filling import filled, write_files
from relet.templates.project import COPIED_BYTES, check_name

SCRIPTS = "scripts"


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What was written below `root`: the files, the steps, and sentences for a person by step."""

    root: Path
    name: str
    files: tuple[str, ...]
    steps: tuple[AdoptedStep, ...]
    advice: tuple[str, ...]


def adopt_script(file: Path, *, name: str | None = None, here: Path | None = None) -> Adoption:
    """Write a pipeline around a script (.py) or a notebook (.ipynb), which is copied beside it.

    The project is the one around the current folder; without one, the current folder becomes one. Raises
    BadDataError for a file that can't be read, SettingError for a name that is taken or none.
    """
    if not file.is_file():
        raise BadDataError(f"{file}: there is no such file")
    if file.suffix not in (".py", ".ipynb"):
        raise BadDataError(f"{file}: relet adopts a script (.py) or a notebook (.ipynb)")
    chosen = name or identifier(file.stem)[:40]
    root = project_root(chosen, here)
    script = read_script(file, chosen)
    copied = _copied_data(root, script)
    step = _step_of(script, copied)
    home = f"pipelines/{chosen}"
    program = f"{home}/{SCRIPTS}/{step.program}"
    files: dict[str, str | bytes] = {
        **pipeline_files(chosen, (step,), f"{file.name}, adopted as it is."),
        **declaration(root, chosen, (step,)),
        program: script.source if file.suffix == ".ipynb" else file.read_bytes(),
        **{
            f"{home}/{SCRIPTS}/{path.relative_to(file.parent).as_posix()}": path.read_bytes()
            for path in script.modules
        },
        **{place: path.read_bytes() for place, path in copied.items() if not (root / place).exists()},
    }
    write_files(root, files)
    return Adoption(
        root=root,
        name=chosen,
        files=tuple(files),
        steps=(step,),
        advice=(*script.remarks, *_at_times(script), *advice(script.tree)),
    )


def _at_times(script: AdoptedScript) -> Iterator[str]:
    for path, condition in script.sometimes:
        yield f"{path} is written only where {condition}: it is no artifact; add it to `writes` to keep it"


def project_root(name: str, here: Path | None = None) -> Path:
    """The project around a folder, else that folder. Raises SettingError for a pipeline's name that is taken."""
    check_name(name, "a pipeline")
    root = enclosing_root(here or Path.cwd()) or here or Path.cwd()
    if (root / "pipelines" / name).exists():
        raise SettingError(f"there is a pipeline {name} in {root} already; choose another name: --name NAME")
    return root


def pipeline_files(name: str, steps: tuple[AdoptedStep, ...], title: str) -> dict[str, str | bytes]:
    """The pipeline, its components and its configuration."""
    home = f"pipelines/{name}"
    imports = sorted(f"from pipelines.{name}.components.{step.name} import {step.name}" for step in steps)
    words = {
        "title": title,
        "name": name,
        "imports": "\n".join(imports),
        "components": "\n".join(f"        {step.name}," for step in steps),
        "sections": "".join(f"{section}\n" for step in steps if (section := settings_section(step))),
    }
    return {
        f"{home}/pipeline.py": filled("adopted/pipeline.py", words),
        f"{home}/conf/config.yaml": filled("adopted/config.yaml", words),
        **{f"{home}/components/{step.name}.py": component_source(step) for step in steps},
    }


def declaration(root: Path, name: str, steps: tuple[AdoptedStep, ...]) -> dict[str, str | bytes]:
    """A `pyproject.toml` that names what the steps need, for the lock; none where the project has one."""
    if (root / "pyproject.toml").exists():
        return {}
    installed = Distributions.installed()
    modules = [each for step in steps for each in step.packages]
    owners = sorted({owner for each in modules for owner in installed.owners(each)})
    tracked = "[mlflow]" if find_spec("mlflow") else ""
    wanted = [f"relet{tracked}>={__version__}", *(f"{each}>={installed.found[each][0]}" for each in owners)]
    lines = "\n".join(f'    "{each}",' for each in wanted)
    return {"pyproject.toml": filled("adopted/pyproject.toml", {"name": name, "dependencies": lines})}


def _copied_data(root: Path, script: AdoptedScript) -> dict[str, Path]:
    """The files that the script reads and that lie outside of the project: their place in it → where they are."""
    copied = {}
    for each in script.reads:
        if each.found and not each.found.is_relative_to(root) and each.found.stat().st_size <= COPIED_BYTES:
            copied[f"data/{each.found.name}"] = each.found
    return copied


def _step_of(script: AdoptedScript, copied: dict[str, Path]) -> AdoptedStep:
    places = {path: place for place, path in copied.items()}
    root = project_root(script.name)
    folders = {str(PurePosixPath(each.path).parent) for each in script.writes}
    folders |= {each.path for each in script.writes if each.is_folder}
    return AdoptedStep(
        name=script.name,
        folder=SCRIPTS,
        program=f"{script.file.stem}.py",
        resources=(SCRIPTS,),
        arguments=script.arguments,
        reads=script.reads,
        sources={each.name: _source(each.found, places, root) for each in script.reads},
        writes=script.writes,
        folders=() if script.makes_folders else tuple(sorted(folders - {"."})),
        packages=script.packages,
    )


def _source(found: Path | None, places: dict[Path, str], root: Path) -> str | None:
    if found is None:
        return None
    inside = found.relative_to(root).as_posix() if found.is_relative_to(root) else str(found)
    return places.get(found, inside)


def adoption_lines(made: Adoption) -> Iterator[str]:
    """What was written, and what it was taken for, in lines."""
    yield f"pipelines/{made.name} is there: {len(made.files)} files"
    for step in made.steps:
        place = f"pipelines/{made.name}/{step.folder}/{step.program}"
        is_copy = place in made.files
        yield f"{step.name} runs {place if is_copy else step.program}{': a copy, to be edited there' * is_copy}"
        reads = [*dict.fromkeys(step.inputs.values()), *(each.name for each in step.reads)]
        for word, names in {
            "reads": reads,
            "writes": [f"{each.name} ({each.path})" for each in step.writes],
            "settings": [each.name for each in step.hyperparameters],
        }.items():
            if names:
                yield f"  {word:<10}{', '.join(names)}"
        for name, value in step.sources.items():
            if value is None:
                yield f"  to be set {step.name}.{name}: the file that it reads"
        for name in step.to_be_set:
            yield f"  to be set {step.name}.{name}"


def way_on(made: Adoption) -> str:
    """The command that runs what was written, with a place for each value that has to be set."""
    wanted = [
        f"{step.name}.{name}=…"
        for step in made.steps
        for name in (*(name for name, value in step.sources.items() if value is None), *step.to_be_set)
    ]
    return " ".join(["relet run", made.name, *wanted])
