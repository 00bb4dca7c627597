"""`relet compare`, as a person meets it, and which run a word names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from relet.store import Store
from tests.command import out_of, relet
from tests.experiment_store import pipeline_run, run_id, sweep
from tests.unit.report.reading import stands_alone


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
    found = json.loads(out_of(capsys, "compare", "00000002", "00000003", "--json"))["comparison"]
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


# --- which run a word names


def compared(capsys: pytest.CaptureFixture[str], word: str) -> str:
    """The id of the run that `relet compare` takes a word for, beside that of a version."""
    found = json.loads(out_of(capsys, "compare", word, "model:v3", "--json"))["comparison"]
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
    found = json.loads(out_of(capsys, "experiments", name, "--json"))["experiment"]
    assert found["sweeps"] == [run_id(1)]
    assert [each["id"] for each in found["runs"]] == [run_id(2), run_id(3), run_id(4)]


@pytest.mark.parametrize("name", ["0000001", "0001", "20260102T0304"])
def test_no_other_part_of_an_id_names_a_sweep(store: Store, capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, err = relet(capsys, "experiments", name)
    assert (status, out) == (2, "")
    assert f"there is no experiment or sweep '{name}'" in err
