"""What a person asked for, in words: a pipeline, its steps, overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from relet.errors import SettingError

# A word that no shell and no person mistakes for a step's name.
ALL_STEPS = "all"
# The words between `relet run` and the pipeline that brought a process here: commands that it prints begin so.
VISITED = "RELET_VISITED"


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run as it was asked for: `nyc_rentals steps=a,b etl.min_price=20`, or one component alone.

    `alone` are a single component's own names and values: parameters, and references for its inputs.
    """

    pipeline: str
    steps: tuple[str, ...] | None = None
    overrides: tuple[str, ...] = ()
    component: str | None = None
    alone: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


def read_order(target: str, words: Sequence[str], command: Sequence[str] = ()) -> Order:
    """An order from the words of a command line; what is not `steps=` is left to Hydra.

    >>> read_order("nyc_rentals", ["etl.min_price=20", "steps=a,b"]).steps
    ('a', 'b')
    >>> dict(read_order("nyc_rentals.data_split", ["seed=7"]).alone)
    {'seed': '7'}
    """
    pipeline, _, component = target.partition(".")
    if component:
        alone = dict(_assignment(word) for word in words)
        return Order(pipeline=pipeline, component=component, alone=alone, command=tuple(command))
    steps: tuple[str, ...] | None = None
    overrides = []
    for word in words:
        if word.startswith("steps="):
            names = [name for name in word.removeprefix("steps=").strip("[]").split(",") if name.strip()]
            steps = tuple(name.strip() for name in names)
        else:
            overrides.append(word)
    if steps in ((), (ALL_STEPS,)):
        steps = None
    return Order(pipeline=pipeline, steps=steps, overrides=tuple(overrides), command=tuple(command))


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise SettingError(f"{word!r} is no assignment; write name=value")
    return name, value
