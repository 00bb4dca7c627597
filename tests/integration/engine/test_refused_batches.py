"""What a verdict that says no holds back, and which batch becomes the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.record import RunRecord, Status
from relet.engine.run import execute
from relet.errors import NotFoundError
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny


def test_a_verdict_that_says_no_stops_what_consumes_what_it_judged(tiny: Tiny) -> None:
    outcome = tiny.run("check.limit=9")
    assert outcome.status is Status.STOPPED
    assert outcome.exit_status == 3
    assert [str(each.action) for each in outcome.results] == ["run", "run", "run", "waits"]
    assert outcome.results[-1].reason == "check says no"
    verdict = outcome.results[2].verdict
    assert verdict is not None
    assert verdict.checks[0].rows == ({"n": 9, "name": "row 9"},)
    store = tiny.store
    assert "tiny/weights" not in store.names()
    assert "reference" not in store.aliases("clean_sample")


def test_what_was_refused_is_not_taken_later_because_the_check_is_left_out(tiny: Tiny) -> None:
    assert tiny.run("check.limit=9").exit_status == 3
    outcome = tiny.run(steps=["train"])
    assert (outcome.exit_status, outcome.results[0].reason) == (3, "check said no to it")
    assert "tiny/weights" not in tiny.store.names()
    assert tiny.run(steps=["check"]).exit_status == 0  # another limit: the last word counts
    assert tiny.run(steps=["train"]).exit_status == 0
    # an older version that a person names is taken
    assert tiny.run("check.limit=9", steps=["check"]).exit_status == 3
    alone = read_order("tiny.train", ["clean_sample=clean_sample:v1", "factor=3"])
    assert execute(prepare(alone)).exit_status == 0


def test_what_comes_after_a_step_that_was_held_back_waits_too(tiny: Tiny) -> None:
    tiny.run()
    tiny.edit("steps/score.py", 'weights: Annotated[Path, Stored("weights:prod")]', "weights: Path")
    outcome = tiny.run("check.limit=9", steps=["get", "clean", "check", "train", "score"])
    assert [str(each.action) for each in outcome.results][-2:] == ["waits", "waits"]
    assert outcome.results[-1].reason == "for weights"
    assert "tiny/scores" not in tiny.store.names()


def test_what_takes_the_verdict_runs_when_it_says_no_and_makes_no_reference_of_what_was_refused(
    tiny: Tiny,
) -> None:
    tiny.path("steps/tell.py").write_text(
        """
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Metrics, Stored, Verdict, component

class Told(NamedTuple):
    told: Metrics

@component(job_type="tell")
def tell(
    clean_sample: pd.DataFrame,
    report: Verdict,
    reference: Annotated[pd.DataFrame, Stored("clean_sample:reference", initially="clean_sample")],
) -> Told:
    return Told({"passed": float(report.passed), "rows": float(len(clean_sample))})
"""
    )
    tiny.edit("pipeline.py", "[get, clean, check,", "[get, clean, check, tell,")
    imported = "from relet import Pipeline"
    tiny.edit("pipeline.py", imported, f"{imported}\nfrom pipelines.tiny.steps.tell import tell")
    outcome = tiny.run("check.limit=1")
    actions = {each.component: str(each.action) for each in outcome.results}
    assert (actions["tell"], actions["train"]) == ("run", "waits")
    assert outcome.metrics["passed"] == 0
    assert "reference" not in tiny.store.aliases("clean_sample")
    # nor where the check is no part of the run, and its stored verdict is taken
    tiny.run("check.limit=1", steps=["get", "clean", "tell"])
    assert "reference" not in tiny.store.aliases("clean_sample")
    # without the check it takes what was said of the very batch that it takes, and no other verdict
    tiny.run("check.limit=100", "etl.rows=20")
    assert tiny.run("check.limit=1", "etl.rows=10", steps=["get", "clean", "tell"]).metrics["passed"] == 0
    with pytest.raises(NotFoundError, match=r"tell needs what check says of clean_sample:v3.* run check, too"):
        tiny.run("etl.rows=30", steps=["get", "clean", "tell"])


def test_what_was_refused_stays_so_however_many_runs_came_after_it(tiny: Tiny) -> None:
    assert tiny.run("check.limit=9").exit_status == 3
    for number in range(510):
        tiny.store.put_run(
            RunRecord(
                id=f"29990101T000000000000-{number:08x}",
                pipeline="other",
                experiment="e",
                status=Status.FINISHED,
                started="2999-01-01T00:00:00.000+00:00",
            )
        )
    outcome = tiny.run(steps=["train"])
    assert (outcome.exit_status, outcome.results[0].reason) == (3, "check said no to it")


@pytest.mark.parametrize("lost", ["verdict", "record", "damaged record", "record, latest verdict", "both records"])
@pytest.mark.sampled
def test_a_judgement_of_which_a_document_is_lost_holds_back(tiny: Tiny, lost: str) -> None:
    """So it does although what it said before was yes."""
    if lost != "both records":
        tiny.ran()
    tiny.run("check.limit=9", steps=["get", "clean", "check"])
    judge = next(each for each in tiny.store.runs() if each.component == "check")
    record, report = Path(f".relet/runs/{judge.id}.json"), judge.outputs["report"].version
    if lost == "verdict":
        Path(f".relet/artifacts/tiny.report/versions/{report.rpartition('v')[2]}.json").unlink()
    elif lost == "damaged record":
        record.write_bytes(record.read_bytes()[:-9])
    else:
        record.unlink()
    if lost == "record, latest verdict":
        tiny.store.set_alias("report", "latest", 1, by="a test", why="so that only the pipeline's run names it")
    if lost == "both records":
        Path(f".relet/runs/{judge.parent}.json").unlink()
    outcome = tiny.run("modeling.factor=3", steps=["train"])
    what = report.removeprefix("tiny/") if lost == "verdict" else f"run {judge.id}"
    assert outcome.exit_status == 3
    assert outcome.results[0].reason == (
        f"what check said of clean_sample:v1 is not known, for {what} is gone or can't be read: "
        "run check again, together with it"
    )
    assert tiny.run("modeling.factor=3", steps=["check", "train"]).exit_status == 0


def test_a_lost_judgement_of_another_batch_holds_nothing_back(tiny: Tiny) -> None:
    tiny.ran()
    tiny.run("check.limit=9", "etl.rows=20", steps=["get", "clean", "check"])
    judge = next(each for each in tiny.store.runs() if each.component == "check")
    Path(f".relet/runs/{judge.id}.json").unlink()
    tiny.store.set_alias("clean_sample", "latest", 1, by="a test", why="the batch that was not refused")
    assert tiny.run("modeling.factor=3", steps=["train"]).exit_status == 0


def test_pruning_opens_nothing(tiny: Tiny) -> None:
    tiny.run("check.limit=5")
    tiny.run("check.limit=5", "etl.rows=8")
    tiny.store.set_alias("clean_sample", "latest", 1, by="a test", why="the first batch again")
    assert tiny.run(steps=["train"]).exit_status == 3
    pruned = tiny.store.prune(keep=1)
    assert "tiny/sample:v1" in pruned
    assert "tiny/report:v1" not in pruned
    outcome = tiny.run(steps=["train"])
    assert (outcome.exit_status, outcome.results[0].reason) == (3, "check said no to it")


def test_pruning_keeps_of_each_component_the_last_verdict_alone(tiny: Tiny) -> None:
    for limit in (3, 4, 5):
        tiny.run(f"check.limit={limit}")
    tiny.run("check.limit=5", "etl.rows=8")
    tiny.store.set_alias("clean_sample", "old", 1, by="a test", why="to keep it")
    assert {"tiny/report:v1", "tiny/report:v2"} <= set(tiny.store.prune(keep=1))
    assert [str(each) for each in tiny.store.versions("report")] == ["tiny/report:v3", "tiny/report:v4"]
