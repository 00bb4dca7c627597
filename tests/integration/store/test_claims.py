"""The claim of a process."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from relet.store import open_store

NAME = "ab12"


HOLD = """
import sys, time
from relet.store import open_store
with open_store(sys.argv[1]).claim("ab12"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_claim_of_a_process_that_is_killed_is_free_at_once(tmp_path: Path) -> None:
    told: list[str] = []
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        threading.Timer(0.3, lambda: os.kill(holder.pid, signal.SIGKILL)).start()
        began = time.monotonic()
        with open_store(tmp_path).claim(NAME, waiting=lambda: told.append("waits")):
            took = time.monotonic() - began
    assert told == ["waits"]
    assert 0.2 < took < 5
