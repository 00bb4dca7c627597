"""The notebook that explores a pipeline's artifacts, and the stored versions that it shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from relet.core.artifact import Reference, short_name, within_pipeline
from relet.core.component import Component
from relet.core.pipeline import Pipeline
from relet.core.record import RunRecord
from relet.errors import NotFoundError, SetUpError, nearest
from relet.project.folder import open_project
from relet.project.job import Job, RunOutcome
from relet.project.order import Order
from relet.project.request import prepare
from relet.project.stores import STORE

if TYPE_CHECKING:
    from relet.store import Store

# The notebook's file in a pipeline's folder. The component that executes it declares it as a resource.
NOTEBOOK = "eda.py"
# marimo does not execute the notebook that it opens, since anyone may have written it. With this variable it does:
# here a person asked for that.
RUN_AT_ONCE = "_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """The notebook, and the job that executes it. The job's request holds the versions that it explores."""

    job: Job
    notebook: Path

    @property
    def versions(self) -> Mapping[str, str]:
        """The notebook's inputs: name → version, such as `clean_sample:v3`."""
        return self.job.request.inputs


def prepare_exploration(
    pipeline: str, reference: str | None = None, overrides: Sequence[str] = (), command: Sequence[str] = ()
) -> Exploration:
    """The exploration of the versions that belong to `reference`; without it, to what was made last.

    Raises SetUpError where marimo is not installed; NotFoundError where the pipeline has no notebook, where
    nothing is stored yet, or where no record says which versions belong to `reference`.
    """
    if find_spec("marimo") is None:
        raise SetUpError("relet eda needs marimo; install it with: pip install 'relet[eda]'")
    component = explorer(open_project(pipeline).pipeline)
    order = Order(pipeline=pipeline, component=component.name, overrides=tuple(overrides), command=tuple(command))
    # the job knows the store, whose runs say which versions belong together
    job = prepare(order)
    chosen = choose_versions(component, job.request.pipeline, job.store, reference)
    job = replace(job, request=replace(job.request, inputs=chosen))
    return Exploration(job=job, notebook=job.project.folder / NOTEBOOK)


def explorer(pipeline: Pipeline) -> Component:
    """The component that executes the pipeline's notebook: the one that declares the notebook as a resource."""
    for each in pipeline.components:
        if NOTEBOOK in each.resources:
            return each  # type: ignore[no-any-return]
    raise NotFoundError(
        f"{pipeline.name} has no exploration: write a marimo notebook pipelines/{pipeline.name}/{NOTEBOOK}, and a "
        f'component with resources=("{NOTEBOOK}",) that executes it'
    )


def choose_versions(
    component: Component, pipeline: Pipeline, store: Store, reference: str | None = None
) -> dict[str, str]:
    """A stored version for each input, such that these versions were made from one another.

    `reference` is a version of one of the inputs; without it, the latest version of the input that the pipeline
    makes last. The records of runs say which versions of the other inputs belong to it. Where a record is gone and
    no `reference` is given, the latest version of the input is taken.
    """
    names = [each.name for each in component.inputs]
    absent = [name for name in names if store.find(pipeline.full(f"{name}:latest")) is None]
    makers = dict.fromkeys(pipeline.producers[name] for name in pipeline.producers if name in names)
    steps = f"relet run {pipeline.name} steps={','.join(makers)}"
    if absent:
        raise NotFoundError(
            f"there is nothing to explore: {store.url} holds no {', no '.join(absent)}; run this first: {steps}"
        )
    made_last = [name for name in pipeline.producers if name in names][-1]
    asked = Reference.parse(reference or made_last)
    name = within_pipeline(pipeline.name, asked.name)
    if name not in names:
        raise NotFoundError(f"{NOTEBOOK} explores {', '.join(names)}, not {name}: {nearest(name, names)}")
    version = store.version(pipeline.full(str(asked)))
    found = _related_versions({name: str(version)}, names, component, store)
    unknown = [name for name in names if name not in found]
    if unknown and reference:
        raise NotFoundError(
            f"no run is recorded that made or took {version} together with {', '.join(unknown)}; "
            f"make it again: {steps}"
        )
    return {name: found.get(name) or str(store.version(pipeline.full(f"{name}:latest"))) for name in names}


def _related_versions(
    known: Mapping[str, str], names: Sequence[str], component: Component, store: Store
) -> dict[str, str]:
    """The known versions, and the versions that runs took or made together with them; newer runs come first."""
    found = dict(known)
    records = [record for record in store.runs() if record.component not in (None, component.name)]
    while new := next(_newly_related(found, names, records), None):
        found |= new
    return found


def _newly_related(
    found: Mapping[str, str], names: Sequence[str], records: Sequence[RunRecord]
) -> Iterator[dict[str, str]]:
    for record in records:
        links = {name: link.version for name, link in (*record.inputs.items(), *record.outputs.items())}
        # a link whose name is not the artifact's is a reference, which belongs to another batch
        own = {
            name: version for name, version in links.items() if short_name(Reference.parse(version).name) == name
        }
        if not set(own.values()) & set(found.values()):
            continue
        if new := {name: version for name, version in own.items() if name in names and name not in found}:
            yield new


def open_notebook(exploration: Exploration, *, port: int | None, headless: bool) -> NoReturn:
    """Replace this process by marimo, which opens the notebook on the chosen versions in the browser.

    A person may change the notebook there.
    """
    job = exploration.job
    command = [sys.executable, "-m", "marimo", "edit", str(exploration.notebook), "--skip-update-check"]
    command += ["--no-sandbox", *(["--headless"] if headless else []), *(["--port", str(port)] if port else [])]
    chosen = (word for name, version in exploration.versions.items() for word in (f"--{name}", version))
    # the notebook imports from the project, and loads from the store that the person named
    paths = (str(job.project.root), os.environ.get("PYTHONPATH", ""))
    environment = {
        **os.environ,
        RUN_AT_ONCE: "true",
        STORE: job.store.url,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    os.execve(sys.executable, [*command, "--", *chosen], environment)


def write_page(exploration: Exploration, outcome: RunOutcome, to: Path) -> None:
    """Write the page of the exploration to a file, whether this run made the page or an earlier one."""
    for version in outcome.results[0].outputs.values():
        for path, digest in version.files.items():
            if path.endswith(".html"):
                exploration.job.store.fetch_object(digest, to)
                return
    raise NotFoundError(f"{outcome.results[0].component} made no page: its output holds no .html file")
