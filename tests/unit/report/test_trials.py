"""The page of an experiment read by cell: its trials, its history, and what made the best one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relet.core.artifact import Curve
from relet.core.record import Status
from relet.experiments.experiment import Experiment
from relet.experiments.objective import Objective
from relet.report.experiment import ExperimentPageContent, experiment_page
from tests.experiment_store import sweep
from tests.unit.report.reading import PageReading, PartReading, drawing_of, read_page
from tests.unit.report.specimens import trial, with_text


def experiment(*trials: Any, **changes: Any) -> PageReading:
    held = ExperimentPageContent(
        experiment=Experiment(name="prices", trials=trials, sweeps=(sweep(99),)),
        trials=trials,
        aim=Objective.of("mae"),
    )
    return read_page(experiment_page(replace(held, **changes)))


def tried(number: int, **changes: Any) -> Any:
    held = with_text(trial(number), "x")
    settings = {"train.depth": number * 2, "train.kind": "forest"}
    return replace(held, settings=settings, metrics={"mae": 40.0 - number, "r2": number / 10}, **changes)


def test_the_trials_table_has_a_row_for_each_with_its_settings_and_metrics() -> None:
    page = experiment(tried(1), tried(2), tried(3))
    (table,) = page["Trials"].tables
    assert table.columns == ("run", "trial", "mae", "depth", "seconds", "made", "r2")
    assert tuple(table.rows[1].values()) == (tried(2).short, "2", "38", "4", "60", "x:v2", "0.2")
    assert table.best == (False, False, True) and table.kind == "sortable"
    assert table.sort_values[1] == (None, "2", "38.0", "4", "60.0", None, "0.2")
    assert [each.get("title") for each in page["Trials"].elements("span")][:4] == [
        "run",
        "trial",
        "mae",
        "train.depth",
    ]
    (fold,) = page["Trials"].folds
    assert fold == "Settings that are the same in all: 1"
    assert page["Trials"].folds[fold].facts == {"train.kind": "forest"}
    assert page["Trials"].said == ["A click on a heading sorts."]


def test_columns_of_the_trials_table_come_only_where_they_say_something() -> None:
    bare = replace(tried(1), number=None, model=None)
    (table,) = experiment(bare, replace(bare, id="2026-7", settings={"train.depth": 9}), aim=None)["Trials"].tables
    assert table.columns[:2] == ("run", "depth") and "trial" not in table.columns and "made" not in table.columns
    folds = replace(tried(2), folds=3)
    failed = replace(tried(3), status=Status.FAILED, seconds=None)
    (table,) = experiment(tried(1), folds, failed)["Trials"].tables
    assert table.column("folds") == ["1", "3", "1"]
    assert table.column("status") == ["finished", "finished", "failed"]
    assert table.column("seconds")[2] == "–"


def test_an_experiment_at_a_glance() -> None:
    page = experiment(tried(1), tried(2), replace(tried(3), status=Status.FAILED))
    part = page["At a glance"]
    assert page.subtitle == "An experiment of x"
    assert part.paragraphs[0] == (
        "verdict good",
        f"Best mae (less is better): 38, by trial 2 ({tried(2).short}), x:v2",
    )
    assert part.facts == {
        "trials": "3: 2 finished, 1 failed",
        "from": "1 sweep",
        "ran": "2026-01-02 03:01 UTC to 2026-01-02 03:03 UTC",
        "time": "3.0 min of running",
        "train.depth": "4",
    }
    alone = experiment(tried(1))["At a glance"].facts
    assert alone["trials"] == "1, all finished" and alone["ran"] == "2026-01-02 03:01 UTC"
    more = experiment(tried(1), tried(2), aim=Objective.of("r2"))["At a glance"].said[0]
    assert more.startswith("Best r2 (more is better): 0.2, by trial 2")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(119.94, "119.9 s"), (120, "2.0 min"), (7199, "120.0 min"), (7200, "2.0 h"), (9000, "2.5 h")],
)
def test_the_time_of_an_experiment_is_in_seconds_minutes_or_hours(seconds: float, words: str) -> None:
    told = experiment(tried(1, seconds=seconds))["At a glance"].facts["time"]
    assert told == f"{words} of running"


def test_sweeps_and_searches_are_counted_apart() -> None:
    runs = (sweep(98), sweep(99), sweep(97, job_type="search", command=("relet", "tune", "rentals")))
    told = experiment(tried(1), experiment=Experiment(name="e", trials=(tried(1),), sweeps=runs))[
        "At a glance"
    ].facts
    assert told["from"] == "2 sweeps, 1 search"


def test_the_history_has_a_dot_for_each_trial_and_the_best_one_so_far() -> None:
    values = {1: 40.0, 2: 42.0, 3: 35.0, 4: 30.0, 5: 38.0}
    trials = [replace(tried(n), metrics={"mae": value}) for n, value in values.items()]
    trials[3] = replace(trials[3], status=Status.STOPPED)
    found = drawing_of(experiment(*trials)["History"], "mae, trial after trial")
    (best,) = found.curves
    dots = {each.tip: (each.x, each.y) for each in found.dots}
    assert len([each for each in dots if each.startswith("trial ")]) == 5
    # in the order in which they were tried, without the one that did not finish
    at = [dots[f"trial {n} ({trials[n - 1].short}): {value:g}"] for n, value in values.items()]
    assert best.points == (at[0], (at[1][0], at[0][1]), at[2], (at[4][0], at[2][1]))
    up = drawing_of(
        experiment(*trials, aim=Objective(metric="mae", more=True))["History"], "mae, trial after trial"
    )
    assert [y for _, y in up.curves[0].points] == [at[0][1], at[1][1], at[1][1], at[1][1]]
    assert "History" not in experiment(*trials[:2]).sections


def test_curves_are_of_the_six_best_trials_and_others_lie_behind() -> None:
    trials = [tried(n) for n in range(1, 9)]
    curves = {"error": {each.id: Curve(points=[(0, 1.0), (1, 2.0)], x="rounds") for each in trials}}
    found = drawing_of(experiment(*trials, curves=curves)["Curves"], "error")
    names = [each.tip.partition(" (")[0] for each in found.dots][::2]
    assert names == [f"trial {n}" for n in range(8, 2, -1)]
    assert len([each for each in found.curves if each.kind == "behind"]) == 2
    assert "rounds" in found.said


def test_the_coordinates_show_the_settings_that_matter_most_first() -> None:
    trials = [replace(tried(n), settings={"a.x": n, "a.y": -n}) for n in (1, 2, 3)]
    part = experiment(*trials, importance={"a.y": 0.9, "a.x": 0.1}, importance_note="told")["Parallel coordinates"]
    found = drawing_of(part, "What led to which mae")
    assert [each.words for each in found.texts if each.anchor == "middle"] == ["y", "x", "mae"]
    assert [each.tip.partition(" (")[0] for each in found.curves] == ["trial 1", "trial 2", "trial 3"]
    assert part.said[0].endswith("On the last axis better is up.")
    plain = experiment(*trials)["Parallel coordinates"]
    heads = [each.words for each in drawing_of(plain, "What led to which mae").texts if each.anchor == "middle"]
    assert heads == ["x", "y", "mae"]
    assert {"Parallel coordinates"}.isdisjoint(experiment(trials[0]).sections)


def test_the_importance_of_settings_is_drawn_with_what_it_stands_on() -> None:
    trials = [replace(tried(n), settings={"a.x": n, "a.y": -n}) for n in (1, 2, 3)]
    part = experiment(*trials, importance={"a.y": 0.9, "a.x": 0.1}, importance_note="told")[
        "Importance of settings"
    ]
    assert [each.tip for each in drawing_of(part, "What decided mae").boxes] == ["y: 90.0%", "x: 10.0%"]
    assert part.paragraphs == [("faint", "told")]


def test_at_most_a_hundred_of_the_trials_that_did_not_finish_are_listed() -> None:
    def lost(count: int) -> PartReading:
        trials = [
            replace(tried(1), id=f"2026-{n:08}", number=n, status=Status.FAILED, reason="no rows" if n else "")
            for n in range(count)
        ]
        return experiment(*trials, aim=None)["What did not finish"]

    many = lost(101)
    assert len(many.tables[0].rows) == 100 and many.said == ["The first 100 of 101."]
    assert many.tables[0].column("why")[:2] == ["no reason was recorded", "no rows"]
    assert not lost(100).said


def test_the_best_one_says_how_to_make_it_again() -> None:
    facts = experiment(tried(1), tried(2))["The best one"].facts
    assert facts == {
        "run": tried(2).id,
        "make it again": f"relet reproduce {tried(2).id}",
        "mae": "38",
        "r2": "0.2",
    }


def test_at_most_sixty_curves_lie_behind_the_best_six() -> None:
    trials = [replace(tried(1), id=f"2026-{n:08}", number=n, metrics={"mae": float(n)}) for n in range(1, 69)]
    curves = {"error": {each.id: Curve(points=[(0, 1.0), (1, 2.0)], x="rounds") for each in trials}}
    found = drawing_of(experiment(*trials, curves=curves)["Curves"], "error")
    assert [each.kind for each in found.curves] == ["behind"] * 60 + ["o0", "o1", "o2", "o3", "o0", "o1"]


def test_the_page_says_how_many_settings_and_trials_the_coordinates_leave_out() -> None:
    def told(settings: int, trials: int, folds: int = 1) -> str:
        held = [
            replace(
                tried(1),
                id=f"2026-{n:08}",
                number=n,
                folds=folds if n == 1 else 1,
                settings={f"a.s{k:02}": n * k for k in range(1, settings + 1)},
            )
            for n in range(1, trials + 1)
        ]
        return experiment(*held)["Parallel coordinates"].said[0].partition("better is up.")[2]

    assert told(12, 3) == ""
    assert told(13, 3) == " 12 of 13 settings."
    assert told(1, 400) == ""
    assert told(1, 401) == " The first 400 of 401 trials."
    assert told(1, 3, folds=2) == " Without 2 trials that had fewer folds than the others."
