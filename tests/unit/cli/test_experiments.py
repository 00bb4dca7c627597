"""`relet experiments` and `relet compare`, as a person meets them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from relet import Curve
from relet.cli.columns import ScreenColumn, cell_texts, table_lines
from relet.core.record import Status
from relet.store import Store, open_store
from relet.store.layout import run_path
from tests.experiment_store import pipeline_run, run_id, stored, sweep
from tests.integration.cli.test_cli import relet
from tests.unit.report.reading import Reading, stands_alone


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A sweep of three trials, a run that failed, and one that a verdict stopped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELET_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("COLUMNS", raising=False)  # nothing is cut where no screen is written to
    found = open_store(tmp_path / "store")
    found.put_run(sweep(1, winner=run_id(2)))
    for number in (2, 3, 4):
        curve = Curve(points=[(1, 60.0), (2, 30.0 + number)], x="rounds")
        overrides = (f"model.depth={number}",)
        stored(
            found,
            tmp_path,
            number,
            error=curve,
            parent=run_id(1),
            trial=number - 1,
            overrides=overrides,
            command=(),
        )
    found.put_run(pipeline_run(5, status=Status.FAILED, message="train raised ValueError: no rows", metrics={}))
    stored(found, tmp_path, 6, refused="r2 0.44, at least 0.5 is asked for", status=Status.STOPPED)
    return found


def out_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    status, out, err = relet(capsys, *words)
    assert (status, err) == (0, "")
    return out


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
    assert json.loads(out_of(capsys, *words, "--json"))["best_run"] == run_id(2)
    out = out_of(capsys, "experiments", "prices", "-n", "1", "--filter", "depth>2")
    assert "best by mae, where less is better: 00000003 (model:v2)" in out


@pytest.mark.parametrize("words", [["experiments"], ["experiments", "prices", "--json"], ["runs"]])
def test_a_record_that_can_not_be_read_is_missed_aloud(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "store" / run_path(run_id(5))).write_text("{")
    status, out, err = relet(capsys, *words)
    assert status == 0 and ("prices" in out or run_id(1) in out)
    assert run_id(5) not in out
    assert err == f"1 run's record can't be read: {run_id(5)}; relet artifacts verify says why\n"
    for number in (2, 3, 4, 6):
        (tmp_path / "store" / run_path(run_id(number))).write_text("{")
    five = ", ".join(run_id(number) for number in (6, 5, 4))
    assert (
        relet(capsys, *words)[2] == f"5 runs' records can't be read: {five}, …; relet artifacts verify says why\n"
    )


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
    (overview,) = json.loads(out_of(capsys, "experiments", "--json"))
    assert (overview["experiment"], overview["best"], overview["best_run"]) == ("prices", 32.0, run_id(2))
    found = json.loads(out_of(capsys, "experiments", run_id(1), "--json"))
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


def test_two_runs_are_laid_side_by_side(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "compare", "model:v1", "00000003")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert rows["train.depth"] == ["2", "3", "+1"]
    assert rows["mae"] == ["32", "33", "+1"]
    assert rows["run"] == [run_id(2), run_id(3)]
    assert "code: 1 module differs: features" in out
    assert "packages: 1 package differs: lightgbm 4.0 → 4.1" in out
    assert "the same: 2 parameters, 1 metric, 1 module, 1 package, 1 input; --all lists them" in out
    assert "error by rounds, 1 to 2, between 32 and 60" in out
    assert "60 → 32, lowest 32 at 2" in out
    assert "train.family" not in rows


def test_the_columns_of_names_and_of_differences_have_no_heading(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    heading = out_of(capsys, "compare", "00000002", "00000003").splitlines()[0]
    assert heading.split() == ["00000002", "00000003"]


@pytest.mark.parametrize(
    ("modules", "told"),
    [("abcdef", "6 modules differ: a, b, c, d, e, f\n"), ("abcdefgh", ": a, b, c, d, e, f and 2 more\n")],
)
def test_of_many_modules_that_differ_the_first_are_named_and_the_others_counted(
    store: Store, capsys: pytest.CaptureFixture[str], modules: str, told: str
) -> None:
    for number in (2, 3):
        step = store.run(run_id(number + 500))
        assert step.parts is not None
        code = dict.fromkeys(modules, f"{number}" * 64)
        store.put_run(replace(step, parts=replace(step.parts, code=code)))
    assert told in out_of(capsys, "compare", "00000002", "00000003")


def test_all_lists_also_what_is_the_same(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "compare", "00000002", "00000003", "--all")
    assert "train.family" in out and "the same:" not in out


@pytest.mark.parametrize("width", [60, 80, 200])
def test_many_runs_are_laid_side_by_side_as_wide_as_the_terminal_is(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    words = [f"0000000{number}" for number in (2, 3, 4, 5, 6)]
    out = out_of(capsys, "compare", *words)
    table = out.partition("00000005: ")[0].splitlines()
    assert max(map(len, table)) <= width
    assert all(word in out for word in words)
    assert sum(line.strip().startswith("mae") for line in table) == (2 if width == 60 else 1)
    assert "00000005: train raised ValueError: no rows" in out


def test_a_comparison_for_programs_and_as_a_page(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = json.loads(out_of(capsys, "compare", "00000002", "00000003", "--json"))
    assert found["metrics"]["mae"] == {"00000002": 32.0, "00000003": 33.0}
    assert found["curves"]["error"]["00000002"] == {"points": [[1, 60.0], [2, 32.0]], "x": "rounds"}
    assert out_of(capsys, "compare", "00000002", "00000003", "--html") == "comparison.html: 2 runs\n"
    reading = stands_alone((tmp_path / "comparison.html").read_text())
    assert reading.headings == [
        "00000002 and 00000003, side by side",
        "The runs",
        "Parameters",
        "Metrics",
        "Curves",
        "What they stand on",
    ]
    assert "train.depth 2 3 1" in reading.words


def test_a_run_is_not_compared_with_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = relet(capsys, "compare", "00000002")
    assert status == 2 and "takes two runs or more, and only 00000002 was named" in err
    assert relet(capsys, "compare")[0] == 2


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


def test_numbers_keep_what_tells_them_apart() -> None:
    assert cell_texts([30.3124, 30.4853]) == ["30.31", "30.49"]
    assert cell_texts([0.005, 30.0, None]) == ["0.005", "30", "–"]
    assert cell_texts([1, 20]) == ["1", "20"]
    assert cell_texts([float("nan"), 1.5]) == ["nan", "1.500"]
    assert cell_texts(["x" * 60])[0].endswith("x…")


# --- which run a word names


def compared(capsys: pytest.CaptureFixture[str], word: str) -> str:
    """The id of the run that `relet compare` takes a word for, beside that of a version."""
    found = json.loads(out_of(capsys, "compare", word, "model:v3", "--json"))
    return str(found["runs"]["run"][next(iter(found["runs"]["run"]))])


def test_a_run_is_named_by_its_whole_id_by_the_beginning_or_by_the_end_of_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "20270304T101112131415-c0ffee99"
    store.put_run(pipeline_run(7, id=own))
    for word in (own, "c0ffee99", "20270304T101112131415", "2027", own[:-1]):
        assert compared(capsys, word) == own, word
    for word in ("coffee", "ee99", "0ffee99", "0304T101112131415", f"{own}0", "101112131415-c0ffee99"):
        status, out, err = relet(capsys, "compare", word, "model:v3")
        assert (status, out) == (2, ""), word
        assert f"holds no run '{word}'" in err, word


def test_the_run_of_a_component_stands_for_the_pipelines_run_also_by_a_part_of_its_id(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline, component = "20270304T101112000000-aaaaaaaa", "20270304T101112000001-bbbbbbbb"
    store.put_run(pipeline_run(7, id=pipeline))
    store.put_run(pipeline_run(8, id=component, parent=pipeline, component="train", job_type="train"))
    for word in (component, "bbbbbbbb", "20270304T101112000001", "20270304", "aaaaaaaa"):
        assert compared(capsys, word) == pipeline, word


def test_a_whole_id_names_its_run_also_where_another_id_begins_with_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ("20270304T101112000000-aaaaaaaa", "20270304T101112000000-aaaaaaaabb")
    for id_ in ids:
        store.put_run(pipeline_run(7, id=id_))
    for id_ in ids:
        assert compared(capsys, id_) == id_


def test_a_beginning_that_a_component_alone_shares_with_a_pipeline_names_the_pipelines_run(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline, component = "20270304T101112000000-aaaaaaaa", "20270304T101112000001-bbbbbbbb"
    store.put_run(pipeline_run(7, id=pipeline))
    store.put_run(pipeline_run(8, id=component, component="train", job_type="train"))
    assert compared(capsys, "20270304") == pipeline
    assert compared(capsys, "bbbbbbbb") == component


def test_a_beginning_that_several_runs_share_is_refused_with_their_ids(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    twins = ["20270304T101112000000-aaaaaaaa", "20270304T101112000000-bbbbbbbb"]
    for id_ in twins:
        store.put_run(pipeline_run(7, id=id_))
    status, out, err = relet(capsys, "compare", "20270304T101112000000", "model:v3")
    assert (status, out) == (2, "")
    assert f"begins the ids of 2 runs; write more of it: {', '.join(twins)}" in err
    assert compared(capsys, "20270304T101112000000-b") == twins[1]


def test_a_beginning_that_a_sweep_shares_with_its_first_trial_names_the_trial(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first, trial = "20270304T101112000000-aaaaaaaa", "20270304T101112000000-bbbbbbbb"
    store.put_run(sweep(7, id=first, winner=run_id(2)))
    store.put_run(pipeline_run(8, id=trial, parent=first, trial=1))
    assert compared(capsys, "20270304") == trial
    assert compared(capsys, "aaaaaaaa") == run_id(2)


@pytest.mark.parametrize("name", [run_id(1), "00000001"])
def test_a_sweep_is_named_by_its_id_or_the_end_of_it_and_shows_its_trials_alone(
    store: Store, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    found = json.loads(out_of(capsys, "experiments", name, "--json"))
    assert found["sweeps"] == [run_id(1)]
    assert [each["id"] for each in found["runs"]] == [run_id(2), run_id(3), run_id(4)]


@pytest.mark.parametrize("name", ["0000001", "0001", "20260102T0304"])
def test_no_other_part_of_an_id_names_a_sweep(store: Store, capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, err = relet(capsys, "experiments", name)
    assert (status, out) == (2, "")
    assert f"there is no experiment or sweep '{name}'" in err


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
    found = json.loads(out_of(capsys, "experiments", "prices", "--sort", by, "--json"))
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
        found = json.loads(out_of(capsys, "experiments", "prices", "--sort", by, "--json"))
        return [each["settings"]["train.limit"] for each in found["runs"]]

    assert order("limit") == [9, 10, "auto", "none", None]
    assert order("-limit") == ["none", "auto", 10, 9, None]
