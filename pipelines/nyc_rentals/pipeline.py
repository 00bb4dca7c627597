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
    # names wire the settings of conf/, too: here stands what differs
    settings={
        "etl.seed": "get_data.seed",
        # one for each family: modeling.boosted, …
        "modeling.{train_model.family}": "learner",
    },
)
