"""The report finds what is on both sides, says what came of the shares, and says no where a promise is broken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data.table import write_table
from relet.errors import SettingError
from relet.segregation import Assignment, Rule, SegregationReport, assign, report_on
from relet.segregation.rule import shares_of

HALVES = {"train": 0.5, "test": 0.5}
RANDOM = Rule(method="random", group_by="host")


def placed(of_row: list[int], rule: Rule = RANDOM, parts: int = 2) -> Assignment:
    """An assignment as it was written down here, whatever a method would have said."""
    shares = shares_of(dict.fromkeys(("train", "validation", "test")[-parts:], 1 / parts) if parts > 2 else HALVES)
    return Assignment(rule=rule, shares=shares, of_row=np.array(of_row, dtype=np.int8))


def listings(**columns: list[object]) -> pa.Table:
    usual = {
        "id": [1, 2, 3, 4],
        "host": [10, 20, 30, 40],
        "name": ["a", "b", "c", "d"],
        "price": [1.0, 2.0, 3.0, 4.0],
    }
    return pa.table(usual | columns)


def failed(report: SegregationReport) -> list[str]:
    verdict = report.verdict()
    assert verdict.passed == all(check.passed for check in verdict.checks)
    return [check.message for check in verdict.checks if not check.passed]


def test_nothing_shared_is_nothing_found() -> None:
    report = report_on(listings(), placed([0, 0, 1, 1]))
    assert (report.keys.values, report.twins.values, report.groups.values) == (0, 0, 0)  # type: ignore[union-attr]
    assert report.verdict().passed


def test_a_planted_key_is_found_and_refused() -> None:
    report = report_on(listings(id=[1, 7, 7, 7]), placed([0, 0, 1, 1]))
    assert report.keys is not None
    assert (report.keys.values, report.keys.rows) == (1, {"test": 2})
    assert failed(report) == ["1 id on both sides: 2 of 2 rows of test (100.0%) (such as 7)"]
    assert report.verdict().reason.startswith("1 id on both sides")


def test_a_planted_key_of_text_is_found_and_named() -> None:
    report = report_on(listings(id=["x", "y", "y", "z"]), placed([0, 0, 1, 1]))
    assert failed(report) == ["1 id on both sides: 1 of 2 rows of test (50.0%) (such as y)"]


def test_a_planted_row_is_found_and_is_no_reason_for_a_no() -> None:
    table = listings(name=["a", None, None, "d"], host=[10, 20, 20, 40], price=[1.0, 2.0, 2.0, 4.0])
    report = report_on(table, placed([0, 0, 1, 1]))
    assert report.twins is not None
    assert (report.twins.values, report.twins.rows) == (1, {"test": 1})
    assert not failed(report)
    assert "1 row equal but for the id" in report.verdict().reason


@pytest.mark.parametrize("change", [{"name": ["a", "", None, "d"]}, {"price": [1.0, 2.0, 2.5, 4.0]}])
def test_a_row_that_differs_in_one_cell_is_no_twin(change: dict[str, list[object]]) -> None:
    same = {"name": ["a", "b", "b", "d"], "host": [10, 20, 20, 40], "price": [1.0, 2.0, 2.0, 4.0]}
    report = report_on(listings(**(same | change)), placed([0, 0, 1, 1]))
    assert report.twins is not None and report.twins.values == 0


def test_values_that_changed_columns_make_no_twin() -> None:
    table = pa.table({"id": [1, 2], "a": ["x", "y"], "b": ["y", "x"]})
    report = report_on(table, placed([0, 1], Rule(method="random")))
    assert report.twins is not None and report.twins.values == 0


def test_a_host_on_both_sides_is_told_and_refused_only_where_hosts_were_to_stay_together() -> None:
    table = listings(host=[10, 20, 20, 20])
    assignment = placed([0, 0, 1, 1])
    report = report_on(table, assignment)
    assert report.groups is not None
    assert (report.groups.values, report.groups.rows) == (1, {"test": 2})
    assert not failed(report)
    assert report.verdict().reason.endswith("1 host (100.0% of test)")
    by_host = replace(assignment, rule=Rule(method="by_group", group_by="host"))
    assert failed(report_on(table, by_host)) == ["1 host on both sides: 2 of 2 rows of test (100.0%) (such as 20)"]


def test_a_missing_host_is_no_host_that_could_be_shared() -> None:
    report = report_on(listings(host=[10, None, None, 40]), placed([0, 0, 1, 1]))
    assert report.groups is not None and report.groups.values == 0


def test_of_three_parts_each_is_held_against_those_before() -> None:
    table = listings(host=[10, 20, 20, 10])
    report = report_on(table, placed([0, 1, 2, 2], parts=3))
    assert report.groups is not None
    assert (report.groups.values, report.groups.rows) == (2, {"validation": 0, "test": 2})


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 2), st.one_of(st.none(), st.sampled_from("ab"))),
        min_size=1,
        max_size=40,
    ),
    data=st.data(),
)
def test_leaks_are_those_that_a_comparison_of_all_pairs_finds(
    rows: list[tuple[int, int, str | None]], data: st.DataObject
) -> None:
    of_row = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    ids, hosts, names = zip(*rows, strict=True)
    table = pa.table({"id": ids, "host": hosts, "name": pa.array(names, pa.string())})
    report = report_on(table, placed(of_row, parts=3))
    for leak, values in ((report.keys, ids), (report.groups, hosts), (report.twins, [row[1:] for row in rows])):
        parts = [{value for value, place in zip(values, of_row, strict=True) if place == k} for k in range(3)]
        earlier = [set(), parts[0], parts[0] | parts[1]]
        counted = [
            sum(v in earlier[k] for v, place in zip(values, of_row, strict=True) if place == k) for k in (1, 2)
        ]
        assert leak is not None
        assert list(leak.rows.values()) == counted
        assert leak.values == len((parts[1] & earlier[1]) | (parts[2] & earlier[2]))


def test_rows_are_compared_in_a_file_of_many_row_groups_as_in_memory(tmp_path: Path) -> None:
    count = 300_000
    drawn = np.random.default_rng(0)
    table = pa.table(
        {
            "id": np.arange(count),
            "host": drawn.integers(0, 900, count),
            "name": drawn.integers(0, 900, count).astype(str),
        }
    )
    path = tmp_path / "many [groups]*.parquet"
    write_table(table, path)
    # what the name would match, were it a pattern
    write_table(table.slice(0, 10), tmp_path / "many groups.parquet")
    rule = Rule(method="random", group_by="host")
    assignment = assign(path, {"train": None, "test": 0.2}, rule)
    assert (assignment.of_row == assign(table, {"train": None, "test": 0.2}, rule).of_row).all()
    report = report_on(path, assignment)
    frame = table.to_pandas()
    tested = assignment.rows("test")
    known = pd.MultiIndex.from_frame(frame.loc[~tested, ["host", "name"]])
    twins = pd.MultiIndex.from_frame(frame.loc[tested, ["host", "name"]]).isin(known).sum()
    assert report.twins is not None and report.twins.rows == {"test": twins}
    assert report == report_on(table, assignment)


def test_sizes_and_shares_of_each_stratum_are_told() -> None:
    table = pa.table({"id": range(40), "borough": ["Bronx"] * 10 + ["Queens"] * 20 + [None] * 10})
    rule = Rule(method="stratified", stratify_by="borough")
    report = report_on(table, assign(table, {"train": None, "test": 0.2}, rule))
    assert report.sizes == {"train": 32, "test": 8}
    assert report.strata == {
        "Bronx": {"train": 8, "test": 2},
        "Queens": {"train": 16, "test": 4},
        "(missing)": {"train": 8, "test": 2},
    }
    reason = report.verdict().reason
    assert reason.startswith(
        "train 32 rows (80.0%), test 8 (20.0%); test has 20.0% of (missing) … 20.0% of Queens"
    )


@pytest.mark.parametrize("method", ["keyed", "random", "stratified", "by_group"])
def test_a_column_without_values_makes_no_strata_and_that_is_said(method: str) -> None:
    table = pa.table({"id": range(60), "host": range(60), "borough": pa.nulls(60, pa.string())})
    rule = Rule(method=method, stratify_by="borough", group_by="host")
    report = report_on(table, assign(table, {"train": None, "test": 0.2}, rule))
    verdict = report.verdict()
    assert verdict.passed and report.strata == {} and "missing" not in verdict.reason
    (skipped,) = verdict.skipped
    assert (skipped.name, skipped.message) == ("borough", "no row has a borough, which makes no strata")


def test_of_keyed_strata_it_is_told_what_chance_allows() -> None:
    table = pa.table({"id": range(1000), "borough": ["Bronx"] * 100 + ["Queens"] * 900})
    report = report_on(table, assign(table, {"train": None, "test": 0.2}, Rule(stratify_by="borough")))
    (bronx,) = (check for check in report.verdict().checks if check.name == "borough = Bronx")
    # 2.576 √(0.2 · 0.8 ÷ 100)
    assert bronx.message.endswith("chance allows test 20.0% ± 10.3%")


@pytest.mark.parametrize(
    ("method", "enough"),
    [
        # half of four rows are two; of a thousand tables with ten such rows one has all of them on one side
        ("stratified", 4),
        ("random", 4),
        ("keyed", 10),
    ],
)
def test_a_stratum_that_a_part_should_have_had_rows_of_is_refused(method: str, enough: int) -> None:
    rule = Rule(method=method, stratify_by="borough", group_by="host")
    for rows in (enough - 1, enough):
        table = pa.table({"id": range(rows + 20), "host": range(rows + 20), "borough": ["a"] * rows + ["b"] * 20})
        report = report_on(table, placed([0] * rows + [0, 1] * 10, rule))
        said = f"test has none of the {rows} rows of a; set another stratify_by"
        assert failed(report) == ([said] if rows == enough else [])
    by_time = Rule(method="by_time", time_by="id", stratify_by="borough")
    assert not failed(report_on(table, placed([0] * (enough + 10) + [1] * 10, by_time)))


def test_of_many_reasons_a_few_are_read() -> None:
    table = pa.table({"id": range(60), "borough": [number // 10 for number in range(60)]})
    rule = Rule(method="stratified", stratify_by="borough")
    verdict = report_on(table, placed([0] * 50 + [1] * 10, rule)).verdict()
    assert sum(not check.passed for check in verdict.checks) == 6
    assert verdict.reason.count("has none of") == 3 and "; and 3 more; train" in verdict.reason


def test_an_empty_part_is_refused() -> None:
    said = "no row came to test; set a greater share, or another method"
    assert failed(report_on(listings(), placed([0, 0, 0, 0]))) == [said]
    # that it has no row of any stratum either is not said once more
    rule = Rule(stratify_by="borough")
    assert failed(report_on(pa.table({"id": range(50), "borough": ["a"] * 50}), placed([0] * 50, rule))) == [said]


def test_times_that_overlap_are_refused_where_time_was_to_part_them() -> None:
    table = listings(day=[1, 3, 3, 4])
    rule = Rule(method="by_time", time_by="day")
    assert failed(report_on(table, placed([0, 0, 1, 1], rule))) == [
        "the parts overlap in time: train 1 to 3, test 3 to 4"
    ]
    assert not failed(report_on(table, placed([0, 0, 1, 1], Rule(method="random", time_by="day"))))
    assert not failed(report_on(table, placed([0, 1, 1, 1], rule)))


@pytest.mark.parametrize("setting", ["key", "stratify_by", "group_by", "time_by"])
def test_a_column_that_is_only_looked_at_has_to_be_there_too(setting: str) -> None:
    rule = replace(Rule(method="random"), **{setting: "hots"})  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=rf"no column 'hots': did you mean host\?; set {setting}"):
        report_on(listings(), placed([0, 0, 1, 1], rule))


def test_a_table_of_nothing_but_its_key_has_no_rows_to_compare() -> None:
    table = pa.table({"id": [1, 2]})
    report = report_on(table, placed([0, 1], Rule(method="random")))
    assert report.twins is None
    assert report.verdict().reason.endswith("on both sides: 0 ids")
