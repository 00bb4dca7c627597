"""Judge all tests of a session as one family: their p-values are corrected together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from relet.checks.statistics.outcome import TwoSampleOutcome, three_digits, with_article
from relet.checks.statistics.pair import check_alpha
from relet.checks.statistics.power import TYPE_II
from relet.errors import BadDataError, SettingError, nearest

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

# The smallest share of rows whose shift a test should notice: docs/decisions/0012.
MIN_EFFECT = 0.03
# How many digits of a float a verdict keeps, since the last bits may differ between processors.
DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class FamilyRules:
    """How a family is judged. Raises SettingError for an impossible value.

    `alpha` is the probability of at least one false alarm in the whole session (with Benjamini-Hochberg the share
    of false alarms among all alarms), `correction` the method that keeps to it, `min_effect` the smallest effect
    that matters, in each test's own unit.
    """

    alpha: float = 0.05
    correction: str = "holm"
    min_effect: float = MIN_EFFECT

    def __post_init__(self) -> None:
        check_alpha("the data tests", self.alpha)
        _check_correction(self.correction)
        _check_floor("min_effect", self.min_effect)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> FamilyRules:
        """Take the rules from the hyperparameters of a component that checks. A missing one has its default."""
        names = ("alpha", "correction", "min_effect")
        return cls(**{name: options[name] for name in names if options.get(name) is not None})


@dataclass(frozen=True, kw_only=True)
class SubmittedOutcome:
    """An outcome that a test handed in, and by what it is judged.

    `floor` is the smallest effect that matters, where it is not the family's; `threshold` is the largest allowed
    value of a divergence, which has no p-value.
    """

    node: str
    outcome: TwoSampleOutcome
    floor: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        _check_floor("floor", self.floor)
        _check_floor("threshold", self.threshold)
        name = self.outcome.test
        if self.outcome.p_value is None and self.threshold is None:
            raise SettingError(f"{name} has no p-value: say how large it may be, judge(…, threshold=…)")
        if self.outcome.p_value is not None and self.threshold is not None:
            raise SettingError(f"{name} is judged by its p-value: threshold= is for divergences; set floor=")

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "outcome": self.outcome.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SubmittedOutcome:
        return cls(**{**stored, "outcome": TwoSampleOutcome.from_json(stored["outcome"])})


@dataclass(frozen=True, kw_only=True)
class JudgedOutcome:
    """An outcome, its p-value corrected for the family, and whether its null hypothesis is rejected.

    The outcome's `alpha` is the strictest level at which the family judges a single test, so that `detectable`
    errs on the safe side.
    """

    node: str
    outcome: TwoSampleOutcome
    adjusted: float | None
    floor: float
    rejected: bool
    rules: FamilyRules

    @property
    def detectable(self) -> float | None:
        """About which effect is rejected in 80% of cases.

        The effect has to exceed the floor as well as chance: it lies above the floor by the part of the outcome's
        `detectable` that stands for the type II error. None where no effect would be rejected, and for a
        divergence, whose threshold does not depend on the number of rows.
        """
        seen = None if self.adjusted is None else self.outcome.detectable
        if not seen:
            return seen
        normal = NormalDist()
        power = normal.inv_cdf(1 - TYPE_II)
        chance = -normal.inv_cdf(min(self.outcome.alpha / self.outcome.sensitivity.sides, 0.5))
        return max(seen, self.floor + seen * power / (power + chance))

    @property
    def sentence(self) -> str:
        """The null hypothesis, the measurement, how surprising it is, and the conclusion, in one sentence."""
        found = self.outcome
        if self.adjusted is None:
            said = (
                f"{'more' if self.rejected else 'not more'} than the {found.with_unit(self.floor)} that is allowed"
            )
        else:
            said = f"{found.surprise} ({_TITLES[self.rules.correction]}: {self.adjusted:.2g})"
        verdict = self._verdict()
        power = "" if self.adjusted is None else found.power(self.detectable)
        parts = [found.measured, f"{said}; {power}." if power else f"{said}.", verdict, found.aside]
        return " ".join(part for part in parts if part)

    def _verdict(self) -> str:
        if self.adjusted is None:
            return ""
        if self.rejected:
            return "H0 is rejected."
        if self.adjusted <= self.rules.alpha:
            effect = with_article(self.outcome.effect_name)
            return f"That is hardly chance, but {effect} below {three_digits(self.floor)} is let pass."
        return ""

    def measured(self) -> dict[str, Any]:
        """The facts that a verdict keeps, as JSON can hold them: an infinite divergence is None."""
        found = self.outcome
        return {
            "test": found.test,
            "column": found.column,
            "null": found.null,
            "alternative": found.alternative,
            "statistic": _number_for_json(found.statistic),
            "statistic_name": found.statistic_name,
            "p_value": _number_for_json(found.p_value),
            "adjusted": _number_for_json(self.adjusted),
            "effect": _number_for_json(found.effect),
            "effect_name": found.effect_name,
            "unit": found.unit,
            "floor": self.floor,
            "detectable": _number_for_json(self.detectable),
            "sizes": list(found.sizes),
            "missing": list(found.missing),
            "alpha": self.rules.alpha,
            "correction": self.rules.correction,
            "rejected": self.rejected,
            "sentence": self.sentence,
        }


def judge_family(entries: Sequence[SubmittedOutcome], rules: FamilyRules) -> tuple[JudgedOutcome, ...]:
    """Judge a session's tests as one family, in their order.

    A null hypothesis is rejected where its corrected p-value is at most `alpha` and the effect at least the
    floor. A divergence is judged by its threshold alone, and is no member of the family.
    """
    members = [entry for entry in entries if entry.outcome.p_value is not None]
    corrected = iter(correct_p_values([entry.outcome.p_value or 0.0 for entry in members], rules.correction))
    level = _strictest_level(rules, len(members))
    return tuple(
        _judge_by_p_value(entry, next(corrected), rules, level)
        if entry.outcome.p_value is not None
        else _judge_by_threshold(entry, rules)
        for entry in entries
    )


def _judge_by_p_value(entry: SubmittedOutcome, adjusted: float, rules: FamilyRules, level: float) -> JudgedOutcome:
    floor = rules.min_effect if entry.floor is None else entry.floor
    # rounded, so that the last bits of an effect never decide
    large = abs(entry.outcome.effect) >= floor * (1 - 1e-9)
    return JudgedOutcome(
        node=entry.node,
        outcome=replace(entry.outcome, alpha=level),
        adjusted=adjusted,
        floor=floor,
        rejected=adjusted <= rules.alpha and large,
        rules=rules,
    )


def _judge_by_threshold(entry: SubmittedOutcome, rules: FamilyRules) -> JudgedOutcome:
    threshold = entry.threshold or 0.0
    return JudgedOutcome(
        node=entry.node,
        outcome=replace(entry.outcome, alpha=rules.alpha),
        adjusted=None,
        floor=threshold,
        rejected=entry.outcome.effect > threshold,
        rules=rules,
    )


def _strictest_level(rules: FamilyRules, members: int) -> float:
    """The level at which the family rejects a single test whatever the other tests' p-values are."""
    if members < 2:
        return rules.alpha
    if rules.correction == "sidak":
        return -math.expm1(math.log1p(-rules.alpha) / members)
    return rules.alpha / members


def correct_p_values(p_values: Sequence[float], method: str = "holm") -> tuple[float, ...]:
    """Adjust the p-values of one family.

    A test is rejected at alpha where its adjusted p-value is at most alpha.

    - `bonferroni`: m·p. Keeps the probability of any false alarm to alpha, whatever the dependence.
    - `sidak`: 1 - (1 - p)^m, in a single step (Šidák 1967, J. Am. Stat. Assoc. 62, 626-633). Exact for
      independent tests.
    - `holm`: Bonferroni step by step, from the smallest p-value on (Holm 1979, Scand. J. Stat. 6, 65-70). Keeps
      the same promise as Bonferroni, and rejects more.
    - `benjamini-hochberg`: limits the expected share of false rejections among all rejections (1995, J. R. Stat.
      Soc. B 57, 289-300), which is weaker; by `scipy.stats.false_discovery_control`.

    Raises SettingError for another method, BadDataError for a value that is no probability.

    >>> correct_p_values([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    import numpy as np

    _check_correction(method)
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise BadDataError(f"a p-value lies between 0 and 1, got {', '.join(f'{p:g}' for p in values)}")
    if not len(values):
        return ()
    return tuple(float(each) for each in np.minimum(1.0, _METHODS[method](values)))


def _bonferroni(values: Array) -> Array:
    return values * len(values)


def _sidak(values: Array) -> Array:
    import numpy as np

    with np.errstate(divide="ignore"):  # a p-value of 1
        return np.asarray(-np.expm1(len(values) * np.log1p(-values)))


def _holm(values: Array) -> Array:
    import numpy as np

    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = stepped
    return adjusted


def _benjamini_hochberg(values: Array) -> Array:
    import numpy as np
    from scipy import stats

    return np.asarray(stats.false_discovery_control(values, method="bh"))


_METHODS: Mapping[str, Callable[[Array], Array]] = {
    "holm": _holm,
    "sidak": _sidak,
    "bonferroni": _bonferroni,
    "benjamini-hochberg": _benjamini_hochberg,
}
_TITLES = {
    "holm": "Holm",
    "sidak": "Šidák",
    "bonferroni": "Bonferroni",
    "benjamini-hochberg": "Benjamini-Hochberg",
}
CORRECTIONS = tuple(_METHODS)


def _check_correction(method: str) -> None:
    if method not in _METHODS:
        raise SettingError(f"there is no correction {method!r}; {nearest(str(method), CORRECTIONS)}")


def _check_floor(name: str, value: float | None) -> None:
    if value is not None and not value >= 0:
        raise SettingError(f"{name} must be a number from 0 up, got {value:g}")


def _number_for_json(value: float | None) -> float | None:
    """A number to `DIGITS` digits; None for one that JSON does not hold."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
