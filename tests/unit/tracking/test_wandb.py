"""What W&B's own client records of runs, read back from its log. Nothing leaves the machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, Caveat, CodeState, RunRecord, Status, new_run_id
from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.errors import SettingError, TrackerError
from relet.reproduction import keep
from relet.store import Store, open_store
from relet.tracking import RefusedError, courier
from relet.tracking.outbox import deliver
from relet.tracking.wandb import ledger, open_wandb, tracker, upload
from relet.tracking.wandb.tracker import WandbMode, WandbTracker
from tests.tiny_project import Tiny
from tests.unit.cli.test_cli import relet
from tests.wandb_log import Recorded, recorded, runs_of
from tests.wandb_server import serving

pytest.importorskip("wandb", reason="wandb is not installed")

STARTED, ENDED = "2026-01-02T03:04:05.000+00:00", "2026-01-02T03:04:06.500+00:00"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c6300010000050001" + "0d0a2db4" + "0000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def wandb(tmp_path: Path) -> WandbTracker:
    return WandbTracker(tmp_path / "wandb", mode=WandbMode.OFFLINE)


def pipeline_run(store: Store, **changes: Any) -> RunRecord:
    record = RunRecord(
        id=new_run_id(),
        pipeline="rentals",
        experiment="prices",
        status=Status.FINISHED,
        started=STARTED,
        ended=ENDED,
    )
    return queued(store, replace(record, **changes))


def component_run(store: Store, parent: RunRecord, **changes: Any) -> RunRecord:
    own = {"component": "train_model", "job_type": "train", "parent": parent.id}
    return pipeline_run(store, **{**own, **changes})


def queued(store: Store, record: RunRecord) -> RunRecord:
    store.put_run(record)
    store.put_pending("wandb", record.id)
    return record


def artifact(
    store: Store, name: str, type: str, files: dict[str, bytes], **changes: Any
) -> tuple[Version, ArtifactLink]:
    stored = {path: store.put_object(content) for path, content in files.items()}
    content = store.put_object("\n".join(sorted(stored.values())).encode())
    version = store.add_version(name=name, type=type, content=content, files=stored, **changes)
    return version, ArtifactLink(version=str(version), type=type, content=content)


def sent(wandb: WandbTracker, record: RunRecord, store: Store) -> Recorded:
    wandb.send(record, store)
    return recorded(wandb.folder, record.id)


def test_a_run_is_shown_with_its_project_group_job_type_configuration_and_metrics(
    wandb: WandbTracker, store: Store
) -> None:
    parent = pipeline_run(store)
    found = sent(
        wandb,
        component_run(
            store,
            parent,
            description="Fit the model.",
            parameters={"family": "boosted", "parameters": {"leaves": 31, "rate": 0.1}, "none": None},
            metrics={"mae": 30.5, "share < 10 %": 0.25, "a.b": 1.0},
            key="k" * 64,
            code=CodeState(commit="c" * 40, dirty=True, repository="https://example.com/x.git"),
            command=("relet", "run", "rentals"),
            caveats=(Caveat(kind="network", what="example.com"),),
        ),
        store,
    )
    run, own = found.run, found.config["relet"]
    assert (run.project, run.run_group, run.job_type, run.display_name) == (
        "rentals",
        "prices",
        "train",
        "train_model",
    )
    assert (run.notes, list(run.tags)) == ("Fit the model.", ["finished", "dirty", "caveats"])
    assert (run.git.commit, run.git.remote_url) == ("c" * 40, "https://example.com/x.git")
    assert found.config["family"] == "boosted" and found.config["parameters"] == {"leaves": 31, "rate": 0.1}
    assert found.config["none"] is None
    assert (own["run_id"], own["parent"], own["key"]) == (run.run_id, parent.id, "k" * 64)
    assert (own["command"], own["caveats"], own["seconds"]) == (
        "relet run rentals",
        ["connects to example.com"],
        1.5,
    )
    assert {name: found.summary[name] for name in ("mae", "share < 10 %", "a.b")} == {
        "mae": 30.5,
        "share < 10 %": 0.25,
        "a.b": 1.0,
    }
    assert found.exit_code == 0


def test_the_lock_and_the_diff_are_files_of_the_pipelines_run_alone(wandb: WandbTracker, store: Store) -> None:
    lock, diff = store.put_object(b"numpy==2\n"), store.put_object(b"-a\n+b\n")
    code = CodeState(commit="c" * 40, dirty=True, diff=diff)
    parent = pipeline_run(store, lock=lock, code=code)
    child = sent(wandb, component_run(store, parent, lock=lock, code=code), store)
    outer = recorded(wandb.folder, parent.id)
    assert outer.saved == {"code/requirements.lock.txt", "code/uncommitted.diff.txt"} and not child.saved
    assert (outer.folder / "files/code/requirements.lock.txt").read_bytes() == b"numpy==2\n"
    assert (outer.folder / "files/code/uncommitted.diff.txt").read_bytes() == b"-a\n+b\n"
    assert (child.config["relet"]["lock"], child.config["relet"]["diff"]) == (lock, diff)


def test_an_artifact_has_type_description_metadata_files_and_the_stores_aliases(
    wandb: WandbTracker, store: Store
) -> None:
    parent = pipeline_run(store)
    version, link = artifact(
        store,
        "model",
        "model",
        {"MLmodel": b"flavors", "data/trees": b"trees"},
        description="Prices a night.",
        metadata={"rows": 3, "metrics": {"mae": 1.5}},
        producer=parent.id,
    )
    store.set_alias("model", "prod", version.number, by="test", why="promoted")
    found = sent(wandb, component_run(store, parent, outputs={"model": link}), store).artifacts["model"]
    assert (found.type, found.description, found.use_after_commit) == ("model", "Prices a night.", False)
    assert set(found.aliases) == {"latest", "prod", "relet-v1"}
    assert '"rows":3' in found.metadata and '"model:v1"' in found.metadata and parent.id in found.metadata
    assert {each.path: Path(each.local_path).read_bytes() for each in found.manifest.contents} == {
        "MLmodel": b"flavors",
        "data/trees": b"trees",
    }


def test_a_run_that_used_an_artifact_says_so_and_moves_no_alias(wandb: WandbTracker, store: Store) -> None:
    parent = pipeline_run(store)
    _, taken = artifact(store, "sample", "table", {"table.parquet": b"a"}, metadata={"rows": 3})
    _, made = artifact(store, "clean_sample", "table", {"table.parquet": b"b"})
    producer = sent(wandb, component_run(store, parent, outputs={"sample": taken}), store)
    found = sent(wandb, component_run(store, parent, inputs={"raw": taken}, outputs={"clean_sample": made}), store)
    assert found.artifacts["sample"].use_after_commit and not found.artifacts["clean_sample"].use_after_commit
    assert list(found.artifacts["sample"].aliases) == ["relet-v1"]
    # W&B knows the version again by its digest.
    assert found.artifacts["sample"].digest == producer.artifacts["sample"].digest
    assert found.config["relet"]["used"] == {
        "raw": {"version": "sample:v1", "type": "table", "content": taken.content}
    }
    assert found.config["relet"]["made"]["clean_sample"]["content"] == made.content


def test_figures_and_pages_are_shown_as_they_are_and_pixels_as_images(wandb: WandbTracker, store: Store) -> None:
    pytest.importorskip("PIL", reason="pillow is not installed, without which W&B takes no images")
    outputs = {
        "importance": artifact(store, "importance", "figure", {"figure.svg": b"<svg>bars</svg>"})[1],
        "exploration": artifact(store, "exploration", "folder", {"page.html": b"<p>seen", "map.png": PIXEL})[1],
        "scores": artifact(store, "scores", "metrics", {"metrics.json": b"{}"})[1],
    }
    found = sent(wandb, component_run(store, pipeline_run(store), outputs=outputs), store)
    kinds = {
        key: shown["_type"] for key, shown in found.summary.items() if isinstance(shown, dict) and "_type" in shown
    }
    assert kinds == {"importance": "html-file", "exploration/page": "html-file", "exploration/map": "image-file"}
    shown = {key: (found.folder / "files" / found.summary[key]["path"]).read_bytes() for key in kinds}
    assert shown == {
        "importance": b"<svg>bars</svg>",
        "exploration/page": b"<p>seen",
        "exploration/map": PIXEL,
    }
    assert {found.summary[key]["path"] for key in kinds} <= found.saved


@pytest.mark.parametrize(
    ("status", "code"),
    [("finished", 0), ("skipped", 0), ("running", 0), ("failed", 1), ("stopped", 1), ("interrupted", 130)],
)
def test_a_run_ends_in_wandb_as_it_ended(wandb: WandbTracker, store: Store, status: str, code: int) -> None:
    found = sent(wandb, pipeline_run(store, status=Status(status), message="why"), store)
    assert (found.exit_code, list(found.run.tags)) == (code, [status])
    assert found.config["relet"]["message"] == "why"


def test_a_skipped_run_made_and_used_nothing(wandb: WandbTracker, store: Store) -> None:
    _, link = artifact(store, "sample", "table", {"table.parquet": b"a"})
    record = component_run(
        store, pipeline_run(store), status=Status.SKIPPED, inputs={"a": link}, outputs={"b": link}
    )
    assert sent(wandb, record, store).artifacts == {}


def test_what_was_pruned_or_is_damaged_is_named_and_left_out(
    wandb: WandbTracker, store: Store, tmp_path: Path
) -> None:
    gone = ArtifactLink(version="model:v9", type="model", content="e" * 64)
    broken, link = artifact(store, "sample", "table", {"table.parquet": b"a", "figure.svg": b"<svg/>"})
    for digest in broken.files.values():
        (tmp_path / "store" / "objects" / digest[:2] / digest).write_bytes(b"else")
    found = sent(wandb, component_run(store, pipeline_run(store), outputs={"model": gone, "sample": link}), store)
    assert found.artifacts == {} and "figure" not in str(found.summary)
    assert found.config["relet"]["made"]["model"]["version"] == "model:v9"


def test_the_verdict_on_a_run_that_was_made_again_is_a_tag(wandb: WandbTracker, store: Store) -> None:
    record = pipeline_run(store)
    assert list(sent(wandb, record, store).run.tags) == ["finished"]
    output = OutputVerdict(
        name="m", recorded="m:v1", recorded_content="c", reproduced_content="c", likeness=Likeness.IDENTICAL
    )
    found = Reproduction(
        target=record.id,
        run=record.id,
        likeness=Likeness.IDENTICAL,
        reason="…",
        when=ENDED,
        steps=(StepVerdict(component="train_model", run=record.id, outputs=(output,)),),
    )
    keep(found, store, ["wandb"])
    again = sent(wandb, record, store)
    assert list(again.run.tags) == ["finished", "reproduction IDENTICAL"]
    assert again.config["relet"]["reproduction"] == f"IDENTICAL on {ENDED[:10]} (reproduction:v1)"


def test_an_alias_that_moves_later_is_recorded_and_latest_stays_where_it_is(
    wandb: WandbTracker, store: Store
) -> None:
    parent = pipeline_run(store)
    old, new = (pipeline_run(store, id=new_run_id(), component="train_model", parent=parent.id) for _ in "ab")
    for record, content in ((old, b"1"), (new, b"2")):
        _, link = artifact(store, "model", "model", {"trees": content}, producer=record.id)
        queued(store, replace(record, outputs={"model": link}))
    deliver(store, wandb)
    assert set(recorded(wandb.folder, new.id).artifacts["model"].aliases) == {"latest", "relet-v2"}
    before = runs_of(wandb.folder, new.id)
    store.set_alias("model", "prod", 1, by="test", why="promoted")
    assert deliver(store, wandb).failed is None
    assert set(recorded(wandb.folder, old.id).artifacts["model"].aliases) == {"prod", "relet-v1"}
    assert runs_of(wandb.folder, new.id) == before
    # There and back again: the last word counts, also where it was said before.
    for number in (2, 1):
        store.set_alias("model", "prod", number, by="test", why="promoted")
        moved = runs_of(wandb.folder, (old, new)[number - 1].id)
        deliver(store, wandb)
        assert runs_of(wandb.folder, (old, new)[number - 1].id) != moved
    still = runs_of(wandb.folder, old.id)
    deliver(store, wandb)
    assert runs_of(wandb.folder, old.id) == still


def test_a_run_that_ended_replaces_what_was_recorded_while_it_ran(wandb: WandbTracker, store: Store) -> None:
    running = pipeline_run(store, status=Status.RUNNING, ended=None)
    (first,) = [sent(wandb, running, store).folder]
    ended = queued(store, replace(running, status=Status.FINISHED, ended=ENDED, metrics={"mae": 1.0}))
    found = sent(wandb, ended, store)
    assert runs_of(wandb.folder, running.id) == [found.folder] != [first]
    assert found.summary["mae"] == 1.0


def test_what_a_process_left_behind_that_died_is_replaced(wandb: WandbTracker, store: Store) -> None:
    record = pipeline_run(store)
    first = sent(wandb, record, store).folder
    (wandb.folder / "relet" / "runs" / f"{record.id}.json").unlink()  # ... as it would be before it was written
    found = sent(wandb, record, store)
    assert runs_of(wandb.folder, record.id) == [found.folder] and found.folder != first
    assert not first.exists()


def test_what_is_uploaded_already_is_kept_when_the_run_is_recorded_again(
    wandb: WandbTracker, store: Store
) -> None:
    record = pipeline_run(store)
    first = sent(wandb, record, store).folder
    mark_uploaded(first)
    sent(wandb, record, store)
    assert runs_of(wandb.folder, record.id) == [first]
    sent(wandb, queued(store, replace(record, message="more")), store)
    assert len(runs_of(wandb.folder, record.id)) == 2 and first.exists()


def test_git_does_not_see_what_is_recorded(wandb: WandbTracker, store: Store, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    sent(wandb, pipeline_run(store), store)
    listed = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "wandb"], capture_output=True, text=True, check=True
    )
    assert listed.stdout == ""
    (wandb.folder / ".gitignore").write_text("# theirs\n")
    sent(wandb, pipeline_run(store), store)
    assert (wandb.folder / ".gitignore").read_text() == "# theirs\n"


def test_wandbs_own_settings_say_where_runs_lie_and_what_the_project_is_called(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_wandb(tmp_path).folder == tmp_path / "wandb"
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WANDB_PROJECT", "prices")
    monkeypatch.setenv("WANDB_MODE", "offline")
    there = open_wandb(tmp_path)
    assert sent(there, pipeline_run(store), store).run.project == "prices"
    assert there.folder == tmp_path / "elsewhere" / "wandb" and not (tmp_path / "wandb").exists()


def test_a_disabled_wandb_records_nothing_and_nothing_waits(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    record = pipeline_run(store)
    assert deliver(store, open_wandb(tmp_path)).sent == (record.id,)
    assert not (tmp_path / "wandb").exists()
    monkeypatch.setenv("WANDB_MODE", "offlin")
    with pytest.raises(SettingError, match="did you mean offline"):
        open_wandb(tmp_path)


def test_a_run_that_wandb_refuses_does_not_keep_the_others_back(wandb: WandbTracker, store: Store) -> None:
    wrong, right = pipeline_run(store, pipeline="x" * 200), pipeline_run(store)
    report = deliver(store, wandb)
    assert (report.sent, report.waiting) == ((right.id,), 1)
    with pytest.raises(RefusedError, match="128 characters"):
        wandb.send(wrong, store)


def test_a_folder_that_can_not_be_written_keeps_the_record_in_the_outbox(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    pipeline_run(store)
    report = deliver(store, WandbTracker(tmp_path / "file" / "wandb", mode=WandbMode.OFFLINE))
    assert report.waiting == 1 and "WANDB_DIR" in (report.failed or "")


def test_without_the_extra_the_delivery_says_what_to_install(
    wandb: WandbTracker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    pipeline_run(store)
    report = deliver(store, wandb)
    assert report.waiting == 1 and "pip install 'relet[wandb]'" in (report.failed or "")
    with pytest.raises(TrackerError, match=r"pip install 'relet\[wandb\]'"):
        wandb.connect()


# Handing on


def mark_uploaded(folder: Path) -> None:
    """What `wandb sync` leaves behind."""
    (log,) = folder.glob("*.wandb")
    log.with_suffix(".wandb.synced").touch()


UPLOADS = """
import os, pathlib, sys
assert not os.environ.keys() & {{"WANDB_SERVICE", "WANDB_MODE"}}, "bound to the process that recorded"
for folder in sys.argv[3:]:
    log, = pathlib.Path(folder).glob("*.wandb")
    log.with_suffix(".wandb.synced").touch()
with open({calls!r}, "a") as file:
    file.write(" ".join(pathlib.Path(folder).name[-8:] for folder in sys.argv[3:]) + "\\n")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Somebody is logged in to a server that answers each request with 404."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            try:
                while True:
                    with listener.accept()[0] as one:
                        one.recv(4096)
                        one.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                return

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
        monkeypatch.setenv("WANDB_BASE_URL", url)
        yield url
        listener.shutdown(socket.SHUT_RDWR)


def test_nothing_is_uploaded_where_nobody_is_logged_in(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PROGRAM", "raise SystemExit('it ran')")
    pipeline_run(store)
    assert str(deliver(store, WandbTracker(tmp_path / "wandb"))) == "1 sent"
    report = deliver(store, WandbTracker(tmp_path / "wandb"), asked=True)
    assert "1 run is kept in" in report.passed_on and "wandb login" in report.passed_on and not report.failed
    report = deliver(store, WandbTracker(tmp_path / "wandb", mode=WandbMode.ONLINE))
    assert "nobody is logged in" in (report.failed or "")


def test_offline_runs_are_uploaded_only_when_a_person_asks(
    wandb: WandbTracker, store: Store, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PROGRAM", UPLOADS.format(calls=str(tmp_path / "calls")))
    monkeypatch.setenv("WANDB_MODE", "offline")
    _, link = artifact(store, "sample", "table", {"table.parquet": b"a"})
    record = component_run(store, pipeline_run(store), outputs={"sample": link})
    assert deliver(store, wandb).passed_on == "" and not (tmp_path / "calls").exists()
    assert list((wandb.folder / "relet" / "objects").iterdir())
    assert deliver(store, wandb, asked=True).passed_on == "2 runs uploaded by wandb sync"
    # What W&B has needs to lie here no longer, and is not uploaded again.
    assert not list((wandb.folder / "relet" / "objects").iterdir())
    assert deliver(store, wandb, asked=True).passed_on == ""
    assert ledger.is_uploaded(recorded(wandb.folder, record.id).folder)


def test_online_runs_are_uploaded_each_after_those_that_made_what_it_uses(
    store: Store, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PROGRAM", UPLOADS.format(calls=str(tmp_path / "calls")))
    _, link = artifact(store, "sample", "table", {"table.parquet": b"a"})
    parent = pipeline_run(store)
    user = component_run(store, parent, inputs={"sample": link})
    maker = component_run(store, parent, outputs={"sample": link})
    report = deliver(store, WandbTracker(tmp_path / "wandb"))
    assert (report.passed_on, report.failed) == ("3 runs uploaded by wandb sync", None)
    first, second = (line.split() for line in (tmp_path / "calls").read_text().splitlines())
    assert set(first) == {parent.id[-8:], maker.id[-8:]} and second == [user.id[-8:]]


def test_runs_that_need_none_of_the_others_are_uploaded_the_oldest_first(
    store: Store, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W&B lists runs by when they came; a folder lists its files in any order."""
    monkeypatch.setattr(upload, "PROGRAM", UPLOADS.format(calls=str(tmp_path / "calls")))
    runs = [pipeline_run(store) for _ in range(5)]
    wandb = WandbTracker(tmp_path / "wandb", mode=WandbMode.ONLINE)
    for number in (3, 0, 4, 1, 2):
        wandb.send(runs[number], store)
    assert wandb.pass_on(asked=False) == "5 runs uploaded by wandb sync"
    assert (tmp_path / "calls").read_text().split() == [each.id[-8:] for each in runs]


def test_an_earlier_recording_is_kept_until_the_new_one_is_noted(
    wandb: WandbTracker, store: Store, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round, a process that died in between would leave nothing to upload."""
    monkeypatch.setattr(upload, "PROGRAM", UPLOADS.format(calls=str(tmp_path / "calls")))
    running = pipeline_run(store, status=Status.RUNNING, ended=None)
    earlier = sent(wandb, running, store).folder
    write = Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        if running.id in path.name:
            raise OSError(28, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", fail)
        with pytest.raises(TrackerError, match="No space left on device"):
            wandb.send(replace(running, status=Status.FINISHED, ended=ENDED), store)
    assert wandb.pass_on(asked=True) == "1 run uploaded by wandb sync"
    assert ledger.is_uploaded(earlier)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            "print('first'); print('wandb: ERROR permission denied'); raise SystemExit(1)",
            "ERROR permission denied",
        ),
        ("import time; time.sleep(60)", "not done in 1 s"),
        ("import signal, sys; signal.alarm(int(sys.argv[1])); signal.pause()", "not done in 1 s"),
    ],
)
def test_an_upload_that_fails_or_hangs_leaves_the_runs_where_they_are(
    store: Store, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    monkeypatch.setattr(upload, "PROGRAM", program)
    monkeypatch.setattr(upload, "GRACE", 0.5)
    monkeypatch.setattr(tracker, "AFTER_A_RUN", 2)
    pipeline_run(store)
    began = time.monotonic()
    report = deliver(store, WandbTracker(tmp_path / "wandb", mode=WandbMode.ONLINE))
    assert time.monotonic() - began < 10
    assert report.waiting == 0 and "0 of 1 runs" in (report.failed or "") and reason in (report.failed or "")
    assert len(ledger.waiting_entries(tmp_path / "wandb")) == 1


def test_a_server_that_is_not_there_is_named_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    pipeline_run(store)
    report = deliver(store, WandbTracker(tmp_path / "wandb"))
    assert "http://127.0.0.1:9 can't be reached" in (report.failed or "")


def test_a_login_is_a_key_in_the_environment_or_in_the_netrc_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not upload.is_logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret\n")
    assert upload.is_logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.com")
    assert not upload.is_logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert upload.is_logged_in()


# Its own process


def cores() -> set[int]:
    """W&B's service processes on this machine that have not ended."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"wandb-core"):
            found.add(int(entry.name))
    return found


def gone(pids: set[int], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while cores() & pids:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def started_by(parent: int) -> set[int]:
    return {
        pid for pid in cores() if str(parent).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    }


def eventually(what: Callable[[], Any], seconds: float = 30) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def test_starting_and_parting_imports_no_wandb() -> None:
    modules = "relet.tracking.courier, relet.tracking.outbox, relet.tracking.wandb, relet.cli"
    code = f"import {modules}, sys; print('wandb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.long
def test_a_run_is_recorded_by_a_process_that_says_nothing_sends_nothing_and_leaves_nothing_running(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The service of a program around this one, which uses W&B itself, is not ours.
    monkeypatch.setenv("WANDB_SERVICE", "2-1-unix-/nowhere")
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        threading.Thread(target=lambda: connections.append(proxy.accept()), daemon=True).start()
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        started = courier.start(store.url, tmp_path, ["wandb"])
        process = started.processes[0].process
        record = component_run(store, pipeline_run(store), metrics={"mae": 1.0})
        mine = eventually(lambda: started_by(process.pid))
        (delivery,) = started.finish()
    assert delivery.complete and not connections
    assert recorded(tmp_path / "wandb", record.id).summary["mae"] == 1.0
    assert gone(mine) and capfd.readouterr() == ("", "")


@pytest.mark.long
def test_wandb_sync_uploads_what_was_recorded_with_who_made_and_who_used_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    _, link = artifact(store, "sample", "table", {"table.parquet": b"rows"}, description="What came.")
    parent = pipeline_run(store)
    user = component_run(store, parent, inputs={"sample": link}, metrics={"mae": 1.0})
    maker = component_run(store, parent, outputs={"sample": link}, job_type="get_data")
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    with serving() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        report = deliver(store, WandbTracker(tmp_path / "wandb"))
    assert (report.passed_on, report.failed) == ("3 runs uploaded by wandb sync", None)
    assert not list((tmp_path / "current").iterdir())
    # The first word on a run is the whole of it; another says what changed.
    runs = {said["name"]: said for said in reversed(server.heard("UpsertBucket"))}
    assert runs.keys() == {parent.id, user.id, maker.id}
    assert (runs[maker.id]["groupName"], runs[maker.id]["jobType"]) == ("prices", "get_data")
    assert runs[maker.id]["project"] == "rentals"
    first, second = server.heard("CreateArtifact")
    # Who uses an artifact brings it, too, and does not pass for its maker.
    assert (first["runName"], second["runName"]) == (maker.id, None)
    assert first["digest"] == second["digest"]
    assert {each["alias"] for each in first["aliases"]} == {"latest", "relet-v1"}
    assert (first["artifactTypeName"], first["description"]) == ("table", "What came.")
    assert server.uploads["/artifact/table.parquet"] == b"rows"
    (use,) = server.heard("UseArtifact")
    assert (use["runName"], use["artifactID"]) == (user.id, first["digest"])
    # The user's, who comes last.
    assert b'"mae":1' in server.uploads["/run/wandb-summary.json"]


@pytest.mark.long
def test_a_pipeline_is_run_with_both_trackers_and_sync_says_where_wandbs_runs_are(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    status, out, _ = relet(capsys, "run", "tiny", "tracking=[mlflow,wandb]")
    assert status == 0 and "tracked in wandb" in out and (tiny.root / "mlflow.db").exists()
    store = open_store(tiny.root / ".relet")
    records = list(store.runs())
    assert not store.pending("wandb") and len(records) == 5
    found = {record.component or "": recorded(tiny.root / "wandb", record.id) for record in records}
    assert found["train"].config["factor"] == 2.0 and found["train"].summary["mae"] == 11
    assert found["train"].summary["drawing"]["_type"] == "html-file"
    assert found["train"].artifacts["clean_sample"].use_after_commit
    assert {"latest", "reference"} <= set(found["clean"].artifacts["clean_sample"].aliases)
    assert found["train"].run.run_group == "tiny" and found[""].run.job_type == "pipeline"
    status, out, _ = relet(capsys, "sync")
    assert status == 0
    assert re.search(r"^wandb: 0 sent; 5 runs are kept in .*wandb; log in with `wandb login`", out, re.MULTILINE)
    status, out, _ = relet(capsys, "run", "tiny", "tracking=wandb")
    assert status == 0 and "4 skipped" in out


@pytest.mark.long
def test_wandb_sync_ends_by_itself_where_no_server_answers_and_nobody_waits_for_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_run(store)
    deliver(store, WandbTracker(tmp_path / "wandb", mode=WandbMode.OFFLINE))
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    folders = [str(path.parent) for path in (tmp_path / "wandb").glob("offline-run-*/*.wandb")]
    # W&B's own client tries a dead port for days.
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", upload.PROGRAM, "4", "sync", *folders],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    services = eventually(lambda: started_by(process.pid))
    assert process.wait(30) == -signal.SIGALRM
    assert gone(services) and len(ledger.waiting_entries(tmp_path / "wandb")) == 1


@pytest.mark.long
def test_killing_the_process_leaves_no_service_and_loses_nothing(store: Store, tmp_path: Path) -> None:
    records = [pipeline_run(store) for _ in range(6)]
    started = courier.start(store.url, tmp_path, ["wandb"])
    process = started.processes[0].process
    mine = eventually(lambda: started_by(process.pid))
    eventually(lambda: len(store.pending("wandb")) < 5)
    process.kill()
    (delivery,) = started.finish()
    assert delivery.queued == len(store.pending("wandb"))
    assert gone(mine)
    (delivery,) = courier.start(store.url, tmp_path, ["wandb"]).finish(patience=60)
    assert delivery.complete
    assert all(len(runs_of(tmp_path / "wandb", each.id)) == 1 for each in records)


@pytest.mark.long
def test_a_service_that_hangs_costs_the_patience_and_no_more(store: Store, tmp_path: Path) -> None:
    pipeline_run(store)
    started = courier.start(store.url, tmp_path, ["wandb"])
    process = started.processes[0].process
    (service,) = eventually(lambda: started_by(process.pid))
    os.kill(service, signal.SIGSTOP)
    pipeline_run(store)
    began = time.monotonic()
    (delivery,) = started.finish(patience=3)
    assert time.monotonic() - began < 6
    os.kill(service, signal.SIGCONT)
    assert delivery.queued >= 1 and "3 s" in delivery.reason and gone({service})


@pytest.mark.long
def test_without_the_extra_a_runs_own_report_says_what_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_run(store)
    without = "import sys; sys.modules['wandb'] = None; from relet.tracking.deliver import main; sys.exit(main())"
    monkeypatch.setattr(courier, "PROGRAM", (sys.executable, "-c", without))
    (delivery,) = courier.start(store.url, tmp_path, ["wandb"]).finish()
    assert delivery.queued == 1 and "pip install 'relet[wandb]'" in delivery.reason
