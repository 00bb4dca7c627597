"""Validate a model's settings: fit on all folds of the listings but one, and measure on that one."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.columns import INPUTS, TARGET
from pipelines.nyc_rentals.inference import fitted_pipeline
from pipelines.nyc_rentals.learner import Learner
from pipelines.nyc_rentals.rule import ListingsRule
from relet import ChosenBy, Metrics, Module, component
from relet.evaluation.metrics import regression
from relet.segregation import split_fold


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
    train, validation = split_fold(trainval, fold, folds, segregation)
    pipeline = fitted_pipeline(train, learner, seed=seed)
    return Validated(regression(validation[TARGET], pipeline.predict(validation[INPUTS])))
