"""Where a project and its pipelines are found."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from relet.core.code import FirstPartyCode
from relet.core.pipeline import Pipeline, read_pipeline
from relet.core.roots import PROJECT_SETTING, project_code
from relet.errors import NotFoundError, ReletError, nearest
from relet.project.known_code import process_memory

# The folder of a project that is run from elsewhere: its code is taken from there, and nothing is kept there.
SETTING = PROJECT_SETTING
KEPT = ".relet"

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder that holds `pipelines/`, and one pipeline in it, read from its source.

    `roots` are folders that its modules are imported from beside `root`, relative to it. `place` is where what is
    relative is kept: the store, downloads, MLflow's files. That is `root`, unless the project is run from
    elsewhere.
    """

    root: Path
    roots: tuple[str, ...]
    place: Path
    folder: Path
    code: FirstPartyCode
    pipeline: Pipeline

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def lock(self) -> Path:
        return self.root / "requirements.lock"


def find_root(start: Path | None = None) -> Path:
    """The folder that holds `pipelines/`: the nearest one from `start` upwards.

    Without `start`, that of `RELET_PROJECT`, where it is set, else the nearest from the current folder upwards.
    """
    named = os.environ.get(SETTING)
    if named and start is None:
        if not _is_root(Path(named)):
            raise NotFoundError(f"{SETTING} is {named}, which holds no pipelines/; set it to a project's folder")
        return Path(named).resolve()
    here = (start or Path.cwd()).resolve()
    if found := enclosing_root(here):
        return found
    raise NotFoundError(
        f"no pipelines/ in {here} or above it; change to a project's folder, or begin one: relet new NAME"
    )


def find_place(start: Path | None = None) -> Path:
    """Where what is relative is kept: the project's folder around `start`, which is the current one if not given.

    Outside of every project it is the current folder, if a project that lies elsewhere is run, or was run here.
    """
    here = (start or Path.cwd()).resolve()
    elsewhere = start is None and (os.environ.get(SETTING) or (here / KEPT).is_dir())
    return enclosing_root(here) or (here if elsewhere else find_root(start))


def enclosing_root(here: Path) -> Path | None:
    """The nearest folder from `here` upwards that holds `pipelines/`; None where there is none."""
    return next((folder for folder in (here, *here.parents) if _is_root(folder)), None)


def _is_root(folder: Path) -> bool:
    return (folder / "pipelines").is_dir()


def keep_out_of_git(place: Path) -> None:
    """Have git ignore what relet keeps in `place`, if it keeps something; a file that is there stays."""
    kept = place / KEPT
    with suppress(OSError):  # where the file can't be written, the project's own .gitignore has to say it
        if kept.is_dir() and not (kept / ".gitignore").exists():
            (kept / ".gitignore").write_text("*\n", encoding="utf-8")


def pipelines(root: Path) -> list[str]:
    """The names of the project's pipelines."""
    return sorted(path.parent.name for path in root.glob("pipelines/*/pipeline.py"))


def open_project(name: str, start: Path | None = None) -> Project:
    """The project around `start`, with one of its pipelines.

    Raises NotFoundError for an unknown pipeline, with the nearest; WiringError and SignatureError for a wrong one.
    """
    root = find_root(start)
    folder = root / "pipelines" / name
    path = folder / "pipeline.py"
    if not path.is_file():
        raise NotFoundError(
            f"there is no pipeline {name!r} in {root / 'pipelines'}: {nearest(name, pipelines(root))}"
        )
    code, roots = project_code(root, process_memory())
    pipeline = read_pipeline(name, path, code)
    return Project(root=root, roots=roots, place=find_place(start), folder=folder, code=code, pipeline=pipeline)


def of_each_pipeline(root: Path, ask: Callable[[Project], Answer]) -> dict[str, Answer]:
    """What each pipeline gives; a broken one is passed over. Raises its error where all are broken."""
    found, errors = {}, []
    for name in pipelines(root):
        try:
            found[name] = ask(open_project(name, root))
        except ReletError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


def pipeline_and_step(target: str, start: Path | None = None) -> tuple[str, str | None]:
    """What `nyc_rentals`, `nyc_rentals.train_model` or `train_model` alone means: a pipeline, and maybe a step.

    Raises NotFoundError where a step's name alone belongs to no pipeline, or to several.
    """
    root = find_root(start)
    known = pipelines(root)
    name, _, step = target.partition(".")
    if step or name in known:
        return name, step or None
    owners = of_each_pipeline(root, lambda project: project.pipeline.names)
    found = [each for each, steps in owners.items() if target in steps]
    if len(found) == 1:
        return found[0], target
    if found:
        raise NotFoundError(f"{target} is a step of {' and '.join(found)}; write {found[0]}.{target}")
    candidates = [*known, *(step for steps in owners.values() for step in steps)]
    raise NotFoundError(f"there is no pipeline or step {target!r}: {nearest(target, candidates)}")
