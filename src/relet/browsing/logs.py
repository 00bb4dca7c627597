"""What components printed, and how those that failed did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from relet.browsing.runs import find_run
from relet.core.record import RunKind, RunRecord
from relet.errors import NotFoundError

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class ComponentLog:
    """What a component printed in a run, with the traceback where it failed; `inputs` are the versions it took.

    Of a sweep or search, `trial` is the number of the first trial that has it.
    """

    component: str
    run_id: str
    status: str
    inputs: dict[str, str]
    text: str
    trial: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def logs_of(store: Store, target: str | None = None) -> list[ComponentLog]:
    """The logs that a word asks for: those of a run, of a component's last run, or of the run that made a version.

    Without a word, those of the last run of a pipeline, sweep or search. Raises NotFoundError where no run is
    meant.
    """
    if target is not None and (named := _named_record(store, target)) is not None:
        return [_log_of(store, named)]
    run = _last_run(store) if target is None else _run_of(store, target)
    if run.kind not in (RunKind.SWEEP, RunKind.SEARCH):
        return [_log_of(store, each) for each in _components_of(store, run)]
    trials = sorted((each for each in store.runs() if each.parent == run.id), key=lambda each: each.trial or 0)
    # Trials share what is the same in them.
    logs = {log.run_id: log for trial in reversed(trials) for log in reversed(_logs_of_trial(store, trial))}
    return sorted(logs.values(), key=lambda log: (log.trial or 0, log.run_id))


def _logs_of_trial(store: Store, trial: RunRecord) -> list[ComponentLog]:
    return [replace(_log_of(store, each), trial=trial.trial) for each in _components_of(store, trial)]


def _run_of(store: Store, target: str) -> RunRecord:
    """The run of this id, a sweep or search too, or else the run that a word names."""
    return store.run(target) if target in store.run_ids() else find_run(store, target)


def _last_run(store: Store) -> RunRecord:
    last = next((each for each in store.runs() if each.parent is None and not each.component), None)
    if last is None:
        raise NotFoundError("nothing has run yet; try: relet run PIPELINE")
    return last


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
