"""A run whose process was killed is shown as lost, as far as this machine can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from relet.cli import relet
from relet.core.record import RunRecord, Status
from relet.project.liveness import PROCESS, this_process
from relet.store import open_store

OWN = this_process().get(PROCESS, "")
PLACE, NUMBER, BEGAN = OWN.split(" ") if OWN else ("", "", "")

pytestmark = pytest.mark.skipif(not OWN, reason="the system does not tell of processes")


@pytest.mark.parametrize(
    ("process", "status", "word"),
    [
        (OWN, Status.RUNNING, "running"),
        (f"{PLACE} {NUMBER} {BEGAN}0", Status.RUNNING, "lost"),
        (f"{PLACE} 4194999 {BEGAN}", Status.RUNNING, "lost"),
        (f"other/1 4194999 {BEGAN}", Status.RUNNING, "running"),
        ("nonsense", Status.RUNNING, "running"),
        (None, Status.RUNNING, "running"),
        (f"{PLACE} 4194999 {BEGAN}", Status.FAILED, "failed"),
    ],
    ids=["going on", "number given again", "gone", "another machine", "nonsense", "an older record", "ended"],
)
def test_a_run_is_lost_where_its_process_is_gone(
    tmp_path: Path, process: str | None, status: Status, word: str
) -> None:
    machine = {} if process is None else {PROCESS: process}
    store = open_store(tmp_path / "store")
    store.put_run(
        RunRecord(
            id="r", pipeline="p", experiment="e", status=status, started="2026-01-01T00:00:00", machine=machine
        )
    )
    shown = CliRunner().invoke(relet, ["runs", "--store", store.url]).output
    assert word in shown.split()
