"""Which notebook explores a pipeline's artifacts, and on which stored versions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from relet.core.artifact import Reference
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
# marimo waits with executing what it opens, since that may come from anyone: `relet eda` asked for it.
RUN_AT_ONCE = "_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """The job that executes the notebook, and the notebook. The job's request says on which versions."""

    job: Job
    notebook: Path

    @property
    def versions(self) -> Mapping[str, str]:
        """Each of the notebook's tables → `clean_sample:v3`."""
        return self.job.request.inputs


def prepare_exploration(
    pipeline: str, reference: str | None = None, overrides: Sequence[str] = (), command: Sequence[str] = ()
) -> Exploration:
    """The exploration of a pipeline's artifacts: those that belong to `reference`, else to what was made last.

    Raises SetUpError without marimo; NotFoundError where the pipeline has no notebook, where nothing is stored
    yet, or where what belongs to `reference` is not known.
    """
    if find_spec("marimo") is None:
        raise SetUpError("relet eda needs marimo; install it with: pip install 'relet[eda]'")
    component = explorer(open_project(pipeline).pipeline)
    order = Order(pipeline=pipeline, component=component.name, overrides=tuple(overrides), command=tuple(command))
    # the order says which store, and what that holds says on which versions
    job = prepare(order)
    chosen = choose_versions(component, job.request.pipeline, job.store, reference)
    job = replace(job, request=replace(job.request, inputs=chosen))
    return Exploration(job=job, notebook=job.project.folder / NOTEBOOK)


def explorer(pipeline: Pipeline) -> Component:
    """The component that executes the pipeline's notebook: it declares it as a resource."""
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
    """A stored version for each input: those that were made from one another, as the records of runs say.

    They are those that belong to `reference`, which names a version of one of the inputs; without it, to the
    latest of the input that the pipeline makes last. Where a record is gone, that is each input's latest.
    """
    names = [each.name for each in component.inputs]
    absent = [name for name in names if store.find(f"{name}:latest") is None]
    makers = dict.fromkeys(pipeline.producers[name] for name in pipeline.producers if name in names)
    steps = f"relet run {pipeline.name} steps={','.join(makers)}"
    if absent:
        raise NotFoundError(
            f"there is nothing to explore: {store.url} holds no {', no '.join(absent)}; run this first: {steps}"
        )
    made_last = [name for name in pipeline.producers if name in names][-1]
    asked = Reference.parse(reference or made_last)
    if asked.name not in names:
        raise NotFoundError(
            f"{NOTEBOOK} explores {', '.join(names)}, not {asked.name}: {nearest(asked.name, names)}"
        )
    version = store.version(str(asked))
    found = _related_versions({version.name: str(version)}, names, component, store)
    unknown = [name for name in names if name not in found]
    if unknown and reference:
        raise NotFoundError(
            f"no run is recorded that made or took {version} together with {', '.join(unknown)}; "
            f"make it again: {steps}"
        )
    return {name: found.get(name) or str(store.version(f"{name}:latest")) for name in names}


def _related_versions(
    known: Mapping[str, str], names: Sequence[str], component: Component, store: Store
) -> dict[str, str]:
    """What is known, with the versions that runs took or made together with it: those of the newest run first."""
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
        # an input of another name is what the run compared with, a reference: of another batch
        theirs = {name: version for name, version in links.items() if version.partition(":")[0] == name}
        if not set(theirs.values()) & set(found.values()):
            continue
        if new := {name: version for name, version in theirs.items() if name in names and name not in found}:
            yield new


def open_notebook(exploration: Exploration, *, port: int | None, headless: bool) -> NoReturn:
    """Become marimo, which opens the notebook in the browser.

    The notebook may be changed there, and is loaded with the chosen versions.
    """
    job = exploration.job
    command = [sys.executable, "-m", "marimo", "edit", str(exploration.notebook), "--skip-update-check"]
    command += ["--no-sandbox", *(["--headless"] if headless else []), *(["--port", str(port)] if port else [])]
    chosen = (word for name, version in exploration.versions.items() for word in (f"--{name}", version))
    # the notebook's own imports find the project; what it loads comes from the store that was asked for
    paths = (str(job.project.root), os.environ.get("PYTHONPATH", ""))
    environment = {
        **os.environ,
        RUN_AT_ONCE: "true",
        STORE: job.store.url,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    os.execve(sys.executable, [*command, "--", *chosen], environment)


def write_page(exploration: Exploration, outcome: RunOutcome, to: Path) -> None:
    """Write the page that a run of the exploration made, or had made before, to a file."""
    for version in outcome.results[0].outputs.values():
        for path, digest in version.files.items():
            if path.endswith(".html"):
                exploration.job.store.fetch_object(digest, to)
                return
    raise NotFoundError(f"{outcome.results[0].component} made no page: its output holds no .html file")
