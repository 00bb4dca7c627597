"""How large an effect has to be for a test to detect it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Law = Literal["kolmogorov", "anderson", "normal", "t", "chi-square", "divergence"]

# The accepted type II error: one sample in five does not show the detectable effect.
TYPE_II = 0.2


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What the power of a test depends on, beside alpha: the law of its statistic, and its unit.

    `unit` converts the law's quantity into the effect's unit, `df` are the law's degrees of freedom, `sides` is 1
    or 2, and `largest` is the largest possible effect.
    """

    law: Law
    unit: float
    df: float = math.inf
    sides: int = 2
    largest: float = math.inf


def detectable_effect(sensitivity: Sensitivity, alpha: float) -> float | None:
    """The effect that the test detects at `alpha` with 80% power; None where it detects none, however large.

    - normal, t: (z(1 - alpha/sides) + z(0.8)) standard errors.
    - kolmogorov: the critical value, and z(0.8) times the largest standard deviation that two empirical
      distributions can have at a point, ½. It has at least that power, and more where the difference is spread
      over many values (Massey 1950, Ann. Math. Stat. 21, 440-443).
    - chi-square, divergence: the non-centrality at which the non-central law exceeds the critical value in 80%
      of cases; the root of it for chi-square (Cohen 1988, ch. 7).
    - anderson: a shift moves the first of the independent terms that the statistic is a sum of, Z1²/2
      (Anderson and Darling 1952); the others stay what they are on average, ½ in all.

    >>> f"{detectable_effect(Sensitivity(law='normal', unit=0.01), 0.05):.4f}"
    '0.0280'
    """
    found = _standard_effect(sensitivity, alpha) * sensitivity.unit
    return found if math.isfinite(found) and found <= sensitivity.largest else None


def _standard_effect(sensitivity: Sensitivity, alpha: float) -> float:
    from scipy import special

    seen = float(special.ndtri(1 - TYPE_II))
    tail = alpha / sensitivity.sides
    match sensitivity.law:
        case "normal":
            return float(-special.ndtri(tail)) + seen
        case "t":
            df = sensitivity.df
            return float(-special.stdtrit(df, tail) + special.stdtrit(df, 1 - TYPE_II))
        case "kolmogorov":
            critical = special.kolmogi(alpha) if sensitivity.sides == 2 else math.sqrt(-math.log(alpha) / 2)
            return float(critical) + seen / 2
        case "anderson":
            beyond = anderson_critical(alpha) - 0.5
            return (math.sqrt(2 * beyond) + seen) / math.sqrt(2)
        case "chi-square" | "divergence":
            if not sensitivity.df:
                return math.inf
            critical = special.chdtri(sensitivity.df, alpha)
            moved = float(special.chndtrinc(critical, sensitivity.df, TYPE_II))
            return math.sqrt(moved) if sensitivity.law == "chi-square" else moved


def anderson_critical(alpha: float) -> float:
    """The value that A² of two large samples exceeds with probability `alpha`, by Scholz and Stephens' table.

    The table reaches from 0.25 to 0.001; beyond it the logarithm of alpha falls in proportion.
    """
    import numpy as np

    values, levels = anderson_table()
    logs = np.log(levels)
    if alpha < levels[-1]:
        slope = (values[-1] - values[-2]) / (logs[-1] - logs[-2])
        standard = values[-1] + slope * (math.log(alpha) - logs[-1])
    else:
        standard = np.interp(-math.log(alpha), -logs, values)
    return 1 + float(standard) * math.sqrt(2 * (math.pi**2 - 9) / 3)


def anderson_table() -> tuple[list[float], list[float]]:
    """Standardised values of A² for two samples, and with which probability each is exceeded.

    Scholz and Stephens (1987), J. Am. Stat. Assoc. 82, 918-924, Table 2, for k - 1 = 1.
    """
    values = [0.675 - 0.245 - 0.105, 1.281 + 0.25 - 0.305, 1.645 + 0.678 - 0.362, 1.96 + 1.149 - 0.391]
    values += [2.326 + 1.822 - 0.396, 2.573 + 2.364 - 0.345, 3.085 + 3.615 - 0.154]
    return values, [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001]
