"""The flagship's intervals and explanations, from training to the page that says where they are weak."""

from dataclasses import replace

import pytest

from pipelines.nyc_rentals.bounds import Prices
from pipelines.nyc_rentals.components.test_model import test_model as measure_model
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.random_forest import RandomForest
from relet.errors import ModelError, SettingError
from tests.listings import kept_listings

SMALL = {"family": "random_forest", "learner": RandomForest(n_estimators=8, max_depth=8, max_features=0.5)}


@pytest.fixture(scope="module")
def listings():
    return kept_listings(7500)


@pytest.fixture(scope="module")
def model(listings):
    return train_model(listings[:5000], **SMALL, val_size=0.2).model


@pytest.fixture(scope="module")
def tested(model, listings):
    return measure_model(model, listings[5000:])


def test_intervals_hold_new_prices_as_often_as_was_asked_and_stay_in_the_range(model, listings):
    for coverage in (0.6, 0.9):
        found = model.predict_interval(listings[5000:], coverage)
        price = listings["price"][5000:]
        assert price.between(found["lower"], found["upper"]).mean() == pytest.approx(coverage, abs=0.035)
        assert found["lower"].min() >= 10
        assert found["upper"].max() <= 350


def test_the_range_is_the_one_that_the_cleaning_declares(listings):
    narrow = train_model(listings[:1500], **SMALL, prices=Prices(min_price=50, max_price=100)).model
    found = narrow.predict_interval(listings[5000:5200], 0.5)
    assert found["lower"].min() == 50
    assert found["upper"].max() == 100


def test_with_refit_the_intervals_are_those_of_the_model_that_was_measured(listings):
    kept, measured = (train_model(listings[:1500], **SMALL, refit=refit).model for refit in (True, False))
    assert kept.interval == measured.interval
    assert len(kept.comparables.rows) == 1500 > len(measured.comparables.rows)


def test_where_prices_may_be_zero_there_are_estimates_and_no_intervals(listings):
    free = train_model(listings[:1500], **SMALL, prices=Prices(min_price=0)).model
    assert free.interval is None
    assert len(free.predict(listings[:3])) == 3
    with pytest.raises(ModelError, match="a range of the target above 0"):
        free.predict_interval(listings[:3])


def test_an_explanation_is_in_dollars_by_column_with_listings_of_the_same_room_and_place(model, listings):
    row = listings[5000:5001]
    (found,) = model.explain(row)
    assert found.estimate == model.predict(row)[0]
    assert sum(found.contributions.values()) == pytest.approx(found.estimate - found.base)
    assert {"room_type", "neighbourhood", "name", "latitude"} <= set(found.contributions)
    prices = listings.set_index("id")["price"]
    assert len(found.comparables) == 5
    for each in found.comparables:
        assert each["price"] == prices[each["id"]]
        assert each["room_type"] == row["room_type"].iloc[0]
        assert "host_name" not in each
        assert "host_id" not in each


def test_a_test_measures_intervals_by_group_and_price_band_and_draws_them(tested):
    checks = {check.name: check for check in tested.evaluation.checks}
    assert checks["coverage"].passed
    assert 0.8 < checks["room_type = Private room"].measured["coverage"] < 1
    bands = [name for name in checks if name.startswith("price_band")]
    assert bands[0] == "price_band = below 75"
    assert bands[-1] == "price_band = 250 and more"
    assert tested.test_metrics["test_coverage"] == pytest.approx(0.9, abs=0.035)
    assert tested.test_metrics["test_interval_width"] > 10
    assert tested.test_metrics["test_coverage_least"] == min(
        check.measured["coverage"] for check in checks.values() if "coverage" in check.measured
    )
    page = tested.interval_report.read_text()
    assert "The 90% interval is" in page
    assert "250 and more" in page


def test_the_gate_on_coverage_says_no_with_what_was_seen(model, listings):
    refused = measure_model(model, listings[5000:], min_coverage=0.99).evaluation
    assert not refused.passed
    assert "at least 99% inside is asked for" in refused.reason


def test_a_model_without_intervals_is_judged_by_its_errors_and_the_page_says_why(model, listings):
    older = replace(model, interval=None)
    found = measure_model(older, listings[5000:], min_coverage=0.99)
    assert found.evaluation.passed
    assert "test_coverage" not in found.test_metrics
    assert "gives no intervals; train it again" in found.interval_report.read_text()


def test_a_model_with_few_held_out_rows_says_how_many_it_needs(listings):
    few = train_model(listings[:300], **SMALL, val_size=0.05).model
    assert "val_size" in measure_model(few, listings[5000:5300]).interval_report.read_text()
    with pytest.raises(SettingError, match="val_size"):
        few.predict_interval(listings[:2], 0.99)
