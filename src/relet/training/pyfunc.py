"""What MLflow calls to load a model that relet exported: `mlflow.pyfunc.load_model`, `mlflow models serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.model import Model


class Served:
    """A model with the method that MLflow calls."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> NDArray[np.float64]:
        """One prediction for each row, in the target's units."""
        del params
        return self.model.predict(model_input)


def _load_pyfunc(path: str) -> Served:
    from relet.training.model import load

    return Served(load(Path(path)))
