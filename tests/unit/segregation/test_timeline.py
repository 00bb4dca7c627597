"""By time the newest rows are tested on, and no moment is on both sides."""

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.segregation import Rule, assign, report_on

BY_TIME = Rule(method="by_time", time_by="day", key=None)
PARTS = {"train": None, "validation": 0.1, "test": 0.2}
DAY = date(2019, 7, 8)


def days(numbers: list[int | None]) -> pa.Table:
    return pa.table(
        {"day": pa.array([None if n is None else DAY - timedelta(days=n) for n in numbers], pa.date32())}
    )


@settings(deadline=None, max_examples=60)
@given(numbers=st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=8, max_size=90))
def test_every_row_is_in_one_part_and_the_parts_follow_each_other(numbers: list[int | None]) -> None:
    table = days(numbers)
    if len(set(numbers) - {None}) < 3:
        with pytest.raises(SettingError, match=r"too few for 3 parts; set another time_by"):
            assign(table, PARTS, BY_TIME)
        return
    found = assign(table, PARTS, BY_TIME)
    assert sum(found.sizes.values()) == len(numbers)
    by_part = {
        name: [n for n, here in zip(numbers, found.rows(name), strict=True) if here and n is not None]
        for name in found.names
    }
    assert min(by_part["train"]) > max(by_part["validation"]) >= min(by_part["validation"]) > max(by_part["test"])
    undated = [place for n, place in zip(numbers, found.of_row, strict=True) if n is None]
    assert not any(undated), "rows without a date are trained on"
    # no other whole day would come nearer to the share, as long as a day is left for each of the parts before
    wanted = 0.2 * len(numbers)
    dated = sorted(set(numbers) - {None})  # type: ignore[type-var]
    sizes = [sum(n is not None and n <= last for n in numbers) for last in dated[:-2]]
    assert abs(found.sizes["test"] - wanted) == min(abs(size - wanted) for size in sizes)


def test_the_newest_batch_is_tested_on_however_many_there_are() -> None:
    table = pa.table({"day": [1] * 50 + [2] * 50 + [3] * 50})
    found = assign(table, {"train": None, "test": 0.05}, BY_TIME)
    assert found.sizes == {"train": 100, "test": 50}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, 3, 4, 5]),
        pa.array([f"2019-0{month}" for month in range(1, 6)]),
        pa.array([f"2019-07-0{day}T12:00" for day in range(1, 6)]),
        pa.array(pd.date_range("2019-07-01", periods=5), pa.timestamp("us")),
        pa.array([pd.Timestamp(f"2019-07-0{day}", tz="UTC") for day in range(1, 6)]),
    ],
)
def test_dates_times_batch_numbers_and_iso_text_are_all_times(column: pa.Array) -> None:
    found = assign(pa.table({"day": column}), {"train": None, "test": 0.2}, BY_TIME)
    assert found.of_row.tolist() == [0, 0, 0, 0, 1]


def test_a_pandas_column_of_dates_is_one_too() -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2019-07-03", None, "2019-07-01", "2019-07-02"])})
    assert assign(frame, {"train": None, "test": 0.25}, BY_TIME).of_row.tolist() == [1, 0, 0, 0]


def test_text_whose_order_is_not_that_of_time_is_refused() -> None:
    with pytest.raises(SettingError, match=r"day holds the text '07/31/2019', whose place in time is not known"):
        assign(pa.table({"day": ["07/31/2019", "08/01/2018"]}), {"train": None, "test": 0.5}, BY_TIME)


def test_a_column_that_is_no_time_is_refused() -> None:
    with pytest.raises(SettingError, match=r"day holds double; set another time_by"):
        assign(pa.table({"day": [1.5, 2.5]}), {"train": None, "test": 0.5}, BY_TIME)


def test_the_report_says_from_when_to_when_and_where_the_undated_are() -> None:
    table = days([0, 1, 2, 3, 4, None, None])
    verdict = report_on(table, assign(table, {"train": None, "test": 0.3}, BY_TIME)).verdict()
    said = "train 2019-07-04 to 2019-07-06, test 2019-07-07 to 2019-07-08; 2 rows without day are in train"
    assert verdict.passed
    assert said in verdict.reason
