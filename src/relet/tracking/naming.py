"""How every tracker names runs and registered models, and which files and model aliases it mirrors."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Reference, Version, in_pipeline, is_full_name
from relet.core.record import RunKind, RunRecord
from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.store import Store


def run_name(record: RunRecord, length: int) -> str:
    """The name of a run in a tracker.

    A component's run has the component's name. A trial has its number and what it set, cut to `length` characters.
    Any other run has what it ran and the end of its id.
    """
    if record.component:
        return record.component
    if record.trial is not None:
        return f"{record.trial} {' '.join(record.overrides)}"[:length]
    kind = "" if record.kind is RunKind.PIPELINE else f"{record.kind} of "
    return f"{kind}{record.pipeline} {record.id.rpartition('-')[2]}"


def run_files(record: RunRecord) -> dict[str, str]:
    """What a tracker keeps of a run beside its artifacts, path → SHA-256: what a component printed, and of a
    pipeline's run the lock and the diff, which are those of its steps as well.
    """
    whole = record.parent is None
    wanted = {
        "code/requirements.lock.txt": record.lock if whole else None,
        "code/uncommitted.diff.txt": record.code.diff if whole else None,
        "log.txt": record.log,
    }
    return {path: digest for path, digest in wanted.items() if digest}


def registered_name(pipeline: str, artifact: str) -> str:
    """The name under which a tracker registers the models that a pipeline makes, or takes from another one.

    >>> registered_name("nyc_rentals", "model"), registered_name("nyc_rentals", "sales/model")
    ('nyc_rentals_model', 'sales_model')
    """
    return in_pipeline(pipeline, artifact).replace("/", "_")


def model_aliases(store: Store) -> list[tuple[str, str, Version]]:
    """Registered name, alias and version, for each alias that points at a model; `latest` is left out."""
    found = []
    names = store.names()
    for name in names:
        newest = store.find(Reference(name, "latest"))
        if newest is None or newest.type is not ArtifactType.MODEL:
            continue
        for alias, number in store.aliases(Reference(name)).items():
            version = store.find(Reference(name, f"v{number}"))
            pipeline = pipeline_of_alias(name, names, version, store)
            if alias != "latest" and version and pipeline:
                found.append((registered_name(pipeline, name), alias, version))
    return found


def pipeline_of_alias(name: str, names: Container[str], version: Version | None, store: Store) -> str | None:
    """The pipeline that an alias of an artifact belongs to; None where it belongs to none any more.

    Aliases that an older relet set under a short name count until the pipeline has versions under its own: `names`
    are those of all artifacts.
    """
    if is_full_name(name):
        return name.partition("/")[0]
    pipeline = _producing_pipeline(version, store)
    return None if pipeline is None or in_pipeline(pipeline, name) in names else pipeline


def _producing_pipeline(version: Version | None, store: Store) -> str | None:
    try:
        return store.run(version.producer).pipeline if version and version.producer else None
    except NotFoundError:
        return None
