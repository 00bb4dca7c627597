"""Each way to another program is seen by itself, and a connection by address in a whole run."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from relet.core.record import Caveat
from relet.engine.observing import ReadPermissions, caveats, watch_process
from relet.store import open_store
from tests.tiny_project import Tiny

NOTHING_ALLOWED = ReadPermissions(folder=Path("/nowhere"), home=Path("/nowhere"), paths=())
TRUE = next(path for path in ("/bin/true", "/usr/bin/true") if os.path.exists(path))  # noqa: PTH110


def replace_with_no_program() -> None:
    # a program that is there would end the tests
    with suppress(FileNotFoundError):
        os.execv("/nowhere/program", ["program"])


def copy_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def copy_process_with_terminal() -> None:
    child, terminal = os.forkpty()
    if child == 0:
        os._exit(0)
    os.close(terminal)
    os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("act", "seen"),
    [
        (lambda: subprocess.run([TRUE], check=True), "true"),
        (lambda: os.system(f"{TRUE} twice"), f"{TRUE} twice"),
        (lambda: os.waitpid(os.posix_spawn(TRUE, ["true"], os.environ), 0), "true"),
        (replace_with_no_program, "program"),
        (copy_process, "a copy of its own process"),
        (copy_process_with_terminal, "a copy of its own process"),
    ],
)
def test_a_program_that_is_started_is_a_caveat(act: Callable[[], object], seen: str) -> None:
    with watch_process() as touched:
        act()
    assert [each for each in caveats(touched, NOTHING_ALLOWED) if each.kind == "process"] == [
        Caveat(kind="process", what=seen)
    ]


def test_a_run_that_connects_by_address_says_so(tiny: Tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = (
            "import socket\n    with socket.socket() as by_address:\n"
            f"        by_address.connect(('127.0.0.1', {port}))"
        )
        tiny.edit("helper.py", "    return", f"    {connect}\n    return")
        tiny.run()
    (trained,) = (each for each in open_store(tiny.root / ".relet").runs() if each.component == "train")
    assert Caveat(kind="network", what=f"127.0.0.1:{port}") in trained.caveats
