"""Gates of classification: decide whether a classifier is good enough, with a verdict and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from relet.core.artifact import Check, Verdict
from relet.core.directions import Direction, direction_of
from relet.errors import SettingError, nearest


def judge_classifier(
    metrics: Mapping[str, float],
    *,
    least: Mapping[str, float] | None = None,
    most: Mapping[str, float] | None = None,
    max_worse: float = 1.02,
    champion: Mapping[str, float] | None = None,
    compared_by: str = "log_loss",
    others: Sequence[Check] = (),
) -> Verdict:
    """The verdict on a classifier.

    It passes where each metric in `least` reaches its number, and none in `most` exceeds it; where `compared_by`
    is at most `max_worse` times the champion's, if there is a champion (of a metric of which more is better, at
    least the champion's divided by it); and where each of `others` passes. A metric that is NaN passes nothing.
    Raises SettingError for a metric that was not measured, and for a least value of a metric of which less is
    better, or the reverse.

    >>> judge_classifier({"accuracy": 0.8, "log_loss": 0.5}, least={"accuracy": 0.75}).reason
    'accuracy 0.800, log loss 0.500'
    >>> judge_classifier({"accuracy": 0.8, "log_loss": 0.5}, most={"log_loss": 0.4}).reason
    'log loss 0.500, at most 0.4 is asked for'
    """
    checks = list(_limit_checks(metrics, least or {}, Direction.MAXIMIZE))
    checks += _limit_checks(metrics, most or {}, Direction.MINIMIZE)
    if champion is not None:
        checks.append(_champion_check(metrics, champion, compared_by, max_worse))
    failed = [check.message for check in (*checks, *others) if not check.passed]
    named = [name for name in ("accuracy", "log_loss") if name in metrics]
    passed = ", ".join(f"{_spoken(name)} {metrics[name]:.3f}" for name in named)
    reason = "; ".join(failed) or passed or "each check passed"
    return Verdict(passed=not failed, reason=reason, checks=(*checks, *others))


def _limit_checks(metrics: Mapping[str, float], limits: Mapping[str, float], better: Direction) -> Iterator[Check]:
    more = better is Direction.MAXIMIZE
    word, other = ("least", "most") if more else ("most", "least")
    for name, limit in limits.items():
        value = _measured(metrics, name)
        if direction_of(name) is better.reversed:
            raise SettingError(
                f"{name} has a gate of at {word} {limit:g}, but {better.reversed.words}: set {other}"
            )
        yield Check(
            name=name,
            passed=value >= limit if more else value <= limit,
            message=f"{_spoken(name)} {value:.3f}, at {word} {limit:g} is asked for",
        )


def _champion_check(
    metrics: Mapping[str, float], champion: Mapping[str, float], name: str, max_worse: float
) -> Check:
    own, before = _measured(metrics, name), _measured(champion, name)
    direction = direction_of(name)
    if direction is None:
        raise SettingError(f"models are compared by {name!r}, whose name doesn't tell whether more is better")
    less = direction is Direction.MINIMIZE
    passed = own <= max_worse * before if less else own * max_worse >= before
    message = f"{_spoken(name)} {own:.4f}, the champion's is {before:.4f}; up to {max_worse:g} times as bad passes"
    return Check(name="champion", passed=passed, message=message)


def _measured(metrics: Mapping[str, float], name: str) -> float:
    if name not in metrics:
        raise SettingError(f"a gate asks for {name!r}, which was not measured: {nearest(name, metrics)}")
    return metrics[name]


def _spoken(name: str) -> str:
    return {"roc_auc": "ROC AUC", "f1_macro": "F1"}.get(name, name.replace("_", " "))
