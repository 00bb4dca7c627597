"""The loader that MLflow calls for an exported model: `mlflow.pyfunc.load_model`, `mlflow models serve`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.model import Model


class ServedModel:
    """A model with the method that MLflow calls."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None
    ) -> NDArray[Any] | pd.DataFrame:
        """One prediction for each row, in the target's units or a label; a table where `params` asks for more.

        `coverage` adds the columns `lower` and `upper` beside `estimate`, which is then clipped to the target's
        range. `explain` adds `base`, `contributions` (by column name) and `comparables` (a list of rows by column
        name); a row is never its own comparable. The contributions add up to `explained` minus `base`; `explained`
        is the estimate before clipping. Of a classifier these give a table with the column `label`:
        `probabilities` adds for each class a column `probability_` with its label, in the order of the classes;
        `coverage` adds `set`, the list of labels that a row may have; `explain` is about the probability of the
        second of two classes.
        """
        asked = params or {}
        coverage, explain = asked.get("coverage"), asked.get("explain")
        if coverage is None and not explain and not asked.get("probabilities"):
            return self.model.predict(model_input)
        import pandas as pd

        if asked.get("probabilities") or self.model.is_classifier:
            answer = self._classified(model_input, coverage, probabilities=bool(asked.get("probabilities")))
        elif coverage is None:
            answer = pd.DataFrame({"estimate": self.model.predict(model_input)}, index=model_input.index)
        else:
            answer = self.model.predict_interval(model_input, coverage)
        if not explain:
            return answer
        found = self.model.explain(model_input)
        grounds = {
            "base": [each.base for each in found],
            "contributions": [dict(each.contributions) for each in found],
            "comparables": [[dict(row) for row in each.comparables] for each in found],
            "explained": [each.estimate for each in found],
        }
        return pd.concat([answer, pd.DataFrame(grounds, index=model_input.index)], axis=1)

    def _classified(self, rows: pd.DataFrame, coverage: float | None, *, probabilities: bool) -> pd.DataFrame:
        import pandas as pd

        found = pd.DataFrame({"label": self.model.predict(rows)}, index=rows.index)
        if coverage is not None:
            members = self.model.predict_set(rows, coverage)
            classes = self.model.classes
            found["set"] = [
                [label for label, is_in in zip(classes, row, strict=True) if is_in] for row in members.to_numpy()
            ]
        if probabilities:
            found = found.join(self.model.probabilities(rows).add_prefix("probability_"))
        return found


def _load_pyfunc(path: str) -> ServedModel:
    from relet.training.model import load_model

    return ServedModel(load_model(Path(path)))
