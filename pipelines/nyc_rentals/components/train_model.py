"""Train the price model: an inference pipeline from raw listings to dollars a night."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.nyc_rentals.bounds import Prices
from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted_pipeline, importances
from pipelines.nyc_rentals.learner import Learner
from pipelines.nyc_rentals.rule import ListingsRule
from relet import ChosenBy, Curve, Figure, Metrics, Model, Module, component
from relet.evaluation.metrics import baseline, mae_by_rounds, regression, with_baseline
from relet.report.bars import bars
from relet.segregation import split
from relet.training.comparables import comparables
from relet.training.explanation import background_rows
from relet.training.interval import Interval, calibrate

EXAMPLE_ROWS = 5
BASELINE_BY = ["neighbourhood_group", "room_type"]
# The groups whose intervals may be wider or narrower than others'.
INTERVALS_BY = ["room_type", "neighbourhood_group"]
# What makes two listings comparable: the kind of room, then the neighbourhood, then how far apart they are. One
# unit is about 700 metres either way, three nights of the shortest stay, a third of a year, thirty reviews.
COMPARED_BY = ["room_type", "neighbourhood"]
SCALES = {
    "latitude": 0.0063,
    "longitude": 0.0083,
    "minimum_nights": 3.0,
    "availability_365": 120.0,
    "number_of_reviews": 30.0,
}


class Trained(NamedTuple):
    model: Model
    training_metrics: Metrics
    feature_importance: Figure


@component(job_type="train_model", tolerance=1e-6)
def train_model(
    trainval: pd.DataFrame,
    *,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    learner: Annotated[Learner, ChosenBy("family")],
    val_size: float = 0.1,
    segregation: ListingsRule = ListingsRule(),
    seed: int = 42,
    refit: bool = False,
    prices: Prices = Prices(),
) -> Trained:
    """Fit on one part, measure and calibrate on the other; with `refit` the model that is kept learns from both.

    The parts are told apart by the method that told the test apart. By the hash of the key it needs a salt: the
    rows here are those whose hash was high enough to stay out of the test, and would all be so again; with it, a
    row keeps its side here too, whatever the size of the test. Errors in dollars a night, beside those of the
    median price by borough and room type; of a family that learns in rounds, also by the number of rounds.

    Intervals, clipped to `prices`, are calibrated by the errors on the validation part, which the model that made
    them never saw. With `refit` they stay those of that model: the one that is kept learned from the same rows and
    more, and it can't be measured on rows that it has seen.
    """
    train, validation = split(trainval, {"train": None, "val": val_size}, segregation.salted("validation"))

    def learned(rows: pd.DataFrame) -> Any:
        return fitted_pipeline(rows, learner, seed=seed)

    pipeline = learned(train)
    estimates = np.asarray(pipeline.predict(validation[INPUTS]), dtype=np.float64)
    found = regression(validation[TARGET], estimates)
    interval = _calibrated_interval(pipeline, train, validation, estimates, prices)
    base = regression(validation[TARGET], baseline(train, validation, TARGET, BASELINE_BY))
    by_rounds = _error_by_rounds(pipeline, validation)
    if refit:
        pipeline = learned(trainval)
    example = trainval[INPUTS].head(EXAMPLE_ROWS)
    about = {"family": family, "rows": len(trainval if refit else train), "validation": found}
    return Trained(
        model=Model(
            pipeline=pipeline,
            example=example,
            target=TARGET,
            # a listing may come without any of its values
            missing=INPUTS,
            about=about,
            interval=interval,
            background=background_rows(validation[INPUTS], estimates),
            comparables=comparables(
                trainval if refit else train,
                id=segregation.key or "id",
                same=COMPARED_BY,
                scales=SCALES,
                target=TARGET,
            ),
        ),
        training_metrics=with_baseline(found, base) | by_rounds,
        feature_importance=Figure(svg=bars(importances(pipeline), title=f"What {family} gained by each feature")),
    )


def _error_by_rounds(pipeline: Any, validation: pd.DataFrame) -> dict[str, Curve]:
    """The error by the number of rounds, of a family that learns in rounds."""
    if not hasattr(pipeline[-1], "staged_predict"):
        return {}
    rows = pipeline[:-1].transform(validation[INPUTS])
    return {"mae_by_rounds": mae_by_rounds(pipeline[-1], rows, validation[TARGET])}


def _calibrated_interval(
    pipeline: Any,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    estimates: NDArray[np.float64],
    prices: Prices,
) -> Interval | None:
    """None where prices may be 0: an interval is a ratio to the estimate."""
    if not prices.min_price > 0:
        return None

    def predict(rows: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(pipeline.predict(rows[INPUTS]), dtype=np.float64)

    return calibrate(
        predict,
        train,
        validation,
        estimates=estimates,
        target=TARGET,
        by=INTERVALS_BY,
        low=prices.min_price,
        high=prices.max_price,
    )
