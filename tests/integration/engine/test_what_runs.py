"""What runs after a change: the table in the README, one test each."""

from __future__ import annotations

import os
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.tiny_project import Tiny

EVERYTHING = ["get", "clean", "check", "train"]


@pytest.fixture
def after_a_run(tiny: Tiny) -> Tiny:
    assert tiny.ran() == EVERYTHING
    return tiny


def test_nothing_changed_nothing_runs(after_a_run: Tiny) -> None:
    assert after_a_run.ran() == []


def test_a_comment_docstring_or_formatting_runs_nothing(after_a_run: Tiny) -> None:
    after_a_run.edit("helper.py", "def mean(values):", "# about means\n\n\ndef mean( values ):")
    after_a_run.edit("steps/train.py", "'''Fit something.'''", "'''Fit something else.'''")
    assert after_a_run.ran() == []


def test_a_file_that_no_component_imports_runs_nothing(after_a_run: Tiny) -> None:
    after_a_run.path("unused.py").write_text("x = 2\n")
    assert after_a_run.ran() == []


def test_a_helper_that_training_calls_runs_training_and_nothing_else(after_a_run: Tiny) -> None:
    after_a_run.edit("helper.py", "float(values.sum()) / len(values)", "float(values.median())")
    outcome = after_a_run.run()
    assert [each.component for each in outcome.results if each.action == "run"] == ["train"]
    assert "pipelines.tiny.helper" in outcome.results[-1].reason


def test_a_function_that_no_step_calls_runs_nothing(after_a_run: Tiny) -> None:
    for name in ("helper.py", "steps/train.py"):
        path = after_a_run.path(name)
        path.write_text(f"{path.read_text()}\n\ndef unused(values):\n    return values\n")
    assert after_a_run.ran() == []
    after_a_run.edit("helper.py", "    return values\n", "    return sum(values)\n")
    assert after_a_run.ran() == []


def test_the_edited_helper_is_what_runs_in_the_same_process(after_a_run: Tiny) -> None:
    after_a_run.edit("helper.py", "float(values.sum()) / len(values)", "100.0")
    assert after_a_run.run().metrics["mae"] == 200.0


def test_one_parameter_runs_the_steps_it_feeds_and_what_follows(after_a_run: Tiny) -> None:
    assert after_a_run.ran("etl.low=3") == ["clean", "check", "train"]
    assert after_a_run.ran("etl.low=3", "modeling.factor=3") == ["train"]
    assert after_a_run.ran() == []


def test_a_check_of_the_suite_runs_the_check(after_a_run: Tiny) -> None:
    after_a_run.path("checks/limit.sql").write_text("select 2\n")
    assert after_a_run.ran() == ["check"]


def test_other_content_behind_the_same_path_runs_everything(tiny: Tiny) -> None:
    source = tiny.root / "rows.csv"
    source.write_text("n,name\n5,a\n6,b\n")
    assert tiny.ran(f"etl.source={source}") == EVERYTHING
    assert tiny.ran(f"etl.source={source}") == []
    source.write_text("n,name\n5,a\n7,b\n")
    assert tiny.ran(f"etl.source={source}") == EVERYTHING


def test_the_same_content_behind_another_path_runs_nothing(tiny: Tiny) -> None:
    for name in ("one.csv", "two.csv"):
        (tiny.root / name).write_text("n,name\n5,a\n6,b\n")
    assert tiny.ran(f"etl.source={tiny.root / 'one.csv'}") == EVERYTHING
    assert tiny.ran(f"etl.source={tiny.root / 'two.csv'}") == []


def test_other_content_behind_the_same_url_runs_everything(tiny: Tiny) -> None:
    (tiny.root / "rows.csv").write_text("n,name\n5,a\n6,b\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"etl.source='http://127.0.0.1:{server.server_port}/rows.csv'"
        assert tiny.ran(url) == EVERYTHING
        assert tiny.ran(url) == []
        then = (tiny.root / "rows.csv").stat().st_mtime
        (tiny.root / "rows.csv").write_text("n,name\n5,a\n9,b\n")
        # changed again within the second that the server's Last-Modified names
        os.utime(tiny.root / "rows.csv", (then, then))
        assert tiny.ran(url) == EVERYTHING
    finally:
        server.shutdown()
        server.server_close()


def test_a_step_whose_new_outputs_equal_its_old_ones_runs_nothing_after_it(after_a_run: Tiny) -> None:
    after_a_run.edit("steps/clean.py", 'sample["n"] >= low', 'sample["n"] > low - 1')
    assert after_a_run.ran() == ["clean"]
    assert after_a_run.run().results[1].outputs["clean_sample"].number == 1


def test_a_package_in_another_version_runs_what_imports_it(
    after_a_run: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    from relet.core.installed import Distributions

    installed = Distributions.installed()
    other = {**installed.found, "pandas": ("99.0", installed.found["pandas"][1])}
    monkeypatch.setattr(Distributions, "installed", classmethod(lambda cls: cls(other)))
    outcome = after_a_run.run()
    assert outcome.results[0].reason == f"pandas {installed.found['pandas'][0]} → 99.0"


def test_going_back_to_old_parameters_skips_and_makes_the_old_version_latest(after_a_run: Tiny) -> None:
    after_a_run.run("etl.low=3")
    outcome = after_a_run.run()
    assert [str(each.action) for each in outcome.results] == ["skip"] * 4
    from relet.store import open_store

    store = open_store(after_a_run.root / ".relet")
    assert store.aliases("clean_sample")["latest"] == 1
    assert [move.number for move in store.alias_history("clean_sample", "latest")] == [1, 2, 1]


def test_only_the_steps_asked_for_run_on_what_is_stored(after_a_run: Tiny) -> None:
    assert after_a_run.actions("modeling.factor=5", steps=["train"]) == {"train": "run"}
