"""What `wandb sync` hands on of what was recorded."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.record import Status
from relet.errors import TrackerError
from relet.store import Store
from relet.tracking.outbox import deliver
from relet.tracking.wandb import ledger, tracker, upload
from relet.tracking.wandb.tracker import WandbMode, WandbTracker
from tests.integration.tracking.wandb_client.records import ENDED, artifact, component_run, pipeline_run, sent
from tests.wandb_log import recorded

pytest.importorskip("wandb", reason="wandb is not installed")


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
@pytest.mark.sampled
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
