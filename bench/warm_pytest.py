"""A process that has loaded the heavy libraries, and for each line of input runs pytest in a copy of itself.

Starting pytest with pandas and scikit-learn takes longer than most tests; a copy of a process has them at once.
The copy imports relet and the tests anew, from the folder in which this process was started. A line is a JSON
object with `words` for pytest, the file for its `output`, and the `seconds` it may take; the answer is a line with
its exit status, or `late`. Processes that the tests have left running are ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

# No plugin of pytest, because pytest rewrites plugins when it loads them, and no library that starts threads.
LIBRARIES = (
    "pytest",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.compute",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "lightgbm",
    "ibis",
    "click",
    "rich.table",
)


def main() -> None:
    # relet does the same before these libraries load
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in LIBRARIES:
        import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        print(_outcome(order), flush=True)


def _outcome(order: dict[str, Any]) -> str:
    child = os.fork()
    if child == 0:
        _run(order)
    try:
        return _awaited(child, time.monotonic() + order["seconds"])
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


def _awaited(child: int, deadline: float) -> str:
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "late"


def _run(order: dict[str, Any]) -> None:
    os.setsid()
    output = os.open(Path(order["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    status = 70
    try:
        import pytest

        status = int(pytest.main(order["words"]))
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
