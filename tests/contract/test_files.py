"""A file that several processes share is whole at any time, and one of them at a time has it for itself."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relet.files import lock_holder, locked, locked_for_children, replacing, write_whole

HOLD = """
import errno, fcntl, signal, sys
from pathlib import Path
from relet.files import locked

def missing(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")

if sys.argv[2] == "without flock":
    fcntl.flock = missing
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


@contextmanager
def holder(path: Path, kind: str = "flock") -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the lock until it is killed."""
    command = [sys.executable, "-W", "ignore", "-c", HOLD, str(path), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["flock", "without flock"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both kinds of file systems; on the second, the file's existence is the lock."""
    if request.param == "without flock":

        def missing(*_: object) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", missing)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flock not supported")
        yield request.param


def test_a_file_is_replaced_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        part.write_bytes(b"half of the n")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_and_writers_at_once_see_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = {bytes([number]) * 100_000 for number in range(4)}
    write_whole(path, min(contents))
    over = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not over.is_set():
            seen.append(path.read_bytes())

    def write(content: bytes) -> None:
        for _ in range(50):
            write_whole(path, content)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    reader.join()
    assert set(seen) <= contents and seen
    assert list(tmp_path.iterdir()) == [path]


def test_one_thread_at_a_time_holds_a_lock(kind: str, tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with locked(tmp_path / "lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_who_waits_too_long_is_told_and_can_name_the_holder(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, kind) as process:
        since = time.monotonic()
        with pytest.raises(TimeoutError), locked(path, timeout=0.2):
            pass
        assert time.monotonic() - since >= 0.2
        assert lock_holder(path) == str(process.pid)


def test_a_lock_whose_holder_was_killed_is_free(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, kind) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked(path, timeout=10):
            assert lock_holder(path) == str(os.getpid())


def test_a_lock_that_was_never_held_names_nobody(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "lock") == "unknown"
    (tmp_path / "lock").write_text("")
    assert lock_holder(tmp_path / "lock") == "unknown"


def test_a_child_that_inherits_a_lock_holds_it_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    told: list[str] = []
    with locked_for_children(path) as held:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[held])
    with child:
        with pytest.raises(TimeoutError), locked(path, timeout=0.1):
            pass
        assert child.stdin is not None
        ending = threading.Timer(0.3, child.stdin.close)
        ending.start()
        with locked_for_children(path, waiting=lambda: told.append("waits")):
            assert child.wait(10) is not None
    assert told == ["waits"]


def test_a_child_that_inherits_nothing_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked_for_children(path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child, locked(path, timeout=10):
        assert child.poll() is None
        child.kill()
