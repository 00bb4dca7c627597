"""By which metric the trials of an experiment are compared, and which trial is the best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from relet.core.directions import Direction, direction_of
from relet.core.record import Status
from relet.errors import NotFoundError, nearest
from relet.experiments.experiment import Experiment, Trial
from relet.experiments.variation import distinguishing_metrics

# The names that evaluations give their main metric. The first of them is taken where a person, a sweep or a search
# says none: a table sorted by any metric is of more use than one in no order.
USUAL_METRICS = ("mae", "log_loss", "rmse", "r2", "accuracy")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The metric by which trials are compared, and whether more of it is better.

    `known` is false where neither the metric's name nor a sweep tells that: the least comes first then.

    >>> Objective.of("test_r2").more, Objective.of("mae").more
    (True, False)
    """

    metric: str
    more: bool = False
    known: bool = True

    @classmethod
    def of(cls, metric: str) -> Objective:
        direction = direction_of(metric)
        return cls(metric=metric, more=direction is Direction.MAXIMIZE, known=direction is not None)

    @property
    def words(self) -> str:
        """Which of two trials is the better one, in words."""
        if not self.known:
            return "less is taken for better (the name doesn't tell)"
        return "more is better" if self.more else "less is better"

    def order(self, trial: Trial) -> tuple[bool, float, str]:
        """The sort key that puts the best trial first, and the trials without this metric last."""
        value = trial.metrics.get(self.metric)
        if value is None or value != value:
            return True, 0.0, trial.id
        return False, -value if self.more else value, trial.id

    def best(self, trials: Iterable[Trial]) -> Trial | None:
        """The best of the trials that finished; of equally good ones the earliest.

        A search gives up some trials before their last fold: these are left out.
        """
        measured = [each for each in trials if each.status is Status.FINISHED and not self.order(each)[0]]
        return min(comparable_trials(measured), key=self.order, default=None)

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """From the best to the worst; then the trials that were given up, then those without the metric."""
        whole = {each.id for each in comparable_trials(trials)}
        return sorted(trials, key=lambda each: (self.order(each)[0], each.id not in whole, self.order(each)))


def comparable_trials(trials: Sequence[Trial]) -> list[Trial]:
    """The trials with the most folds. A mean over fewer folds, of a trial that was given up, can't be compared."""
    most = max((each.folds for each in trials), default=1)
    return [each for each in trials if each.folds == most]


def aim(experiment: Experiment, metric: str | None = None) -> Objective | None:
    """What an experiment's trials are compared by.

    That is `metric` where it is given, else the metric of the last sweep or search, else a usual metric, else the
    first that there is. None where nothing was measured. Raises NotFoundError where no trial measured `metric`.
    """
    known = list(dict.fromkeys(name for each in experiment.trials for name in each.metrics))
    if metric is not None:
        if metric not in known:
            raise NotFoundError(f"no run of {experiment.name} has the metric {metric!r}: {nearest(metric, known)}")
        return next((each for each in _declared(experiment) if each.metric == metric), Objective.of(metric))
    for declared in _declared(experiment):
        if declared.metric in known:
            return declared
    own = distinguishing_metrics(experiment.trials) or known
    names = [*(each for each in USUAL_METRICS if each in known), *own]
    return Objective.of(names[0]) if names else None


def _declared(experiment: Experiment) -> Iterator[Objective]:
    """What the sweeps and searches of an experiment were compared by, the last one first."""
    for record in reversed(experiment.sweeps):
        if name := str(record.parameters.get("metric", "")):
            yield Objective(metric=name, more=record.parameters.get("direction") == "maximize")
