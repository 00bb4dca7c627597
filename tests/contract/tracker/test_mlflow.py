"""What MLflow shows of runs, tables, files and models, on SQLite, a server and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relet.core.record import ArtifactLink, CodeState, Status, new_run_id
from relet.store import Store
from relet.store.contents import files_digest
from relet.tracking import RefusedError, Tracker
from relet.tracking.mlflow import MlflowTracker
from relet.tracking.outbox import deliver
from tests.contract.tracker.places import Place, runs, the_run
from tests.contract.tracker.records import ENDED, artifact, component_run, measured, pipeline_run, queued

MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.pyfunc.model
    python_version: 3.11.0
model_size_bytes: 1
signature:
  inputs: '[{"type": "double", "name": "latitude", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""


def signature_names(tracker: Tracker, model_uri: str) -> list[str]:
    """What the model's own file says it takes, read as a user of MLflow would."""
    import mlflow

    assert isinstance(tracker, MlflowTracker)
    mlflow.set_tracking_uri(tracker.uri)
    try:
        return list(mlflow.models.get_model_info(model_uri).signature.inputs.input_names())
    finally:
        mlflow.set_tracking_uri(None)


def test_mlflow_gets_what_is_missing_of_a_curve(mlflow: Place, store: Store) -> None:
    record = measured(store, pipeline_run(store))
    tracker = mlflow.open()
    # ... as if the first sending had died between two calls
    tracker.send(replace(record, outputs={}, metrics={}), store)
    (found,) = runs(tracker, record.id)
    tracker._client().log_metric(found.info.run_id, "error", 60.0, step=1)  # type: ignore[attr-defined]
    mlflow.open().send(record, store)
    assert mlflow.curve(tracker, record.id, "error") == [(1, 60.0), (2, 45.5), (300, 30.25)]
    assert the_run(tracker, record).data.metrics == {"error": 30.25, "error_there": 50.0, "mae": 30.25}


def test_mlflow_shows_a_run_as_it_was(mlflow: Place, store: Store) -> None:
    parent = pipeline_run(store)
    lock, diff = store.put_object(b"numpy==2\n"), store.put_object(b"-a\n+b\n")
    code = CodeState(commit="c" * 40, dirty=True, diff=diff)
    child = component_run(
        store,
        parent,
        description="Fit the model.",
        parameters={"family": "boosted", "parameters": {"leaves": 31, "rate": 0.1}, "long": "x" * 7000},
        metrics={"mae": 30.5, "share < 10 %": 0.25},
        key="k" * 64,
        code=code,
        lock=lock,
        command=("relet", "run", "rentals"),
    )
    ended = queued(store, replace(parent, status=Status.STOPPED, ended=ENDED, message="no", code=code, lock=lock))
    tracker = mlflow.open()
    deliver(store, tracker)
    outer, inner = the_run(tracker, ended), the_run(tracker, child)
    assert (outer.info.status, outer.data.tags["relet.status"]) == ("FAILED", "stopped")
    assert outer.info.run_name == f"rentals {parent.id[-8:]}"
    assert (inner.info.status, inner.info.run_name) == ("FINISHED", "train_model")
    assert inner.info.end_time - inner.info.start_time == 1500
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert inner.data.tags["mlflow.note.content"] == "Fit the model."
    assert inner.data.tags["mlflow.source.git.commit"] == "c" * 40
    assert inner.data.tags["relet.dirty"] == "true" and inner.data.tags["relet.job_type"] == "train_model"
    assert inner.data.params["parameters.leaves"] == "31" and len(inner.data.params["long"]) == 6000
    assert inner.data.metrics == {"mae": 30.5, "share _ 10 _": 0.25}
    files = [each.path for each in tracker._client().list_artifacts(outer.info.run_id, "code")]  # type: ignore[attr-defined]
    assert files == ["code/requirements.lock.txt", "code/uncommitted.diff.txt"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [("skipped", "FINISHED"), ("failed", "FAILED"), ("interrupted", "KILLED"), ("running", "RUNNING")],
)
def test_mlflow_shows_how_a_run_ended(mlflow: Place, store: Store, status: str, shown: str) -> None:
    record = pipeline_run(store, status=Status(status))
    tracker = mlflow.open()
    tracker.send(record, store)
    found = the_run(tracker, record)
    assert (found.info.status, found.data.tags["relet.status"]) == (shown, status)


def test_mlflow_gets_more_parameters_than_one_call_takes(mlflow: Place, store: Store) -> None:
    record = pipeline_run(store, parameters={f"p{number}": number for number in range(230)})
    tracker = mlflow.open()
    tracker.send(record, store)
    assert len(the_run(tracker, record).data.params) == 230


def test_mlflow_shows_tables_as_datasets_with_digests(mlflow: Place, store: Store) -> None:
    _, taken = artifact(store, "sample", "table", {"table.parquet": "a"}, metadata={"rows": 3, "columns": ["id"]})
    _, made = artifact(store, "clean_sample", "table", {"table.parquet": "b"})
    record = component_run(store, pipeline_run(store), inputs={"sample": taken}, outputs={"clean_sample": made})
    tracker = mlflow.open()
    tracker.send(record, store)
    mlflow.open().send(record, store)
    found = {each.dataset.name: each for each in the_run(tracker, record).inputs.dataset_inputs}
    assert found.keys() == {"sample", "clean_sample"}
    assert found["sample"].dataset.digest == taken.content[:36]
    assert found["sample"].dataset.profile == '{"num_rows": 3}'
    assert "sample:v1" in found["sample"].dataset.source
    assert {name: each.tags[0].value for name, each in found.items()} == {
        "sample": "input",
        "clean_sample": "output",
    }


def test_mlflow_shows_figures_metrics_and_verdicts(mlflow: Place, store: Store) -> None:
    outputs = {
        "importance": artifact(store, "importance", "figure", {"figure.svg": "<svg/>"})[1],
        "scores": artifact(store, "scores", "metrics", {"metrics.json": "{}"})[1],
        "evaluation": artifact(store, "evaluation", "verdict", {"verdict.json": "{}", "page.html": "<p>"})[1],
    }
    record = component_run(store, pipeline_run(store), outputs=outputs)
    tracker = mlflow.open()
    tracker.send(record, store)
    client, run_id = tracker._client(), the_run(tracker, record).info.run_id  # type: ignore[attr-defined]
    assert [each.path for each in client.list_artifacts(run_id)] == ["evaluation", "importance.svg", "scores.json"]


def test_mlflow_shows_of_files_and_folders_what_a_person_reads(mlflow: Place, store: Store) -> None:
    outputs = {
        "exploration": artifact(
            store, "exploration", "folder", {"page.html": "<p>", "eda.py": "1", "rows.bin": "0"}
        )[1],
        "batch_report": artifact(store, "batch_report", "file", {"batch_report.html": "<p>report"})[1],
        "weights": artifact(store, "weights", "file", {"weights.bin": "1"})[1],
    }
    record = component_run(store, pipeline_run(store), outputs=outputs)
    tracker = mlflow.open()
    tracker.send(record, store)
    client, run_id = tracker._client(), the_run(tracker, record).info.run_id  # type: ignore[attr-defined]
    assert [each.path for each in client.list_artifacts(run_id)] == ["batch_report.html", "exploration"]
    inside = [each.path for each in client.list_artifacts(run_id, "exploration")]
    assert inside == ["exploration/eda.py", "exploration/page.html"]


def test_mlflow_shows_a_run_whose_artifact_was_pruned(mlflow: Place, store: Store) -> None:
    gone = ArtifactLink(version="importance:v9", type="figure", content="f" * 64)
    lost = ArtifactLink(version="model:v9", type="model", content="e" * 64)
    record = component_run(store, pipeline_run(store), outputs={"importance": gone, "model": lost})
    tracker = mlflow.open()
    tracker.send(record, store)
    assert the_run(tracker, record).info.status == "FINISHED"


@pytest.mark.parametrize("full", [True, False])
def test_a_model_is_logged_and_registered_once_for_each_content(mlflow: Place, store: Store, full: bool) -> None:
    pipeline = f"p{new_run_id()[-8:]}"
    name = f"{pipeline}/model" if full else "model"
    parent = pipeline_run(store, pipeline=pipeline)
    version, link = artifact(
        store, name, "model", {"MLmodel": MLMODEL, "data/trees": pipeline}, producer=parent.id
    )
    tracker = mlflow.open()
    train = component_run(store, parent, pipeline=pipeline, outputs={"model": link}, metrics={"mae": 1.0})
    again = component_run(store, parent, pipeline=pipeline, outputs={"model": link})
    test = component_run(store, parent, pipeline=pipeline, inputs={"model": link})
    for record in (train, again, test, train, test):
        mlflow.open().send(record, store)
    client = tracker._client()  # type: ignore[attr-defined]
    (registered,) = client.search_model_versions(f"name = '{pipeline}_model'")
    assert registered.tags == {"relet.content": link.content, "relet.version": f"{name}:v1"}
    assert registered.run_id == the_run(tracker, train).info.run_id
    (logged,) = the_run(tracker, train).outputs.model_outputs
    assert registered.source == f"models:/{logged.model_id}"
    assert [each.model_id for each in the_run(tracker, again).outputs.model_outputs] == [logged.model_id]
    assert [each.model_id for each in the_run(tracker, test).inputs.model_inputs] == [logged.model_id]
    assert str(client.get_logged_model(logged.model_id).status) in {"READY", "LoggedModelStatus.READY"}
    assert signature_names(tracker, registered.source) == ["latitude"]
    assert client.get_logged_model(logged.model_id).name == "model"
    store.set_alias(name, "prod", version.number, by="test", why="promoted")
    tracker.mirror_aliases(store)
    tracker.mirror_aliases(store)
    assert client.get_model_version_by_alias(f"{pipeline}_model", "prod").version == registered.version


def test_a_model_that_holds_other_files_than_its_content_says_is_neither_logged_nor_registered(
    mlflow: Place, store: Store
) -> None:
    pipeline = f"p{new_run_id()[-8:]}"
    parent = pipeline_run(store, pipeline=pipeline)
    evil = store.put_object(b"flavors: {python_function: {loader_module: evil}}")
    version = store.add_version(
        name="model",
        type="model",
        content=files_digest({"MLmodel": store.put_object(MLMODEL.encode())}),
        files={"MLmodel": evil},
    )
    link = ArtifactLink(version=str(version), type="model", content=version.content)
    train = component_run(store, parent, pipeline=pipeline, outputs={"model": link})
    tracker = mlflow.open()
    tracker.send(train, store)
    client = tracker._client()  # type: ignore[attr-defined]
    assert list(client.search_model_versions(f"name = '{pipeline}_model'")) == []
    assert not the_run(tracker, train).outputs.model_outputs


def test_a_record_that_mlflow_refuses_does_not_keep_the_others_back(mlflow: Place, store: Store) -> None:
    wrong = pipeline_run(store, experiment="x" * 600)
    right = pipeline_run(store)
    tracker = mlflow.open()
    report = deliver(store, tracker)
    assert report.sent == (right.id,) and report.waiting == 1
    assert wrong.id in (report.failed or "")
    with pytest.raises(RefusedError, match="refused run"):
        tracker.send(wrong, store)


def test_a_run_that_was_deleted_in_mlflow_stays_deleted(mlflow: Place, store: Store) -> None:
    record = pipeline_run(store)
    tracker = mlflow.open()
    tracker.send(record, store)
    tracker._client().delete_run(the_run(tracker, record).info.run_id)  # type: ignore[attr-defined]
    mlflow.open().send(replace(record, status=Status.FINISHED, ended=ENDED), store)
    assert mlflow.ids(tracker, record.id) == []


def test_the_run_of_mlflow_run_is_the_parent_where_this_mlflow_has_it(mlflow: Place, store: Store) -> None:
    tracker = mlflow.open()
    client = tracker._client()  # type: ignore[attr-defined]
    outer = client.create_run("0").info.run_id
    inside, elsewhere = (pipeline_run(store, machine={"mlflow_run_id": id}) for id in (outer, "f" * 32))
    deliver(store, tracker)
    assert the_run(tracker, inside).data.tags["mlflow.parentRunId"] == outer
    assert "mlflow.parentRunId" not in the_run(tracker, elsewhere).data.tags
