"""What is read of experiments: which run a word names, in what runs differ, and what a page is made of."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from relet import Curve
from relet.browsing.contrast import compare
from relet.browsing.experiment_page import page_material
from relet.browsing.experiments import explained_trials, find_experiment, gather
from relet.browsing.runs import find_run
from relet.core.record import Status
from relet.errors import NotFoundError, SettingError
from relet.experiments.objective import Objective
from relet.store import Store, open_store
from tests.experiment_store import pipeline_run, run_id, stored, sweep


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def test_a_run_is_named_by_its_id_by_either_end_of_it_or_by_what_it_made(store: Store, tmp_path: Path) -> None:
    first, second = (stored(store, tmp_path, number) for number in (1, 2))
    store.set_alias("model", "prod", 2, by="test", why="promoted")
    for word in (first.id, "00000001", "20260102T030400000001", "model:v1", run_id(501), "000001f5"):
        assert find_run(store, word) == first, word
    assert find_run(store, "model:prod") == second


def test_a_word_that_names_no_run_or_several_is_refused_with_those_it_could_be(
    store: Store, tmp_path: Path
) -> None:
    for number in (1, 2):
        stored(store, tmp_path, number)
    with pytest.raises(
        NotFoundError, match=r"'20260102' begins the ids of 4 runs; write more of it: 20260102T\d+"
    ):
        find_run(store, "20260102")
    with pytest.raises(
        NotFoundError, match="holds no run '20260102T030400000001-00000009': did you mean 20260102T"
    ):
        find_run(store, "20260102T030400000001-00000009")
    with pytest.raises(NotFoundError, match="no artifact 'modle': did you mean model"):
        find_run(store, "modle:v1")
    digest = store.put_object(b"x")
    store.add_version(name="given", type="file", content=digest, files={"x": digest})
    with pytest.raises(NotFoundError, match="given:v1 was made by no run that was recorded"):
        find_run(store, "given:v1")


def test_a_word_like_no_run_is_refused_with_the_latest_five(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no run 'zzz': nothing has run yet"):
        find_run(store, "zzz")
    for number in range(1, 8):
        stored(store, tmp_path, number)
    five = ", ".join(run_id(number) for number in (7, 6, 5, 4, 3))
    with pytest.raises(NotFoundError, match=f"'zzz': the latest are {five}; `relet runs` lists them$"):
        find_run(store, "zzz")


def test_a_version_that_is_missing_is_refused_with_each_that_there_is_once(store: Store, tmp_path: Path) -> None:
    stored(store, tmp_path, 1)
    store.set_alias("model", "latest", 1, by="test", why="kept")
    with pytest.raises(NotFoundError, match=r"holds no model:zzz: there are latest, v1$"):
        find_run(store, "model:zzz")


def test_a_sweep_stands_for_its_winner_where_it_has_one(store: Store) -> None:
    for record in (pipeline_run(1), sweep(2, winner=run_id(1)), sweep(3)):
        store.put_run(record)
    assert find_run(store, run_id(2)).id == run_id(1)
    with pytest.raises(SettingError, match="is a sweep without a winner"):
        find_run(store, run_id(3))


def test_runs_differ_in_what_was_set_what_came_of_it_and_what_they_stand_on(store: Store, tmp_path: Path) -> None:
    curve = Curve(points=[(1, 60.0), (2, 45.5)], x="rounds")
    stored(store, tmp_path, 1, error=curve)
    stored(store, tmp_path, 2)
    found = compare(store, ["model:v1", "00000002"])
    assert found.labels == ("model:v1", "00000002")
    rows = {row.name: row for row in (*found.parameters, *found.metrics)}
    assert rows.keys() == {"train.depth", "mae", "r2"}
    assert (rows["mae"].values, rows["mae"].apart) == ((31.0, 32.0), 1.0)
    basis = {kind: [row.name for row in held] for kind, held in found.basis.items()}
    assert basis == {"code": ["features"], "packages": ["lightgbm"], "commit": ["commit"]}
    assert found.curves == {"error": {"model:v1": curve}}
    assert found.same == {
        "parameters": 2,
        "metrics": 1,
        "code": 1,
        "packages": 1,
        "inputs": 1,
        "commit": 1,
        "machine": 1,
    }


def test_everything_is_what_differs_and_what_does_not(store: Store, tmp_path: Path) -> None:
    for number in (1, 2):
        stored(store, tmp_path, number)
    found = compare(store, ["00000001", "00000002"], everything=True)
    assert [row.name for row in found.parameters] == ["train.depth", "train.family", "train.rate"]
    assert [row.name for row in found.basis["inputs"]] == ["sample"]
    assert found.same == {}


def test_what_a_run_never_got_to_is_no_difference_in_its_code(store: Store, tmp_path: Path) -> None:
    stored(store, tmp_path, 1)
    store.put_run(pipeline_run(3, status=Status.FAILED, message="no rows"))
    found = compare(store, ["00000001", "00000003"])
    facts = {row.name: row.values for row in found.facts}
    assert (facts["without"], facts["reason"]) == ((None, "train"), (None, "no rows"))
    assert found.basis.keys() == {"commit"}


@pytest.mark.parametrize("words", [["00000001"], ["00000001", "model:v1"]])
def test_one_run_is_not_compared_with_itself(store: Store, tmp_path: Path, words: list[str]) -> None:
    stored(store, tmp_path, 1)
    with pytest.raises(SettingError, match="takes two runs or more"):
        compare(store, words)


def test_a_run_that_is_named_twice_beside_another_has_two_names(store: Store, tmp_path: Path) -> None:
    for number in (1, 2):
        stored(store, tmp_path, number)
    found = compare(store, ["00000001", "00000002", "00000001"])
    assert found.labels == ("00000001", "00000002", "00000001 (2)")


def test_an_experiment_is_found_by_its_name_and_a_sweep_by_its_id(store: Store) -> None:
    for record in (pipeline_run(1), sweep(2), pipeline_run(3, parent=run_id(2), trial=1)):
        store.put_run(record)
    held = gather(store)
    assert len(find_experiment(held, "prices").trials) == 2
    for name in (run_id(2), "00000002"):
        assert [each.id for each in find_experiment(held, name).trials] == [run_id(3)]
    with pytest.raises(NotFoundError, match="no experiment or sweep 'price': did you mean prices"):
        find_experiment(held, "price")


def test_a_run_that_a_verdict_stopped_says_what_the_verdict_said(store: Store, tmp_path: Path) -> None:
    stored(store, tmp_path, 1, refused="r2 too low", status=Status.STOPPED)
    (found,) = explained_trials(store, gather(store)["prices"].trials)
    assert found.reason == "verdict: r2 too low"


def test_a_page_has_the_winners_figures_and_links_that_lead_to_every_file(store: Store, tmp_path: Path) -> None:
    for number in (1, 2):
        stored(store, tmp_path, number, error=Curve(points=[(1, 9.0 * number)], x="rounds"))
    (place := tmp_path / "a folder" / "pages").mkdir(parents=True)
    experiment = gather(store)["prices"]
    found = page_material(store, experiment, experiment.trials, Objective.of("mae"), place=place)
    assert found.best and found.best.model == "model:v1"
    assert [(each.version, each.uri[:26] if each.uri else None) for each in found.figures] == [
        ("importance:v1", "data:image/svg+xml;base64,")
    ]
    assert {each.version for each in found.made} == {
        f"{n}:v{v}" for n in ("scores", "importance", "model") for v in (1, 2)
    }
    for each in found.made:
        for path, link in each.files.items():
            assert link and (place / unquote(link)).is_file(), (each.version, path)
    assert found.curves["error"].keys() == {run_id(1), run_id(2)}
    assert (found.importance, "2 trials that finished have a mae: too few" in found.importance_note) == (
        None,
        True,
    )


def test_a_page_on_a_bucket_has_commands_and_no_links(tmp_path: Path) -> None:
    store = open_store("memory://experiments")
    stored(store, tmp_path, 1)
    experiment = gather(store)["prices"]
    found = page_material(store, experiment, experiment.trials, None, place=tmp_path)
    assert {link for each in found.made for link in each.files.values()} == {None}


def test_a_figure_that_is_too_large_is_named_and_left_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store, tmp_path, 1)
    monkeypatch.setattr("relet.browsing.experiment_page.FIGURE", 10)
    experiment = gather(store)["prices"]
    found = page_material(store, experiment, experiment.trials, Objective.of("mae"), place=tmp_path)
    assert [(each.version, each.uri) for each in found.figures] == [("importance:v1", None)]
