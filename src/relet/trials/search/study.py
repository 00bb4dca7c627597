"""The study of a search: which points are tried next, and which trials are given up. The only door to optuna.

The points of a batch depend on nothing but the batches before it: the batch has a sampler with a seed of its own,
and the pruner sees no trial of the same batch. So the trials of a search are a function of its question, whoever
measures them; the first forty trials of a search for sixty are the trials of a search for forty.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from relet.config.space import Dimension, Scalar
from relet.errors import DamagedError
from relet.trials.search.question import SearchDefinition

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.storages.journal import BaseJournalBackend

Log = Mapping[str, Any]
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """The metric of a trial on one fold, or the error why there is none; the run that measured it, its seconds."""

    value: float | None
    error: str = ""
    run: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A trial that has ended: its number, from 1, its point, and the metric on each fold that was measured.

    `outcome` is complete, pruned or failed; `beside` marks the configured settings where they lie outside the
    space. `runs` are the runs that measured the folds.
    """

    number: int
    values: Mapping[str, Scalar]
    outcome: str
    folds: tuple[float, ...] = ()
    error: str = ""
    runs: tuple[str, ...] = ()
    seconds: float = 0.0
    beside: bool = False

    @property
    def value(self) -> float | None:
        """The mean of its folds, where all were measured."""
        return mean(self.folds) if self.outcome == COMPLETE else None


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


class TrialBatch:
    """The trials of one batch, from the points that optuna chose for them until all of them have ended."""

    def __init__(self, question: SearchDefinition, before: Sequence[Log], size: int) -> None:
        self.question = question
        self._backend = _MemoryJournalBackend(before)
        with _quiet_optuna():
            self._study = _open_study(question, self._backend)
            trials_before = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = _batch_sampler(question, trials_before // question.batch)
            if trials_before == 0 and question.default_fits:
                self._study.enqueue_trial(dict(question.defaults))
            space = _distributions(question.dimensions)
            trials = [self._study.ask(space) for _ in range(size)]
        self._trials = {each.number + 1: each for each in trials}
        self.values = {number: self._point(number) for number in self._trials}
        self._folds: dict[int, list[FoldResult]] = {number: [] for number in self._trials}
        self.alive = tuple(self._trials)

    def _point(self, number: int) -> dict[str, Scalar]:
        if number == 1:
            return dict(self.question.defaults)
        chosen = self._trials[number].params
        return {each.setting: _tried(each, chosen[each.setting]) for each in self.question.dimensions}

    def tell(self, measured: Mapping[int, FoldResult]) -> None:
        """Tell optuna what the next fold of each trial in `alive` gave; `alive` are then the trials that go on."""
        import optuna

        State = optuna.trial.TrialState
        last = len(self._folds[self.alive[0]]) + 1 == self.question.folds
        still_alive = []
        with _quiet_optuna():
            for number in self.alive:
                trial, result = self._trials[number], measured[number]
                self._folds[number].append(result)
                if result.value is None:
                    self._close(number, State.FAIL, FAILED)
                    continue
                average = mean(self._values(number))
                step = len(self._folds[number]) - 1
                trial.report(average, step)
                if last:
                    self._close(number, State.COMPLETE, COMPLETE, average)
                elif number != 1 and trial.should_prune():
                    self._close(number, State.PRUNED, PRUNED)
                else:
                    still_alive.append(number)
        self.alive = tuple(still_alive)

    def _values(self, number: int) -> list[float]:
        return [each.value for each in self._folds[number] if each.value is not None]

    def _close(
        self, number: int, state: optuna.trial.TrialState, outcome: str, value: float | None = None
    ) -> None:
        import optuna

        trial, folds = self._trials[number], self._folds[number]
        beside = number == 1 and not self.question.default_fits
        candidate = {
            "outcome": outcome,
            "values": self.values[number],
            "folds": self._values(number),
            "error": folds[-1].error,
            "runs": [each.run for each in folds if each.run],
            "seconds": round(math.fsum(each.seconds for each in folds), 3),
            "beside": beside,
        }
        trial.set_user_attr("relet", candidate)
        if beside:
            # The sampler chose another point, which nobody measured: it must learn nothing from this trial.
            state, value = optuna.trial.TrialState.FAIL, None
        self._study.tell(trial, value, state=state)

    @property
    def logs(self) -> list[Log]:
        """What this batch added to the journal."""
        return self._backend.added

    def candidates(self) -> list[Candidate]:
        """The trials of the study that have ended, those of this batch among them."""
        with _quiet_optuna():
            return list(_ended_candidates(self._study))


def candidates(question: SearchDefinition, logs: Sequence[Log]) -> list[Candidate]:
    """The trials that the entries of a journal hold, in the order of their numbers."""
    if not logs:
        return []
    with _quiet_optuna():
        try:
            study = _open_study(question, _MemoryJournalBackend(logs))
        except Exception as error:  # Optuna says of a wrong entry what Python does.
            raise DamagedError(f"optuna can't read it ({type(error).__name__}: {error})") from None
        found = list(_ended_candidates(study))
        for each in found:
            _check_learnt(question, each, study.get_trials(deepcopy=False)[each.number - 1])
        return found


def _check_learnt(question: SearchDefinition, told: Candidate, learnt: optuna.trial.FrozenTrial) -> None:
    """Raise DamagedError where the sampler would learn something else of a trial than what is told of it."""
    state = "FAIL" if told.beside or told.outcome == FAILED else told.outcome.upper()
    value = None if told.beside else told.value
    same = learnt.state.name == state and (told.outcome == PRUNED or learnt.value == value)
    if told.number != 1 or question.default_fits:
        params = learnt.params
        tried = {
            each.setting: _tried(each, params[each.setting])
            for each in question.dimensions
            if each.setting in params
        }
        same = same and tried == dict(told.values)
    if not same:
        raise DamagedError(f"what optuna learns of trial {told.number} is not what it says of it")


def _ended_candidates(study: optuna.Study) -> Iterator[Candidate]:
    for trial in study.get_trials(deepcopy=False):
        stored = trial.user_attrs.get("relet")
        if stored is not None:
            lists = {name: tuple(stored[name]) for name in ("folds", "runs")}
            yield Candidate(**{**stored, **lists, "number": trial.number + 1})


def _open_study(question: SearchDefinition, backend: _MemoryJournalBackend) -> optuna.Study:
    """The study that the journal holds; a new one where the journal is empty."""
    import optuna

    storage = optuna.storages.JournalStorage(cast("BaseJournalBackend", backend))
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if question.prune:
        # A trial goes on while its mean so far is no worse than the median of the complete trials.
        pruner = optuna.pruners.MedianPruner(n_startup_trials=max(2, min(question.batch, 8) // 2))
    if backend.empty:
        direction = optuna.study.StudyDirection[question.direction.upper()]
        return optuna.create_study(storage=storage, study_name=question.id, direction=direction, pruner=pruner)
    return optuna.load_study(storage=storage, study_name=question.id, pruner=pruner)


def _batch_sampler(question: SearchDefinition, batch: int) -> optuna.samplers.BaseSampler:
    """The sampler of the batch with that number, from 0; its seed depends on the search's seed and the number."""
    import optuna

    return optuna.samplers.TPESampler(
        n_startup_trials=question.batch,
        multivariate=True,
        # Trials of the batch that have no result yet count as bad ones, so that new points keep away from them.
        constant_liar=True,
        seed=int.from_bytes(sha256(f"{question.seed} {batch}".encode()).digest()[:4], "big"),
    )


class _MemoryJournalBackend:
    """The journal of an optuna study in memory: what earlier batches have stored, and what this batch adds.

    Its methods are those of `optuna.storages.journal.BaseJournalBackend`, which is imported when a search begins.
    """

    def __init__(self, before: Sequence[Log]) -> None:
        self._logs = [dict(each) for each in before]
        self._before = len(self._logs)

    @property
    def empty(self) -> bool:
        return not self._logs

    @property
    def added(self) -> list[Log]:
        return list(self._logs[self._before :])

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        # By way of JSON, as the store will give them back: nothing may depend on whether they were stored before.
        self._logs += json.loads(json.dumps(logs))


def _distributions(dimensions: Sequence[Dimension]) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    distributions: dict[str, BaseDistribution] = {}
    for each in dimensions:
        if each.kind == "choice":
            distributions[each.setting] = CategoricalDistribution(each.choices)
        elif each.kind == "int":
            step = int(each.step or 1)
            distributions[each.setting] = IntDistribution(int(each.low), int(each.high), log=each.log, step=step)
        else:
            distributions[each.setting] = FloatDistribution(each.low, each.high, log=each.log, step=each.step)
    return distributions


def _tried(dimension: Dimension, chosen: Any) -> Scalar:
    """The value that a trial runs with where optuna chose this one."""
    return dimension.rounded(_without_float_traces(dimension, chosen))


def _without_float_traces(dimension: Dimension, value: Any) -> Scalar:
    """A value without the rounding error of floating-point steps: 0.3, not 0.30000000000000004."""
    if dimension.kind == "float" and dimension.step is not None:
        return round(float(value), 12)
    return cast(Scalar, value)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Without optuna's log lines, and without its warnings that a class may change."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
