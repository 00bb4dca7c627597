"""Two pipelines in one store: neither takes what the other made, but on purpose; and stores of an older relet."""

from __future__ import annotations

import pytest

import relet
from relet.core.plan import plan
from relet.core.record import RunRecord, Status
from relet.engine.run import execute
from relet.errors import NotFoundError, WiringError
from relet.project.job import RunOutcome
from relet.project.order import read_order
from relet.project.request import prepare
from relet.reproduction import ReproductionOptions, reproduce
from relet.store import open_store
from tests.integration.engine.watching import Notes
from tests.older_relet import older_relet
from tests.tiny_project import FILES, Tiny
from tests.written_project import write_files


def run_twin(*overrides: str, steps: list[str] | None = None) -> RunOutcome:
    return relet.run("twin", *overrides, steps=steps)


def actions(outcome: RunOutcome) -> list[str]:
    return [str(each.action) for each in outcome.results]


def record_of(tiny: Tiny, outcome: RunOutcome, component: str) -> RunRecord:
    return next(each for each in tiny.store.runs() if (each.parent, each.component) == (outcome.run_id, component))


def test_a_pipeline_runs_its_own_steps_whatever_another_one_made(twin: Tiny) -> None:
    first = twin.run()
    assert actions(run_twin()) == ["run"] * 4
    assert actions(twin.run()) == actions(run_twin()) == ["skip"] * 4
    store = twin.store
    for name in ("sample", "clean_sample", "weights"):
        assert str(store.version(f"twin/{name}")) == f"twin/{name}:v1"
        assert store.version(f"twin/{name}").content == store.version(f"tiny/{name}").content
    assert [str(each) for each in first.results[0].outputs.values()] == ["tiny/sample:v1"]
    assert store.verify() == []


def test_two_pipelines_of_the_same_components_have_versions_and_keys_of_their_own(tiny: Tiny) -> None:
    write_files(
        tiny.root,
        {
            "pipelines/again/pipeline.py": FILES["pipelines/tiny/pipeline.py"],
            "pipelines/again/conf/config.yaml": FILES["pipelines/tiny/conf/config.yaml"],
            "pipelines/again/checks/limit.sql": FILES["pipelines/tiny/checks/limit.sql"],
        },
    )
    tiny.run()
    assert actions(relet.run("again")) == ["run"] * 4
    assert actions(tiny.run()) == actions(relet.run("again")) == ["skip"] * 4
    assert [str(tiny.store.version(f"{name}/weights")) for name in ("tiny", "again")] == [
        "tiny/weights:v1",
        "again/weights:v1",
    ]
    tiny.run("etl.rows=20")
    assert tiny.store.aliases("again/sample") == {"latest": 1}


def test_a_step_alone_takes_the_latest_of_its_own_pipeline(twin: Tiny) -> None:
    twin.run()
    run_twin("etl.rows=20")
    assert actions(twin.run(steps=["clean"])) == ["skip"]
    assert {
        name: str(each) for name, each in twin.run("etl.low=5", steps=["clean"]).results[0].inputs.items()
    } == {"sample": "tiny/sample:v1"}
    assert twin.store.version("twin/sample").metadata["rows"] == 20


def test_what_only_another_pipeline_has_is_offered_and_not_taken(twin: Tiny) -> None:
    run_twin()
    with pytest.raises(
        NotFoundError,
        match=r"clean needs sample:latest.*another pipeline's: relet run tiny.clean sample=twin/sample:latest",
    ):
        twin.run(steps=["clean"])


def test_references_and_refusals_of_two_pipelines_are_apart(twin: Tiny) -> None:
    twin.run()
    refused = run_twin("check.limit=9", "etl.rows=12")
    assert refused.status is Status.STOPPED
    store = twin.store
    assert store.aliases("tiny/clean_sample")["reference"] == 1
    assert "reference" not in store.aliases("twin/clean_sample")
    assert actions(twin.run(steps=["train"])) == ["skip"]
    alone = run_twin(steps=["train"])
    assert (actions(alone), alone.results[0].reason) == (["waits"], "check said no to it")


def test_a_version_of_another_pipeline_is_taken_on_purpose_and_recorded(twin: Tiny) -> None:
    run_twin("etl.rows=20")
    order = read_order("tiny.clean", ["sample=twin/sample:latest"])
    outcome = execute(prepare(order))
    assert outcome.error is None
    record = record_of(twin, outcome, "clean")
    assert record.inputs["sample"].version == "twin/sample:v1"
    assert record.outputs["clean_sample"].version == "tiny/clean_sample:v1"
    assert plan(prepare(order).request, twin.store).idle
    found = reproduce("tiny/clean_sample:v1", twin.store, wishes=ReproductionOptions(here=True))
    assert (str(found.likeness), found.pinned) == ("IDENTICAL", ("twin/sample:v1",))


def test_a_yes_of_another_pipelines_gate_does_not_undo_the_no_of_ones_own(twin: Tiny) -> None:
    assert twin.run("check.limit=9").status is Status.STOPPED
    taken = ["clean_sample=tiny/clean_sample:v1", "reference=tiny/clean_sample:v1"]
    outcome = execute(prepare(read_order("twin.check", taken)))
    assert outcome.results[0].verdict is not None and outcome.results[0].verdict.passed
    assert record_of(twin, outcome, "check").inputs["clean_sample"].version == "tiny/clean_sample:v1"
    assert twin.run(steps=["train"]).results[0].reason == "check said no to it"
    # the verdict belongs to the version that it judged: twin's own is not judged by it
    with pytest.raises(NotFoundError, match="train needs clean_sample:latest"):
        run_twin(steps=["train"])


def test_what_another_pipelines_own_gate_refused_is_taken_on_purpose_and_told(twin: Tiny) -> None:
    assert run_twin("check.limit=9").status is Status.STOPPED
    for version, told in (
        (1, ["train takes twin/clean_sample:v1, of which check of that pipeline said no"]),
        (2, []),
    ):
        watch = Notes()
        execute(prepare(read_order("tiny.train", [f"clean_sample=twin/clean_sample:v{version}"])), watch)
        assert watch.notes == told
        assert run_twin("etl.rows=9").error is None


def test_a_lost_judgement_of_another_pipeline_holds_nothing_back(twin: Tiny) -> None:
    twin.run()
    run_twin("etl.rows=20")
    outcome = run_twin("check.limit=50", steps=["check"])
    (twin.root / ".relet" / "runs" / f"{record_of(twin, outcome, 'check').id}.json").unlink()
    assert actions(twin.run("modeling.factor=3", steps=["train"])) == ["run"]


STORED = 'sample: Annotated[pd.DataFrame, Stored("twin/sample:latest")]'


def take_from_twin(tiny: Tiny, mark: str = STORED) -> None:
    tiny.edit("steps/clean.py", "sample: pd.DataFrame,", f"{mark},")
    tiny.edit("steps/clean.py", "from typing import NamedTuple", "from typing import Annotated, NamedTuple")
    tiny.edit("steps/clean.py", "import component", "import Stored, component")


def test_a_signature_names_what_it_takes_from_another_pipeline(twin: Tiny) -> None:
    run_twin("etl.rows=20")
    take_from_twin(twin)
    twin.edit("pipeline.py", "[get, clean,", "[clean,")
    twin.edit("pipeline.py", '"etl.source": "get.source",', "")
    twin.edit("pipeline.py", '"etl.rows": "get.rows",', "")
    twin.edit("conf/config.yaml", "source: generated, rows: 10, ", "")
    twin.edit("pipeline.py", "check, train, score]", "check, train]")
    twin.edit("pipeline.py", "on_request=[score],", "")
    outcome = twin.run()
    assert {str(each) for each in outcome.results[0].inputs.values()} == {"twin/sample:v1"}
    run_twin("etl.rows=30")
    (change,) = plan(prepare(read_order("tiny", [])).request, twin.store)["clean"].changes
    assert str(change) == "sample twin/sample:v1 → twin/sample:v2"


def test_what_a_signature_takes_from_another_pipeline_is_taken_beside_an_own_product_of_that_name(
    twin: Tiny,
) -> None:
    run_twin("etl.rows=20")
    take_from_twin(twin)
    outcome = twin.run()
    clean = next(each for each in outcome.results if each.component == "clean")
    assert {str(each) for each in clean.inputs.values()} == {"twin/sample:v1"}
    assert plan(prepare(read_order("tiny", [])).request, twin.store)["clean"].inputs == clean.inputs


def test_a_product_does_not_become_the_reference_of_another_pipeline(tiny: Tiny) -> None:
    tiny.edit("steps/check.py", 'Stored("clean_sample:reference"', 'Stored("twin/clean_sample:reference"')
    with pytest.raises(WiringError, match=r"check takes twin/clean_sample:reference, which is another pipeline's"):
        tiny.run()


def test_a_short_name_that_both_have_names_both(twin: Tiny) -> None:
    twin.run()
    assert len(relet.load("sample")) == 10
    run_twin("etl.rows=20")
    with pytest.raises(NotFoundError, match="write tiny/sample:latest or twin/sample:latest"):
        relet.load("sample")
    assert (len(relet.load("tiny/sample")), len(relet.load("twin/sample"))) == (10, 20)


# stores that an older relet wrote


def test_an_update_runs_nothing_again_and_renames_nothing(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        before = {str(each) for result in tiny.run().results for each in result.outputs.values()}
    assert "sample:v1" in before
    outcome = tiny.run()
    assert actions(outcome) == ["skip"] * 4
    assert {str(each) for result in outcome.results for each in result.outputs.values()} == before
    assert actions(tiny.run(steps=["train"])) == ["skip"]
    assert tiny.store.verify() == []


def test_the_first_new_version_goes_on_with_the_number_and_what_is_old_stays_within_reach(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        tiny.run()
        tiny.run("etl.low=3")
    outcome = tiny.run("etl.low=4")
    assert str(outcome.results[1].outputs["clean_sample"]) == "tiny/clean_sample:v3"
    store = tiny.store
    assert str(store.version("clean_sample:latest")) == "tiny/clean_sample:v3"
    assert str(store.version("clean_sample:v2")) == "clean_sample:v2"
    assert str(store.version("clean_sample:reference")) == "clean_sample:v1"
    # settings of before lead back to what they led to, and a step alone takes that
    assert actions(tiny.run("etl.low=3")) == ["skip"] * 4
    assert str(store.version("tiny/clean_sample:latest")) == "clean_sample:v2"
    taken = tiny.run("modeling.factor=5", steps=["train"]).results[0].inputs
    assert {name: str(each) for name, each in taken.items()} == {"clean_sample": "clean_sample:v2"}
    assert store.verify() == []


def test_an_alias_that_moved_since_the_update_counts_though_nothing_new_was_made(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        tiny.run()
        tiny.run("etl.low=3")
    assert actions(tiny.run()) == ["skip"] * 4
    store = tiny.store
    assert store.names() == ["clean_sample", "drawing", "dropped", "metrics", "report", "sample", "weights"]
    assert str(store.version("clean_sample:latest")) == "clean_sample:v1"
    assert store.aliases("clean_sample") == {"latest": 1, "reference": 1}
    assert store.aliases_of(store.version("clean_sample:v2")) == []
    assert len(relet.load("clean_sample")) == 8
    taken = tiny.run("modeling.factor=5", steps=["train"]).results[0].inputs
    assert {name: str(each) for name, each in taken.items()} == {"clean_sample": "clean_sample:v1"}
    assert "clean_sample:v1" not in store.prune(keep=1)


def test_a_pipeline_does_not_take_what_another_one_made_with_an_older_relet(twin: Tiny) -> None:
    with older_relet(twin.store):
        twin.run()
        run_twin("etl.rows=20")
    assert str(twin.store.version("sample:latest")) == "sample:v2"
    taken = twin.run("etl.low=5", steps=["clean"]).results[0].inputs
    assert {name: str(each) for name, each in taken.items()} == {"sample": "sample:v1"}
    order = read_order("tiny.clean", ["sample=sample:v2"])
    assert [str(each) for each in execute(prepare(order)).results[0].inputs.values()] == ["sample:v2"]


def test_a_version_that_was_refused_before_the_update_stays_refused(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        assert tiny.run("check.limit=9").status is Status.STOPPED
    outcome = tiny.run(steps=["train"])
    assert (actions(outcome), outcome.results[0].reason) == (["waits"], "check said no to it")
    # equal content that is made anew is the version that was refused
    tiny.edit("steps/clean.py", 'keep = sample["n"] >= low', 'keep = ~(sample["n"] < low)')
    assert actions(tiny.run(steps=["clean"])) == ["run"]
    assert actions(tiny.run(steps=["train"])) == ["waits"]
    assert "tiny/weights" not in tiny.store.names()


def test_an_alias_of_before_the_update_is_taken_until_the_pipeline_sets_its_own(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        tiny.run()
        tiny.store.set_alias("weights", "prod", 1, by="test", why="")
    outcome = tiny.run(steps=["score"])
    assert {name: str(each) for name, each in outcome.results[0].inputs.items()} == {
        "weights": "weights:v1",
        "sample": "sample:v1",
    }
    assert str(outcome.results[0].outputs["scores"]) == "tiny/scores:v1"
    made = tiny.run("modeling.factor=3").results[-1].outputs["weights"]
    assert str(made) == "tiny/weights:v2"
    tiny.store.set_alias(made.name, "prod", made.number, by="test", why="")
    assert str(tiny.run(steps=["score"]).results[0].inputs["weights"]) == "tiny/weights:v2"


@pytest.mark.long
def test_what_an_older_relet_recorded_is_made_again(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        tiny.run()
    tiny.run("etl.low=4")
    for version in ("weights:v1", "tiny/weights:v2"):
        found = reproduce(version, tiny.store, wishes=ReproductionOptions(here=True))
        assert (str(found.likeness), found.subject) == ("IDENTICAL", version)


def test_an_import_gives_no_number_again_that_an_older_relet_gave(tiny: Tiny) -> None:
    with older_relet(tiny.store):
        tiny.run()
        tiny.run("etl.low=3")
    elsewhere = tiny.root / "elsewhere"
    tiny.run("etl.low=5", f"store.url={elsewhere}")
    (elsewhere / "artifacts" / "tiny.clean_sample" / "versions" / "1.json").unlink()
    open_store(elsewhere).export_history("tiny/weights", tiny.root / "weights.tar")
    arrival = tiny.store.import_bundle(tiny.root / "weights.tar")
    assert str(arrival.version) == "tiny/weights:v3"
    record = tiny.store.run(str(arrival.version.producer))
    assert record.inputs["clean_sample"].version == "tiny/clean_sample:v3"
    assert str(tiny.store.version("tiny/clean_sample:v2")) == "clean_sample:v2"
