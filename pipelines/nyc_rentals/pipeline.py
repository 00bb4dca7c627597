"""The flagship: from a batch of listings to a tested model of the nightly price."""

from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.cost_curve import cost_curve
from pipelines.nyc_rentals.components.data_check import data_check
from pipelines.nyc_rentals.components.data_split import data_split
from pipelines.nyc_rentals.components.explore import explore
from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.components.learning_curve import learning_curve
from pipelines.nyc_rentals.components.report_batch import report_batch
from pipelines.nyc_rentals.components.test_model import test_model
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.components.validate_model import validate_model
from relet import Pipeline

# relet reads this file without running it: everything here is a name or a literal.
pipeline = Pipeline(
    [
        get_data,
        basic_cleaning,
        data_check,
        report_batch,
        data_split,
        train_model,
        validate_model,
        test_model,
        explore,
        learning_curve,
        cost_curve,
    ],
    on_request=[test_model],
    by_name=[explore, validate_model, learning_curve, cost_curve],
    settings={
        "main.seed": ["train_model.seed", "validate_model.seed", "learning_curve.seed", "cost_curve.seed"],
        "etl.source": "get_data.source",
        "etl.rows": "get_data.rows",
        "etl.seed": "get_data.seed",
        "etl.columns": ["get_data.columns", "basic_cleaning.columns"],
        "etl.on_bad_rows": "basic_cleaning.on_bad_rows",
        "etl.min_price": ["basic_cleaning.min_price", "data_check.min_price", "train_model.min_price"],
        "etl.max_price": ["basic_cleaning.max_price", "data_check.max_price", "train_model.max_price"],
        "etl.bounds.west": ["basic_cleaning.west", "data_check.west"],
        "etl.bounds.east": ["basic_cleaning.east", "data_check.east"],
        "etl.bounds.south": ["basic_cleaning.south", "data_check.south"],
        "etl.bounds.north": ["basic_cleaning.north", "data_check.north"],
        "data_check.alpha": "data_check.alpha",
        "data_check.correction": "data_check.correction",
        "data_check.min_effect": "data_check.min_effect",
        "data_check.kl_threshold": "data_check.kl_threshold",
        "data_check.min_rows": "data_check.min_rows",
        "data_check.max_rows": "data_check.max_rows",
        "segregation.method": [
            "data_split.method",
            "train_model.val_method",
            "validate_model.val_method",
            "learning_curve.val_method",
        ],
        "segregation.test_size": "data_split.test_size",
        "segregation.seed": "data_split.seed",
        "segregation.key": ["data_split.key", "train_model.key", "validate_model.key", "learning_curve.key"],
        "segregation.stratify_by": [
            "data_split.stratify_by",
            "train_model.stratify_by",
            "validate_model.stratify_by",
            "learning_curve.stratify_by",
        ],
        "segregation.group_by": [
            "data_split.group_by",
            "train_model.group_by",
            "validate_model.group_by",
            "learning_curve.group_by",
        ],
        "segregation.time_by": [
            "data_split.time_by",
            "train_model.time_by",
            "validate_model.time_by",
            "learning_curve.time_by",
        ],
        "modeling.family": [
            "train_model.family",
            "validate_model.family",
            "learning_curve.family",
            "cost_curve.family",
        ],
        "modeling.val_size": ["train_model.val_size", "learning_curve.val_size"],
        "modeling.max_tfidf_features": [
            "train_model.max_tfidf_features",
            "validate_model.max_tfidf_features",
            "learning_curve.max_tfidf_features",
            "cost_curve.max_tfidf_features",
        ],
        "modeling.refit": "train_model.refit",
        # one for each family: modeling.boosted, …
        "modeling.{train_model.family}": [
            "train_model.parameters",
            "validate_model.parameters",
            "learning_curve.parameters",
            "cost_curve.parameters",
        ],
        "search.folds": "validate_model.folds",
        "search.fold": "validate_model.fold",
        "gate.min_r2": "test_model.min_r2",
        "gate.max_worse": "test_model.max_worse",
        "gate.min_coverage": "test_model.min_coverage",
    },
)
