"""The laws of a tracker, held by the one in memory, by MLflow on SQLite, a server and PostgreSQL, and by W&B."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact import ArtifactType, Curve, Version
from relet.core.record import ArtifactLink, CodeState, RunRecord, Status, new_run_id
from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.engine.values import write_artifact
from relet.reproduction import keep
from relet.store import Store, open_store
from relet.store.contents import files_digest
from relet.tracking import RefusedError, Tracker
from relet.tracking.memory import MemoryTracker
from relet.tracking.mlflow import MlflowTracker
from relet.tracking.outbox import deliver
from relet.tracking.wandb import WandbTracker
from relet.tracking.wandb.tracker import WandbMode
from tests.wandb_log import recorded, runs_of

STARTED, ENDED = "2026-01-02T03:04:05.000+00:00", "2026-01-02T03:04:06.500+00:00"

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


@dataclass(frozen=True)
class Place:
    """A tracker's backing: `open` gives another handle on it, `ids` the tracker's runs that show a record,
    `verdict` what it says of having made the run again, and `curve` a metric's history as (step, value).
    """

    open: Callable[[], Tracker]
    ids: Callable[[Tracker, str], list[str]]
    verdict: Callable[[Tracker, str], str | None]
    curve: Callable[[Tracker, str, str], list[tuple[int, float]]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@contextmanager
def _memory(_: Path) -> Iterator[Place]:
    tracker = MemoryTracker()
    yield Place(
        open=lambda: tracker,
        ids=lambda _, run_id: [run_id] if run_id in tracker.runs else [],
        verdict=lambda _, run_id: tracker.verdicts.get(run_id),
        curve=lambda _, run_id, name: list(tracker.curves[run_id][name].points),
    )


def _mlflow(uri: str, artifacts: Path | None) -> Place:
    return Place(
        open=lambda: MlflowTracker(uri, artifacts=artifacts),
        ids=lambda tracker, id: [r.info.run_id for r in runs(tracker, id)],
        verdict=lambda tracker, id: runs(tracker, id)[0].data.tags.get("relet.reproduction"),
        curve=_mlflow_history,
    )


def _mlflow_history(tracker: Tracker, run_id: str, name: str) -> list[tuple[int, float]]:
    assert isinstance(tracker, MlflowTracker)
    (found,) = runs(tracker, run_id)
    history = tracker._client().get_metric_history(found.info.run_id, name)
    return sorted((each.step, each.value) for each in history)


@contextmanager
def _sqlite(folder: Path) -> Iterator[Place]:
    yield _mlflow(f"sqlite:///{folder}/mlflow.db", folder / "mlruns")


@contextmanager
def _server(folder: Path) -> Iterator[Place]:
    port = free_port()
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *command,
                "--backend-store-uri",
                f"sqlite:///{folder}/server.db",
                "--artifacts-destination",
                folder / "files",
            ],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None and time.monotonic() < until, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.2)
        yield _mlflow(f"http://127.0.0.1:{port}", None)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _postgres(folder: Path) -> Iterator[Place]:
    driver = next((each for each in ("psycopg", "psycopg2") if importlib.util.find_spec(each)), None)
    if driver is None:
        pytest.skip("neither psycopg nor psycopg2 is installed, through which MLflow speaks to PostgreSQL")
    found = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    initdb = next((each for each in found if each), None)
    if initdb is None:
        pytest.skip("there is no PostgreSQL on this machine")
    # initdb refuses to run as root, so that another user is needed there.
    user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    data, port = Path(f"/tmp/relet-postgres-{os.getpid()}"), free_port()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, "nobody", "nogroup")
    run = {"check": True, "cwd": data, "capture_output": True, "timeout": 60, **user}
    control = str(Path(initdb).with_name("pg_ctl"))
    try:
        subprocess.run([initdb, "-D", data / "db", "-U", "relet", "--auth", "trust", "--no-sync"], **run)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
        subprocess.run([control, "-D", data / "db", "-o", options, "-l", data / "log", "-w", "start"], **run)
        try:
            uri = f"postgresql+{driver}://relet@127.0.0.1:{port}/postgres"
            yield _mlflow(uri, folder / "mlruns")
        finally:
            subprocess.run([control, "-D", data / "db", "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _wandb(folder: Path) -> Iterator[Place]:
    pytest.importorskip("wandb", reason="wandb is not installed")
    runs = folder / "wandb"
    yield Place(
        open=lambda: WandbTracker(runs, mode=WandbMode.OFFLINE),
        ids=lambda _, id: [path.name for path in runs_of(runs, id)],
        verdict=lambda _, id: recorded(runs, id).config["relet"].get("reproduction"),
        curve=lambda _, id, name: [
            (row["steps/rounds"], row[name]) for row in recorded(runs, id).history if name in row
        ],
    )


PLACES = {"memory": _memory, "sqlite": _sqlite, "server": _server, "postgres": _postgres, "wandb": _wandb}
LONG = [pytest.param(name, marks=[pytest.mark.long, pytest.mark.timeout(300)]) for name in ("server", "postgres")]
MLFLOW = ["sqlite", *LONG]


@pytest.fixture(scope="module")
def open_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Each place by name, started when it is first asked for."""
    opened: dict[str, Place] = {}
    with ExitStack() as stack:

        def open_place(name: str) -> Place:
            if name not in opened:
                opened[name] = stack.enter_context(PLACES[name](tmp_path_factory.mktemp(name)))
            return opened[name]

        yield open_place


@pytest.fixture(params=["memory", "wandb", *MLFLOW])
def place(request: pytest.FixtureRequest, open_place: Callable[[str], Place]) -> Place:
    return open_place(request.param)


@pytest.fixture(params=MLFLOW)
def mlflow(request: pytest.FixtureRequest, open_place: Callable[[str], Place]) -> Place:
    return open_place(request.param)


def runs(tracker: Tracker, run_id: str) -> list[Any]:
    assert isinstance(tracker, MlflowTracker)
    client = tracker._client()
    experiments = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_runs(experiments, f"tags.`relet.run_id` = '{run_id}'"))


def the_run(tracker: Tracker, record: RunRecord) -> Any:
    assert isinstance(tracker, MlflowTracker)
    (found,) = runs(tracker, record.id)
    return tracker._client().get_run(found.info.run_id)


def signature_names(tracker: Tracker, model_uri: str) -> list[str]:
    """What the model's own file says it takes, read as a user of MLflow would."""
    import mlflow

    assert isinstance(tracker, MlflowTracker)
    mlflow.set_tracking_uri(tracker.uri)
    try:
        return list(mlflow.models.get_model_info(model_uri).signature.inputs.input_names())
    finally:
        mlflow.set_tracking_uri(None)


def pipeline_run(store: Store, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(), pipeline="rentals", experiment="prices", status=Status.RUNNING, started=STARTED
    )
    return queued(store, replace(record, **changes))


def component_run(store: Store, parent: RunRecord | None, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(),
        pipeline="rentals",
        experiment="prices",
        status=Status.FINISHED,
        started=STARTED,
        ended=ENDED,
        component="train_model",
        job_type="train_model",
        parent=parent.id if parent else None,
    )
    return queued(store, replace(record, **changes))


def queued(store: Store, record: RunRecord) -> RunRecord:
    store.put_run(record)
    store.put_pending("memory", record.id)
    store.put_pending("mlflow", record.id)
    store.put_pending("wandb", record.id)
    return record


def artifact(
    store: Store, name: str, type: str, files: dict[str, str], **changes: Any
) -> tuple[Version, ArtifactLink]:
    stored = {path: store.put_object(text.encode()) for path, text in files.items()}
    content = files_digest(stored)
    version = store.add_version(name=name, type=type, content=content, files=stored, **changes)
    return version, ArtifactLink(version=str(version), type=type, content=content)


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


def measured(store: Store, parent: RunRecord) -> RunRecord:
    """A component's run with two curves and a number among its metrics, as the engine stores them."""
    held = {
        "error": Curve(points=[(1, 60.0), (2, 45.5), (300, 30.25)], x="rounds"),
        "error_there": Curve(points=[(2, 50.0)], x="rounds"),
        "mae": 30.25,
    }
    with tempfile.TemporaryDirectory() as folder:
        written = write_artifact("scores", ArtifactType.METRICS, held, Path(folder) / "scores")
        files = {path: store.put_object(file) for path, file in written.files.items()}
    version = store.add_version(
        name="scores", type=written.type, content=written.content, files=files, metadata=written.metadata
    )
    link = ArtifactLink(version=str(version), type=version.type, content=version.content)
    return component_run(store, parent, outputs={"scores": link}, metrics=written.metadata["metrics"])


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


def test_a_model_is_logged_and_registered_once_for_each_content(mlflow: Place, store: Store) -> None:
    pipeline = f"p{new_run_id()[-8:]}"
    parent = pipeline_run(store, pipeline=pipeline)
    version, link = artifact(
        store, "model", "model", {"MLmodel": MLMODEL, "data/trees": pipeline}, producer=parent.id
    )
    tracker = mlflow.open()
    train = component_run(store, parent, pipeline=pipeline, outputs={"model": link}, metrics={"mae": 1.0})
    again = component_run(store, parent, pipeline=pipeline, outputs={"model": link})
    test = component_run(store, parent, pipeline=pipeline, inputs={"model": link})
    for record in (train, again, test, train, test):
        mlflow.open().send(record, store)
    client = tracker._client()  # type: ignore[attr-defined]
    (registered,) = client.search_model_versions(f"name = '{pipeline}_model'")
    assert registered.tags == {"relet.content": link.content, "relet.version": "model:v1"}
    assert registered.run_id == the_run(tracker, train).info.run_id
    (logged,) = the_run(tracker, train).outputs.model_outputs
    assert registered.source == f"models:/{logged.model_id}"
    assert [each.model_id for each in the_run(tracker, again).outputs.model_outputs] == [logged.model_id]
    assert [each.model_id for each in the_run(tracker, test).inputs.model_inputs] == [logged.model_id]
    assert str(client.get_logged_model(logged.model_id).status) in {"READY", "LoggedModelStatus.READY"}
    assert signature_names(tracker, registered.source) == ["latitude"]
    store.set_alias("model", "prod", version.number, by="test", why="promoted")
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
