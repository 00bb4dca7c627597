"""Validate a model's settings: fit on all folds of the listings but one, and measure on that one."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted_pipeline
from relet import Metrics, Module, component, segregation
from relet.errors import SettingError
from relet.evaluation.metrics import regression
from relet.segregation import Rule


class Validated(NamedTuple):
    validation_metrics: Metrics


@component(job_type="validate_model", tolerance=1e-6)
def validate_model(
    trainval: pd.DataFrame,
    *,
    fold: int = 1,
    folds: int = 3,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    val_method: str = "keyed",
    seed: int = 42,
    key: str = "id",
    stratify_by: str | None = "neighbourhood_group",
    group_by: str | None = "host_id",
    time_by: str | None = "last_review",
    max_tfidf_features: int = 5,
    parameters: dict[str, Any] = {},  # noqa: B006
) -> Validated:
    """What a search compares settings by: no test row is among the folds, and no model is kept.

    The folds are told apart by the method that told the test apart; by time, each fold but the oldest is validated
    on what was learned from those before it. Errors in dollars a night.
    """
    if not 1 <= fold <= folds:
        raise SettingError(f"validate_model: there are folds 1 to {folds}, got {fold}; set search.fold")
    rule = Rule(
        method=val_method,
        seed=seed,
        key=key,
        stratify_by=stratify_by,
        group_by=group_by,
        time_by=time_by,
        # the rows here are those whose hash kept them out of the test, and would fall together again
        salt="folds",
    )
    by_time = val_method == "by_time"
    made = segregation.folds(trainval, folds + 1 if by_time else folds, rule)
    measured = fold if by_time else fold - 1
    learned = made.of_row < measured if by_time else made.of_row != measured
    pipeline = fitted_pipeline(
        trainval[learned].reset_index(drop=True),
        family=family,
        seed=seed,
        max_tfidf_features=max_tfidf_features,
        parameters=parameters,
    )
    validation = trainval[made.of_row == measured].reset_index(drop=True)
    return Validated(regression(validation[TARGET], pipeline.predict(validation[INPUTS])))
