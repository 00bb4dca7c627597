"""What the journal of a search claims of its trials, compared with the records of the runs that it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from relet.core.override_words import override
from relet.core.record import RunRecord, Status
from relet.core.wording import without_credentials

if TYPE_CHECKING:
    from relet.store.journal import JournalPiece

FindRecord = Callable[[str], RunRecord | None]
# What optuna's journal calls a new trial, and a fact that is noted of one. The facts of relet have its name.
_NEW_TRIAL, _NOTED, _RELET = 4, 8, "relet"
# What optuna's journal calls the beginning of a study, and all else that a search writes of it and of its trials.
_NEW_STUDY, _ENTRIES = 0, (2, 3, 4, 5, 6, 7, 8, 9)
_FOLD = "search.fold"
_OUTCOMES = ("complete", "pruned", "failed")


def false_about(search: str, about: Mapping[str, Any]) -> str | None:
    """In words, why a search can't be what its description says; None where it can."""
    text = json.dumps(about, sort_keys=True, separators=(",", ":"))
    named = sha256(text.encode()).hexdigest()[:16]
    # The number of a later study of the same search stands behind the name.
    return None if search.partition("-")[0] == named else f"describes search {named}, and not {search}"


def false_trials(
    search: str, about: Mapping[str, Any], pieces: Iterable[JournalPiece], run: FindRecord
) -> Iterator[tuple[str, str]]:
    """The path of each piece that no search writes, or with a trial that no run stands behind, and why, in words.

    `about` says by which metric and on how many folds trials are measured; `run` finds a record, None where it is
    gone or can't be read.
    """
    began = 0
    for piece in pieces:
        if claim := _foreign_entry(search, piece, began):
            yield piece.path, claim
            return
        for number, told in _told_trials(piece.logs, began):
            for claim in _false_trial(number, told, search, about, run):
                yield piece.path, f"says of trial {number} {claim}"
        began += piece.size


def _foreign_entry(search: str, piece: JournalPiece, began: int) -> str | None:
    """In words, what a piece holds that no search writes, after so many trials; None where there is nothing."""
    logs = list(piece.logs)
    if began == 0:
        name = logs[0].get("study_name") if logs and logs[0].get("op_code") == _NEW_STUDY else None
        if name != search:
            return f"begins with the study {name}, and not with {search}"
        logs = logs[1:]
    for entry in logs:
        kind = entry.get("op_code")
        if type(kind) is not int or kind not in _ENTRIES:
            return f"has an entry of the kind {kind!r}, which no search writes"
    told = {number for number, _ in _told_trials(logs, began)}
    new = sum(entry["op_code"] == _NEW_TRIAL for entry in logs)
    if new != piece.size or told != set(range(began + 1, began + new + 1)):
        return f"is the piece of {piece.size} trials, has {new} new ones, and says how {len(told)} ended"
    return None


def _told_trials(logs: Iterable[Mapping[str, Any]], began: int) -> Iterator[tuple[int, Any]]:
    """What is told of trials: the number of each, from 1, and the facts. A trial may be told more than once."""
    for entry in logs:
        began += entry.get("op_code") == _NEW_TRIAL
        trial = entry.get("trial_id")
        number = trial + 1 if entry.get("op_code") == _NOTED and isinstance(trial, int) else began
        for facts in (entry.get("user_attr"), entry.get("user_attrs")):
            if isinstance(facts, Mapping) and _RELET in facts:
                yield number, facts[_RELET]


def _false_trial(number: int, told: Any, search: str, about: Mapping[str, Any], run: FindRecord) -> Iterator[str]:
    if not _is_trial(told):
        yield "what no search says of a trial"
        return
    folds, runs, outcome = told["folds"], told["runs"], told["outcome"]
    if len(runs) != len(folds) + (outcome == "failed"):
        yield f"that it is {outcome} with {len(folds)} values, and names {len(runs)} runs"
        return
    if (outcome == "complete") != (len(folds) == about.get("folds")) or (told["beside"] and number != 1):
        yield f"that it is {outcome} with {len(folds)} of {about.get('folds')} folds"
    point = [override(setting, value) for setting, value in sorted(told["values"].items())]
    for fold, run_id in enumerate(runs, 1):
        record = run(run_id)
        if record is None:
            yield f"that run {run_id} measured it, whose record is gone or can't be read"
            continue
        asked = without_credentials((*point, f"{_FOLD}={fold}"))
        if not _is_run_of(search, number, record, run) or tuple(record.overrides) != tuple(asked):
            yield f"that run {run_id} measured it with {' '.join(asked)}, and the run's record does not"
        metric = about.get("metric", "")
        measured = record.metrics.get(metric) if record.status is Status.FINISHED else None
        if fold <= len(folds) and measured != folds[fold - 1]:
            yield f"{metric} = {folds[fold - 1]!r} on fold {fold}, and the record of {run_id} says {measured!r}"
        elif fold > len(folds) and measured is not None and abs(measured) < float("inf"):
            yield f"that it failed on fold {fold}, and the record of {run_id} says {metric} = {measured!r}"


def _is_trial(told: Any) -> bool:
    """Whether what is told of a trial has the facts that a search writes, each of its type."""
    types: dict[str, Any] = {"folds": list, "runs": list, "values": dict, "error": str, "beside": bool}
    types |= {"outcome": str, "seconds": int | float}
    if not isinstance(told, Mapping) or told.keys() != types.keys():
        return False
    scalar = str | int | float | None
    return (
        all(isinstance(told[name], kind) for name, kind in types.items())
        and told["outcome"] in _OUTCOMES
        and all(isinstance(each, int | float) for each in told["folds"])
        and all(isinstance(each, str) for each in told["runs"])
        and all(isinstance(each, scalar) for each in told["values"].values())
    )


def _is_run_of(search: str, number: int, record: RunRecord, run: FindRecord) -> bool:
    """Whether a record is that of a run of this trial in this search."""
    parent = run(record.parent) if record.parent else None
    return parent is not None and parent.parameters.get("search") == search and record.trial == number
