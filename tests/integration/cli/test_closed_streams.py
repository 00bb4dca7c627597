"""Streams that the caller has closed, or that can't be written to, as under cron and service managers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.sums_project import Sums

RUN = f"{sys.executable} -P -m relet run sums"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.sampled
def test_a_run_goes_on_without_streams_and_keeps_what_is_printed(sums: Sums, closed: str) -> None:
    sums.edit("helper.py", "    return", "    print('printed')\n    return")
    done = shell(f"{RUN} {closed}")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    record = next(each for each in sums.store.runs() if each.component == "add")
    assert sums.store.read_object(str(record.log)) == b"printed\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
def test_an_output_that_can_not_be_written_is_said_in_a_line(sums: Sums) -> None:
    done = shell(f"{RUN} > /dev/full")
    assert (done.returncode, done.stderr) == (
        1,
        "relet: what it prints can't be written: No space left on device\n",
    )


@pytest.mark.long
def test_an_interrupted_step_keeps_what_it_had_printed(sums: Sums) -> None:
    began = sums.root / "began"
    sums.edit(
        "helper.py",
        "    return",
        f"    import time\n    print('so far')\n    open({str(began)!r}, 'w').close()\n"
        "    time.sleep(60)\n    return",
    )
    run = subprocess.Popen([*RUN.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0)
    while not began.exists():
        assert run.poll() is None
    # as `timeout` and service managers do, to the whole group
    os.killpg(run.pid, signal.SIGTERM)
    assert b"goes on from here" in run.communicate(timeout=30)[0]
    assert run.returncode == 143
    record = next(each for each in sums.store.runs() if each.component == "add")
    assert (str(record.status), sums.store.read_object(str(record.log))) == ("interrupted", b"so far\n")


@pytest.mark.long
def test_a_child_that_goes_on_printing_holds_no_run_back(sums: Sums) -> None:
    sums.edit(
        "helper.py",
        "    return",
        "    import subprocess\n    subprocess.Popen(['timeout', '20', 'yes'])\n    return",
    )
    run = subprocess.Popen(RUN.split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # nobody reads what it prints
    assert run.wait(30) == 0
    assert run.stderr is not None
    run.stderr.close()
    assert [str(each.status) for each in sums.store.runs()] == ["finished"] * 3
