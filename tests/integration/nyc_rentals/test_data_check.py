"""The flagship's data tests say no to each fault, and name the rows."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.nyc_rentals.bounds import Bounds, Prices
from pipelines.nyc_rentals.components.data_check import data_check
from pipelines.nyc_rentals.generated import simulate
from relet import Verdict
from relet.checks.family import FamilyRules
from relet.data.table import read_table, write_table
from relet.errors import SettingError


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = simulate(2_000, 9).to_pandas()
    inside = table["price"].between(10, 350) & table["longitude"].between(-74.25, -73.5)
    path = tmp_path_factory.mktemp("reference") / "reference.parquet"
    write_table(arrow(table[inside]), path)
    return path


def arrow(table: pd.DataFrame) -> object:
    import pyarrow as pa

    fields = simulate(1, 1).schema
    return pa.Table.from_pandas(
        table, preserve_index=False, schema=fields if set(fields.names) <= set(table) else None
    )


def checked(table: pd.DataFrame, reference: Path, **values: Any) -> Verdict:
    path = reference.parent / "batch.parquet"
    write_table(arrow(table), path)
    rules = {name: values.pop(name) for name in ("alpha", "correction", "min_effect") if name in values}
    return data_check(path, reference, min_rows=1_000, judging=FamilyRules(**rules), **values).check_report


@pytest.fixture
def batch(reference: Path) -> pd.DataFrame:
    frame: pd.DataFrame = read_table(reference, "arrow").to_pandas()
    return frame


def test_the_first_batch_passes_against_itself(batch: pd.DataFrame, reference: Path) -> None:
    verdict = checked(batch, reference, kl_threshold=0.0)
    assert verdict.passed, verdict.reason
    assert len(verdict.checks) == 19 and all(check.message for check in verdict.checks)


def failed(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.message for check in verdict.checks if not check.passed}


def test_a_price_out_of_range_is_shown_with_its_row(batch: pd.DataFrame, reference: Path) -> None:
    batch.loc[3, "price"] = 5_000
    verdict = checked(batch, reference)
    assert failed(verdict) == {"test_price_range": "1 row: a price outside 10…350 dollars"}
    (check,) = (check for check in verdict.checks if not check.passed)
    assert check.rows == ({"id": batch["id"][3], "price": 5_000},)


@pytest.mark.parametrize(
    ("column", "value", "test"),
    [
        ("longitude", -73.0, "test_inside_the_city"),
        ("latitude", None, "test_places_are_known_or_none_is"),
        ("neighbourhood_group", "Hoboken", "test_borough_names"),
        ("price", 9, "test_price_range"),
    ],
)
@pytest.mark.sampled
def test_a_bad_value_fails_its_test(
    batch: pd.DataFrame, reference: Path, column: str, value: object, test: str
) -> None:
    batch.loc[0, column] = value
    assert test in failed(checked(batch, reference))


def test_ids_twice_fail(batch: pd.DataFrame, reference: Path) -> None:
    batch.loc[1, "id"] = batch.loc[0, "id"]
    assert failed(checked(batch, reference)) == {"test_ids_are_unique": "2 rows: an id that another row has too"}


def test_columns_in_another_order_or_of_another_type_fail(batch: pd.DataFrame, reference: Path) -> None:
    import pyarrow as pa

    path = reference.parent / "batch.parquet"
    table = arrow(batch)
    assert isinstance(table, pa.Table)
    write_table(table.select(sorted(table.column_names)), path)
    verdict = data_check(path, reference, min_rows=1).check_report
    assert set(failed(verdict)) == {"test_columns_in_order"}
    place = table.column_names.index("price")
    write_table(table.set_column(place, "price", table["price"].cast(pa.float64())), path)
    verdict = data_check(path, reference, min_rows=1).check_report
    assert failed(verdict) == {"test_types": "price is double, not int64"}


def test_too_few_and_too_many_rows_fail(batch: pd.DataFrame, reference: Path) -> None:
    assert set(failed(checked(batch.head(900), reference))) == {"test_row_count"}
    assert set(failed(checked(batch, reference, max_rows=1_500))) == {"test_row_count"}


def test_boroughs_unlike_the_references_fail_by_their_divergence(batch: pd.DataFrame, reference: Path) -> None:
    queens = batch[(batch["neighbourhood_group"] != "Manhattan") | (batch["id"] % 20 == 0)]
    verdict = checked(queens, reference)
    said = failed(verdict)["test_boroughs_diverge_little"]
    assert "divergence = 0." in said and "more than the 0.2 bits that is allowed" in said
    assert "test_boroughs_diverge_little" not in failed(checked(queens, reference, kl_threshold=5.0))
    assert checked(queens, reference, kl_threshold=5.0, min_effect=1.0).passed


def test_a_borough_that_the_reference_lacks_is_infinitely_far(batch: pd.DataFrame, reference: Path) -> None:
    path = reference.parent / "old.parquet"
    write_table(arrow(batch[batch["neighbourhood_group"] != "Queens"]), path)
    verdict = data_check(reference, path, min_rows=1).check_report
    assert "inf bits" in failed(verdict)["test_boroughs_diverge_little"]


NO_GROUPS = ["test_borough_names", "test_every_borough_is_there"]
NO_GROUP_COLUMN = [*NO_GROUPS, "test_boroughs_diverge_little", "test_boroughs_of_hosts"]


@pytest.mark.parametrize(
    ("settings", "skipped", "reason"),
    [
        ({"columns": {"neighbourhood_group": None}}, NO_GROUP_COLUMN, "etl.columns.neighbourhood_group=null"),
        ({"bounds": Bounds(groups=())}, NO_GROUP_COLUMN, "etl.groups names none"),
    ],
)
def test_checks_of_a_column_that_the_file_has_not_are_skipped_with_the_reason(
    batch: pd.DataFrame, tmp_path: Path, settings: dict[str, Any], skipped: list[str], reason: str
) -> None:
    batch["neighbourhood_group"] = pd.Series([None] * len(batch), dtype="str")
    write_table(arrow(batch), tmp_path / "reference.parquet")
    verdict = checked(batch, tmp_path / "reference.parquet", **settings)
    assert verdict.passed, verdict.reason
    assert verdict.reason.startswith("15 checks passed, 4 skipped")
    assert sorted(check.name for check in verdict.skipped) == sorted(skipped)
    assert any(reason in check.message for check in verdict.skipped)


def test_a_column_that_was_lost_is_no_column_that_is_left_out(batch: pd.DataFrame, reference: Path) -> None:
    batch["neighbourhood_group"] = pd.Series([None] * len(batch), dtype="str")
    verdict = checked(batch, reference, bounds=Bounds(groups=()))
    assert set(failed(verdict)) == {"test_boroughs_diverge_little", "test_boroughs_of_hosts"}
    # the reference may be the one that is wrong: later batches may be compared with this one
    assert not verdict.deterministic_failures
    told = {"columns": {"neighbourhood_group": None}}
    assert checked(batch, reference, bounds=Bounds(groups=()), **told).passed


@pytest.mark.parametrize(
    ("column", "tests"),
    [
        ("latitude", {"test_places_are_known_or_none_is", "test_inside_the_city"}),
        ("last_review", {"test_listings_without_reviews"}),
        ("minimum_nights", {"test_minimum_nights"}),
    ],
)
def test_any_column_may_be_left_out(batch: pd.DataFrame, reference: Path, column: str, tests: set[str]) -> None:
    batch[column] = None
    batch = batch.astype({"minimum_nights": "Int64"})
    verdict = checked(batch, reference, columns={column: None})
    assert verdict.passed, verdict.reason
    assert {check.name for check in verdict.skipped} == tests


def test_the_groups_of_another_city_are_its_own(batch: pd.DataFrame, tmp_path: Path) -> None:
    batch["neighbourhood_group"] = ["Eixample", "Les Corts"] * (len(batch) // 2) + ["Eixample"] * (len(batch) % 2)
    path = tmp_path / "reference.parquet"
    write_table(arrow(batch), path)
    assert checked(batch, path, bounds=Bounds(groups=("Eixample", "Les Corts"))).passed
    assert "test_borough_names" in failed(checked(batch, path))
    few = checked(batch, path, bounds=Bounds(groups=("Eixample", "Les Corts", "Gràcia")))
    assert failed(few) == {"test_every_borough_is_there": "no listing in Gràcia"}


def test_another_batch_from_the_same_market_passes(reference: Path) -> None:
    batch = simulate(2_500, 10).to_pandas()
    verdict = checked(
        batch[batch["price"].between(10, 350) & batch["longitude"].between(-74.25, -73.5)], reference
    )
    assert verdict.passed, verdict.reason
    assert ", smallest family-wise p " in verdict.reason
    tested = {check.measured["test"] for check in verdict.checks if check.measured}
    assert tested == {"kullback_leibler", "chi_square", "kolmogorov_smirnov", "mann_whitney", "missing_share"}


def test_dearer_listings_fail_by_their_prices_alone(batch: pd.DataFrame, reference: Path) -> None:
    batch["price"] = (batch["price"] * 1.15).round().clip(10, 350).astype("int64")
    verdict = checked(batch, reference)
    assert set(failed(verdict)) == {"test_prices", "test_prices_do_not_rise"}
    assert failed(verdict)["test_prices"].startswith("H0: price is distributed as in the reference. D = 0.")
    assert "H0 is rejected." in verdict.reason
    assert checked(batch, reference, min_effect=0.5).passed
    assert checked(batch, reference, alpha=1e-30, correction="bonferroni").passed


def test_cheaper_listings_do_not_fail_the_test_that_they_are_dearer(batch: pd.DataFrame, reference: Path) -> None:
    batch["price"] = (batch["price"] * 0.85).round().clip(10, 350).astype("int64")
    assert set(failed(checked(batch, reference))) == {"test_prices"}


def test_reviews_that_are_missing_twice_as_often_fail(batch: pd.DataFrame, reference: Path) -> None:
    batch.loc[batch["id"] % 4 == 0, ["last_review", "reviews_per_month"]] = None
    verdict = checked(batch, reference)
    assert set(failed(verdict)) == {"test_listings_without_reviews"}
    assert "are missing)" in failed(verdict)["test_listings_without_reviews"]


def test_fewer_homes_fail_by_the_room_types(batch: pd.DataFrame, reference: Path) -> None:
    few = batch[(batch["room_type"] != "Entire home/apt") | (batch["id"] % 3 > 0)]
    assert "test_room_types" in failed(checked(few, reference))


def test_a_layout_without_coordinates_is_not_outside_the_city(batch: pd.DataFrame, reference: Path) -> None:
    batch[["longitude", "latitude"]] = None
    assert checked(batch.astype({"longitude": float, "latitude": float}), reference).passed


def test_a_verdict_on_the_same_batch_is_the_same_to_the_last_digit(batch: pd.DataFrame, reference: Path) -> None:
    half = batch[batch["id"] % 2 == 0]
    assert checked(half, reference).to_json() == checked(half.sample(frac=1, random_state=1), reference).to_json()


def test_a_wrong_correction_names_the_right_one(batch: pd.DataFrame, reference: Path) -> None:
    with pytest.raises(SettingError, match="did you mean bonferroni"):
        checked(batch, reference, correction="bonferoni")


@pytest.mark.parametrize("bounds", [{"max_price": 120}, {"min_price": 90}])
def test_other_bounds_of_cleaning_are_no_other_market(
    batch: pd.DataFrame, reference: Path, bounds: dict[str, int]
) -> None:
    kept = batch[batch["price"].between(bounds.get("min_price", 10), bounds.get("max_price", 350))]
    path = reference.parent / "kept.parquet"
    write_table(arrow(kept), path)
    assert data_check(path, reference, min_rows=100, prices=Prices(**bounds)).check_report.passed
    assert "test_prices" in failed(data_check(path, reference, min_rows=100).check_report)
