"""Runs made again: which steps, and from what."""

from __future__ import annotations

import pytest

from relet.core.record import Status
from relet.engine.run import execute
from relet.errors import NotFoundError, ReletError, SettingError
from relet.project.order import read_order
from relet.project.request import prepare
from relet.reproduction import ReproductionOptions, keep, reproduce
from relet.store import open_store
from tests.integration.reproduction.tampering import ALL, edit_record
from tests.sums_project import Sums, likenesses, step
from tests.tiny_project import Tiny


def test_skipped_steps_are_made_again_from_the_records_of_their_own_runs(sums: Sums) -> None:
    first, second, third = sums.run(), sums.run("scale=2"), sums.run("scale=2")
    assert {str(each.action) for each in third.results} == {"skip"}
    found = sums.again(third)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert step(found, "draw").run == sums.record(first, "draw").id
    assert step(found, "add").run == sums.record(second, "add").id


def test_the_run_of_one_step_is_made_again_on_its_stored_inputs(sums: Sums) -> None:
    found = sums.again(sums.record(sums.run(), "add").id)
    assert (found.likeness, likenesses(found), found.pinned) == (
        "IDENTICAL",
        {"add": "IDENTICAL"},
        ("sums/drawn:v1",),
    )


def test_a_version_is_made_again_with_the_steps_that_lead_up_to_it(sums: Sums) -> None:
    outcome = sums.run("main.evaluate=true")
    found = sums.again("report:v1")
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert (found.run, found.subject) == (sums.record(outcome, "add").id, "sums/report:v1")
    assert likenesses(sums.again("drawn")) == {"draw": "IDENTICAL"}


def test_an_alias_is_followed_to_its_version(sums: Sums) -> None:
    sums.run()
    sums.run("scale=2")
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    found = sums.again("report:prod")
    assert (found.likeness, found.subject, found.target) == ("IDENTICAL", "sums/report:v1", "report:prod")


def test_a_version_that_came_without_its_history_is_impossible_and_can_still_be_kept(sums: Sums) -> None:
    sums.run()
    sums.store.export_version("report:v1", sums.root / "report.tar")
    there = open_store("memory://")
    there.import_version(sums.root / "report.tar")
    found = reproduce("report:v1", there, root=sums.root, wishes=ReproductionOptions(here=True))
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("the record of the run that made sums/report:v1 can't be had")
    keep(found, there, ["mlflow"])
    assert there.pending("mlflow") == []


def test_of_a_failed_run_the_finished_steps_are_made_again_and_it_is_said(sums: Sums) -> None:
    sums.edit("helper.py", "return", "raise ValueError('no sum')\n    return")
    with pytest.raises(ReletError):
        sums.run()
    failed = next(each for each in sums.store.runs() if each.parent is None)
    found = sums.again(failed.id)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", {"draw": "IDENTICAL"})
    assert found.reason == (
        "every digest is equal, of 1 output of 1 step; the run itself ended as failed (add raised ValueError: no "
        "sum): only what it finished was made again"
    )
    step_that_failed = next(each for each in sums.store.runs() if each.status is Status.FAILED)
    found = sums.again(step_that_failed.id)
    assert found.likeness == "IMPOSSIBLE"
    assert "ended as failed before any step was finished" in found.reason


def test_of_an_interrupted_run_the_finished_steps_are_made_again(sums: Sums) -> None:
    sums.edit("helper.py", "return", "raise KeyboardInterrupt\n    return")
    with pytest.raises(KeyboardInterrupt):
        sums.run()
    interrupted = next(each for each in sums.store.runs() if each.parent is None)
    found = sums.again(interrupted.id)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", {"draw": "IDENTICAL"})
    assert "the run itself ended as interrupted" in found.reason


def test_of_a_run_that_has_not_ended_nothing_can_be_said(sums: Sums) -> None:
    run_id = edit_record(sums, sums.run().run_id, lambda record: record.update(status="running", steps={}))
    found = sums.again(run_id)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.endswith("has not ended, or was killed: name a version that it made, such as model:v7")


def test_a_pipeline_of_tables_with_a_verdict_that_said_no_is_made_again_as_far_as_it_went(tiny: Tiny) -> None:
    outcome = tiny.run("check.limit=9")
    assert outcome.status is Status.STOPPED
    found = reproduce(
        outcome.run_id, open_store(tiny.root / ".relet"), root=tiny.root, wishes=ReproductionOptions(here=True)
    )
    assert likenesses(found) == dict.fromkeys(["get", "clean", "check"], "IDENTICAL")
    assert "the run itself ended as stopped" in found.reason
    # the reference was this run's own first batch: it is made again, and not taken from the store
    assert found.pinned == ()


def test_steps_on_stored_inputs_take_them_from_the_store(sums: Sums) -> None:
    sums.run()
    found = sums.again(sums.run("scale=3", steps=["add"]))
    assert (found.likeness, likenesses(found), found.pinned) == (
        "IDENTICAL",
        {"add": "IDENTICAL"},
        ("sums/drawn:v1",),
    )


def test_one_component_alone_is_made_again_with_its_own_words(sums: Sums) -> None:
    sums.run()
    sums.run("count=5")
    outcome = execute(prepare(read_order("sums.add", ["drawn=drawn:v1", "scale=10"])))
    found = sums.again(outcome)
    assert (found.likeness, found.pinned) == ("IDENTICAL", ("sums/drawn:v1",))


def test_an_input_that_was_absent_is_absent_again(sums: Sums) -> None:
    outcome = sums.run("main.evaluate=true")
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    found = sums.again(outcome)
    assert (found.likeness, step(found, "rate").inputs_equal, found.pinned) == ("IDENTICAL", True, ())


def test_a_reference_that_was_moved_since_is_what_it_was(sums: Sums) -> None:
    sums.run()
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    outcome = sums.run("scale=1000", "main.evaluate=true")
    sums.store.set_alias("report", "prod", 2, by="test", why="")
    found = sums.again(outcome)
    assert (found.likeness, found.pinned) == ("IDENTICAL", ("sums/report:v1",))


def test_a_stored_input_is_taken_as_stored_though_a_step_made_the_same(sums: Sums) -> None:
    sums.run()
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    outcome = sums.run("main.evaluate=true")
    assert sums.record(outcome, "rate").inputs["champion"].version == "sums/report:v1"
    found = sums.again(outcome)
    assert (found.likeness, step(found, "rate").inputs_equal, found.pinned) == (
        "IDENTICAL",
        True,
        ("sums/report:v1",),
    )


def test_a_source_that_was_deleted_since_comes_from_the_store(sums: Sums) -> None:
    source = sums.root / "numbers é.txt"
    source.write_text("1 2 3")
    outcome = sums.run(f"source='{source}'")
    source.unlink()
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_what_is_neither_a_run_nor_a_version_gets_advice(sums: Sums) -> None:
    sums.run()
    for target, said in (
        ("report:v9", "holds no sums/report:v9"),
        ("reprot:v1", r"did you mean report\?"),
        ("20260101T000000", r"neither a run's id \(`relet runs` lists them\) nor a version"),
        ("20260101T000000000000-00000000", "holds no run"),
        ("../../etc/passwd", "neither a run's id"),
    ):
        with pytest.raises(NotFoundError, match=said):
            sums.again(target)


def test_an_older_run_with_an_infinite_setting_is_made_again(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    sums.edit("add.py", "scale * total", "min(scale, 9.0) * total")
    sums.commit()
    with monkeypatch.context() as older:
        older.setattr("relet.core.parameter.infinite_places", lambda *_: ())
        outcome = sums.run("scale=inf")
    with pytest.raises(SettingError, match="scale takes a finite number, got inf"):
        sums.run("scale=inf")
    assert likenesses(sums.again(outcome)) == {"draw": "IDENTICAL", "add": "IDENTICAL"}
