"""The rule of a segregation: its method, and the columns and the seed that the method uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from relet.errors import SettingError, nearest

# Each method → the field of the rule that names the column it needs.
METHODS = {
    "keyed": "key",
    "random": None,
    "stratified": "stratify_by",
    "by_group": "group_by",
    "by_time": "time_by",
}
# An assignment holds one signed byte per row.
MOST_PARTS = 127


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A method of segregation, with the columns and the seed that it uses.

    - `keyed`: by a hash of the column `key`, whole numbers or text. A row's part depends only on its key, `seed`
      and `salt`: it stays the same when rows are added, removed or reordered, on every machine. Shares are as
      exact as chance allows, in each stratum of `stratify_by` too. Exact shares would need a threshold for each
      stratum, which would move rows whenever others come or go. The report says how exact the shares are, and what
      chance allows.
    - `random`: drawn with `seed`, as scikit-learn's `train_test_split` draws; with `stratify_by` every value of
      that column has its share in each part, to within a row. `stratified` is the same and demands `stratify_by`.
    - `by_group`: in random order, all rows of a value of `group_by` go to the last part while they fit, then to
      the part before it; the first part gets the rest. With `stratify_by` they have to fit into the share of each
      stratum.
    - `by_time`: the last part has the newest rows by `time_by` (dates, times, or the numbers of batches), the one
      before it the next newest. Rows of one value stay together, so shares are as exact as that allows. Rows
      without a value have an unknown age and go to the first part.

    A column that the method does not use may still be named: the report looks at it. `salt` gives an independent
    hash for another purpose, such as the validation part.

    Raises SettingError for an unknown method, one whose column is not named, and a seed out of range.

    >>> Rule(method="by_group", group_by="host_id").column
    'host_id'
    """

    method: str = "keyed"
    seed: int = 42
    key: str | None = "id"
    stratify_by: str | None = None
    group_by: str | None = None
    time_by: str | None = None
    salt: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise SettingError(
                f"segregation: there is no method {self.method!r}: {nearest(self.method, METHODS)}; set method"
            )
        needed = METHODS[self.method]
        if needed and not getattr(self, needed):
            raise SettingError(f"segregation: the method {self.method} goes by a column; name it: set {needed}")
        if not 0 <= self.seed < 2**32:
            raise SettingError(f"segregation: seed must lie between 0 and {2**32 - 1}, got {self.seed}; set seed")

    def salted(self, purpose: str) -> Rule:
        """The same for another purpose: what goes by it is independent of what goes by this one.

        >>> Rule().salted("validation").salt
        'validation'
        """
        return replace(self, salt=f"{self.salt}{purpose}")

    @property
    def column(self) -> str | None:
        """The column that the method needs; None for a method that needs none."""
        needed = METHODS[self.method]
        return getattr(self, needed) if needed else None


def shares_of(parts: Mapping[str, float | None]) -> dict[str, float]:
    """Each part's share of the rows; None stands for the rest.

    Raises SettingError for a share outside (0, 1), shares that don't add up to 1, and too few or too many parts.

    >>> shares_of({"train": None, "validation": 0.1, "test": 0.2})
    {'train': 0.7, 'validation': 0.1, 'test': 0.2}
    """
    if not 2 <= len(parts) <= MOST_PARTS:
        raise SettingError(f"segregation: there can be 2 to {MOST_PARTS} parts, got {len(parts)}")
    open_ended = [name for name, share in parts.items() if share is None]
    if len(open_ended) > 1:
        raise SettingError(f"segregation: only one part can be the rest, got {' and '.join(open_ended)}")
    for name, share in parts.items():
        if share is not None and not 0 < share < 1:
            meant = f" (did you mean {_probable_share(share)}?)" if share > 1 else ""
            raise SettingError(
                f"segregation: the share of {name} must lie between 0 and 1, got {share:g}{meant}; set {name}_size"
            )
    given = math.fsum(share for share in parts.values() if share is not None)
    fits = given < 1 - 1e-9 if open_ended else abs(given - 1) < 1e-9
    if not fits:
        told = ", ".join(f"{name} {share:g}" for name, share in parts.items() if share is not None)
        wanted = f"to less than 1, {open_ended[0]} being the rest" if open_ended else "to 1"
        raise SettingError(f"segregation: the shares must add up {wanted}, got {told} (in all {given:g})")
    return {name: round(1 - given, 12) if share is None else float(share) for name, share in parts.items()}


def _probable_share(share: float) -> str:
    """The share that was probably meant by a percentage or a count."""
    return f"{share / 100:g}" if share < 100 else "0.2"
