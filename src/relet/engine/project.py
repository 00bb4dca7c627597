"""Where a project and its pipelines are found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relet.core.code import Code
from relet.core.pipeline import Pipeline, read_pipeline
from relet.errors import NotFoundError, nearest


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder that holds `pipelines/`, and one pipeline in it, read from its source."""

    root: Path
    folder: Path
    code: Code
    pipeline: Pipeline

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def lock(self) -> Path:
        return self.root / "requirements.lock"


def find_root(start: Path | None = None) -> Path:
    """The nearest folder, from `start` (default: the current one) upwards, that holds `pipelines/`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "pipelines").is_dir():
            return folder
    raise NotFoundError(f"no pipelines/ in {here} or above it; change to the project's folder")


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
    code = Code((root, Path(__file__).parents[2]))
    return Project(root=root, folder=folder, code=code, pipeline=read_pipeline(name, path, code))


def pipeline_and_step(target: str, start: Path | None = None) -> tuple[str, str | None]:
    """What `nyc_rentals`, `nyc_rentals.train_model` or `train_model` alone means: a pipeline, and maybe a step.

    Raises NotFoundError where a step's name alone belongs to no pipeline, or to several.
    """
    root = find_root(start)
    known = pipelines(root)
    name, _, step = target.partition(".")
    if step or name in known:
        return name, step or None
    owners = {each: open_project(each, root).pipeline.names for each in known}
    found = [each for each, steps in owners.items() if target in steps]
    if len(found) == 1:
        return found[0], target
    if found:
        raise NotFoundError(f"{target} is a step of {' and '.join(found)}; write {found[0]}.{target}")
    candidates = [*known, *(step for steps in owners.values() for step in steps)]
    raise NotFoundError(f"there is no pipeline or step {target!r}: {nearest(target, candidates)}")
