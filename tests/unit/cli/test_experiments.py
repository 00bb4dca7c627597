"""`relet experiments`, as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relet.cli.columns import ScreenColumn, cell_texts, table_lines, text_column
from relet.core.record import Status
from relet.store import Store, open_store
from relet.store.layout import run_path
from tests.command import out_of, relet
from tests.experiment_store import pipeline_run, run_id
from tests.unit.report.reading import Reading


def test_experiments_are_listed_with_what_ran_and_how_well(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put_run(pipeline_run(0, experiment="older", metrics={}))
    heading, *rows, advice = out_of(capsys, "experiments").splitlines()
    assert heading.split() == [
        "experiment",
        "runs",
        "sweeps",
        "trials",
        "not",
        "finished",
        "metric",
        "best",
        "last",
        "run",
    ]
    assert [row.split()[:6] for row in rows] == [
        ["prices", "2", "1", "3", "2", "mae"],
        ["older", "1", "0", "0", "0", "–"],
    ]
    assert rows[0].split()[6] == "32"
    assert advice == "look into one: relet experiments prices"


def test_an_experiment_is_a_table_with_the_best_run_first_and_what_went_wrong_below(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    out = out_of(capsys, "experiments", "prices").splitlines()
    assert out[0].split() == ["run", "trial", "mae", "train.depth", "status", "seconds", "made", "r2"]
    assert [row.split()[0] for row in out[1:6]] == ["00000002", "00000003", "00000004", "00000006", "00000005"]
    assert out[1].split() == ["00000002", "*", "1", "32", "2", "finished", "30.0", "model:v1", "0.480"]
    assert out[6:] == [
        "00000006 stopped: verdict: r2 0.44, at least 0.5 is asked for",
        "00000005 failed: train raised ValueError: no rows",
        "best by mae, where less is better: 00000002 (model:v1)",
        "look further:   relet compare 00000002 00000003   relet experiments prices --html",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_table_is_cut_to_the_terminal_and_says_what_it_leaves_out(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = out_of(capsys, "experiments", "prices").splitlines()
    assert max(len(line) for line in out[:6]) <= width
    assert {"run", "mae", "status"} <= set(out[0].split())
    assert ("for want of width without" in "".join(out)) == (width < 80)
    failed = next(line for line in out if "failed:" in line)
    assert len(failed) <= width


def test_a_filter_an_order_and_a_limit_choose_what_is_listed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    out = out_of(capsys, "experiments", "prices", "--filter", "depth>2 and status=finished", "--sort", "-mae")
    assert [row.split()[0] for row in out.splitlines()[1:3]] == ["00000004", "00000003"]
    out = out_of(capsys, "experiments", "prices", "-n", "1")
    assert out.splitlines()[1].startswith("00000002")
    assert "the first 1 of 5; -n 5 shows all" in out
    assert "no run meets the filter" in out_of(capsys, "experiments", "prices", "--filter", "mae<1")
    best = out_of(capsys, "experiments", "prices", "--metric", "r2").splitlines()
    assert "best by r2, where more is better: 00000002 (model:v1)" in best


def test_the_best_run_is_that_of_all_selected_also_where_it_is_not_shown(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("experiments", "prices", "--sort", "-mae", "-n", "2", "--filter", "status=finished")
    out = out_of(capsys, *words)
    assert "00000002 *" not in out and "best by mae, where less is better: 00000002 (model:v1)" in out
    assert "relet compare 00000002 00000004 " in out
    assert json.loads(out_of(capsys, *words, "--json"))["experiment"]["best_run"] == run_id(2)
    out = out_of(capsys, "experiments", "prices", "-n", "1", "--filter", "depth>2")
    assert "best by mae, where less is better: 00000003 (model:v2)" in out


@pytest.mark.parametrize("words", [["experiments"], ["experiments", "prices", "--json"], ["runs"]])
def test_a_record_that_can_not_be_read_is_missed_aloud(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    def told(*damaged: int) -> str:
        for number in damaged:
            (tmp_path / "store" / run_path(run_id(number))).write_text("{")
        status, out, err = relet(capsys, *words)
        assert status == 0 and ("prices" in out or run_id(1) in out)
        assert not any(run_id(number) in out.partition('"unread"')[0] for number in damaged)
        return err

    assert told() == ""
    assert told(5) == f"1 run's record can't be read: {run_id(5)}; relet artifacts verify says why\n"
    three = ", ".join(run_id(number) for number in (5, 4, 3))
    assert told(3, 4) == f"3 runs' records can't be read: {three}; relet artifacts verify says why\n"
    newest = ", ".join(run_id(number) for number in (6, 5, 4))
    assert told(2, 6) == f"5 runs' records can't be read: {newest}, …; relet artifacts verify says why\n"


@pytest.mark.parametrize("words", [["experiments", "prices", "-n", "0"], ["runs", "-n", "-1"]])
def test_a_limit_is_one_at_least(store: Store, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    status, out, err = relet(capsys, *words)
    assert (status, out) == (2, "")
    assert "'-n'" in err and "x>=1" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prises"], "no experiment or sweep 'prises': did you mean prices?"),
        (["prices", "--filter", "mea<3"], "no run has 'mea'; did you mean mae?"),
        (["prices", "--sort", "dpth"], "no run has 'dpth'; did you mean depth?"),
        (["prices", "--metric", "mea"], "has the metric 'mea': did you mean mae?"),
        (["--sort", "mae"], "--sort speaks of one experiment; name it"),
        (["--html"], "--html speaks of one experiment; name it"),
        (["prices", "--html", "-n", "2"], "a page has all runs; leave -n out, or choose them by --filter"),
        (
            ["prices", "--html", "-o", "no/page.html"],
            "can't be written to no/page.html: No such file or directory",
        ),
    ],
)
def test_what_can_not_be_shown_is_refused_with_the_nearest(
    store: Store, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    status, out, err = relet(capsys, "experiments", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_a_program_gets_everything_as_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (overview,) = json.loads(out_of(capsys, "experiments", "--json"))["experiments"]
    assert (overview["name"], overview["best"], overview["best_run"]) == ("prices", 32.0, run_id(2))
    found = json.loads(out_of(capsys, "experiments", run_id(1), "--json"))["experiment"]
    assert (found["metric"], found["differing"], len(found["runs"])) == ("mae", ["train.depth"], 3)
    assert found["runs"][0]["settings"] == {"train.depth": 2, "train.family": "forest", "train.rate": 0.5}


def test_nothing_ran_and_nothing_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "none"))
    assert out_of(capsys, "experiments") == "nothing has run yet; try: relet run PIPELINE\n"
    assert not (tmp_path / "none").exists()


def test_an_experiment_is_written_as_a_page(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert out_of(capsys, "experiments", "prices", "--html") == "prices.html: 5 runs of prices\n"
    page = (tmp_path / "prices.html").read_text()
    assert "train raised ValueError: no rows" in Reading(page).words
    assert out_of(capsys, "experiments", "prices", "-o", "a.html") == "a.html: 5 runs of prices\n"
    assert (tmp_path / "a.html").read_text() == page


def test_an_experiment_with_a_hostile_name_is_shown_and_harms_nothing(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>/../\x07"
    store.put_run(pipeline_run(9, experiment=evil, message="\x07<img src=x>", status=Status.FAILED))
    assert "\x07" not in out_of(capsys, "experiments") + out_of(capsys, "experiments", evil)
    assert out_of(capsys, "experiments", evil, "--html").startswith("script_alert_1_script.html: ")
    page = (tmp_path / "script_alert_1_script.html").read_text()
    assert page.count("<script>") == 1 and "<script>alert" not in page and "<img src=x" not in page


# --- tables on a terminal


def test_the_settings_that_vary_most_are_kept_longest_and_the_models_among_equals(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        etl = {f"limit_{letter}": number // 2 for letter in "abcdef"}
        train = {"depth": number, "loss": f"loss {number // 2}"}
        record = pipeline_run(number, experiment="mixed", parameters={"etl": etl, "modeling": train}, command=())
        store.put_run(record)
    monkeypatch.setenv("COLUMNS", "60")
    out = out_of(capsys, "experiments", "mixed").splitlines()
    assert out[0].split()[:5] == ["run", "mae", "depth", "loss", "limit_a"]
    assert next(line for line in out if line.startswith("for want of width without etl.limit_"))


def test_columns_are_left_out_by_rank_and_headings_shortened_first() -> None:
    columns = [
        ScreenColumn(name="run", values=["a"]),
        ScreenColumn(name="a.long.setting", brief="setting", values=[1], rank=1),
        ScreenColumn(name="other", values=["x" * 10], rank=2),
    ]
    assert next(table_lines(columns, 80)) == "run  a.long.setting  other"
    assert next(table_lines(columns, 25)) == "run  setting  other"
    assert list(table_lines(columns, 15)) == [
        "run  setting",
        "a          1",
        "for want of width without other; --json has all",
    ]
    assert next(table_lines(columns, 3)) == "run"


def test_a_column_of_texts_is_as_wide_as_its_longest_text_and_none_is_cut() -> None:
    columns = [text_column(["", ""]), text_column(["a", "b" * 60]), text_column(["1", "2"], name="of")]
    assert list(table_lines(columns, 100)) == [
        f"  {'':60}  of",
        f"  {'a':60}  1",
        f"  {'b' * 60}  2",
    ]


def test_numbers_keep_what_tells_them_apart() -> None:
    assert cell_texts([30.3124, 30.4853]) == ["30.31", "30.49"]
    assert cell_texts([0.005, 30.0, None]) == ["0.005", "30", "–"]
    assert cell_texts([1, 20]) == ["1", "20"]
    assert cell_texts([float("nan"), 1.5]) == ["nan", "1.500"]
    assert cell_texts(["x" * 60])[0].endswith("x…")


# --- the order of the trials table


@pytest.mark.parametrize(
    ("by", "depths"),
    [("depth", [-20, -3, 9, 10, 100]), ("-depth", [100, 10, 9, -3, -20]), ("mae", [-3, 100, 9, 10, -20])],
)
def test_the_trials_table_is_sorted_by_number_and_not_by_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by: str, depths: list[int]
) -> None:
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    held = open_store(tmp_path / "store")
    errors = {10: 100.5, 9: 20.0, 100: 3.25, -20: 1e3, -3: 0.5}
    for number, (depth, mae) in enumerate(errors.items(), start=1):
        held.put_run(pipeline_run(number, parameters={"train": {"depth": depth}}, metrics={"mae": mae}))
    found = json.loads(out_of(capsys, "experiments", "prices", "--sort", by, "--json"))["experiment"]
    assert [each["settings"]["train.depth"] for each in found["runs"]] == depths
    lines = out_of(capsys, "experiments", "prices", "--sort", by).splitlines()
    place = lines[0].split().index("train.depth")
    assert [int(line.replace(" *", "").split()[place]) for line in lines[1:6]] == depths


def test_numbers_come_before_words_and_runs_without_a_value_last_in_either_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    held = open_store(tmp_path / "store")
    for number, limit in enumerate(["auto", 10, None, 9, "none"], start=1):
        held.put_run(pipeline_run(number, parameters={"train": {"limit": limit}}))

    def order(by: str) -> list[object]:
        found = json.loads(out_of(capsys, "experiments", "prices", "--sort", by, "--json"))["experiment"]
        return [each["settings"]["train.limit"] for each in found["runs"]]

    assert order("limit") == [9, 10, "auto", "none", None]
    assert order("-limit") == ["none", "auto", 10, 9, None]
