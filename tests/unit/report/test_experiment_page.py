"""The page of an experiment: what it says, and that nothing from outside runs in it or is asked for."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from relet import Curve
from relet.core.record import Status
from relet.experiments.experiment import Experiment, Trial, trial
from relet.experiments.objective import Objective
from relet.report.experiment import ExperimentPageContent, TrialArtifact, WinnerFigure, experiment_page
from tests.experiment_store import pipeline_run, run_id, sweep
from tests.unit.report.reading import Reading

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


def trials(count: int = 4) -> list[Trial]:
    records = (pipeline_run(n, parent=run_id(99), trial=n) for n in range(1, count + 1))
    return [replace(trial(each), model=f"model:v{n}") for n, each in enumerate(records, 1)]


def material(held: list[Trial], name: str = "prices", **changes: object) -> ExperimentPageContent:
    experiment = Experiment(name=name, trials=tuple(held), sweeps=(sweep(99),))
    return replace(
        ExperimentPageContent(experiment=experiment, trials=tuple(held), aim=Objective.of("mae")), **changes
    )


def test_a_page_says_which_trial_was_best_what_it_was_set_to_and_how_to_make_it_again() -> None:
    reading = Reading(experiment_page(material(trials())))
    for words in (
        "Best mae (less is better): 31, by trial 1 (00000001), model:v1",
        "trials 4, all finished",
        "from 1 sweep",
        "time 2.0 min of running",
        f"relet reproduce {run_id(1)}",
        "Settings that are the same in all: 2",
    ):
        assert words in reading.words
    assert reading.headings == [
        "prices",
        "At a glance",
        "Trials",
        "Parallel coordinates",
        "Importance of settings",
        "History",
        "The best one",
    ]


def test_the_table_marks_the_best_and_can_be_sorted_by_exact_values() -> None:
    html = experiment_page(material(trials()))
    assert html.count('<tr class="best">') == 1
    assert html.count('<table class="sortable">') == 1
    assert 'data-v="31.0"' in html


def test_a_setting_that_a_trial_does_not_have_is_a_dash_and_a_long_list_may_wrap() -> None:
    layers = list(range(100, 130))
    sizes = ({"train.layers": layers}, {"train.layers": [64]}, {})
    held = [replace(each, settings={**each.settings, **more}) for each, more in zip(trials(3), sizes, strict=True)]
    first, second, third = re.findall(r"<tr[^>]*><td>0000000\d.*?</tr>", experiment_page(material(held)))
    assert f'<td class="w">{layers}</td>' in first
    assert "<td>[64]</td>" in second
    assert "<td>–</td>" in third and "None" not in third


def test_the_only_script_that_may_run_is_the_pages_own() -> None:
    html = experiment_page(material(trials()))
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in html
    assert "default-src 'none'" in html and "unsafe-inline'; script" not in html.replace(
        "style-src 'unsafe-inline'", ""
    )


def test_what_did_not_finish_is_listed_with_its_reason() -> None:
    held = trials()
    held[2] = replace(held[2], status=Status.FAILED, reason="no rows", metrics={})
    reading = Reading(experiment_page(material(held)))
    assert "What did not finish" in reading.headings
    assert "trial 3 (00000003) failed no rows" in reading.words
    assert "trials 4: 3 finished, 1 failed" in reading.words


def test_curves_figures_and_artifacts_have_their_places() -> None:
    held = trials(2)
    html = experiment_page(
        material(
            held,
            curves={"error": {each.id: Curve(points=[(1, 9.0), (2, 5.0)], x="rounds") for each in held}},
            figures=(
                WinnerFigure(version="plot:v1", path="figure.svg", uri="data:image/svg+xml;base64,AA=="),
                WinnerFigure(version="big:v1", path="big.png"),
            ),
            made=(
                TrialArtifact(
                    version="plot:v1", type="figure", trials=("00000001",), files={"figure.svg": "../objects/ab"}
                ),
            ),
            left_out=3,
        )
    )
    reading = Reading(html)
    assert {"Curves", "The best one", "Artifacts"} <= set(reading.headings)
    assert "big:v1, big.png is too large for this page: relet artifacts get big:v1" in reading.words
    assert "relet artifacts get plot:v1" in reading.words and "3 more are not listed" in reading.words
    assert {"../objects/ab", "data:image/svg+xml;base64,AA=="} <= set(reading.links)
    assert "trial 2 (00000002): 5 at 2" in html


def test_importance_is_drawn_or_said_to_be_unknown() -> None:
    known = material(trials(), importance={"train.depth": 0.9, "train.rate": 0.1}, importance_note="Explained.")
    assert "90.0%" in experiment_page(known)
    unknown = experiment_page(material(trials(), importance_note="too few to tell"))
    assert "too few to tell" in unknown and "What decided" not in unknown


def test_an_experiment_without_a_metric_or_without_a_run_is_a_page_too() -> None:
    bare = [replace(each, metrics={}) for each in trials()]
    assert "No trial that finished has a metric" in Reading(experiment_page(material(bare, aim=None))).words
    assert "Nothing to show." in Reading(experiment_page(material([], aim=None))).words


@pytest.mark.parametrize("place", ["name", "reason", "setting", "metric", "version"])
def test_nothing_from_outside_becomes_a_part_of_the_page(place: str) -> None:
    held = trials(8)
    changes: dict[str, object] = {
        "reason": {"reason": EVIL, "status": Status.FAILED},
        "setting": {"settings": {EVIL: EVIL, "train.depth": 3}},
        "metric": {"metrics": {"mae": 1.0, EVIL: 2.0}},
        "version": {"model": EVIL, "outputs": {"model": EVIL}},
    }
    if place in changes:
        held[0] = replace(held[0], **changes[place])  # type: ignore[arg-type]
    made = (TrialArtifact(version=EVIL, type=EVIL, trials=(EVIL,), files={EVIL: EVIL}),)
    html = experiment_page(material(held, EVIL if place == "name" else "prices", made=made))
    reading = Reading(html)
    assert html.count("<script>") == 1 and "<script>alert" not in html
    assert "img" not in reading.tags


def test_a_thousand_trials_fit_in_a_page_that_one_can_send() -> None:
    some = trials(1)[0]
    held = [
        replace(
            some,
            id=run_id(n),
            number=n,
            metrics={"mae": 30 + n % 97},
            settings={f"s{k}": n * k for k in range(12)},
        )
        for n in range(1, 1500)
    ]
    made = tuple(
        TrialArtifact(version=f"model:v{n}", type="model", trials=("x",), files={"m": "o" * 90})
        for n in range(1200)
    )
    html = experiment_page(material(held, made=made))
    assert len(html.encode()) < 3 * 1024**2
    assert "The first 1,000 of 1,499 trials." in html
