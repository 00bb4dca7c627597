"""A sweep: trials side by side, no step twice, and a winner."""

import pytest

from relet.core.record import RunKind, Status
from relet.core.reproduction import Likeness
from relet.errors import NotFoundError, SettingError
from relet.store import open_store
from relet.trials.pool import PlannedTrial, TrialPool, TrialResult
from relet.trials.sweep import read_sweep
from tests.integration.trials.sweeps import Noting, left_behind, runs_of, sweep_of, swept, totals
from tests.sums_project import Sums
from tests.tiny_project import Tiny


def test_what_trials_have_in_common_is_run_once(adding: Sums) -> None:
    adding.edit("draw.py", "numbers = [random", "import time; time.sleep(0.7)\n    numbers = [random")
    outcome = swept("scale=1,2,3,4", "workers=2")
    assert outcome.exit_status == 0
    assert runs_of(adding) == {"draw": 1, "add": 4}
    assert sorted(component for each in outcome.tried for component in each.ran) == ["add"] * 4 + ["draw"]


@pytest.mark.long
def test_the_number_of_workers_changes_nothing_that_comes_out(adding: Sums) -> None:
    found = {}
    for workers in (1, 3):
        outcome = swept("scale=1,2", "count=3,4", f"workers={workers}", f"store.url=store{workers}")
        store = open_store(adding.root / f"store{workers}")
        found[workers] = [
            (each.trial, each.metrics, {n: store.version(v).content for n, v in each.outputs.items()})
            for each in outcome.tried
        ]
        assert outcome.winner is not None
        assert str(store.version("sums:latest")) == outcome.winner.outputs["sums"]
    assert found[1] == found[3]
    assert [each.overrides for each, _, _ in found[1]] == [
        ("scale=1", "count=3"),
        ("scale=1", "count=4"),
        ("scale=2", "count=3"),
        ("scale=2", "count=4"),
    ]


def test_the_records_say_what_belongs_to_what(adding: Sums) -> None:
    outcome = swept("seed=7", "scale=2,1", "workers=2")
    group = adding.store.run(outcome.run_id)
    assert (group.kind, group.parent, group.status) == (RunKind.SWEEP, None, Status.FINISHED)
    assert group.parameters["trials"] == 2
    trials = [each for each in adding.store.runs() if each.parent == group.id]
    assert {(each.trial, each.overrides, each.kind) for each in trials} == {
        (1, ("scale=2",), RunKind.PIPELINE),
        (2, ("scale=1",), RunKind.PIPELINE),
    }
    assert all(each.command[:4] == ("relet", "run", "sums", "seed=7") for each in trials)
    assert outcome.winner is not None
    assert (group.winner, dict(group.metrics)) == (outcome.winner.run_id, dict(outcome.winner.metrics))
    steps = [each for each in adding.store.runs() if each.component]
    assert {each.parent for each in steps} <= {each.id for each in trials}
    assert all((each.trial, each.overrides) == (None, ()) for each in steps)


@pytest.mark.parametrize(("direction", "best"), [("minimize", "scale=1"), ("maximize", "scale=3")])
def test_the_best_trial_comes_first_and_is_what_latest_is(adding: Sums, direction: str, best: str) -> None:
    outcome = swept("scale=2,1,3", f"search.direction={direction}", "workers=2")
    assert [each.metrics["total"] for each in outcome.ranked] == sorted(
        totals(outcome), reverse=direction == "maximize"
    )
    assert outcome.winner is not None
    assert outcome.winner.trial.overrides == (best,)
    assert str(adding.store.version("sums:latest")) == outcome.winner.outputs["sums"]


def test_of_equal_trials_the_first_one_is_the_best(adding: Sums) -> None:
    outcome = swept("scale=1,1.0,2", "workers=2")
    assert [each.trial.number for each in outcome.ranked] == [1, 2, 3]


def test_the_command_that_selects_the_winner_runs_it(adding: Sums) -> None:
    sweep = sweep_of("seed=7", "scale=3,1", "search.metric=total")
    assert sweep.selection(sweep.trials[1]) == [
        *("relet", "run", "sums", "seed=7", "scale=1", "main.evaluate=true")
    ]
    assert sweep_of("scale=3,1", "main.evaluate=true").selection(sweep.trials[0])[-2:] == [
        "main.evaluate=true",
        "scale=3",
    ]
    assert sweep_of("scale=3,1", "steps=draw,add").selection(sweep.trials[0]) == [
        *("relet", "run", "sums", "steps=draw,add", "scale=3")
    ]


def test_the_command_that_selects_keeps_what_a_selected_step_takes_of_the_search(adding: Sums) -> None:
    adding.edit("pipeline.py", '"seed": "draw.seed"', '"search.seed": "draw.seed"')
    adding.edit("conf/config.yaml", "minimize}", "minimize, seed: 42}")
    adding.edit("conf/config.yaml", "\nseed: 42", "")
    sweep = sweep_of("search.seed=7", "scale=3,1", "search.metric=total")
    assert sweep.selection(sweep.trials[1]) == [
        *("relet", "run", "sums", "search.seed=7", "scale=1", "main.evaluate=true")
    ]
    alone = sweep_of("search.seed=7", "scale=3,1", "steps=add", "search.metric=total")
    assert alone.selection(alone.trials[1]) == ["relet", "run", "sums", "steps=add", "scale=1"]


def test_the_command_that_selects_says_again_where_the_pipeline_came_from(
    adding: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELET_VISITED", "'../a project@1.0' --here")
    sweep = sweep_of("scale=3,1")
    assert sweep.selection(sweep.trials[0])[:5] == ["relet", "run", "../a project@1.0", "--here", "sums"]


def test_a_trial_that_fails_is_a_line_and_the_others_go_on(adding: Sums) -> None:
    adding.edit("helper.py", "return float(", "return 1 / 0 if 'boom' in str(path) else float(")
    adding.edit("add.py", "value = scale", "assert scale != 2, 'two is no scale'\n    value = scale")
    outcome = swept("scale=1,2,3", "workers=2")
    assert [str(each.status) for each in outcome.tried] == ["finished", "failed", "finished"]
    assert "two is no scale" in outcome.tried[1].error
    assert (outcome.status, outcome.exit_status) == (Status.FAILED, 1)
    assert [each.trial.number for each in outcome.ranked] == [1, 3]
    assert "trial 2: add raised AssertionError" in adding.store.run(outcome.run_id).message


def test_a_verdict_that_says_no_is_a_line_too_and_the_exit_status_says_so(tiny: Tiny) -> None:
    outcome = swept("check.limit=5,100", "workers=2", pipeline="tiny")
    assert [str(each.status) for each in outcome.tried] == ["stopped", "finished"]
    assert outcome.tried[0].error == "check says no: 5 rows are 5 or more"
    assert (outcome.status, outcome.exit_status) == (Status.STOPPED, 3)
    assert outcome.winner is not None
    assert outcome.winner.trial.number == 2


@pytest.mark.long
def test_the_first_batch_is_the_first_trials_however_many_work(tiny: Tiny) -> None:
    tiny.edit("steps/clean.py", "keep =", "import time; time.sleep(1.0 if low == 1 else 0)\n    keep =")
    outcome = swept("etl.low=1,2,3", "workers=3", pipeline="tiny")
    store = open_store(tiny.root / ".relet")
    assert str(store.version("clean_sample:reference")) == outcome.tried[0].outputs["clean_sample"]


@pytest.mark.long
def test_the_first_batch_is_of_the_first_trial_that_is_not_refused_however_many_work(tiny: Tiny) -> None:
    tiny.edit("steps/clean.py", "keep =", "import time; time.sleep(1.0 if low == 2 else 0)\n    keep =")
    tiny.edit("steps/check.py", "passed=bad.empty", 'passed=bool(clean_sample["n"].min() > 1)')

    class Counting(Noting):
        """Remembers how many processes there were when each trial ended."""

        def tried(self, tried: TrialResult) -> None:
            super().tried(tried)
            self.did.append((tried.trial.number, f"{len(left_behind())} at work"))

    watch = Counting()
    outcome = swept("etl.low=1,2,3", "workers=3", pipeline="tiny", watch=watch)
    assert [each for each in watch.did if "at work" in each[1]][:2] == [(1, "1 at work"), (2, "1 at work")]
    assert [str(each.status) for each in outcome.tried] == ["stopped", "finished", "finished"]
    store = open_store(tiny.root / ".relet")
    assert str(store.version("clean_sample:reference")) == outcome.tried[1].outputs["clean_sample"]


def test_a_sweep_that_is_started_again_runs_nothing_again(adding: Sums) -> None:
    first = swept("scale=1,2", "workers=2")
    again = swept("scale=1,2,3", "workers=2")
    assert [each.ran for each in again.tried] == [(), (), ("add",)]
    assert totals(again)[:2] == totals(first)
    assert runs_of(adding) == {"draw": 1, "add": 3}


def test_a_trial_that_can_not_be_composed_has_failed_and_has_no_run(adding: Sums) -> None:
    sweep = sweep_of("scale=1.0,2.0")
    from relet.trials import group

    going = group.begin(sweep.job, RunKind.SEARCH, {})
    with TrialPool(sweep.order, sweep.job, workers=1, parent=going.record) as pool:
        (tried,) = pool.run([PlannedTrial(number=1, overrides=("scael=1",))])
    assert (tried.status, tried.run_id, tried.exit_status) == (Status.FAILED, None, 2)
    assert "did you mean scale?" in tried.error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scale=1,x"], r"trial 2 of 2 \(scale=x\): scale takes a number, got 'x'"),
        (["scale=1,2", "cuont=3"], r"trial 1 of 2 \(scale=1\): there is no setting 'cuont'"),
        (["source=none,gone.txt"], r"trial 2 of 2 \(source=gone.txt\): source: gone.txt: there is no such file"),
        (["scale=1,2", "workers=0"], "workers takes a whole number from 1 on, got '0'"),
        (["scale=1,2", "workers=many"], "workers takes a whole number from 1 on, got 'many'"),
        (["scale=1,2", "store.url=memory://x"], "can't share a store in memory, .* set store.url"),
        (["scale=1,2", "search.direction=down"], "search.direction"),
    ],
)
def test_what_can_not_be_tried_is_told_before_anything_runs(adding: Sums, words: list[str], message: str) -> None:
    with pytest.raises((SettingError, NotFoundError, Exception), match=message):
        sweep_of(*words)
    assert list(adding.store.runs()) == []


def test_a_component_alone_is_no_sweep(adding: Sums) -> None:
    with pytest.raises(SettingError, match=r"runs a pipeline, got the component sums\.add; write steps=add"):
        read_sweep("sums.add", ["scale=1,2"])


def test_a_metric_that_no_trial_has_is_told_with_those_there_are(adding: Sums) -> None:
    outcome = swept("scale=1,2", "search.metric=totla", "workers=2")
    assert "no trial has a metric 'totla'; set search.metric to another: did you mean total?" in str(outcome.error)
    assert (outcome.status, outcome.exit_status, outcome.winner) == (Status.FAILED, 2, None)
    assert len(outcome.tried) == 2


def test_selecting_by_a_test_metric_comes_with_a_warning(adding: Sums) -> None:
    assert "is there to test" not in sweep_of("scale=1,2").warning
    assert (
        "rows that are there to test what was selected" in sweep_of("scale=1,2", "search.metric=test_mae").warning
    )


def test_a_trial_is_made_again_as_any_run_is(adding: Sums) -> None:
    adding.commit()
    outcome = swept("scale=1,2", "workers=2")
    found = adding.again(str(outcome.tried[1].run_id))
    assert found.likeness is Likeness.IDENTICAL
    told = str(adding.again(outcome.run_id))
    assert "is a sweep, which makes nothing by itself: name one of its trials" in told
    assert f"such as the best one: {outcome.ranked[0].run_id}" in told
