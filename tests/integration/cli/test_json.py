"""What every verb prints with --json: objects that the schema describes whole, and nothing else."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

import pytest
from jsonschema import ValidationError

from relet.core.record import RunRecord
from relet.store import open_store
from relet.store.layout import version_path
from tests import json_output
from tests.command import exit_status, relet
from tests.json_output import RUN, SEARCH, SWEEP, document_of, events_of
from tests.search_project import Hills
from tests.sums_project import Sums
from tests.tiny_project import Tiny

# A verb's words → the name of the document that it prints.
DOCUMENTS = {
    ("runs",): "runs",
    ("logs",): "logs",
    ("why", "tiny", "etl.low=4"): "steps",
    ("experiments",): "experiments",
    ("experiments", "tiny"): "experiment",
    ("artifacts", "list"): "artifacts",
    ("artifacts", "list", "sample"): "artifacts",
    ("artifacts", "show", "sample:v1"): "version",
    ("artifacts", "show", "report:v1"): "version",
    ("artifacts", "diff", "clean_sample:v1", "clean_sample:v2"): "difference",
    ("artifacts", "diff", "metrics:v1", "metrics:v2"): "difference",
    ("artifacts", "log"): "entries",
    ("artifacts", "log", "--head"): "head",
}


@pytest.fixture
def twice(tiny: Tiny) -> Tiny:
    """A project whose store holds two runs, which differ in a setting."""
    tiny.run()
    tiny.run("etl.low=3")
    return tiny


def test_every_document_is_one_object_with_the_number_of_the_schema(
    twice: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, name in DOCUMENTS.items():
        status, out, err = relet(capsys, *words, "--json")
        assert (status, err) == (0, ""), words
        assert document_of(out, name)["schema"] == 1
    ids = [each["id"] for each in document_of(relet(capsys, "runs", "--json")[1], "runs")["runs"]]
    assert document_of(relet(capsys, "runs", ids[0], "--json")[1], "run")["run"]["id"] == ids[0]
    found = document_of(relet(capsys, "compare", *ids, "--json")[1], "comparison")["comparison"]
    assert list(found["parameters"]) == ["etl.low"]


def test_a_run_tells_what_runs_what_became_of_it_and_how_it_ended(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = relet(capsys, "run", "tiny", "--json")
    events = events_of(out, RUN)
    assert (status, err) == (0, "")
    assert events[0]["steps"] == ["get", "clean", "check", "train"]
    assert [each["component"] for each in events if each["event"] == "ended"] == events[0]["steps"]
    assert (events[-1]["event"], events[-1]["exit_status"]) == ("finished", 0)


def test_a_verdict_that_says_no_is_in_the_stream_and_in_the_exit_status(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = relet(capsys, "run", "tiny", "check.limit=9", "--json")
    events = events_of(out, RUN)
    (verdict,) = [each["verdict"] for each in events if each.get("verdict")]
    assert not verdict["passed"] and verdict["checks"][0]["rows"]
    assert (events[-1]["status"], events[-1]["error"], events[-1]["exit_status"]) == ("stopped", None, status)
    assert status == 3


def test_a_component_that_fails_is_told_to_the_program_and_in_words(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.edit("steps/train.py", "value = mean", "raise ValueError('no rows today')\n    value = mean")
    status, out, err = relet(capsys, "run", "tiny", "--json")
    last = events_of(out, RUN)[-1]
    assert (last["status"], last["exit_status"]) == ("failed", status) == ("failed", 1)
    assert "no rows today" in last["error"] and last["lines"] and last["inputs"]
    assert f"relet: {last['error']}" in err


@pytest.mark.parametrize("words", [["run", "tiny", "etl.lwo=3"], ["runs", "20200101"], ["artifacts", "show", "x"]])
def test_where_nothing_began_the_error_is_words_and_standard_output_is_empty(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    status, out, err = relet(capsys, *words, "--json")
    assert (status, out) == (2, "")
    assert err.startswith("relet: ")


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [(OSError("the disk is gone"), "the disk is gone", 1), (KeyboardInterrupt(), "KeyboardInterrupt", 130)],
)
def test_an_error_behind_the_end_of_a_run_is_the_last_event(
    tiny: Tiny,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    said: str,
    status: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("relet.reproduction.determinism.judge_determinism", fail)
    with suppress(OSError):
        exit_status("run", "tiny", "--check-determinism", "--json")
    out = capsys.readouterr().out
    events = events_of(out, RUN)
    assert events[-2]["event"] == "finished"
    assert events[-1] == {"schema": 1, "event": "error", "error": said, "exit_status": status}


@pytest.mark.long
def test_nothing_that_a_component_or_a_library_prints_is_in_the_stream(tiny: Tiny) -> None:
    noise = "import os, subprocess, warnings; print('printed'); os.write(1, b'written'); warnings.warn('careful')"
    tiny.edit(
        "steps/train.py", "    value = mean", f"    {noise}; subprocess.run(['echo', 'echoed'])\n    value = mean"
    )
    command = [sys.executable, "-m", "relet", "run", "tiny", "--json", "--check-determinism"]
    done = subprocess.run(command, cwd=tiny.root, capture_output=True, text=True, check=False)
    events = events_of(done.stdout, RUN)
    assert [each["event"] for each in events if each["event"] != "progress"][-2:] == ["checked", "determinism"]
    assert events[-1]["exit_status"] == done.returncode
    assert (
        "printed"
        in subprocess.run(
            [sys.executable, "-m", "relet", "logs", "train"],
            cwd=tiny.root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_a_sweep_tells_each_trial_and_the_best(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    conf = sums.path("conf/config.yaml")
    conf.write_text(conf.read_text() + "search: {metric: total, direction: minimize}\n")
    status, out, _ = relet(capsys, "run", "sums", "-m", "scale=2,1", "workers=1", "--json")
    events = events_of(out, SWEEP)
    assert (events[0]["event"], events[-1]["winner"]["trial"], status) == ("sweep", 2, 0)
    for words, name in {("runs",): "runs", ("logs",): "logs", ("experiments",): "experiments"}.items():
        document_of(relet(capsys, *words, "--json")[1], name)
    document_of(relet(capsys, "experiments", events[-1]["run"], "--json")[1], "experiment")


def test_a_search_tells_each_fold_and_trial(hills: Hills, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("tune", "hills", "trials=2", "workers=1", "search.folds=1", "--json")
    events = events_of(relet(capsys, *words)[1], SEARCH)
    assert {each["event"] for each in events} == {"search", "doing", "measured", "trial", "finished"}
    again = events_of(relet(capsys, *words)[1], SEARCH)
    assert (again[0]["known"], again[-1]["known"]) == (2, 2)


def test_a_reproduction_is_one_object(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = tiny.run().run_id
    status, out, _ = relet(capsys, "reproduce", run_id, "--here", "--json")
    found = document_of(out, "reproduction")
    assert (status, found["version"], found["reproduction"]["run"]) == (0, "reproduction:v1", run_id)
    assert found["reproduction"]["steps"][0]["outputs"]


def test_what_can_t_be_read_is_named_in_the_document(twice: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    store = twice.root / ".relet"
    (store / version_path("tiny/sample", 1)).write_text("no JSON")
    run_id = document_of(relet(capsys, "runs", "--json")[1], "runs")["runs"][0]["id"]
    (store / "runs" / f"{run_id}.json").write_text("no JSON")
    status, out, err = relet(capsys, "artifacts", "list", "--json")
    found = document_of(out, "artifacts")
    assert (status, found["unread"]) == (0, ["tiny/sample:v1"]) and "tiny/sample:v1 can't be read" in err
    assert {"name": "tiny/sample", "versions": []} in found["artifacts"]
    assert document_of(relet(capsys, "runs", "--json")[1], "runs")["unread"] == [run_id]
    assert document_of(relet(capsys, "experiments", "--json")[1], "experiments")["unread"] == [run_id]


def test_an_empty_store_is_an_empty_list(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert document_of(relet(capsys, "artifacts", "list", "--json")[1], "artifacts")["artifacts"] == []
    assert document_of(relet(capsys, "runs", "--json")[1], "runs")["runs"] == []


def test_a_page_beside_the_document_is_told_on_standard_error(
    twice: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, err = relet(capsys, "experiments", "tiny", "--json", "-o", "page.html")
    assert document_of(out, "experiment") and err == "page.html: 2 runs of tiny\n"
    ids = [each["id"] for each in document_of(out, "experiment")["experiment"]["runs"]]
    _, out, err = relet(capsys, "compare", *ids, "--json", "-o", "page.html")
    assert document_of(out, "comparison") and err == "page.html: 2 runs\n"


@pytest.mark.parametrize(
    "words",
    [["run", "tiny", "--pdb"], ["run", "tiny", "--cfg"], ["eda", "tiny"]],
)
def test_what_talks_to_a_person_refuses_json(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    status, out, err = relet(capsys, *words, "--json")
    assert (status, out) == (2, "") and "--json" in err


def test_a_number_that_json_can_t_hold_is_null(twice: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(twice.root / ".relet")
    record: RunRecord = next(store.runs())
    metrics: Mapping[str, float] = {"mae": math.nan, "gain": -math.inf, "r2": 0.5}
    record = RunRecord.from_json({**record.to_json(), "metrics": metrics, "id": f"{record.id}x"})
    store.put_run(record)
    out = relet(capsys, "runs", record.id, "--json")[1]
    assert document_of(out, "run")["run"]["metrics"] == {"mae": None, "gain": None, "r2": 0.5}


def test_the_schema_of_the_tests_refuses_what_it_does_not_name(tiny: Tiny) -> None:
    event = {"schema": 1, "event": "noted", "message": "well"}
    json_output.check(event, "noted")
    for wrong in ({**event, "more": 1}, {**event, "schema": 2}, {"schema": 1, "event": "noted"}):
        with pytest.raises(ValidationError):
            json_output.check(wrong, "noted")


def test_the_verb_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = relet(capsys, "schema")
    assert (status, err, json.loads(out)) == (0, "", json_output.SCHEMA)
