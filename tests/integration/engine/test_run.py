"""Runs: what they record, what they hand to components, and what they leave."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import relet
from relet.core.record import Status
from relet.engine.run import execute
from relet.errors import NotFoundError
from relet.project.order import Order, read_order
from relet.project.request import prepare
from tests.integration.engine.watching import Begun, Notes
from tests.tiny_project import LOCK, Tiny


def test_a_run_stores_each_output_and_a_record_of_each_step(tiny: Tiny) -> None:
    outcome = tiny.run()
    assert outcome.status is Status.FINISHED
    assert outcome.metrics == {"mae": 11.0, "baseline_mae": 22.0}
    store = tiny.store
    made = ["clean_sample", "drawing", "dropped", "metrics", "report", "sample", "weights"]
    assert store.names() == [f"tiny/{name}" for name in made]
    records = list(store.runs())
    assert [each.component for each in records] == ["train", "check", "clean", "get", None]
    train, *_, get, parent = records
    assert {each.parent for each in records[:-1]} == {parent.id}
    assert parent.steps["train"]["outputs"]["weights"] == "tiny/weights:v1"
    assert (train.job_type, train.parameters, train.metrics["mae"]) == ("train", {"factor": 2.0}, 11.0)
    assert train.inputs["clean_sample"].version == "tiny/clean_sample:v1"
    assert get.outputs["sample"].content == store.version("sample:v1").content
    assert train.parts is not None
    assert list(train.parts.code) == [
        "pipelines.tiny.helper",
        "pipelines.tiny.helper:mean",
        "pipelines.tiny.steps.train",
        "pipelines.tiny.steps.train:Trained",
        "pipelines.tiny.steps.train:train",
    ]
    assert "pandas" in train.parts.packages
    assert store.read_object(train.lock or "") == LOCK.encode()
    assert {"python", "platform", "cpus"} <= train.machine.keys()


def test_a_run_records_the_commit_and_what_was_not_committed(tiny: Tiny) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=tiny.root, check=True)
    clean = tiny.store.run(tiny.run().run_id).code
    assert clean.commit is not None
    assert not clean.dirty
    tiny.edit("helper.py", "return", "assert True\n    return")
    dirty = tiny.store.run(tiny.run().run_id).code
    assert (dirty.commit, dirty.dirty) == (clean.commit, True)
    assert b"+    assert True" in tiny.store.read_object(dirty.diff or "")


def test_code_that_git_does_not_know_is_not_committed(tiny: Tiny) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=tiny.root, check=True)
    tiny.path("new.py").write_text("x = 1\n")
    unused = tiny.store.run(tiny.run().run_id).code
    assert (unused.dirty, unused.uncommitted) == (False, {})
    tiny.edit("helper.py", "def ", "import pipelines.tiny.new\n\ndef ")
    code = tiny.store.run(tiny.run().run_id).code
    assert code.dirty
    assert code.uncommitted == {"pipelines/tiny/helper.py": "changed", "pipelines/tiny/new.py": "untracked"}


def test_the_first_batch_becomes_the_reference_and_says_so(tiny: Tiny) -> None:
    notes = Notes()
    relet.run("tiny", watch=notes)
    assert notes.notes == ["clean_sample:v1 is the first batch: it becomes clean_sample:reference"]
    tiny.run("etl.low=4")
    assert tiny.store.aliases("clean_sample") == {"latest": 2, "reference": 1}


def test_a_named_batch_is_compared_with_itself_and_what_was_named_beside_it_is_no_first_batch(tiny: Tiny) -> None:
    tiny.run(steps=["get", "clean"])
    tiny.run("etl.rows=20", steps=["get", "clean"])
    named = read_order("tiny.check", ["clean_sample=clean_sample:v1", "reference=clean_sample:v2"])
    assert execute(prepare(named)).exit_status == 0
    assert "reference" not in tiny.store.aliases("clean_sample")
    assert execute(prepare(read_order("tiny.check", ["clean_sample=clean_sample:v1"]))).exit_status == 0
    assert tiny.store.aliases("clean_sample")["reference"] == 1


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
        NotFoundError, match=r"score needs weights:prod.*relet artifacts alias tiny/weights:latest prod"
    ):
        tiny.run(steps=["score"])
    tiny.store.set_alias("weights", "prod", 1, by="test", why="")
    assert tiny.run(steps=["score"]).metrics == {"score": 11.0}


def test_one_component_alone_takes_its_own_names(tiny: Tiny) -> None:
    tiny.run()
    tiny.run("etl.low=4")
    job = prepare(read_order("tiny.train", ["clean_sample=clean_sample:v1", "factor=10"]))
    outcome = execute(job)
    assert outcome.metrics["mae"] == 55.0


def test_two_runs_at_once_lose_no_version_and_double_no_number(tiny: Tiny) -> None:
    jobs = [prepare(Order(pipeline="tiny", overrides=(f"etl.low={low}",))) for low in (1, 3, 5, 7)]
    with ThreadPoolExecutor(len(jobs)) as threads:
        assert [outcome.error for outcome in threads.map(execute, jobs)] == [None] * len(jobs)
    versions = tiny.store.versions("clean_sample")
    assert [version.number for version in versions] == [1, 2, 3, 4]
    assert len({version.content for version in versions}) == 4
    assert tiny.store.verify() == []


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
@pytest.mark.sampled
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
    assert tiny.store.version("clean_sample").metadata["rows"] == 8


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
