"""Runs as trials: their settings and metrics, where they differ, which is best, which a filter lets through."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.record import RunRecord, Status
from relet.errors import NotFoundError, SettingError
from relet.experiments.experiment import Trial, chosen_settings, experiments, settings_by_name, trial
from relet.experiments.objective import Objective, aim, comparable_trials
from relet.experiments.selection import conditions, ordered_trials, selected_trials
from relet.experiments.variation import differing_settings, distinguishing_metrics, most_varied_settings
from tests.experiment_store import pipeline_run, run_id, sweep

TABLE = {"model.family": ["train.family"], "model.forest": ["train.more"], "model.depth": ["train.depth"]}


def tried(number: int, **changes: Any) -> Trial:
    return trial(pipeline_run(number, **changes), TABLE)


def names(trials: list[Trial]) -> list[str]:
    return [each.id for each in trials]


def test_a_run_is_a_trial_under_the_names_of_its_settings() -> None:
    found = tried(3)
    assert found.settings == {"model.family": "forest", "model.depth": 3, "train.rate": 0.5}
    assert (found.seconds, found.short, found.chosen) == (30.0, "00000003", {"model.depth": 3})


def test_experiments_are_told_apart_and_the_one_that_ran_last_is_first() -> None:
    records = [
        pipeline_run(1, experiment="old"),
        sweep(2),
        *(pipeline_run(number, parent=run_id(2), trial=number - 2) for number in (3, 4)),
        pipeline_run(5, parent=run_id(3), component="train"),
    ]
    found = experiments(records)
    assert list(found) == ["prices", "old"]
    assert [(each.number, each.sweep) for each in found["prices"].trials] == [(1, run_id(2)), (2, run_id(2))]
    assert [each.id for each in found["prices"].sweeps] == [run_id(2)]
    assert len(found["old"].trials) == 1 and not found["old"].sweeps


def test_one_settings_parameters_are_one_value_and_where_they_differ_each_has_its_name() -> None:
    table = {"etl.low": ["clean.low", "check.low"]}
    assert settings_by_name({"clean": {"low": 1}, "check": {"low": 1}}, table) == {"etl.low": 1}
    assert settings_by_name({"clean": {"low": 1}, "check": {"low": 2}}, table) == {"etl.low": 1, "check.low": 2}


def test_a_trial_of_a_sweep_was_asked_for_what_it_set_itself() -> None:
    found = tried(
        1,
        command=("relet", "run", "rentals", "-m", "model=forest", "model.depth=1,2"),
        overrides=("model.depth=2",),
    )
    assert found.chosen == {"model": "forest", "model.depth": 2}
    assert chosen_settings(["++a.b='x,y'", "~c", "--json", "steps=train", "workers=2", "d=[1]"]) == {
        "a.b": "x,y",
        "d": [1],
    }


def test_settings_differ_among_those_that_have_them() -> None:
    forest, linear = {"family": "forest", "more": {"trees": 9}}, {"family": "linear"}
    trials = [tried(n, parameters={"train": each}, command=()) for n, each in enumerate((forest, linear, linear))]
    assert differing_settings(trials) == ["model.family"]  # the trees that only the forest has do not differ
    assert differing_settings(trials[1:]) == []


def test_a_choice_that_no_setting_says_is_a_column_and_one_that_a_setting_says_is_none() -> None:
    command = ("relet", "run", "rentals")
    trials = [
        tried(
            1, parameters={"train": {"family": family}}, command=(*command, f"model={family}", f"region={region}")
        )
        for family, region in (("forest", "north"), ("linear", "north"), ("linear", "south"))
    ]
    assert differing_settings(trials) == ["model.family", "region"]


def test_what_varies_most_is_first_a_choice_too_and_of_equals_the_models() -> None:
    trials = [
        tried(1, parameters={"train": {"family": family, "rate": rate}}, command=("relet", f"region={region}"))
        for family, rate, region in (("forest", 1, "north"), ("linear", 2, "south"), ("linear", 2.0, "east"))
    ]
    assert most_varied_settings(trials, ["train.rate", "model.family", "region"]) == [
        "region",
        "model.family",
        "train.rate",
    ]


def test_metrics_that_tell_trials_apart_are_shown_without_those_of_baselines() -> None:
    same = tried(1, metrics={"mae": 1.0, "rows": 5.0, "baseline_mae": 3.0})
    assert distinguishing_metrics([same]) == ["mae", "rows"]
    assert distinguishing_metrics([same, tried(2, metrics={"mae": 2.0, "rows": 5.0, "baseline_mae": 4.0})]) == [
        "mae"
    ]
    assert distinguishing_metrics([same, same]) == ["mae", "rows"]


def test_the_best_finished_and_has_the_least_error_or_the_most_of_what_is_good() -> None:
    trials = [tried(1, status=Status.STOPPED), tried(3), tried(2), tried(4, metrics={"mae": math.nan, "r2": 0.1})]
    best = Objective.of("mae").best(trials)
    assert best and best.short == "00000002"
    assert Objective.of("r2").best(trials) == best
    assert [each.short[-1] for each in Objective.of("mae").ranked(trials)] == ["1", "2", "3", "4"]
    assert Objective.of("mae").best([trials[0]]) is None


def test_trials_are_compared_by_what_the_sweep_says_else_by_what_is_usual() -> None:
    trial = pipeline_run(2, parent=run_id(1), metrics={"a_error": 1.0, "mae": 2.0})
    asked = {"metric": "a_error", "direction": "maximize"}
    said, unsaid = (experiments([sweep(1, parameters=words), trial])["prices"] for words in (asked, {}))
    assert aim(said) == Objective(metric="a_error", more=True)
    assert aim(unsaid) == Objective(metric="mae")
    assert aim(unsaid, "a_error") == Objective(metric="a_error")
    with pytest.raises(NotFoundError, match="'mea': did you mean mae"):
        aim(unsaid, "mea")
    assert aim(experiments([pipeline_run(1, metrics={})])["prices"]) is None


def search_run(number: int, depth: int, fold: int, mae: float, **changes: Any) -> RunRecord:
    parameters = {"check": {"fold": fold, "depth": depth}}
    return pipeline_run(number, parent=run_id(1), parameters=parameters, metrics={"mae": mae}, **changes)


def test_the_folds_of_a_search_are_one_trial_and_one_that_was_given_up_is_not_the_best() -> None:
    table = {"rentals": {"search.fold": ["check.fold"], "model.depth": ["check.depth"]}}
    records = [
        sweep(1, job_type="search"),
        search_run(2, depth=1, fold=1, mae=30.0),
        search_run(3, depth=1, fold=2, mae=32.0),
        search_run(4, depth=2, fold=1, mae=29.0),
        search_run(5, depth=3, fold=1, mae=28.0),
        search_run(6, depth=3, fold=2, mae=0.0, status=Status.FAILED, message="no"),
    ]
    trials = experiments(records, table)["prices"].trials
    whole, given_up, failed = trials
    assert (whole.metrics, whole.folds, whole.seconds) == ({"mae": 31.0}, 2, 60.0)
    assert whole.settings == {"model.depth": 1}
    assert (given_up.folds, comparable_trials(trials)) == (1, [whole])
    assert (failed.status, failed.reason, failed.folds) == (Status.FAILED, "no", 1)
    assert Objective.of("mae").best(trials) == whole
    assert Objective.of("mae").ranked(trials)[0] == whole


def test_a_run_that_was_held_back_says_by_what() -> None:
    steps = {"train": {"action": "waits", "reason": "check says no", "run": None, "outputs": {}}}
    assert tried(1, status=Status.STOPPED, steps=steps).reason == "train: check says no"


# --- filter and order

MANY = [
    tried(1),
    tried(2, parameters={"train": {"family": "linear", "depth": 2, "rate": None}}),
    tried(3, status=Status.FAILED, metrics={}),
    tried(4, parameters={"train": {"family": "random forest", "depth": 4}}, metrics={"mae": 34}),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mae<32", [1]),
        ("mae <= 32 and model.family = linear", [2]),
        ("depth>1 AND status!=failed", [2, 4]),
        ("status=failed", [3]),
        ("mae=none", [3]),
        ("mae!=none and mae>=32", [2, 4]),
        ("family='random forest'", [4]),
        ('family="linear"', [2]),
        ("family!=forest", [2, 4]),
        ("mae=34.0", [4]),
        ("rate=none", [2, 4]),
        ("seconds>=30 and trial=none", [1, 2, 3, 4]),
        ("family>k", [2, 4]),
    ],
)
def test_a_filter_lets_through_what_meets_every_condition(text: str, found: list[int]) -> None:
    assert [int(each.short) for each in selected_trials(MANY, text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("model=forest", [1]), ("model=linear", [2]), ("model!=linear", [1])],
)
def test_a_models_family_is_found_whether_or_not_a_person_typed_it(text: str, found: list[int]) -> None:
    typed = tried(1, command=("relet", "run", "rentals", "model=forest"))
    default = tried(2, parameters={"train": {"family": "linear"}}, command=())
    assert [int(each.short) for each in selected_trials([typed, default], text)] == found


def test_a_choice_of_a_model_that_no_family_says_is_found_too() -> None:
    typed = tried(1, parameters={}, command=("relet", "run", "rentals", "model=forest"))
    assert selected_trials([typed, tried(2, parameters={}, command=())], "model=forest") == [typed]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run=00000002", [2]),
        ("run!=00000002", [3, 4]),
        (f"run={run_id(3)}", [3]),
        (f"run={run_id(3)[:-9]}", [3]),
        ("run=20260102", [2, 3, 4]),
        ("run='20260102T'", [2, 3, 4]),
        ("run=0002", []),
        ("run=''", []),
        ("sweep=00000001", [2, 3]),
        (f"sweep={run_id(1)[:-2]}", [2, 3]),
        ("sweep!=00000001", [4]),
        ("sweep=none", [4]),
        ("run>20260102T030400000002", [2, 3, 4]),
    ],
)
def test_runs_and_sweeps_are_found_by_the_end_and_the_beginning_of_their_ids(text: str, found: list[int]) -> None:
    trials = [tried(2, parent=run_id(1)), tried(3, parent=run_id(1)), tried(4)]
    assert [int(each.short) for each in selected_trials(trials, text)] == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mea<3", "'mea'; did you mean mae"),
        ("depht<3", "'depht'; did you mean depth"),
        ("mae", "'mae' in 'mae' is no comparison"),
        ("mae<", "is no comparison"),
        ("mae<3 or r2>1", "after '3' in 'mae<3 or r2>1' and was expected"),
        ("mae<3 and", "and was expected"),
        ("", "asks for nothing"),
        ("mae<'3", "can't be read"),
        ("<3 mae", "is no comparison"),
        ("status<3", "has no order: it is 'finished' in a run"),
        ("__import__('os')=1", "is no comparison"),
    ],
)
def test_a_filter_that_can_not_be_read_says_where_and_how_to_write_one(text: str, message: str) -> None:
    with pytest.raises(SettingError, match="--filter: ") as caught:
        selected_trials(MANY, text)
    assert message in str(caught.value)


def test_a_name_that_is_like_no_other_is_refused_with_a_dozen_names_each_once() -> None:
    settings = {f"setting_{number}": number for number in range(40)}
    many = [trial(pipeline_run(1, parameters={"a": settings}, command=()))]
    with pytest.raises(SettingError, match=r"no run has 'zzz'; there are .* and \d+ more") as caught:
        selected_trials(many, "zzz=1")
    listed = str(caught.value).partition("there are ")[2].partition(" and ")[0].split(", ")
    assert len(listed) == len(set(listed)) == 12
    assert int(str(caught.value).split()[-2]) == len(many[0].values) - 12
    with pytest.raises(SettingError, match="there are ") as caught:
        selected_trials([trial(pipeline_run(1, parameters={}, metrics={}, command=()))], "zzz=1")
    listed = str(caught.value).partition("there are ")[2].split(", ")
    assert len(listed) == len(set(listed)) == 8 and "more" not in str(caught.value)


def test_a_name_that_could_be_two_settings_is_refused_with_both() -> None:
    twins = [trial(pipeline_run(1, parameters={"a": {"depth": 1}, "b": {"depth": 2}}, command=()))]
    with pytest.raises(SettingError, match=r"depth could be a\.depth or b\.depth"):
        selected_trials(twins, "depth=1")
    assert selected_trials(twins, "a.depth=1") == twins


some = st.lists(st.sampled_from(MANY), max_size=6, unique_by=lambda each: each.id)
condition = st.sampled_from(["mae<33", "family=linear", "status=finished", "depth>=2", "mae!=none"])


@given(condition, condition)
def test_two_conditions_joined_by_and_let_through_what_both_do(first: str, second: str) -> None:
    both = selected_trials(MANY, f"{first} and {second}")
    assert both == [each for each in selected_trials(MANY, first) if each in selected_trials(MANY, second)]


@given(some.filter(bool), st.sampled_from(["mae", "-mae", "family", "-family", "rate", "-seconds"]))
def test_an_order_loses_nothing_and_puts_last_what_has_no_value(trials: list[Trial], by: str) -> None:
    try:
        found = ordered_trials(trials, by)
    except SettingError:
        return  # none of these few has it
    assert sorted(names(found)) == sorted(names(trials))
    if by.endswith("mae"):
        held = [each.metrics.get("mae") for each in found]
        values = [each for each in held if each is not None]
        assert held[: len(values)] == sorted(values, reverse=by.startswith("-"))


def test_an_order_by_a_name_that_nothing_has_offers_the_nearest() -> None:
    with pytest.raises(SettingError, match="--sort: no run has 'dpth'; did you mean depth"):
        ordered_trials(MANY, "-dpth")


@given(st.text(max_size=30))
def test_whatever_is_written_as_a_filter_is_read_or_refused(text: str) -> None:
    try:
        assert all(each.by in ("=", "==", "!=", "<", "<=", ">", ">=") for each in conditions(text))
    except SettingError as error:
        assert "--filter" in str(error)
