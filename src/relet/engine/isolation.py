"""Components in environments of their own: each is made from a lock, and its interpreter is started once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from platform import python_version

from relet import environments
from relet.core.component import Component
from relet.engine.calling import folder_outside_calls
from relet.engine.interpreter import InterpreterProcess, clean_environment
from relet.environments import Environment
from relet.errors import SetUpError
from relet.files import scratch_folder
from relet.names import PACKAGE
from relet.project.job import Job
from relet.project.surroundings import PLACE, THREADS
from relet.project.tree import lay_out_tree

Tell = Callable[[str], None]


@contextmanager
def isolated_job(job: Job, *, tell: Tell = lambda _: None) -> Iterator[Job]:
    """The same job, with callers for the components that have an environment of their own.

    The key of such a component holds the versions of the packages in its environment. Raises SetUpError where an
    environment can't be made.
    """
    isolated: dict[str, list[Component]] = {}
    for component in job.request.components:
        place = component.environment or job.manager
        if place and component.name not in job.callers:
            isolated.setdefault(place, []).append(component)
    if not isolated:
        yield job
        return
    with ExitStack() as opened:
        scratch = opened.enter_context(scratch_folder("isolated", folder_outside_calls()))
        place_of_code = lay_out_tree(job.tree, scratch / "code", job.project.root)
        for place, components in isolated.items():
            interpreter = opened.enter_context(_component_interpreter(job, place, scratch, tell))
            names = [component.name for component in components]
            parts = interpreter.parts(
                place_of_code.folder,
                job.request.pipeline.name,
                {name: job.parameters[name] for name in names},
            )
            job = replace(
                job,
                request=replace(
                    job.request,
                    code={**job.request.code, **parts},
                    installed={**job.request.installed, **dict.fromkeys(names, interpreter.installed)},
                ),
                callers={**job.callers, **dict.fromkeys(names, interpreter.call)},
            )
        yield job


def environment_of(job: Job, component: Component, scratch: Path) -> Environment:
    """The environment that a component is called in: its own, or else the current one."""
    place = component.environment or job.manager
    if not place or component.name in job.callers:
        return environments.here()
    return _locked_environment(job, place, _isolated_variables(job, place, scratch), lambda _: None)


def _component_interpreter(job: Job, place: str, scratch: Path, tell: Tell) -> InterpreterProcess:
    variables = _isolated_variables(job, place, scratch)
    environment = _locked_environment(job, place, variables, tell)
    return InterpreterProcess(
        environment.command,
        environment=dict(os.environ) if environment.manager == "docker" else variables,
    )


def _locked_environment(job: Job, place: str, variables: Mapping[str, str], tell: Tell) -> Environment:
    """The environment that `uv` or `uv:locks/torch.lock` names.

    A container sees the folders that it is given: the project, temporary files, relet itself, and sources outside.
    """
    return environments.build(
        place.partition(":")[0],
        _lock(job, place),
        python=python_version(),
        folders=(job.project.root, Path(tempfile.gettempdir()), PACKAGE, *_source_folders(job)),
        environment={name: variables[name] for name in ("PYTHONPATH", *THREADS, *PLACE) if name in variables},
        progress=tell,
    )


def _source_folders(job: Job) -> list[Path]:
    """The folders that the sources outside lie in."""
    folders = [path.resolve().parent for each in job.request.components for path, _ in job.sources(each)]
    return list(dict.fromkeys(folders))


def _isolated_variables(job: Job, place: str, scratch: Path) -> dict[str, str]:
    return clean_environment({}, lock=_lock(job, place), root=job.project.root, scratch=scratch)


def _lock(job: Job, place: str) -> bytes:
    name = place.partition(":")[2]
    path = job.project.root / name if name else job.project.lock
    if not path.is_file():
        raise SetUpError(f"there is no lock {path}: an environment is made from one (environment={place!r})")
    return path.read_bytes()
