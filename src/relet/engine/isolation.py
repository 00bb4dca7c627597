"""Components in environments of their own: made from a lock, started once, asked for each step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from platform import python_version

import relet
from relet.core.component import MANAGERS, Component
from relet.engine import environments
from relet.engine.environments import Environment
from relet.engine.interpreter import Interpreter, clean_environment
from relet.engine.job import Job
from relet.errors import SettingError, SetUpError, nearest

Tell = Callable[[str], None]


@contextmanager
def isolated(job: Job, manager: str | None = None, *, tell: Tell = lambda _: None) -> Iterator[Job]:
    """The same job, with each component that has an environment of its own called there.

    `manager` names what makes one for every component that says nothing of its own: uv, virtualenv, conda or
    docker. The keys of such a component hold the versions of packages that its environment has. Raises SetUpError
    where an environment can't be made.
    """
    if manager is not None and manager not in MANAGERS:
        raise SettingError(f"--isolate got {manager!r}: {nearest(manager, MANAGERS)}")
    wanted: dict[str, list[Component]] = {}
    for component in job.request.components:
        if place := component.environment or manager:
            wanted.setdefault(place, []).append(component)
    with ExitStack() as opened:
        scratch = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="relet-isolated-")))
        for place, components in wanted.items():
            environment, interpreter = _started(job, place, scratch, tell)
            opened.enter_context(interpreter)
            names = [component.name for component in components]
            job = replace(
                job,
                request=replace(job.request, code={**job.request.code, **interpreter.parts(names)}),
                callers={**job.callers, **dict.fromkeys(names, interpreter.call)},
                environments={**job.environments, **dict.fromkeys(names, environment)},
            )
        yield job


def _started(job: Job, place: str, scratch: Path, tell: Tell) -> tuple[Environment, Interpreter]:
    """The environment that `uv` or `uv:locks/torch.lock` means, and its interpreter."""
    manager, _, name = place.partition(":")
    root = job.project.root
    path = root / name if name else job.project.lock
    if not path.is_file():
        raise SetUpError(f"there is no lock {path}: an environment is made from one (environment={place!r})")
    lock = path.read_bytes()
    variables = clean_environment({}, lock=lock, root=root, scratch=scratch)
    # A container sees what it is given: the project, what lies in temporary folders, and relet itself.
    folders = (root, Path(tempfile.gettempdir()), Path(relet.__file__).parent)
    told = {"PYTHONPATH": variables["PYTHONPATH"]} if "PYTHONPATH" in variables else {}
    environment = environments.build(
        manager, lock, python=python_version(), folders=folders, environment=told, progress=tell
    )
    started = Interpreter(
        environment.command,
        root=root,
        pipeline=job.request.pipeline.name,
        environment=dict(os.environ) if manager == "docker" else variables,
    )
    return environment, started
