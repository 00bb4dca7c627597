"""What components printed is kept with their runs, and so is the traceback of one that failed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from relet.engine import own_interpreter
from relet.engine.printed import KEPT
from relet.store import open_store
from tests.command import relet
from tests.sums_project import Sums

PRINTS = """
    import ctypes, os, sys
    print("by Python")
    print("to standard error", file=sys.stderr)
    os.write(1, b"by the system\\n")
    ctypes.CDLL(None).printf(b"by a library\\n")
"""


def prints(sums: Sums, code: str) -> None:
    sums.edit("helper.py", "    return", f"{code.rstrip()}\n    return")


def test_what_a_component_prints_by_any_means_is_kept(sums: Sums, capfd: pytest.CaptureFixture[str]) -> None:
    prints(sums, PRINTS)
    # One that an earlier test has started passes on to that test's standard error.
    own_interpreter.end()
    sums.run()
    passed_on = capfd.readouterr().err
    status, out, _ = relet(capfd, "logs", "add")
    assert status == 0
    heading, took, *lines = out.splitlines()
    assert heading.startswith("add  finished  run ")
    assert took.split() == ["took", "sums/drawn:v1"]
    assert sorted(lines) == ["by Python", "by a library", "by the system", "to standard error"]
    assert set(lines) <= set(passed_on.splitlines())


def test_an_error_is_kept_with_its_whole_traceback_and_the_last_run_is_shown_without_a_word(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    prints(sums, "    print('so far')\n    {}['x']")
    assert relet(capsys, "run", "sums")[0] == 1
    out = relet(capsys, "logs")[1]
    assert out.index("draw  finished") < out.index("add  failed") < out.index("so far") < out.index("Traceback")
    assert f'File "{sums.path("helper.py")}", line ' in out
    assert out.endswith("KeyError: 'x'\n")
    assert "relet/engine/" not in out


def test_a_skipped_component_has_the_log_of_the_run_that_made_its_outputs(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    prints(sums, "    print('once')")
    first = sums.record(sums.run(), "add").id
    sums.run()
    logs = json.loads(relet(capsys, "logs", "--json")[1])["logs"]
    assert [(each["component"], each["text"]) for each in logs] == [("draw", ""), ("add", "once\n")]
    assert logs[1]["run_id"] == first
    assert (
        relet(capsys, "logs", "sums:v1")[1] == relet(capsys, "logs", "add")[1] == relet(capsys, "logs", first)[1]
    )


def test_the_words_of_a_process_that_was_killed_are_kept(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    prints(sums, "    import os\n    print('last words')\n    os.kill(os.getpid(), 11)")
    assert relet(capsys, "run", "sums")[0] == 1
    assert relet(capsys, "logs", "add")[1].endswith("\nlast words\n")


def test_of_very_much_output_the_beginning_and_the_end_are_kept_whole(
    sums: Sums, capfd: pytest.CaptureFixture[str]
) -> None:
    prints(sums, f"    for n in range({KEPT // 5}):\n        print('line', n, 'x' * 10)")
    sums.run()
    lines = relet(capfd, "logs", "add")[1].splitlines()[2:]
    assert lines[0] == f"line 0 {'x' * 10}"
    assert lines[-1] == f"line {KEPT // 5 - 1} {'x' * 10}"
    assert sum("bytes are left out" in each for each in lines) == 1
    assert sum(map(len, lines)) < 3 * KEPT


def test_a_log_holds_no_credentials_and_commands_no_terminal(
    sums: Sums, capfd: pytest.CaptureFixture[str]
) -> None:
    prints(sums, "    print('\\x1b]0;title\\x07 from https://ana:secret@example.org/x?token=abc')")
    sums.run()
    assert "\x1b]" not in relet(capfd, "logs", "add")[1]
    record = next(each for each in sums.store.runs() if each.component == "add")
    assert b"secret" not in sums.store.read_object(str(record.log))


def test_a_collection_of_garbage_keeps_logs(sums: Sums, capfd: pytest.CaptureFixture[str]) -> None:
    prints(sums, "    print('kept')")
    sums.run()
    assert relet(capfd, "artifacts", "gc", "--older-than", "0")[0] == 0
    assert relet(capfd, "logs", "add")[1].endswith("\nkept\n")


def test_without_a_run_it_says_so(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    open_store(sums.root / ".relet").put_object(b"x")
    assert "nothing has run yet" in relet(capsys, "logs")[2]
    sums.run()
    assert "holds no run 'nowhere'" in relet(capsys, "logs", "nowhere")[2]


def test_a_component_sees_a_terminal_where_there_is_one(sums: Sums) -> None:
    prints(sums, "    import os, sys\n    print('terminal', sys.stderr.isatty(), os.get_terminal_size(2).columns)")
    ours, theirs = pty.openpty()
    from fcntl import ioctl
    from struct import pack
    from termios import TIOCSWINSZ

    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 40, 123, 0, 0))
    run = subprocess.Popen([sys.executable, "-P", "-m", "relet", "run", "sums"], stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the terminal's other side is closed
        pass
    assert run.wait(30) == 0
    assert b"terminal True 123\r\n" in seen
    record = next(each for each in sums.store.runs() if each.component == "add")
    assert sums.store.read_object(str(record.log)) == b"terminal True 123\n"


def test_a_sweep_shows_each_log_once_under_the_first_trial_that_has_it(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    prints(sums, "    print('adding')")
    conf = sums.path("conf/config.yaml")
    conf.write_text(conf.read_text() + "search: {metric: total, direction: minimize}\n")
    assert relet(capsys, "run", "sums", "-m", "scale=3,1", "workers=1")[0] == 0
    sweep = next(each for each in open_store(sums.root / ".relet").runs() if each.parent is None)
    logs = json.loads(relet(capsys, "logs", sweep.id, "--json")[1])["logs"]
    assert [(each["trial"], each["component"], each["text"]) for each in logs] == [
        (1, "draw", ""),
        (1, "add", "adding\n"),
        (2, "add", "adding\n"),
    ]
    shown = relet(capsys, "logs")[1]
    assert shown == relet(capsys, "logs", sweep.id)[1]
    assert [line.split("  run ")[0] for line in shown.splitlines() if "finished" in line] == [
        "trial 1  draw  finished",
        "trial 1  add  finished",
        "trial 2  add  finished",
    ]
