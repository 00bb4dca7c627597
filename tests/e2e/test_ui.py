"""`relet ui` opens MLflow's own interface on the local store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.tiny_project import Tiny


@pytest.mark.long
@pytest.mark.timeout(200)
def test_the_interface_answers_and_knows_the_experiment(tiny: Tiny, tmp_path: Path) -> None:
    relet = [sys.executable, "-m", "relet"]
    subprocess.run([*relet, "run", "tiny", "tracking=[mlflow]"], cwd=tiny.root, check=True, timeout=120)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "ui.log").open("w") as log:
        ui = subprocess.Popen(
            [*relet, "ui", "--port", str(port)],
            cwd=tiny.root,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=tiny"
        assert '"tiny"' in answered(url, ui)
    finally:
        os.killpg(ui.pid, signal.SIGTERM)
        ui.wait(30)


def answered(url: str, process: subprocess.Popen[bytes], seconds: float = 90) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except (URLError, OSError):
            time.sleep(0.5)
    raise AssertionError("MLflow's interface did not answer")
