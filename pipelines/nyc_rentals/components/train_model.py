"""Train the price model: an inference pipeline from raw listings to dollars a night."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted, importances
from relet import Figure, Metrics, Model, Module, component
from relet.evaluation.metrics import baseline, beside, regression
from relet.report.bars import bars
from relet.segregation import Rule, split

EXAMPLE_ROWS = 5
BASELINE_BY = ["neighbourhood_group", "room_type"]


class Trained(NamedTuple):
    model: Model
    training_metrics: Metrics
    feature_importance: Figure


@component(job_type="train_model", tolerance=1e-6)
def train_model(
    trainval: pd.DataFrame,
    *,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    val_size: float = 0.1,
    val_method: str = "keyed",
    seed: int = 42,
    key: str = "id",
    stratify_by: str | None = "neighbourhood_group",
    group_by: str | None = "host_id",
    time_by: str | None = "last_review",
    max_tfidf_features: int = 5,
    refit: bool = False,
    parameters: dict[str, Any] = {},  # noqa: B006
) -> Trained:
    """Fit on one part, measure on the other; with `refit` the model that is kept then learns from both.

    The parts are told apart by the method that told the test apart. By the hash of the key it needs a salt: the
    rows here are those whose hash was high enough to stay out of the test, and would all be so again; with it, a
    row keeps its side here too, whatever the size of the test. Errors in dollars a night, beside those of the
    median price by borough and room type.
    """
    rule = Rule(
        method=val_method,
        seed=seed,
        key=key,
        stratify_by=stratify_by,
        group_by=group_by,
        time_by=time_by,
        salt="validation",
    )
    train, validation = split(trainval, {"train": None, "val": val_size}, rule)

    def learned(rows: pd.DataFrame) -> Any:
        return fitted(rows, family=family, seed=seed, max_tfidf_features=max_tfidf_features, parameters=parameters)

    pipeline = learned(train)
    found = regression(validation[TARGET], pipeline.predict(validation[INPUTS]))
    base = regression(validation[TARGET], baseline(train, validation, TARGET, BASELINE_BY))
    if refit:
        pipeline = learned(trainval)
    example = trainval[INPUTS].head(EXAMPLE_ROWS)
    about = {"family": family, "rows": len(trainval if refit else train), "validation": found}
    return Trained(
        model=Model(pipeline=pipeline, example=example, target=TARGET, about=about),
        training_metrics=beside(found, base),
        feature_importance=Figure(svg=bars(importances(pipeline), title=f"What {family} gained by each feature")),
    )
