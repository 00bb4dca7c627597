"""Validate a model's settings: fit on all folds of the listings but one, and measure on that one."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted_pipeline
from pipelines.nyc_rentals.learner import Learner
from pipelines.nyc_rentals.rule import ListingsRule
from relet import ChosenBy, Metrics, Module, component
from relet.errors import SettingError
from relet.evaluation.metrics import regression
from relet.segregation import folds as folds_of


class Validated(NamedTuple):
    validation_metrics: Metrics


@component(job_type="validate_model", tolerance=1e-6)
def validate_model(
    trainval: pd.DataFrame,
    *,
    fold: int = 1,
    folds: int = 3,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    learner: Annotated[Learner, ChosenBy("family")],
    segregation: ListingsRule = ListingsRule(),
    seed: int = 42,
) -> Validated:
    """What a search compares settings by: no test row is among the folds, and no model is kept.

    The folds are told apart by the method that told the test apart; by time, each fold but the oldest is validated
    on what was learned from those before it. Errors in dollars a night.
    """
    if not 1 <= fold <= folds:
        raise SettingError(f"validate_model: there are folds 1 to {folds}, got {fold}; set search.fold")
    # the rows here are those whose hash kept them out of the test, and would fall together again without a salt
    rule = segregation.salted("folds")
    by_time = rule.method == "by_time"
    made = folds_of(trainval, folds + 1 if by_time else folds, rule)
    measured = fold if by_time else fold - 1
    learned = made.of_row < measured if by_time else made.of_row != measured
    pipeline = fitted_pipeline(trainval[learned].reset_index(drop=True), learner, seed=seed)
    validation = trainval[made.of_row == measured].reset_index(drop=True)
    return Validated(regression(validation[TARGET], pipeline.predict(validation[INPUTS])))
