"""The study of a search: which points are tried next, and which trials are given up. The only door to optuna.

What a batch asks depends on the batches before it alone: it has a sampler with a seed of its own, and the pruner
sees no trial of the same batch. So the trials of a search are a function of its question, whoever measures them,
and the first forty of sixty are those of a search for forty.
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
from relet.trials.search.question import SearchDefinition

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.storages.journal import BaseJournalBackend
    from optuna.trial import FrozenTrial

Log = Mapping[str, Any]
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """What became of one fold of a trial: the metric there, or why it has none; its run, and its seconds."""

    value: float | None
    error: str = ""
    run: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A trial that was told: its number, from 1, its point, and the metric on each fold that was measured.

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
    """Some trials that were asked for together, until all of them are told."""

    def __init__(self, question: SearchDefinition, before: Sequence[Log], size: int) -> None:
        self.question = question
        self._backend = _MemoryJournalBackend(before)
        with _quiet_optuna():
            self._study = _open_study(question, self._backend)
            told = len(self._study.get_trials(deepcopy=False))
            if told == 0 and question.default_fits:
                self._study.enqueue_trial(dict(question.defaults))
            space = _distributions(question.dimensions)
            asked = [self._study.ask(space) for _ in range(size)]
        self._asked = {each.number + 1: each for each in asked}
        self.values = {number: self._point(number) for number in self._asked}
        self._folds: dict[int, list[FoldResult]] = {number: [] for number in self._asked}
        self.alive = tuple(self._asked)

    def _point(self, number: int) -> dict[str, Scalar]:
        if number == 1:
            return dict(self.question.defaults)
        asked = self._asked[number].params
        return {
            each.setting: each.rounded(_without_float_traces(each, asked[each.setting]))
            for each in self.question.dimensions
        }

    def tell(self, measured: Mapping[int, FoldResult]) -> None:
        """Tell what the next fold of each trial that is alive gave; `alive` is then what goes on."""
        import optuna

        State = optuna.trial.TrialState
        last = len(self._folds[self.alive[0]]) + 1 == self.question.folds
        goes_on = []
        with _quiet_optuna():
            for number in self.alive:
                trial, found = self._asked[number], measured[number]
                self._folds[number].append(found)
                if found.value is None:
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
                    goes_on.append(number)
        self.alive = tuple(goes_on)

    def _values(self, number: int) -> list[float]:
        return [each.value for each in self._folds[number] if each.value is not None]

    def _close(
        self, number: int, state: optuna.trial.TrialState, outcome: str, value: float | None = None
    ) -> None:
        import optuna

        trial, folds = self._asked[number], self._folds[number]
        beside = number == 1 and not self.question.default_fits
        told = {
            "outcome": outcome,
            "values": self.values[number],
            "folds": self._values(number),
            "error": folds[-1].error,
            "runs": [each.run for each in folds if each.run],
            "seconds": round(math.fsum(each.seconds for each in folds), 3),
            "beside": beside,
        }
        trial.set_user_attr("relet", told)
        if beside:
            # the sampler asked for another point, which nobody measured: nothing is to be learned from this one
            state, value = optuna.trial.TrialState.FAIL, None
        self._study.tell(trial, value, state=state)

    @property
    def logs(self) -> list[Log]:
        """What this batch added to the journal."""
        return self._backend.added

    def candidates(self) -> list[Candidate]:
        """The trials of the study so far that were told, this batch's among them."""
        with _quiet_optuna():
            return [found for each in self._study.get_trials(deepcopy=False) if (found := _candidate(each))]


def candidates(question: SearchDefinition, logs: Sequence[Log]) -> list[Candidate]:
    """The trials that a journal's entries tell of, in the order of their numbers."""
    if not logs:
        return []
    with _quiet_optuna():
        study = _open_study(question, _MemoryJournalBackend(logs))
        return [found for each in study.get_trials(deepcopy=False) if (found := _candidate(each))]


def _candidate(trial: FrozenTrial) -> Candidate | None:
    told = trial.user_attrs.get("relet")
    if told is None:
        return None
    return Candidate(
        **{**told, "number": trial.number + 1, "folds": tuple(told["folds"]), "runs": tuple(told["runs"])}
    )


def _open_study(question: SearchDefinition, backend: _MemoryJournalBackend) -> optuna.Study:
    """The study as the journal has it, with the sampler of the batch that comes next."""
    import optuna

    storage = optuna.storages.JournalStorage(cast("BaseJournalBackend", backend))
    trials = backend.trials
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=question.batch,
        multivariate=True,
        # the trials of a batch that have no result yet count as bad ones: they keep apart
        constant_liar=True,
        seed=_batch_seed(question, trials // question.batch),
    )
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if question.prune:
        # a trial goes on while its mean so far is no worse than the median of those that went all the way
        pruner = optuna.pruners.MedianPruner(n_startup_trials=max(2, min(question.batch, 8) // 2))
    if backend.empty:
        direction = optuna.study.StudyDirection[question.direction.upper()]
        return optuna.create_study(
            storage=storage, study_name=question.id, direction=direction, sampler=sampler, pruner=pruner
        )
    return optuna.load_study(storage=storage, study_name=question.id, sampler=sampler, pruner=pruner)


def _batch_seed(question: SearchDefinition, batch: int) -> int:
    return int.from_bytes(sha256(f"{question.seed} {batch}".encode()).digest()[:4], "big")


class _MemoryJournalBackend:
    """The journal of an optuna study in memory: what batches before have stored, and what this one adds."""

    def __init__(self, before: Sequence[Log]) -> None:
        self._logs = [dict(each) for each in before]
        self._before = len(self._logs)
        self.trials = sum(each["op_code"] == 4 for each in self._logs)  # JournalOperation.CREATE_TRIAL

    @property
    def empty(self) -> bool:
        return not self._logs

    @property
    def added(self) -> list[Log]:
        return list(self._logs[self._before :])

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        # as they will be read again: nothing may depend on whether they came from the store
        self._logs += json.loads(json.dumps(logs))


def _distributions(dimensions: Sequence[Dimension]) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for each in dimensions:
        if each.kind == "choice":
            found[each.setting] = CategoricalDistribution(each.choices)
        elif each.kind == "int":
            step = int(each.step or 1)
            found[each.setting] = IntDistribution(int(each.low), int(each.high), log=each.log, step=step)
        else:
            found[each.setting] = FloatDistribution(each.low, each.high, log=each.log, step=each.step)
    return found


def _without_float_traces(dimension: Dimension, value: Any) -> Scalar:
    """A value without the traces of floating-point steps: 0.3, not 0.30000000000000004."""
    if dimension.kind == "float" and dimension.step is not None:
        return round(float(value), 12)
    return cast(Scalar, value)


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """optuna without its log lines, and without saying that it may change."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
