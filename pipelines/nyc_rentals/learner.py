"""What a model family is to the components: settings that build an inference pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from relet.errors import SettingError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


class Learner(Protocol):
    """The settings of a family: the one public dataclass of a module of `families`."""

    def pipeline(self, *, seed: int) -> Pipeline:
        """Pre-processing and model as one scikit-learn pipeline, not fitted."""


def check_number(
    name: str,
    value: float | None,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
) -> None:
    """Raise SettingError for a number out of its bounds; `above` is the bound that it may not reach.

    >>> check_number("dropout", 1.5, least=0, most=1)
    Traceback (most recent call last):
    relet.errors.SettingError: dropout must be at least 0 and at most 1, got 1.5
    """
    if value is None:
        return
    holds = [
        least is None or value >= least,
        above is None or value > above,
        most is None or value <= most,
    ]
    if not all(holds):
        words = {"at least": least, "above": above, "at most": most}
        told = " and ".join(f"{word} {bound:g}" for word, bound in words.items() if bound is not None)
        raise SettingError(f"{name} must be {told}, got {value:g}")
