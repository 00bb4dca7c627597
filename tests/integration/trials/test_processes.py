"""The processes that run trials: they share the processors, are replaced when they die, and never stay behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from relet.core.record import RunKind, Status
from relet.errors import SettingError
from relet.project.request import prepare
from relet.trials import group, pool
from relet.trials.pool import PlannedTrial, TrialPool, TrialResult, available_processors
from tests.integration.trials.sweeps import Noting, left_behind, own_workers, runs_of, sweep_of, swept
from tests.sums_project import Sums


@pytest.mark.parametrize("killed", ["os.getpid()", "os.getppid()"], ids=["of the call", "copied for calls"])
def test_a_process_that_dies_is_replaced_and_its_trial_run_once_more(
    adding: Sums, tmp_path: Path, killed: str
) -> None:
    adding.edit(
        "add.py",
        "value = scale",
        f"mark = Path({str(tmp_path / 'mark')!r})\n"
        "    if scale == 2 and not mark.exists():\n"
        "        mark.touch()\n"
        f"        os.kill({killed}, 9)\n"
        "    value = scale",
    )
    watch = Noting()
    outcome = swept("scale=1,2,3", "workers=2", watch=watch)
    assert [str(each.status) for each in outcome.tried] == ["finished"] * 3
    assert any("SIGKILL" in what and "runs once more" in what for number, what in watch.did if number == 2)
    assert len([each for each in adding.store.runs() if each.parent == outcome.run_id]) == 3


def test_a_trial_whose_process_dies_twice_has_failed_and_its_record_says_so(adding: Sums) -> None:
    adding.edit("add.py", "value = scale", "scale == 2 and os.kill(os.getpid(), 9)\n    value = scale")
    outcome = swept("scale=1,2,3", "workers=2")
    assert [str(each.status) for each in outcome.tried] == ["finished", "failed", "finished"]
    assert "was ended by SIGKILL (no memory left?), 2 times" in outcome.tried[1].error
    record = adding.store.run(str(outcome.tried[1].run_id))
    assert (record.status, record.ended is not None) == (Status.FAILED, True)
    assert outcome.exit_status == 1


class Killing(Noting):
    """Kills the process of the first trial, so many times, while its component `add` runs."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def doing(self, trial: PlannedTrial, what: str) -> None:
        super().doing(trial, what)
        if (trial.number, what) == (1, "add") and self.times:
            self.times -= 1
            for each in own_workers():
                os.kill(each, signal.SIGKILL)


@pytest.mark.long
def test_a_trial_whose_own_process_is_killed_is_run_once_more_by_another(adding: Sums) -> None:
    adding.edit("add.py", "value = scale", "import time; time.sleep(1)\n    value = scale")
    watch = Killing(times=1)
    (tried,) = swept("scale=3", "workers=1", watch=watch).tried
    assert tried.finished
    told = "its process was ended by SIGKILL (no memory left?); it runs once more"
    assert [what for _, what in watch.did] == ["draw", "add", told, "add"]


def test_a_trial_whose_own_process_is_killed_twice_has_failed_and_its_record_says_so(adding: Sums) -> None:
    adding.edit("add.py", "value = scale", "import time; time.sleep(1)\n    value = scale")
    outcome = swept("scale=3", "workers=1", watch=Killing(times=2))
    (tried,) = outcome.tried
    reason = "its process was ended by SIGKILL (no memory left?), 2 times"
    assert (tried.status, tried.error, tried.exit_status, tried.lost) == (Status.FAILED, reason, 1, True)
    record = adding.store.run(str(tried.run_id))
    assert (record.status, record.message, record.ended is not None) == (Status.FAILED, reason, True)
    assert outcome.exit_status == 1
    assert own_workers() == left_behind() == []


@pytest.mark.parametrize(
    ("program", "seconds", "status", "error", "exit_status"),
    [
        (("false",), 60.0, Status.FAILED, "its process ended with status 1, 2 times", 1),
        (("sleep", "60"), 0.5, Status.INTERRUPTED, "interrupted", 130),
    ],
    ids=["before its run begins", "after the deadline"],
)
def test_a_process_that_never_answers_gives_a_result_without_a_run(
    adding: Sums,
    monkeypatch: pytest.MonkeyPatch,
    program: tuple[str, ...],
    seconds: float,
    status: Status,
    error: str,
    exit_status: int,
) -> None:
    monkeypatch.setattr(pool, "PROGRAM", program)
    sweep = sweep_of("scale=1.0,2.0")
    going = group.begin(sweep.job, RunKind.SEARCH, {})
    told: list[str] = []
    with TrialPool(
        sweep.order, sweep.job, workers=1, parent=going.record, tell=lambda trial, what: told.append(what)
    ) as trials:
        (tried,) = trials.run([PlannedTrial(number=1)], deadline=time.monotonic() + seconds)
    assert (tried.status, tried.error, tried.exit_status) == (status, error, exit_status)
    assert (tried.run_id, tried.lost) == (None, True)
    assert len(told) == (status is Status.FAILED)


def test_code_that_is_edited_while_a_process_holds_it_is_run_by_another(adding: Sums, tmp_path: Path) -> None:
    # as planning says of a configuration that is edited while it is read
    adding.edit(
        "add.py",
        "value = scale",
        "from relet.errors import EditedError\n"
        f"    mark = Path({str(tmp_path / 'mark')!r})\n"
        "    if scale == 2 and not mark.exists():\n"
        "        mark.touch()\n"
        "        raise EditedError('relet.x was edited')\n"
        "    value = scale",
    )
    outcome = swept("scale=1,2,3", "workers=1")
    assert [str(each.status) for each in outcome.tried] == ["finished"] * 3


def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(adding: Sums) -> None:
    adding.edit("add.py", "value = scale", "import time; time.sleep(60 if scale > 1 else 0)\n    value = scale")

    class Interrupting(Noting):
        def tried(self, tried: TrialResult) -> None:
            super().tried(tried)
            if tried.finished:
                threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    began = time.monotonic()
    outcome = swept("scale=1,2,3,4", "workers=2", watch=Interrupting())
    assert time.monotonic() - began < 30
    assert [str(each.status) for each in outcome.tried] == ["finished", "interrupted", "interrupted"]
    assert (outcome.status, outcome.exit_status) == (Status.INTERRUPTED, 130)
    assert adding.store.run(outcome.run_id).status is Status.INTERRUPTED
    assert {adding.store.run(str(each.run_id)).status for each in outcome.tried[1:]} == {Status.INTERRUPTED}
    # written by the trials' own processes, which were interrupted rather than killed
    steps = [each for each in adding.store.runs() if each.component == "add"]
    assert Counter(each.status for each in steps) == {Status.FINISHED: 1, Status.INTERRUPTED: 2}
    assert left_behind() == []


def test_a_process_whose_asker_was_killed_ends_silently_and_closes_the_record_of_the_sweep(adding: Sums) -> None:
    adding.edit("draw.py", "numbers = [random", "import time; time.sleep(60)\n    numbers = [random")
    command = [sys.executable, "-P", "-m", "relet", "run", "sums", "-m", "scale=1,2", "workers=1", "--json"]
    asker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert asker.stdout is not None and asker.stderr is not None
    assert any('"doing"' in line for line in asker.stdout)
    asker.kill()
    # its processes hold the other end, too: it is at its end when they are
    assert asker.stderr.read() == ""
    asker.communicate()
    assert {each.status for each in adding.store.runs()} == {Status.INTERRUPTED}
    (sweep,) = [each for each in adding.store.runs() if each.kind is RunKind.SWEEP]
    assert (sweep.message, sweep.ended is not None) == ("its process was ended", True)


def test_a_trials_processes_share_the_processors(adding: Sums, tmp_path: Path) -> None:
    adding.edit(
        "add.py",
        "value = scale",
        f"Path({str(tmp_path)!r}, f'threads{{scale}}').write_text(os.environ['OMP_NUM_THREADS'])\n"
        "    value = scale",
    )
    swept("scale=1.0,2.0", "workers=2")
    assert (tmp_path / "threads1.0").read_text() == str(max(1, available_processors() // 2))


def test_what_a_component_prints_disturbs_nothing(adding: Sums) -> None:
    adding.edit("add.py", "value = scale", 'print(\'{"event": "tried"}\', flush=True)\n    value = scale')
    assert swept("scale=1,2", "workers=2").exit_status == 0


def test_a_pool_may_be_asked_again_and_its_processes_stay(adding: Sums, tmp_path: Path) -> None:
    adding.edit(
        "add.py",
        "value = scale",
        # the process that this one is a copy of, which the trial's process keeps
        f"Path({str(tmp_path)!r}, f'process{{scale}}').write_text(str(os.getppid()))\n    value = scale",
    )
    sweep = sweep_of("scale=1.0,2.0")
    going = group.begin(sweep.job, RunKind.SEARCH, {})
    with TrialPool(sweep.order, sweep.job, workers=1, parent=going.record) as trials:
        for scale in ("1.0", "2.0"):
            (tried,) = trials.run([PlannedTrial(number=1, overrides=(f"scale={scale}",))])
            assert tried.finished
    assert (tmp_path / "process1.0").read_text() == (tmp_path / "process2.0").read_text()
    assert left_behind() == []


@pytest.mark.long
def test_two_runs_at_once_make_no_step_twice(adding: Sums) -> None:
    adding.edit("draw.py", "numbers = [random", "import time; time.sleep(1.5)\n    numbers = [random")
    command = [sys.executable, "-P", "-m", "relet", "run", "sums"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert runs_of(adding) == {"draw": 1, "add": 1}
    assert any("waits: another run is making the same" in each for each in said)


def test_a_pool_of_no_workers_is_refused(adding: Sums) -> None:
    sweep = sweep_of("scale=1,2")
    with pytest.raises(SettingError, match="workers must be at least 1, got 0"):
        TrialPool(sweep.order, prepare(sweep.order), workers=0, parent=adding.store.run(adding.run().run_id))
