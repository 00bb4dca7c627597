"""The outcome of a two-sample test, in numbers and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from relet.checks.statistics.power import Sensitivity, detectable_effect


@dataclass(frozen=True, kw_only=True)
class TwoSampleOutcome:
    """One test of a sample against its reference.

    `null` and `alternative` are the hypotheses in words. `p_value` is the probability of a statistic at least so
    extreme if the null hypothesis holds; None for a divergence. `effect` is the size of the difference,
    independent of the sample sizes; `effect_name` names it and `unit` is its unit. A positive effect with a
    direction means that the sample's values are the greater ones. `sizes` are the rows of the sample and of the
    reference that the test saw, `missing` those without a value. `alpha` is the accepted type I error: the
    probability of rejecting a null hypothesis that holds.
    """

    test: str
    column: str
    null: str
    alternative: str
    statistic_name: str
    statistic: float
    p_value: float | None
    effect_name: str
    effect: float
    unit: str = ""
    sizes: tuple[int, int]
    missing: tuple[int, int] = (0, 0)
    alpha: float = 0.05
    sensitivity: Sensitivity
    remarks: tuple[str, ...] = ()

    @property
    def detectable(self) -> float | None:
        """The effect that the test detects with 80% power (type II error 0.2) at `alpha`; None where it detects
        none.
        """
        return detectable_effect(self.sensitivity, self.alpha)

    def __str__(self) -> str:
        power = self.power(self.detectable)
        said = f"{self.surprise}; {power}." if power else f"{self.surprise}."
        return " ".join(part for part in (self.measured, said, self.aside) if part)

    @property
    def measured(self) -> str:
        """The null hypothesis and the measurement, in words."""
        found = f"{self.statistic_name} = {self.with_unit(self.statistic)}"
        if self.statistic_name != self.effect_name:
            found += f", {self.effect_name} {three_digits(self.effect)},"
        n, m = self.sizes
        against = f", against: {self.alternative}" if self.sensitivity.sides == 1 else ""
        return f"H0: {self.null}{against}. {found} with {n:,} and {m:,} rows:"

    @property
    def surprise(self) -> str:
        """How surprising the measurement is, in words."""
        if self.p_value is None:
            return "it has no p-value"
        apart = "apart" if self.sensitivity.sides == 2 else "in that direction"
        return f"as far {apart} or further in {percent_words(self.p_value)} of such pairs if H0 holds"

    def power(self, seen: float | None) -> str:
        """The detectable effect, in words.

        Empty where both sides hold one single value, which leaves nothing to differ in.
        """
        if seen == 0 or not self.sensitivity.unit or not self.sensitivity.df:
            return ""
        if seen is None:
            return f"with so few rows no {self.effect_name} would have been seen with 80% power"
        return f"{with_article(self.effect_name)} of {self.with_unit(seen)} would have been seen with 80% power"

    def with_unit(self, effect: float) -> str:
        return f"{three_digits(effect)} {self.unit}".strip()

    @property
    def aside(self) -> str:
        """Remarks: missing values, and how the test dealt with few rows."""
        left_out = f"{self.missing[0]:,} and {self.missing[1]:,} missing values are left out"
        remarks = [*([left_out] if any(self.missing) else []), *self.remarks]
        return f"({'; '.join(remarks)})" if remarks else ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TwoSampleOutcome:
        pairs = {name: tuple(stored[name]) for name in ("sizes", "missing", "remarks")}
        return cls(**{**stored, **pairs, "sensitivity": Sensitivity(**stored["sensitivity"])})


def three_digits(value: float) -> str:
    """A number to three significant digits; from 1,000 up to whole numbers.

    >>> three_digits(0.0123456), three_digits(1234567.8), three_digits(-0.5), three_digits(2), three_digits(1e-9)
    ('0.0123', '1,234,568', '-0.5', '2', '1e-09')
    """
    if abs(value) >= 1000 and math.isfinite(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent_words(share: float) -> str:
    """A probability as people say it.

    >>> percent_words(0.312), percent_words(0.0021), percent_words(1.0), percent_words(1e-9)
    ('31%', '0.21%', '100%', 'fewer than 0.001%')
    """
    if share < 1e-5:
        return "fewer than 0.001%"
    return f"{100 * share:.0f}%" if share >= 0.1 else f"{100 * share:.2g}%"


def with_article(name: str) -> str:
    """The name with its article.

    >>> with_article("effect"), with_article("D"), with_article("rank-biserial correlation")
    ('an effect', 'a D', 'a rank-biserial correlation')
    """
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"
