"""A component that is used twice in one pipeline, from the run to its reproduction."""

from __future__ import annotations

import json

import pytest

from tests.command import out_of, relet
from tests.sums_project import Sums, likenesses

PIPELINE = """
from relet import Pipeline
from pipelines.sums.draw import draw
from pipelines.sums.add import add
from pipelines.sums.rate import rate

rate_b = rate.using("rate_b", report="report_b", sums="sums_b", rating="rating_b")
pipeline = Pipeline(
    [draw, add, add.using("add_b", sums="sums_b", report="report_b"), rate, rate_b],
    on_request=[rate, rate_b],
    settings={"source": "draw.source", "count": "draw.count", "seed": "draw.seed", "scale": "add.scale"},
)
"""


@pytest.fixture
def twice(sums: Sums) -> Sums:
    sums.path("pipeline.py").write_text(PIPELINE)
    sums.commit()
    return sums


def test_each_use_has_its_own_settings_artifacts_and_metrics(twice: Sums) -> None:
    outcome = twice.run("add_b.scale=3", "main.evaluate=true")
    assert [each.component for each in outcome.results] == ["draw", "add", "add_b", "rate", "rate_b"]
    total = outcome.metrics["total"]
    assert outcome.metrics == {
        "total": total,
        "add_b.total": 3 * total,
        "longer": outcome.metrics["longer"],
        "rate_b.total": 3 * total,
        "rate_b.longer": outcome.metrics["rate_b.longer"],
    }
    record = twice.record(outcome, "add_b")
    assert (record.job_type, record.parameters) == ("add", {"scale": 3.0})
    assert {name: link.version for name, link in record.outputs.items()} == {
        "sums_b": "sums/sums_b:v1",
        "report_b": "sums/report_b:v1",
    }
    again = twice.run("add_b.scale=3", "main.evaluate=true")
    assert {str(each.action) for each in again.results} == {"skip"}


def test_a_stored_version_of_a_renamed_artifact_is_the_one_of_its_new_name(twice: Sums) -> None:
    twice.run("add_b.scale=3")
    twice.store.set_alias("report_b", "prod", 1, by="a person", why="better")
    outcome = twice.run("add_b.scale=3", "main.evaluate=true")
    taken = {each.component: {name: str(it) for name, it in each.inputs.items()} for each in outcome.results}
    assert taken["rate"] == {"report": "sums/report:v1", "sums": "sums/sums:v1"}
    assert taken["rate_b"] == {
        "champion": "sums/report_b:v1",
        "report_b": "sums/report_b:v1",
        "sums_b": "sums/sums_b:v1",
    }


def test_equal_uses_make_equal_content_under_keys_of_their_own(twice: Sums) -> None:
    outcome = twice.run()
    one, other = twice.record(outcome, "add"), twice.record(outcome, "add_b")
    assert one.outputs["sums"].content == other.outputs["sums_b"].content
    assert one.key != other.key
    # another function of the same step name, and other names of the same artifacts, are other keys, too
    twice.edit("add.py", "class Added", "__all__ = ['add', 'sub']\n\nclass Added")
    twice.path("add.py").write_text(
        twice.path("add.py").read_text() + "\n\n@component(job_type='add', resources=('words',))\n"
        "def sub(drawn: Path, *, scale: float = 1.0) -> Added:\n    return Added({'total': -1.0}, drawn)\n"
    )
    before = twice.record(twice.run(), "add_b")
    twice.edit("pipeline.py", "import add", "import add, sub")
    twice.edit("pipeline.py", "add.using", "sub.using")
    after = twice.run()
    assert twice.record(after, "add_b").key != before.key
    assert (after.metrics["add_b.total"], after.metrics["total"] > 0) == (-1.0, True)


def test_why_graph_and_runs_name_the_step(twice: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    twice.run("add_b.scale=3")
    graph = out_of(capsys, "graph", "sums")
    assert "  → sums_b" in graph.partition("add_b\n")[2]
    assert "from add_b or stored" not in graph
    why = out_of(capsys, "why", "sums", "add_b.scale=4")
    assert "add_b" in why
    assert "scale 3 → 4" in why
    status, shown, _ = relet(capsys, "run", "sums.add_b", "scale=5", "--json")
    assert status == 0, shown
    (step,) = [each for each in map(json.loads, shown.splitlines()) if "metrics" in each and "component" in each]
    assert (step["component"], step["metrics"]["total"]) == ("add_b", 5 * twice.run().metrics["total"])
    assert relet(capsys, "artifacts", "verify")[0] == 0


def test_a_renamed_use_says_so_in_the_reason(twice: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    twice.run()
    twice.path("pipeline.py").write_text(PIPELINE.replace("report_b", "text_b"))
    assert "used as add.using('add_b', report='report_b'" in out_of(capsys, "why", "sums")


def test_an_error_names_the_step(twice: Sums) -> None:
    twice.edit("add.py", "value = scale", "value = scale / (scale - 3)")
    with pytest.raises(Exception, match="add_b raised ZeroDivisionError"):
        twice.run("add_b.scale=3")


def test_both_uses_are_made_again(twice: Sums) -> None:
    outcome = twice.run("add_b.scale=3", "main.evaluate=true")
    assert likenesses(twice.again(outcome)) == dict.fromkeys(
        ["draw", "add", "add_b", "rate", "rate_b"], "IDENTICAL"
    )
    assert likenesses(twice.again("report_b:v1")) == dict.fromkeys(["draw", "add_b"], "IDENTICAL")


def test_a_sweep_ranks_by_the_metric_of_one_use(twice: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    conf = twice.path("conf/config.yaml")
    conf.write_text(conf.read_text() + "search: {metric: add_b.total, direction: minimize}\n")
    shown = out_of(capsys, "run", "sums", "-m", "add_b.scale=3,1,2", "workers=1")
    (best,) = [line for line in shown.splitlines() if "best" in line]
    assert "add_b.scale=1" in best
