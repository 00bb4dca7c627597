"""Draw how the error falls with the rows that a model learns from: whether more listings would help."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted_pipeline
from pipelines.nyc_rentals.learner import Learner
from pipelines.nyc_rentals.rule import ListingsRule
from pipelines.nyc_rentals.subsets import subsets
from relet import ChosenBy, Curve, Figure, Metrics, Module, component
from relet.evaluation.metrics import regression
from relet.report.charts.lines import line_chart
from relet.segregation import split


class Learned(NamedTuple):
    learning_curve: Figure
    learning_metrics: Metrics


@component(job_type="learning_curve", tolerance=1e-6)
def learning_curve(
    trainval: pd.DataFrame,
    *,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    learner: Annotated[Learner, ChosenBy("family")],
    val_size: float = 0.1,
    segregation: ListingsRule = ListingsRule(),
    seed: int = 42,
) -> Learned:
    """Fit on a 32nd of the training rows, on twice as many, and so on to all of them; measure on validation rows.

    The rows are those that `train_model` learns from and measures on; each part holds the smaller ones. Errors in
    dollars a night.
    """
    train, validation = split(trainval, {"train": None, "val": val_size}, segregation.salted("validation"))
    points = []
    for rows in subsets(train, seed):
        pipeline = fitted_pipeline(rows, learner, seed=seed)
        found = regression(validation[TARGET], pipeline.predict(validation[INPUTS]))
        points.append((len(rows), found["mae"]))
    drawn = line_chart({"MAE": points}, title=f"Validation error of {family}", x="training rows", unit="dollars")
    return Learned(Figure(svg=drawn), {"mae_by_rows": Curve(points=points, x="rows")})
