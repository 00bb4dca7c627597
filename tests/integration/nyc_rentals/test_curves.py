"""Learning and cost curves: what is fitted, and which of the two can be made again."""

from itertools import pairwise

import pandas as pd
import pytest

from pipelines.nyc_rentals.components.cost_curve import cost_curve
from pipelines.nyc_rentals.components.learning_curve import learning_curve
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.random_forest import RandomForest
from pipelines.nyc_rentals.subsets import subsets
from tests.listings import kept_listings

SMALL = {"family": "random_forest", "learner": RandomForest(n_estimators=4, max_depth=5)}


@pytest.fixture(scope="module")
def listings():
    return kept_listings(1800)


@pytest.fixture(scope="module")
def learned(listings):
    return learning_curve(listings, **SMALL)


def test_each_part_holds_the_smaller_ones_and_is_twice_as_large():
    parts = [set(part["id"]) for part in subsets(pd.DataFrame({"id": range(3200)}), seed=3)]
    assert [len(part) for part in parts] == [100, 200, 400, 800, 1600, 3200]
    assert all(small < large for small, large in pairwise(parts))


def test_few_rows_are_one_part():
    assert [len(part) for part in subsets(pd.DataFrame({"id": range(10)}), seed=3)] == [10]


def test_the_last_point_is_the_error_of_the_model_that_is_trained(listings, learned):
    curve = learned.learning_metrics["mae_by_rows"]
    assert curve.x == "rows"
    assert curve.last == train_model(listings, **SMALL).training_metrics["mae"]
    assert curve.points[0][1] > curve.last


def test_a_learning_curve_is_the_same_each_time(listings, learned):
    again = learning_curve(listings, **SMALL)
    assert again == learned
    assert learned.learning_curve.svg.count("<polyline") == 1


def test_a_cost_curve_has_a_time_for_each_part_and_is_no_promise(listings):
    found = cost_curve(listings[:800], **SMALL)
    points = found.cost_metrics["fit_seconds_by_rows"].points
    assert [rows for rows, _ in points] == [len(listings[:800]) >> power for power in (4, 3, 2, 1, 0)]
    assert all(seconds > 0 for _, seconds in points)
    assert "seconds" in found.cost_curve.svg
