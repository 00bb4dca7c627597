"""What components printed, and how those that failed did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from relet.browsing.runs import find_run
from relet.core.record import RunKind, RunRecord
from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class ComponentLog:
    """What a component printed in a run, with the traceback where it failed; `inputs` are the versions it took."""

    component: str
    run_id: str
    status: str
    inputs: dict[str, str]
    text: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def logs_of(store: Store, target: str | None = None) -> list[ComponentLog]:
    """The logs that a word asks for: those of a run, of a component's last run, or of the run that made a version.

    Without a word, those of the last run of a pipeline. Raises NotFoundError where no run is meant.
    """
    return [_log_of(store, each) for each in _records(store, target)]


def _records(store: Store, target: str | None) -> Iterator[RunRecord]:
    if target is None:
        last = next((each for each in store.runs() if each.kind is RunKind.PIPELINE), None)
        if last is None:
            raise NotFoundError("nothing has run yet; try: relet run PIPELINE")
        yield from _components_of(store, last)
    elif (named := _named_record(store, target)) is not None:
        yield named
    else:
        yield from _components_of(store, find_run(store, target))


def _named_record(store: Store, target: str) -> RunRecord | None:
    """A component's run: by its id, by a version that it made, or as the last one of a component."""
    if ":" in target:
        producer = store.version(target).producer
        return store.run(producer) if producer else None
    if target in store.run_ids():
        record = store.run(target)
        return record if record.component else None
    return next(
        (each for each in store.runs() if target in (each.component, f"{each.pipeline}.{each.component}")), None
    )


def _components_of(store: Store, run: RunRecord) -> list[RunRecord]:
    """The runs of the components of a run, in order; for one that was skipped, that which made its outputs."""
    later = takewhile(lambda each: each.id >= run.id, store.runs())
    own = {each.component: each for each in later if each.parent == run.id}
    made = {name: step["run"] for name, step in run.steps.items() if name not in own and step["run"]}
    return sorted((*own.values(), *map(store.run, made.values())), key=lambda each: each.id)


def _log_of(store: Store, record: RunRecord) -> ComponentLog:
    text = ""
    if record.log:
        there = store.has_object(record.log)
        text = (
            store.read_object(record.log).decode(errors="replace") if there else "its log stayed in another store"
        )
    return ComponentLog(
        component=record.component or record.pipeline,
        run_id=record.id,
        status=str(record.status),
        inputs={name: link.version for name, link in record.inputs.items()},
        text=text,
    )
