"""A small neural network on scaled features. To fit it takes PyTorch, an extra: `pip install 'relet[torch]'`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.nyc_rentals.learner import check_number

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True, kw_only=True)
class Network:
    """The settings of `NetworkRegressor`; `hidden` is the number of units of each hidden layer."""

    hidden: tuple[int, ...] = (64, 32)
    epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 0.003
    weight_decay: float = 0.0001
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for units in self.hidden:
            check_number("hidden", units, least=1)
        check_number("epochs", self.epochs, least=1)
        check_number("batch_size", self.batch_size, least=1)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("weight_decay", self.weight_decay, least=0)
        check_number("dropout", self.dropout, least=0, most=1)

    def pipeline(self, *, seed: int) -> Pipeline:
        """The inference pipeline, not fitted."""
        from sklearn.pipeline import Pipeline

        from pipelines.nyc_rentals.features import for_lines
        from relet.training.estimators.network import NetworkRegressor

        model = NetworkRegressor(**{**vars(self), "hidden": [*self.hidden], "random_state": seed})
        return Pipeline([("features", for_lines(seed=seed)), ("model", model)])
