"""The laws of a tracker, held by the one in memory, by MLflow on SQLite, a server and PostgreSQL, and by W&B."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.record import Status
from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.reproduction import keep
from relet.store import Store, open_store
from relet.tracking.outbox import deliver
from relet.tracking.wandb import WandbTracker
from relet.tracking.wandb.tracker import WandbMode
from tests.contract.tracker.places import Place
from tests.contract.tracker.records import ENDED, component_run, measured, pipeline_run, queued
from tests.wandb_log import recorded


@pytest.mark.sampled
def test_what_is_sent_twice_is_there_once(place: Place, store: Store) -> None:
    record = pipeline_run(store)
    for tracker in (place.open(), place.open()):
        tracker.send(record, store)
        tracker.send(record, store)
    assert len(place.ids(tracker, record.id)) == 1


def test_the_verdict_on_a_run_that_was_made_again_is_a_tag(place: Place, store: Store) -> None:
    tracker = place.open()
    parent = pipeline_run(store, status=Status.FINISHED, ended=ENDED)
    step = component_run(store, parent)
    tracker.send(step, store)
    assert place.verdict(tracker, parent.id) is None
    output = OutputVerdict(
        name="model",
        recorded="model:v1",
        recorded_content="c",
        reproduced_content="c",
        likeness=Likeness.IDENTICAL,
    )
    steps = (StepVerdict(component="train_model", run=step.id, outputs=(output,)),)
    for likeness in (Likeness.DIVERGED, Likeness.IDENTICAL):
        found = Reproduction(
            target=parent.id, run=parent.id, likeness=likeness, reason="…", when=ENDED, steps=steps
        )
        keep(found, store, ["memory", "mlflow", "wandb"])
    assert {parent.id, step.id} <= set(store.pending(tracker.name))
    for record in (parent, step):
        tracker.send(record, store)
        assert place.verdict(tracker, record.id) == f"IDENTICAL on {ENDED[:10]} (reproduction:v2)"


def test_a_curve_is_a_metrics_history_and_sent_twice_it_is_there_once(place: Place, store: Store) -> None:
    record = measured(store, pipeline_run(store))
    for tracker in (place.open(), place.open()):
        tracker.send(record, store)
    assert place.curve(tracker, record.id, "error") == [(1, 60.0), (2, 45.5), (300, 30.25)]
    assert place.curve(tracker, record.id, "error_there") == [(2, 50.0)]


def test_a_curve_whose_file_is_gone_leaves_its_last_value(place: Place, store: Store) -> None:
    record = measured(store, pipeline_run(store))
    shutil.rmtree(Path(store.url, "objects"))
    tracker = place.open()
    tracker.send(record, store)
    assert len(place.ids(tracker, record.id)) == 1


def test_wandb_shows_a_curves_last_value_and_hides_its_axis(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    record = measured(store, pipeline_run(store))
    WandbTracker(tmp_path / "wandb", mode=WandbMode.OFFLINE).send(record, store)
    found = recorded(tmp_path / "wandb", record.id).summary
    shown = {name: value for name, value in found.items() if not name.startswith("_")}
    assert shown == {"error": 30.25, "error_there": 50.0, "mae": 30.25}


def test_a_child_that_comes_first_brings_its_parent(place: Place, store: Store) -> None:
    parent = pipeline_run(store)
    child = component_run(store, parent)
    tracker = place.open()
    tracker.send(child, store)
    tracker.send(parent, store)
    assert len(place.ids(tracker, parent.id)) == len(place.ids(tracker, child.id)) == 1


def test_a_child_whose_parents_record_is_gone_is_sent_alone(place: Place, store: Store) -> None:
    child = component_run(store, replace(pipeline_run(open_store("memory://")), id="gone"))
    tracker = place.open()
    tracker.send(child, store)
    assert len(place.ids(tracker, child.id)) == 1


def test_everything_that_waits_is_delivered_once_and_then_nothing_waits(place: Place, store: Store) -> None:
    parent = pipeline_run(store)
    children = [component_run(store, parent, component=name) for name in ("one", "two")]
    tracker = place.open()
    assert set(deliver(store, tracker).sent) == {parent.id, *(child.id for child in children)}
    assert deliver(store, tracker).sent == ()
    queued(store, replace(parent, status=Status.FINISHED, ended=ENDED))
    report = deliver(store, place.open())
    assert (report.sent, report.waiting, report.failed) == ((parent.id,), 0, None)
    assert all(len(place.ids(tracker, each.id)) == 1 for each in (parent, *children))


def test_a_death_between_sending_and_noting_it_sends_once(place: Place, store: Store) -> None:
    parent = pipeline_run(store)
    child = component_run(store, parent)
    place.open().send(child, store)  # ... and the process died before `done`.
    tracker = place.open()
    assert deliver(store, tracker).waiting == 0
    assert len(place.ids(tracker, child.id)) == 1


def test_two_deliverers_at_once_send_each_record_once(place: Place, store: Store) -> None:
    parent = pipeline_run(store)
    children = [component_run(store, parent, component=f"c{number}") for number in range(4)]
    first, second = place.open(), place.open()
    first.connect()
    second.connect()
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda tracker: deliver(open_store(store.url), tracker), (first, second)))
    assert [report.failed for report in reports] == [None, None]
    assert sorted(id for report in reports for id in report.sent) == sorted(
        each.id for each in (parent, *children)
    )
    assert all(len(place.ids(first, each.id)) == 1 for each in (parent, *children))
