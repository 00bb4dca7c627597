"""Runs made again: what is different, and which components do what they should not."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from relet.reproduction import keep
from tests.integration.reproduction.tampering import AGAIN, does_again, edit_record
from tests.sums_project import Sums, likenesses, step


def test_an_edited_seed_in_the_record_is_named(sums: Sums) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "draw").id, lambda record: record["parameters"].update(seed=43))
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "DIVERGED", "add": "DIVERGED"}
    assert found.reason.startswith("draw is the first step that differs (its inputs were equal): drawn: ")
    assert found.reason.endswith("; different was: seed 42 → 43")
    assert not step(found, "add").inputs_equal


@pytest.mark.parametrize(
    ("change", "said"),
    [({"scale": "fast"}, "takes a number, got 'fast'"), ({"scael": 1}, r"did you mean scale\?")],
)
def test_parameters_that_do_not_fit_the_recorded_code_are_named(
    sums: Sums, change: dict[str, Any], said: str
) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record["parameters"].update(change))
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("the parameters in the record of run ")
    assert re.search(said, found.reason)


def test_an_edited_helper_that_was_hidden_from_git_is_named(sums: Sums) -> None:
    sums.git("update-index", "--assume-unchanged", "pipelines/sums/helper.py")
    sums.edit("helper.py", "float(", "1 + float(")
    outcome = sums.run()
    # the tree holds what ran, whatever git believes
    assert sums.again(outcome).likeness == "IDENTICAL"
    # a record of an older relet has the commit alone
    run_id = edit_record(sums, outcome.run_id, lambda record: record["code"].update(tree=None))
    found = sums.again(run_id)
    assert found.likeness == "DIVERGED"
    assert found.reason.endswith("different was: code of pipelines.sums.helper:total changed")


def test_another_version_of_a_package_is_named(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path_factory.mktemp("packages")
    (packages / "six.py").write_text("ninth = 9\n")
    (packages / "six-9.9.dist-info").mkdir()
    (packages / "six-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: six\nVersion: 9.9\n")
    (packages / "six-9.9.dist-info" / "RECORD").write_text("six.py,,\n")
    sums.edit("helper.py", "    return float(", "    import six\n    return getattr(six, 'ninth', 0) + float(")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.delitem(sys.modules, "six", raising=False)
    outcome = sums.run()
    monkeypatch.undo()
    os.chdir(sums.root)
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert "different was: six 9.9 → 1." in found.reason


def test_thread_counts_are_as_recorded_unless_the_caller_sets_others(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = "    import os\n    return float(os.environ.get('OMP_NUM_THREADS', 0)) + float("
    sums.edit("helper.py", "    return float(", threads)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outcome = sums.run()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert sums.again(outcome).likeness == "IDENTICAL"
    monkeypatch.setenv("OMP_NUM_THREADS", "2000")
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert found.reason.endswith("different was: OMP_NUM_THREADS 1 → 2000")


@pytest.mark.parametrize("code", ["__import__('time').time_ns()", "1000 * __import__('random').random()"])
def test_a_step_that_reads_the_clock_or_draws_without_a_seed_diverges_with_advice(sums: Sums, code: str) -> None:
    sums.edit("helper.py", "float(", f"{code} + float(")
    found = sums.again(sums.run())
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "DIVERGED"}
    assert found.reason.startswith("add is the first step that differs (its inputs were equal): ")
    assert found.reason.endswith(
        "nothing that is recorded was different: `relet run --check-determinism` looks for what is not"
    )


def test_numbers_within_the_declared_tolerance_are_equivalent(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("EQUIVALENT", {"draw": "IDENTICAL", "add": "EQUIVALENT"})
    assert found.reason.startswith("add: sums within its tolerance of 0.01 (largest difference 0.00")
    assert (found.likeness.exit_status, found.verdict().passed) == (0, True)


def test_numbers_beyond_the_tolerance_diverge_whatever_the_working_tree_says_by_now(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    sums.edit("add.py", '{"sums": 0.01}', '{"sums": 100.0, "report": 100.0}')
    sums.commit()
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("DIVERGED", {"draw": "IDENTICAL", "add": "DIVERGED"})
    assert "sums: total: " in found.reason


def test_a_step_that_takes_what_is_merely_equivalent_is_held_to_its_own_tolerance(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run("main.evaluate=true")
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "EQUIVALENT", "rate": "DIVERGED"}
    assert not step(found, "rate").inputs_equal
    assert found.reason.startswith(
        "rate is the first step that differs (its inputs were within their tolerance, not equal): rating: total: "
    )
    assert found.reason.endswith("; how much may come of that, @component(tolerance=…) of rate says beforehand")


def test_a_number_that_meets_none_leaves_the_verdict_readable_as_json(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("add.py", "str(round(value))", "'x'")
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "nan")
    found = sums.again(outcome)
    version = keep(found, sums.store)
    stored = sums.store.read_object(version.files["reproduction.json"]).decode()
    told = json.loads(stored, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (told["likeness"], found.likeness) == ("DIVERGED", "DIVERGED")


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 1_000_000)",
        "print('{\"outputs\": {}}', flush=True)",
        "os.write(1, b'{\"outputs\": {}}\\n')",
        "os.system('echo {}; read word')",
        "assert __import__('sys').stdin.read() == ''",
        "os.chdir('/')",
        "__import__('threading').Thread(target=__import__('time').sleep, args=(60,), daemon=True).start()",
        "__import__('multiprocessing').get_context('fork').Process(target=print, args=('x',)).start()",
    ],
    ids=["much", "stdout", "descriptor", "program", "stdin", "folder", "thread", "fork"],
)
@pytest.mark.long
def test_what_a_component_does_to_its_process_breaks_nothing(sums: Sums, code: str) -> None:
    found = sums.again(does_again(sums, code))
    assert (found.likeness, found.reason) == (
        "IDENTICAL",
        "every digest is equal, of 3 outputs of 2 steps",
    )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise ValueError('no sum')", "add raised ValueError: no sum"),
        ("raise SystemExit('enough')", "SystemExit: enough"),
        ("raise ValueError('\\udcff')", "add raised ValueError: \\udcff"),
        ("print('last words', flush=True); os._exit(7)", "add ended its process with status 7: last words"),
        ("os.kill(os.getpid(), 9)", "add was ended by SIGKILL (no memory left?)"),
        (
            "if not os.fork():\n    __import__('time').sleep(20)\n    os._exit(0)\nos._exit(3)",
            "add ended its process with status 3",
        ),
        ("if not os.fork():\n    raise SystemExit\n__import__('time').sleep(0.3)\nos._exit(3)", "status 3"),
    ],
    ids=["error", "exit", "surrogate", "_exit", "killed", "fork outlives", "fork goes on"],
)
@pytest.mark.long
def test_a_step_that_can_not_be_made_again_says_why(sums: Sums, code: str, error: str) -> None:
    found = sums.again(does_again(sums, code))
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "DIVERGED"}
    assert error in step(found, "add").error
    assert found.reason.startswith("add is the first step that differs (its inputs were equal): it was not made: ")
    keep(found, sums.store)


def test_an_error_belongs_to_the_step_that_raised_it(sums: Sums) -> None:
    fails = f"    import os\n    if {AGAIN}:\n        raise ValueError('add')\n    numbers = [random"
    sums.edit("draw.py", "    numbers = [random", fails)
    found = sums.again(sums.run())
    assert step(found, "draw").error == "draw raised ValueError: add"
    assert step(found, "add").error == "draw failed before it"
    assert found.reason.startswith("draw is the first step")


def test_ctrl_c_is_no_verdict_and_does_not_wait_for_the_step(sums: Sums) -> None:
    # the parent of the process that this one is a copy of
    above = "int(open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1])"
    outcome = does_again(sums, f"os.kill({above}, 2)\n__import__('time').sleep(60)")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sums.again(outcome)
    assert time.monotonic() - began < 30
    assert "reproduction" not in sums.store.names()


def test_the_callers_environment_does_not_leak_in(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "SOME_SETTING",
        "PYTHONPATH",
        "MLFLOW_RUN_ID",
        "RELET_STORE",
        "RELET_PROJECT",
        "XDG_CACHE_HOME",
        "GIT_DIR",
    )
    outcome = does_again(sums, f"raise ValueError([os.environ.get(n) for n in {secrets}], os.environ['HOME'])")
    for name in secrets:
        monkeypatch.setenv(name, str(sums.root))
    error = step(sums.again(outcome), "add").error
    assert str(sums.root) not in error
    assert str(Path.home()) not in error
    assert "relet-reproduce-" in error


def test_two_reproductions_at_once_do_not_meet(sums: Sums) -> None:
    runs = [sums.run(), sums.run("count=5")]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(sums.again, runs))
    assert [each.likeness for each in found] == ["IDENTICAL", "IDENTICAL"]
    assert {str(keep(each, sums.store)) for each in found} == {"reproduction:v1", "reproduction:v2"}
