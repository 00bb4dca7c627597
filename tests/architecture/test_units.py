"""A unit test that starts a process, or asks another machine, fails and is named."""

import subprocess
import sys
from pathlib import Path

import pytest

RULE = Path(__file__).parents[1] / "unit" / "conftest.py"
TESTS = """
import os, socket, subprocess, sys
import pytest

def connect(address):
    with socket.socket() as one:
        one.setblocking(False)
        one.connect_ex(address)

@pytest.fixture
def started():
    return subprocess.run([sys.executable, "-c", ""], check=True)

def test_of_a_program(): subprocess.run([sys.executable, "-c", ""], check=True)
def test_of_a_program_whose_start_is_caught():
    try:
        subprocess.run(["no-such-program"])
    except OSError:
        pass
def test_of_a_shell(): os.system("exit 0")
def test_of_a_copy():
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
def test_of_a_fixture(started): pass
def test_of_another_machine(): connect(("192.0.2.1", 9))

def test_alone(): pass
def test_of_this_machine(): connect(("127.0.0.1", 9))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("project")
    (folder / "conftest.py").write_bytes(RULE.read_bytes())
    (folder / "test_some.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("of_a_program", "subprocess.Popen"),
        ("of_a_program_whose_start_is_caught", "subprocess.Popen"),
        ("of_a_shell", "os.system"),
        ("of_a_copy", "os.fork"),
        ("of_a_fixture", "subprocess.Popen"),
        ("of_another_machine", "socket.connect"),
    ],
)
@pytest.mark.sampled
def test_a_unit_test_that_does_not_stay_by_itself_fails(said: str, name: str, event: str) -> None:
    assert f"test_{name} is a unit test and does this: {event}" in said


def test_one_that_does_passes(said: str) -> None:
    assert "2 passed" in said
