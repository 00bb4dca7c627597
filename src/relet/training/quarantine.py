"""Try a model that was made elsewhere in a process of its own, before this one loads it.

The process has bounded memory, processor time and wall time, a bare environment, one thread for each library, and
an audit hook that refuses to start a process, to open a connection, to write a file, and to read one that is
neither the model's nor Python's. All of this bounds what a library does with wrong numbers. It does not hold
machine code that has taken over the process: the hook sees Python's calls only. Bounds of memory and processor
time need a system with `setrlimit`; on others, and on macOS for memory, the deadline remains.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from relet.archives.own_code import own_code
from relet.archives.stored import EXPANDED_SETTING, expanded_limit
from relet.errors import ModelError

# Wall and processor seconds, and bytes of memory, that loading may take. To import the libraries takes about 3
# seconds and 0.3 GB of them.
SECONDS, MEMORY = 60.0, 2**32
# The longest answer of the process.
ANSWER = 65_536
PROGRAM = (sys.executable, "-P", "-B", "-m", "relet.training.confined")
# The variables that the process gets; it gets no credentials.
_KEPT = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "SYSTEMROOT",
    "TZ",
    EXPANDED_SETTING,
)
_THREADS = ("LOKY_MAX_CPU_COUNT", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def try_model(folder: Path, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
    """Load a model in a process of its own, and predict its golden rows there.

    Raises ModelError, in words, for a model that can't be loaded, ends its process, takes longer than `seconds`,
    needs more than `memory` bytes, or tries what no model needs.
    """
    expanded_limit()
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(
            [*PROGRAM, str(folder.resolve()), str(seconds), str(memory), str(ANSWER), _project()],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=_bare_environment(),
            start_new_session=True,
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ModelError(
                f"{folder.name} is not loaded: in a process of its own it took more than {seconds:g} seconds"
            ) from None
        finally:
            _end(process)
        answer.seek(0)
        said = answer.read(ANSWER)
    if refused := _refusal(status, said, seconds, memory):
        raise ModelError(f"{folder.name} is not loaded: {refused}")


def _project() -> str:
    """Where the code of the project in effect lies, for the process; empty where there is no project."""
    own = own_code()
    if own is None:
        return ""
    places = {"root": str(own.root), "declaration": str(own.declaration), "places": list(map(str, own.code.roots))}
    return json.dumps(places)


def _bare_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # Arrow's own pools reserve memory that they never use
    return {**kept, **dict.fromkeys(_THREADS, "1"), "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it may have started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def _refusal(status: int, said: bytes, seconds: float, memory: int) -> str:
    """Why a model is refused, from how its process ended and what it said; empty for a model that was loaded."""
    try:
        answer = json.loads(said)
        if status == 0 and answer == {"loaded": True}:
            return ""
        if status == 1 and isinstance(answer["refused"], str):
            return str(answer["refused"])
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    if status in (-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)) and status:
        return f"in a process of its own it took more than {seconds:g} seconds, or the system ended it"
    if status < 0:
        return f"it ended a process of its own by {signal.Signals(-status).name}"
    return f"a process of its own ended with status {status} and no answer, perhaps for want of {memory} bytes"
