"""What a notebook calls: load an artifact, run a pipeline."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, short_name
from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.archives.own_code import OwnCode
    from relet.project.job import RunOutcome, RunWatcher

# The type of an artifact → the container that a person most likely looks at.
_CONTAINERS = {
    ArtifactType.TABLE: "pandas",
    ArtifactType.MODEL: "model",
    ArtifactType.METRICS: "metrics",
    ArtifactType.FIGURE: "figure",
    ArtifactType.VERDICT: "verdict",
    ArtifactType.DOCUMENT: "document",
    ArtifactType.TEXT: "text",
    ArtifactType.ARRAY: "array",
}


def load(reference: str, *, as_: str | None = None, store: str | None = None) -> Any:
    """A stored artifact as a value: a table as a pandas frame, a model as a `Model`, a file as its path.

    A document comes as dict or list, a dataclass too: its class belongs to the project.

    `as_` names another container: ibis, pandas, polars, arrow or path. `store` is the URL of a store; the default
    is the configured store of the project around the current folder.
    A short name means the artifact of the one pipeline that has such; `sales/raw:latest` says the pipeline itself.
    Raises NotFoundError with the nearest right name, or with the full names where several pipelines have it.
    """
    from relet.archives.own_code import own_code_in_effect
    from relet.engine.values import read_artifact
    from relet.project.call import InputFolder
    from relet.project.stores import configured_store
    from relet.store import open_store
    from relet.store.checking import refuse_false_files

    opened = open_store(store or configured_store())
    version = opened.version(reference)
    folder = Path(tempfile.mkdtemp(prefix=f"relet-{short_name(version.name)}-"))
    opened.materialize(version, folder)
    refuse_false_files(version, folder)
    place = InputFolder(folder=folder, type=version.type, trusted=version.imported is None)
    with own_code_in_effect(_own_code()):
        return read_artifact(place, as_ or _CONTAINERS.get(version.type, "path"))


def _own_code() -> OwnCode | None:
    """The code of the project around the current folder; None outside of every project."""
    from relet.archives.own_code import OwnCode
    from relet.project.folder import find_root

    try:
        return OwnCode.of(find_root())
    except NotFoundError:
        return None


def run(
    pipeline: str,
    *overrides: str,
    steps: list[str] | tuple[str, ...] | None = None,
    watch: RunWatcher | None = None,
    debug: bool = False,
) -> RunOutcome:
    """Run a pipeline as `relet run` does: `relet.run("nyc_rentals", "etl.max_price=300")`.

    Returns the outcome with the result of each component, a failed verdict included. Raises the run's error.
    """
    from relet.engine.run import execute
    from relet.project.order import Order
    from relet.project.request import prepare

    order = Order(
        pipeline=pipeline,
        steps=tuple(steps) if steps is not None else None,
        overrides=overrides,
        command=("relet.run", pipeline, *overrides),
    )
    outcome = execute(prepare(order), watch, debug=debug)
    if outcome.error is not None:
        raise outcome.error
    return outcome
