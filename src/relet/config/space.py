"""The space of a search: settings and what each may be, in the words of Hydra's sweeps."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from relet.config.diagnosis import groups
from relet.config.overrides import parse_override
from relet.core.override_words import override_text
from relet.errors import SettingError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep

Scalar = str | int | float | bool | None
# So many significant digits a number between two bounds keeps: more decide nothing, and nobody reads them.
DIGITS = 4
WORDS = "interval(0.01, 0.3), tag(log, interval(…)), int(interval(8, 128)), range(8, 64, 8) or choice(a, b)"


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A setting and what it may be: a number (`float`) or whole number (`int`) from `low` to `high`, both
    included, in steps of `step` where it has one, or one of `choices`. `log`: small ones are looked at as closely
    as large ones.
    """

    setting: str
    kind: Literal["float", "int", "choice"]
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False
    choices: tuple[Scalar, ...] = ()

    def __str__(self) -> str:
        if self.kind == "choice":
            return f"{self.setting}: {', '.join(map(override_text, self.choices))}"
        step = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.setting}: {self.low:g} to {self.high:g}{step}{', on a log scale' if self.log else ''}"

    @property
    def ends(self) -> tuple[Scalar, ...]:
        """The values that tell whether the setting takes all of them: both bounds, or every choice."""
        return self.choices if self.kind == "choice" else (self.low, self.high)

    def has(self, value: object) -> bool:
        """Whether a value lies in it.

        >>> Dimension(setting="a", kind="int", low=1, high=9, step=2).has(4)
        False
        """
        if self.kind == "choice":
            return any(type(value) is type(each) and value == each for each in self.choices)
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "int" else int | float):
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return self.low <= value <= self.high and abs(steps - round(steps)) < 1e-9

    def rounded(self, value: Scalar) -> Scalar:
        """A value as a trial takes it: a number without steps keeps four significant digits, within the bounds.

        >>> Dimension(setting="a", kind="float", low=0.01, high=0.3).rounded(0.0123456)
        0.01235
        """
        if self.kind != "float" or self.step is not None or not isinstance(value, float):
            return value
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


@dataclass(frozen=True, kw_only=True)
class SearchOverrides:
    """What a command line states: `dimensions` by setting, and the overrides that fix what they name."""

    dimensions: Mapping[str, Dimension]
    overrides: tuple[str, ...]
    fixed: frozenset[str]


def read_space(overrides: Sequence[str], folder: Path) -> SearchOverrides:
    """Overrides told apart: those that name several values are dimensions, the others fix a setting.

    Raises SettingError for one that can't be read, an empty interval, and several options of a group.
    """
    dimensions: dict[str, Dimension] = {}
    plain: list[str] = []
    fixed = set()
    for override in overrides:
        read = _read_override(override)
        key = read.key_or_group if read else override.partition("=")[0].lstrip("+~")
        if read is None or not read.is_sweep_override():
            plain.append(override)
            fixed.add(key)
        elif key in groups(folder):
            raise SettingError(
                f"{override!r} names several options of {key}: a search stays within one; compare the options "
                "with `relet run … -m`"
            )
        else:
            dimensions[key] = dimension(key, override.partition("=")[2])
            fixed.discard(key)
    kept = tuple(each for each in plain if each.partition("=")[0].lstrip("+~") not in dimensions)
    return SearchOverrides(dimensions=dimensions, overrides=kept, fixed=frozenset(fixed))


def _read_override(override: str) -> Any:
    """An override as Hydra reads it; None for one that it can't read, of which the composition says more."""
    try:
        return parse_override(override)
    except SettingError:
        if re.search(r"=\s*(\w+\()*(interval|range|choice|tag|int|float)\(", override):
            raise
        return None


def dimension(setting: str, words: object) -> Dimension:
    """A dimension in Hydra's words.

    Raises SettingError for words that are none, an empty interval, and a log scale that does not start above 0.

    >>> str(dimension("model.depth", "int(interval(2, 8))"))
    'model.depth: 2 to 8'
    >>> dimension("model.kind", "choice(a, b)").choices
    ('a', 'b')
    """
    shown = f"{setting}={words}"
    from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep

    value = parse_override(shown).value() if isinstance(words, str) else words
    match value:
        case IntervalSweep():
            return _interval_dimension(setting, value, shown)
        case RangeSweep():
            return _range_dimension(setting, value, shown)
        case ChoiceSweep():
            return _choice_dimension(setting, value, shown)
    raise SettingError(f"{shown} is one value, where a search takes several: write {WORDS}, or leave it out")


def _interval_dimension(setting: str, sweep: IntervalSweep, shown: str) -> Dimension:
    low, high = sweep.start, sweep.end
    assert low is not None and high is not None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise SettingError(f"{shown}: an interval goes from a smaller number to a larger one, both finite")
    log = _is_log_scale(sweep.tags, shown)
    if log and low <= 0:
        raise SettingError(f"{shown}: a log scale starts above 0, got {low:g}; raise it, or leave out tag(log, …)")
    whole = isinstance(low, int) and isinstance(high, int)
    return Dimension(setting=setting, kind="int" if whole else "float", low=low, high=high, log=log)


def _range_dimension(setting: str, sweep: RangeSweep, shown: str) -> Dimension:
    """A range as Hydra counts it: its end is not part of it."""
    start, stop, step = sweep.start, sweep.stop, sweep.step
    assert start is not None and stop is not None
    _is_log_scale(sweep.tags, shown, allowed=False)
    count = math.ceil((stop - start) / step - 1e-9) if step > 0 else 0
    if count < 2:
        raise SettingError(
            f"{shown}: a range needs two values at least, and a step above 0; range(1, 4) is 1, 2 and 3"
        )
    whole = all(isinstance(each, int) for each in (start, stop, step))
    last = start + (count - 1) * step
    return Dimension(
        setting=setting,
        kind="int" if whole else "float",
        low=start,
        high=last if whole else round(last, 12),
        step=step,
    )


def _choice_dimension(setting: str, sweep: ChoiceSweep, shown: str) -> Dimension:
    from hydra.core.override_parser.types import QuotedString

    _is_log_scale(sweep.tags, shown, allowed=False)
    found = [each.text if isinstance(each, QuotedString) else each for each in sweep.list]
    for each in found:
        if not isinstance(each, str | int | float | bool | None):
            raise SettingError(f"{shown}: a choice is between numbers, texts, true, false and null, got {each!r}")
    choices: tuple[Any, ...] = tuple({(type(each), each): each for each in found}.values())
    if len(choices) < 2:
        raise SettingError(f"{shown}: a choice needs two values at least; to fix it write {setting}={found[0]}")
    return Dimension(setting=setting, kind="choice", choices=choices)


def _is_log_scale(tags: set[str], shown: str, *, allowed: bool = True) -> bool:
    unknown = sorted(tags - ({"log"} if allowed else set()))
    if unknown:
        means = "the only tag is log" if allowed else "tags such as log go with intervals"
        raise SettingError(f"{shown}: the tag {unknown[0]} has no meaning here: {means}")
    return "log" in tags


def in_whole_numbers(found: Dimension, configured: object) -> Dimension:
    """The same in whole numbers, where the configured value is one and both bounds are.

    >>> in_whole_numbers(dimension("a", "interval(8, 64)"), 31).kind
    'int'
    >>> in_whole_numbers(dimension("a", "interval(8, 64)"), 31.0).kind
    'float'
    """
    counts = isinstance(configured, int) and not isinstance(configured, bool)
    if found.kind != "float" or found.step is not None or not counts:
        return found
    if found.low != int(found.low) or found.high != int(found.high):
        return found
    return Dimension(setting=found.setting, kind="int", low=int(found.low), high=int(found.high), log=found.log)
