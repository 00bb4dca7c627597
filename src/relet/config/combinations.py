"""A sweep's overrides, told apart: what all trials have in common, and what each sets, in Hydra's own grammar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.config.diagnosis import groups
from relet.config.overrides import parse_override, quote
from relet.errors import SettingError, nearest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

# What is the sweep's own: its trials lie in one store, go to the same trackers and are compared by one metric.
SHARED = ("store", "tracking", "search", "main.experiment_name")


@dataclass(frozen=True, kw_only=True)
class SweepOverrides:
    """`fixed` are the overrides of every trial; `trials` what each one sets, in the order of the product."""

    fixed: tuple[str, ...]
    trials: tuple[tuple[str, ...], ...]


def combinations(
    overrides: Sequence[str], folder: Path, takes_text: Callable[[str], bool] = lambda key: False
) -> SweepOverrides:
    """Every combination of what overrides name several values of; the last one's change fastest, as in Hydra.

    Several values are a list (`a=1,2`), `choice(…)`, `range(…)` and, for a group's options, `glob(…)`; a comma
    that belongs to a text is quoted. `folder` is the conf folder; `takes_text` says whether a setting takes text.
    Raises SettingError for what Hydra can't read, for a setting that is named twice, and for an `interval(…)`,
    which has no end of values.

    >>> combinations(["model=linear", "a=1,2", "b=range(0,2)"], Path("conf")).trials
    (('a=1', 'b=0'), ('a=1', 'b=1'), ('a=2', 'b=0'), ('a=2', 'b=1'))
    """
    fixed: list[str] = []
    several: list[list[str]] = []
    seen: dict[str, str] = {}
    for text in overrides:
        # with quotes where a text can't be read as it is: what composes a trial would add them as well
        text = quote(text, takes_text)
        override = parse_override(text)
        key = override.key_or_group
        if key in seen and (override.is_sweep_override() or seen[key] not in fixed):
            raise SettingError(f"{seen[key]!r} and {text!r} both set {key}; leave one out")
        seen[key] = text
        if override.is_sweep_override():
            several.append(list(_override_values(override, folder)))
        else:
            fixed.append(text)
    return SweepOverrides(fixed=tuple(fixed), trials=tuple(product(*several)))


def _override_values(override: Override, folder: Path) -> Iterator[str]:
    key, text = override.key_or_group, override.input_line
    shared = next((each for each in SHARED if key == each or key.startswith(f"{each}.")), None)
    if shared:
        raise SettingError(f"{text!r}: all trials of a sweep have the same {shared}; give it one value")
    if override.is_interval_sweep():
        raise SettingError(
            f"{text!r}: an interval has more values than can be tried; write range(1, 10, 2) or a list, "
            f"or search it: relet tune PIPELINE '{text}'"
        )
    options = groups(folder)
    if override.is_choice_sweep() and _is_glob(override) and key not in options:
        raise SettingError(f"{text!r}: glob chooses among the options of a group: {nearest(key, options)}")
    override.config_loader = _GroupOptions(options)  # type: ignore[assignment]
    try:
        values = list(override.sweep_string_iterator())
    except Exception as error:
        raise SettingError(f"{text!r} can't be read: {error}") from None
    if not values:
        raise SettingError(f"{text!r} names no value; range(1, 4) is 1, 2 and 3, and glob(*) every option")
    return (f"{override.get_key_element()}={value}" for value in values)


def _is_glob(override: Override) -> bool:
    from hydra.core.override_parser.types import ValueType

    return override.value_type is ValueType.GLOB_CHOICE_SWEEP


class _GroupOptions:
    """What Hydra asks for a group's options, where `glob` chooses among them."""

    def __init__(self, options: dict[str, list[str]]) -> None:
        self._options = options

    def get_group_options(self, group_name: str, results_filter: Any = None) -> list[str]:
        return self._options.get(group_name, [])
