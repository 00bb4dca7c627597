"""Test a model on rows that nothing was learned from or chosen by."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import pandas as pd

from relet import Metrics, Model, Stored, Verdict, component
from relet.evaluation.gates import judge, slices
from relet.evaluation.metrics import regression

SLICES = ("neighbourhood_group", "room_type")


class Tested(NamedTuple):
    evaluation: Verdict
    test_metrics: Metrics


@component(job_type="test_model", judges=("model",), tolerance=1e-6)
def test_model(
    model: Annotated[Model, Stored("model:prod")],
    test: pd.DataFrame,
    champion: Annotated[Model | None, Stored("model:prod")] = None,
    *,
    min_r2: float = 0.0,
    max_worse: float = 1.02,
) -> Tested:
    """Measure the model on the test rows, beside the champion, and say whether it passes the gates.

    Errors in dollars a night. It passes with an R² of at least `min_r2` and an MAE of at most `max_worse` times
    the champion's, where there is one.
    """
    predicted = model.predict(test)
    found = regression(test[model.target], predicted)
    before = regression(test[champion.target], champion.predict(test)) if champion else None
    verdict = judge(
        found,
        min_r2=min_r2,
        max_worse=max_worse,
        champion=before,
        slices=tuple(slices(test, model.target, predicted, SLICES)),
    )
    metrics = {f"test_{name}": value for name, value in found.items()}
    return Tested(verdict, {**metrics, **{f"champion_{name}": value for name, value in (before or {}).items()}})
