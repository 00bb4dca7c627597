"""All tests of a session as one family: their p-values are corrected together, and judged once."""

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

# What a test has to say about is at least a shift of so many of the rows: docs/decisions/0012.
MIN_EFFECT = 0.03
# In a verdict floats are kept to so many digits: the last bits may differ between processors.
DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class FamilyRules:
    """How a family is judged: raises SettingError for a value that can't be.

    `alpha` is the probability of at least one false alarm in the whole session (with Benjamini-Hochberg the
    share of false ones among the alarms), `correction` how that is kept to, `min_effect` the smallest effect that
    anyone would care about, in each test's own unit.
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
        """The rules among the hyperparameters of a component that checks; what is not there has its default."""
        names = ("alpha", "correction", "min_effect")
        return cls(**{name: options[name] for name in names if options.get(name) is not None})


@dataclass(frozen=True, kw_only=True)
class SubmittedOutcome:
    """An outcome that was handed in to be judged, by which test, and by what.

    `floor` is the smallest effect to care about where it is not the family's; `threshold` is what a divergence,
    which has no p-value, may reach.
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

    The outcome's `alpha` is the strictest level that the family holds a single test to: what `detectable` says
    is then on the safe side.
    """

    node: str
    outcome: TwoSampleOutcome
    adjusted: float | None
    floor: float
    rejected: bool
    rules: FamilyRules

    @property
    def detectable(self) -> float | None:
        """The effect that is rejected in 80% of cases, about: it has to exceed the floor as well as chance.

        Above the floor by the part of the outcome's `detectable` that stands for the type II error. None where
        none would be, and for a divergence, which is held to its threshold whatever the rows.
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
        """What the null hypothesis was, what was measured, how surprising it is, and what follows."""
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
        """What a verdict keeps of it, as JSON can hold it: an infinite divergence is None."""
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
    # no effect is so exact that its last bits should decide
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
    """The level of a single test at which the family surely rejects it, whatever the others say."""
    if members < 2:
        return rules.alpha
    if rules.correction == "sidak":
        return -math.expm1(math.log1p(-rules.alpha) / members)
    return rules.alpha / members


def correct_p_values(p_values: Sequence[float], method: str = "holm") -> tuple[float, ...]:
    """The p-values of one family, adjusted: at most alpha is what is rejected at alpha.

    - `bonferroni`: m·p. Keeps the probability of any false alarm to alpha, whatever the dependence.
    - `sidak`: 1 - (1 - p)^m, in a single step (Šidák 1967, J. Am. Stat. Assoc. 62, 626-633). Exact for
      independent tests.
    - `holm`: Bonferroni step by step, from the smallest p-value on (Holm 1979, Scand. J. Stat. 6, 65-70). Keeps
      what Bonferroni keeps, and rejects more.
    - `benjamini-hochberg`: keeps the expected share of false ones among the rejected (1995, J. R. Stat. Soc. B
      57, 289-300), which is weaker; by `scipy.stats.false_discovery_control`.

    Raises SettingError for another method, BadDataError for what is no probability.

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
