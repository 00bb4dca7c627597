"""Runs: what they record, how they end, and what is left when they end badly."""

from __future__ import annotations

import json
import pdb
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import relet
from relet.core.plan import Step
from relet.core.record import Status
from relet.engine.run import execute
from relet.errors import ComponentError, DamagedError, NotFoundError, SettingError, WiringError
from relet.project.job import SilentWatcher
from relet.project.order import Order, read_order
from relet.project.request import prepare
from relet.store import Store, open_store
from tests.tiny_project import Tiny


def store_of(tiny: Tiny) -> Store:
    return open_store(tiny.root / ".relet")


class Notes(SilentWatcher):
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)


def test_a_run_stores_each_output_and_a_record_of_each_step(tiny: Tiny) -> None:
    outcome = tiny.run()
    assert outcome.status is Status.FINISHED
    assert outcome.metrics == {"mae": 11.0, "baseline_mae": 22.0}
    store = store_of(tiny)
    assert store.names() == ["clean_sample", "drawing", "dropped", "metrics", "report", "sample", "weights"]
    records = list(store.runs())
    assert [each.component for each in records] == ["train", "check", "clean", "get", None]
    train, *_, get, parent = records
    assert {each.parent for each in records[:-1]} == {parent.id}
    assert parent.steps["train"]["outputs"]["weights"] == "weights:v1"
    assert (train.job_type, train.parameters, train.metrics["mae"]) == ("train", {"factor": 2.0}, 11.0)
    assert train.inputs["clean_sample"].version == "clean_sample:v1"
    assert get.outputs["sample"].content == store.version("sample:v1").content
    assert train.parts is not None
    assert set(train.parts.code) == {"pipelines.tiny.helper", "pipelines.tiny.steps.train"}
    assert "pandas" in train.parts.packages
    assert store.read_object(train.lock or "") == b"pandas==3\n"
    assert {"python", "platform", "cpus"} <= train.machine.keys()


def test_a_run_records_the_commit_and_what_was_not_committed(tiny: Tiny) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=tiny.root, check=True)
    clean = store_of(tiny).run(tiny.run().run_id).code
    assert clean.commit is not None
    assert not clean.dirty
    tiny.edit("helper.py", "return", "assert True\n    return")
    dirty = store_of(tiny).run(tiny.run().run_id).code
    assert (dirty.commit, dirty.dirty) == (clean.commit, True)
    assert b"+    assert True" in store_of(tiny).read_object(dirty.diff or "")


def test_code_that_git_does_not_know_is_not_committed(tiny: Tiny) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=tiny.root, check=True)
    tiny.path("new.py").write_text("x = 1\n")
    unused = store_of(tiny).run(tiny.run().run_id).code
    assert (unused.dirty, unused.uncommitted) == (False, {})
    tiny.edit("helper.py", "def ", "import pipelines.tiny.new\n\ndef ")
    code = store_of(tiny).run(tiny.run().run_id).code
    assert code.dirty
    assert code.uncommitted == {"pipelines/tiny/helper.py": "changed", "pipelines/tiny/new.py": "untracked"}


def test_the_first_batch_becomes_the_reference_and_says_so(tiny: Tiny) -> None:
    notes = Notes()
    relet.run("tiny", watch=notes)
    assert notes.notes == ["clean_sample:v1 is the first batch: it becomes clean_sample:reference"]
    tiny.run("etl.low=4")
    assert store_of(tiny).aliases("clean_sample") == {"latest": 2, "reference": 1}


def test_a_verdict_that_says_no_stops_what_consumes_what_it_judged(tiny: Tiny) -> None:
    outcome = tiny.run("check.limit=9")
    assert outcome.status is Status.STOPPED
    assert outcome.exit_status == 3
    assert [str(each.action) for each in outcome.results] == ["run", "run", "run", "waits"]
    assert outcome.results[-1].reason == "check says no"
    verdict = outcome.results[2].verdict
    assert verdict is not None
    assert verdict.checks[0].rows == ({"n": 9, "name": "row 9"},)
    store = store_of(tiny)
    assert "weights" not in store.names()
    assert "reference" not in store.aliases("clean_sample")


def test_a_named_batch_is_compared_with_itself_and_what_was_named_beside_it_is_no_first_batch(tiny: Tiny) -> None:
    tiny.run(steps=["get", "clean"])
    tiny.run("etl.rows=20", steps=["get", "clean"])
    named = read_order("tiny.check", ["clean_sample=clean_sample:v1", "reference=clean_sample:v2"])
    assert execute(prepare(named)).exit_status == 0
    assert "reference" not in store_of(tiny).aliases("clean_sample")
    assert execute(prepare(read_order("tiny.check", ["clean_sample=clean_sample:v1"]))).exit_status == 0
    assert store_of(tiny).aliases("clean_sample")["reference"] == 1


def test_what_was_refused_is_not_taken_later_because_the_check_is_left_out(tiny: Tiny) -> None:
    assert tiny.run("check.limit=9").exit_status == 3
    outcome = tiny.run(steps=["train"])
    assert (outcome.exit_status, outcome.results[0].reason) == (3, "check said no to it")
    assert "weights" not in store_of(tiny).names()
    assert tiny.run(steps=["check"]).exit_status == 0  # another limit: the last word counts
    assert tiny.run(steps=["train"]).exit_status == 0
    # an older version that a person names is taken
    assert tiny.run("check.limit=9", steps=["check"]).exit_status == 3
    alone = read_order("tiny.train", ["clean_sample=clean_sample:v1", "factor=3"])
    assert execute(prepare(alone)).exit_status == 0


def test_what_comes_after_a_step_that_was_held_back_waits_too(tiny: Tiny) -> None:
    tiny.run()
    tiny.edit("steps/score.py", 'weights: Annotated[Path, Stored("weights:prod")]', "weights: Path")
    outcome = tiny.run("check.limit=9", steps=["get", "clean", "check", "train", "score"])
    assert [str(each.action) for each in outcome.results][-2:] == ["waits", "waits"]
    assert outcome.results[-1].reason == "for weights"
    assert "scores" not in store_of(tiny).names()


def test_what_takes_the_verdict_runs_when_it_says_no_and_makes_no_reference_of_what_was_refused(
    tiny: Tiny,
) -> None:
    tiny.path("steps/tell.py").write_text(
        """
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Metrics, Stored, Verdict, component

class Told(NamedTuple):
    told: Metrics

@component(job_type="tell")
def tell(
    clean_sample: pd.DataFrame,
    report: Verdict,
    reference: Annotated[pd.DataFrame, Stored("clean_sample:reference", initially="clean_sample")],
) -> Told:
    return Told({"passed": float(report.passed), "rows": float(len(clean_sample))})
"""
    )
    tiny.edit("pipeline.py", "[get, clean, check,", "[get, clean, check, tell,")
    imported = "from relet import Pipeline"
    tiny.edit("pipeline.py", imported, f"{imported}\nfrom pipelines.tiny.steps.tell import tell")
    outcome = tiny.run("check.limit=1")
    actions = {each.component: str(each.action) for each in outcome.results}
    assert (actions["tell"], actions["train"]) == ("run", "waits")
    assert outcome.metrics["passed"] == 0
    assert "reference" not in store_of(tiny).aliases("clean_sample")
    # nor where the check is no part of the run, and its stored verdict is taken
    tiny.run("check.limit=1", steps=["get", "clean", "tell"])
    assert "reference" not in store_of(tiny).aliases("clean_sample")
    # without the check it takes what was said of the very batch that it takes, and no other verdict
    tiny.run("check.limit=100", "etl.rows=20")
    assert tiny.run("check.limit=1", "etl.rows=10", steps=["get", "clean", "tell"]).metrics["passed"] == 0
    with pytest.raises(NotFoundError, match=r"tell needs what check says of clean_sample:v3.* run check, too"):
        tiny.run("etl.rows=30", steps=["get", "clean", "tell"])


def test_a_stored_no_still_stops_when_its_step_is_skipped(tiny: Tiny) -> None:
    tiny.run("check.limit=9")
    outcome = tiny.run("check.limit=9")
    assert outcome.exit_status == 3
    assert [str(each.action) for each in outcome.results] == ["skip", "skip", "skip", "waits"]


def test_a_step_on_request_runs_when_it_is_asked_for(tiny: Tiny) -> None:
    assert "score" not in tiny.actions()
    assert tiny.actions("main.evaluate=true")["score"] == "run"
    assert tiny.run("main.evaluate=true").metrics["score"] == 11.0


def test_alone_it_takes_the_stored_version_that_its_signature_names(tiny: Tiny) -> None:
    tiny.run()
    with pytest.raises(
        NotFoundError, match=r"score needs weights:prod.*relet artifacts alias weights:latest prod"
    ):
        tiny.run(steps=["score"])
    store_of(tiny).set_alias("weights", "prod", 1, by="test", why="")
    assert tiny.run(steps=["score"]).metrics == {"score": 11.0}


def test_one_component_alone_takes_its_own_names(tiny: Tiny) -> None:
    tiny.run()
    tiny.run("etl.low=4")
    job = prepare(read_order("tiny.train", ["clean_sample=clean_sample:v1", "factor=10"]))
    outcome = execute(job)
    assert outcome.metrics["mae"] == 55.0


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["factr=10"], SettingError, r"train takes no 'factr': did you mean factor\?"),
        (["factor=fast"], SettingError, "train.factor takes a number, got 'fast'"),
        (["factor"], SettingError, "write name=value"),
        (["factor=[1"], SettingError, r"train.factor can't be read: '\[1'"),
        (["clean_sample=clean_sample:v9"], NotFoundError, "clean_sample:v9"),
    ],
)
def test_wrong_words_for_one_component_say_what_is_right(
    tiny: Tiny, words: list[str], error: type[Exception], said: str
) -> None:
    tiny.run()
    with pytest.raises(error, match=said):
        outcome = execute(prepare(read_order("tiny.train", words)))
        raise outcome.error or AssertionError("it ran")


def test_a_component_that_raises_is_named_and_what_is_finished_stays(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise ValueError('no mean')\n    return")
    with pytest.raises(ComponentError, match="train raised ValueError: no mean") as caught:
        tiny.run()
    # the trace of the process that called it: the user's own file and line
    assert f'File "{tiny.path("helper.py")}", line ' in caught.value.__notes__[0]
    failed = next(store_of(tiny).runs())
    assert (failed.component, failed.status, failed.message) == (
        "train",
        Status.FAILED,
        "ComponentError: train raised ValueError: no mean",
    )
    tiny.edit("helper.py", "raise ValueError('no mean')\n    return", "return")
    assert tiny.ran() == ["train"]


def test_a_component_that_calls_exit_has_failed(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise SystemExit(0)\n    return")
    with pytest.raises(ComponentError, match="train raised SystemExit: 0"):
        tiny.run()
    parent = next(each for each in store_of(tiny).runs() if each.parent is None)
    assert parent.status is Status.FAILED


def test_an_error_that_is_no_text_is_told_all_the_same(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise ValueError('\\udcff')\n    return")
    with pytest.raises(ComponentError, match=r"train raised ValueError: \\udcff"):
        tiny.run()


def test_pdb_opens_in_the_frame_that_raised(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[str] = []

    def look(trace: Any) -> None:
        while trace.tb_next:
            trace = trace.tb_next
        frames.append(trace.tb_frame.f_code.co_name)

    monkeypatch.setattr(pdb, "post_mortem", look)
    tiny.edit("helper.py", "return", "raise ValueError\n    return")
    with pytest.raises(ComponentError):
        relet.run("tiny", debug=True)
    assert frames == ["mean"]


def test_ctrl_c_leaves_what_is_finished(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise KeyboardInterrupt\n    return")
    outcome = execute(prepare(Order(pipeline="tiny")))
    assert outcome.status is Status.INTERRUPTED
    assert outcome.exit_status == 130
    assert [each.status for each in store_of(tiny).runs(2)] == [Status.INTERRUPTED, Status.FINISHED]
    tiny.edit("helper.py", "raise KeyboardInterrupt\n    return", "return")
    assert tiny.ran() == ["train"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return Cleaned(sample[keep].reset_index(drop=True), ", "return (", "promises the artifacts"),
        (
            "return Cleaned(sample[keep].reset_index(drop=True)",
            "return Cleaned(7",
            "clean_sample: a table was expected",
        ),
    ],
)
def test_a_component_that_breaks_its_promise_is_named(tiny: Tiny, old: str, new: str, said: str) -> None:
    tiny.edit("steps/clean.py", old, new)
    with pytest.raises(Exception, match=said):
        tiny.run()
    assert "clean_sample" not in store_of(tiny).names()


def test_a_damaged_input_is_named_and_made_again(tiny: Tiny) -> None:
    tiny.run()
    sha = store_of(tiny).version("clean_sample:v1").files["table.parquet"]
    damage(tiny.root / ".relet" / "objects" / sha[:2] / sha)
    notes = Notes()
    outcome = relet.run("tiny", "modeling.factor=3", watch=notes)
    assert [each.component for each in outcome.results if each.action == "run"] == ["clean", "train"]
    assert sha in notes.notes[0]
    assert "what made it runs again" in notes.notes[0]
    assert store_of(tiny).verify() == []
    assert store_of(tiny).version("clean_sample").number == 1


def test_a_damaged_input_that_no_selected_step_makes_is_an_error(tiny: Tiny) -> None:
    tiny.run()
    sha = store_of(tiny).version("clean_sample:v1").files["table.parquet"]
    damage(tiny.root / ".relet" / "objects" / sha[:2] / sha)
    with pytest.raises(DamagedError, match=sha):
        tiny.run("modeling.factor=3", steps=["train"])


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_two_runs_at_once_lose_no_version_and_double_no_number(tiny: Tiny) -> None:
    jobs = [prepare(Order(pipeline="tiny", overrides=(f"etl.low={low}",))) for low in (1, 3, 5, 7)]
    with ThreadPoolExecutor(len(jobs)) as threads:
        assert [outcome.error for outcome in threads.map(execute, jobs)] == [None] * len(jobs)
    versions = store_of(tiny).versions("clean_sample")
    assert [version.number for version in versions] == [1, 2, 3, 4]
    assert len({version.content for version in versions}) == 4
    assert store_of(tiny).verify() == []


class Begun(SilentWatcher):
    """A watcher that says when the first component begins."""

    def __init__(self) -> None:
        self.first = threading.Event()

    def started(self, step: Step) -> None:
        self.first.set()


# A component waits here until the test makes the file.
WAIT = """
    import os, time
    open({root!r} + "/{name}.waits", "w").close()
    while not os.path.exists({root!r} + "/{name}"):
        time.sleep(0.01)
"""


def test_a_run_that_begins_while_another_is_calling_a_component_outlives_it(tiny: Tiny) -> None:
    """What a component puts into the folder for temporary files goes with its run, and no more than that."""
    root = str(tiny.root)
    tiny.edit("steps/get.py", "'''Get the rows.'''", WAIT.format(root=root, name="got").strip())
    tiny.edit("steps/clean.py", "'''Drop the small ones.'''", WAIT.format(root=root, name="cleaned").strip())
    short = prepare(Order(pipeline="tiny", steps=("get",)))
    long = prepare(Order(pipeline="tiny", overrides=("etl.rows=11",)))
    long_begins = Begun()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(execute, short)
        while not (tiny.root / "got.waits").exists():
            assert not first.done()
        second = threads.submit(execute, long, long_begins)
        begun = long_begins.first.wait(60)
        (tiny.root / "got").touch()
        assert begun
        error = first.result(60).error
        (tiny.root / "cleaned").touch()
        assert error is None
        assert second.result(60).error is None


def test_wrong_wiring_is_an_error_before_anything_runs(tiny: Tiny) -> None:
    tiny.edit("steps/train.py", "clean_sample: pd.DataFrame", "clean_sampl: pd.DataFrame")
    with pytest.raises(WiringError, match="train takes clean_sampl"):
        tiny.run()
    assert not (tiny.root / ".relet").exists()


def test_an_unknown_step_or_pipeline_gets_the_nearest_right_name(tiny: Tiny) -> None:
    with pytest.raises(WiringError, match=r"no step 'trian': did you mean train\?"):
        tiny.run(steps=["trian"])
    with pytest.raises(NotFoundError, match=r"no pipeline 'tinny'.*did you mean tiny\?"):
        relet.run("tinny")


def test_a_resource_that_is_not_there_is_an_error_before_anything_runs(tiny: Tiny) -> None:
    tiny.edit("steps/check.py", '("checks",)', '("cheks",)')
    with pytest.raises(WiringError, match="check declares the resource 'cheks'"):
        tiny.run()


def test_artifacts_are_loaded_as_what_they_are(tiny: Tiny) -> None:
    tiny.run()
    assert list(relet.load("clean_sample:latest")["n"]) == list(range(2, 10))
    assert relet.load("clean_sample", as_="polars").height == 8
    assert relet.load("clean_sample", as_="path").suffix == ".parquet"
    assert relet.load("metrics:v1")["mae"] == 11.0
    assert relet.load("report").passed
    assert relet.load("weights").read_text() == "11.0"
    with pytest.raises(NotFoundError, match=r"clean_sampel.*clean_sample"):
        relet.load("clean_sampel")


@pytest.mark.parametrize(
    "container", ["pd.DataFrame", "pl.DataFrame", "Table", "pa.Table", "pa.RecordBatchReader", "Path"]
)
def test_a_component_gets_its_table_in_the_container_it_asks_for(tiny: Tiny, container: str) -> None:
    imports = "import polars as pl\nimport pyarrow as pa\nfrom pathlib import Path\nfrom relet import Table\n"
    tiny.edit("steps/clean.py", "import pandas as pd\n", f"import pandas as pd\n{imports}")
    tiny.edit("steps/clean.py", "sample: pd.DataFrame, *", f"sample: {container}, *")
    tiny.edit("steps/clean.py", "    keep =", "    sample = as_pandas(sample)\n    keep =")
    steps = tiny.path("steps/clean.py")
    steps.write_text(
        f"{steps.read_text()}\ndef as_pandas(sample):\n"
        "    if isinstance(sample, Path):\n        return pd.read_parquet(sample)\n"
        "    if isinstance(sample, pa.RecordBatchReader):\n        return sample.read_pandas()\n"
        "    if hasattr(sample, 'to_pandas'):\n        return sample.to_pandas()\n    return sample\n"
    )
    tiny.run()
    assert isinstance(relet.load("clean_sample"), pd.DataFrame)
    assert store_of(tiny).version("clean_sample").metadata["rows"] == 8


def test_what_a_component_wrote_to_temporary_files_is_gone_after_the_run(tiny: Tiny) -> None:
    tiny.edit(
        "helper.py",
        "return",
        "import tempfile, pathlib; pathlib.Path('where').write_text(tempfile.mkdtemp())\n    return",
    )
    tiny.run()
    assert not Path((tiny.root / "where").read_text()).exists()


def test_records_of_a_run_are_plain_json(tiny: Tiny) -> None:
    tiny.run()
    for path in (tiny.root / ".relet" / "runs").iterdir():
        stored = json.loads(path.read_text())
        assert str(tiny.root) not in json.dumps({**stored, "command": []})
