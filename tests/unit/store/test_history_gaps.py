"""A history in which something is gone, pruned or damaged: what comes along all the same, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from relet.core.artifact import Version
from relet.errors import DamagedError, NotFoundError
from relet.store import Store
from tests.stored import lose, lose_objects, overwrite, overwrite_object
from tests.unit.store.past import a_past, add, consistent, forget, ran


def test_an_intermediate_that_is_gone_stays_behind_and_its_number_never_means_another_version(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    forget(store, "clean_sample:v2")
    lose_objects(store, store.version("dropped:v1").files["dropped.txt"])
    history = store.export_history("model", tmp_path / "b.tar")
    assert history.notes == (
        "without clean_sample:v2: it is gone, and a reproduction makes it again",
        "without dropped:v1: it is gone, and a reproduction makes it again",
    )
    arrival = other.import_bundle(tmp_path / "b.tar")
    assert arrival.gone == ("clean_sample:v2", "dropped:v1")
    taken = other.run("run5-train").inputs["clean_sample"]
    assert other.find(taken.version) is None
    with pytest.raises(NotFoundError, match="was pruned"):
        other.version(taken.version)
    for content in (b"another", b"clean 3"):
        assert str(add(other, "clean_sample", content)) != taken.version
    consistent(other)


def test_what_was_pruned_in_both_stores_has_one_number(store: Store, other: Store, tmp_path: Path) -> None:
    a_past(store)
    add(other, "clean_sample", b"clean 3")
    add(other, "clean_sample", b"own")
    other.prune(keep=1)
    forget(store, "clean_sample:v2")
    store.export_history("model", tmp_path / "b.tar")
    other.import_bundle(tmp_path / "b.tar")
    assert other.run("run5-train").inputs["clean_sample"].version == "clean_sample:v1"
    consistent(other)


def test_content_that_came_back_under_another_number_is_carried_by_that(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    forget(store, "clean_sample:v1")
    add(store, "clean_sample", b"clean 1")
    history = store.export_history("model", tmp_path / "b.tar")
    assert history.notes == ()
    other.import_bundle(tmp_path / "b.tar")
    taken = other.run("run5-train").inputs["reference"].version
    assert other.version(taken).content == store.version("clean_sample:v3").content
    consistent(other)


def test_content_that_is_gone_there_and_stored_here_is_what_links_lead_to(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    forget(store, "clean_sample:v2")
    store.export_history("model", tmp_path / "b.tar")
    add(other, "clean_sample", b"own")
    here = add(other, "clean_sample", b"clean 3")
    other.import_bundle(tmp_path / "b.tar")
    assert other.run("run4-clean").outputs["clean_sample"].version == str(here)
    consistent(other)


def of_run(run: str, what: str) -> Callable[[Store], str]:
    return lambda store: store.run(run).objects[what]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (of_run("run4-clean", "diff"), r"object {}: diff of run run4-clean"),
        (of_run("run3-get", "file pipelines/p/new.py"), r"object {}: file pipelines/p/new.py of run run3-get"),
        (of_run("run5", "lock"), r"object {}: lock of run run5, run5-train, run4-clean, run3-get"),
        (
            lambda store: store.version("clean_sample:v1").files["clean_sample.txt"],
            "clean_sample:v1: train took it",
        ),
        (lambda store: store.version("model:v2").files["model.txt"], "model:v2: an object of its own"),
    ],
)
def test_an_export_is_refused_where_making_it_again_stands_on_what_is_gone(
    store: Store, model: Version, tmp_path: Path, lost: Callable[[Store], str], said: str
) -> None:
    sha = lost(store)
    lose_objects(store, sha)
    with pytest.raises(NotFoundError, match=said.format(sha)) as refused:
        store.export_history("model", tmp_path / "b.tar")
    assert "without --with-history" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_was_never_stored_is_named_and_all_that_is_gone_is_named_at_once(
    store: Store, tmp_path: Path
) -> None:
    ran(store, "run1", {"get": ({}, {"sample": b"rows"})}, source=b"listings")
    record = store.run("run1-get")
    for sha in (record.sources["url"], record.code.untracked["pipelines/p/new.py"]):
        lose_objects(store, sha)
    with pytest.raises(NotFoundError) as refused:
        store.export_history("sample", tmp_path / "b.tar")
    assert f"object {record.sources['url']}: source of url of run run1-get" in str(refused.value)
    assert "file pipelines/p/new.py of run run1, run1-get" in str(refused.value)


@pytest.mark.parametrize("run", ["run5", "run5-train", "run5-test", "run4-clean", "run3-get"])
def test_an_export_is_refused_where_a_record_that_it_stands_on_is_gone_or_torn(
    store: Store, model: Version, tmp_path: Path, run: str
) -> None:
    overwrite(store, f"runs/{run}.json", b"{")
    with pytest.raises(NotFoundError, match=rf"the record of run {run}: .* damaged"):
        store.export_history("model", tmp_path / "b.tar")
    lose(store, f"runs/{run}.json")
    with pytest.raises(NotFoundError, match=f"the record of run {run}: "):
        store.export_history("model", tmp_path / "b.tar")


def test_a_version_that_nobody_says_who_made_has_no_history(store: Store, tmp_path: Path) -> None:
    add(store, "sample", b"by hand")
    with pytest.raises(NotFoundError, match="nothing says which it was"):
        store.export_history("sample", tmp_path / "b.tar")


def test_what_only_a_run_beside_or_further_back_needs_is_noted_and_stops_nothing(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    source = store.run("run1-get").sources["url"]
    lose_objects(store, source)
    lose_objects(store, store.version("model:v1").files["model.txt"])
    lose(store, "runs/run1-clean.json")
    history = store.export_history("model", tmp_path / "b.tar")
    assert history.notes == (
        "without model:v1: it is gone, and what took it can't be made again",
        "without the record of run run1-clean: it made clean_sample:v1",
    )
    store.put_run(replace(store.run("run5"), id="run1-clean", parent="run1", component="clean", steps={}))
    notes = store.export_history("model", tmp_path / "b.tar").notes
    assert f"without object {source}: source of url of run run1-get" in notes
    arrival = other.import_bundle(tmp_path / "b.tar")
    assert arrival.gone == ("model:v1",)
    assert [each.where for each in other.verify()] == ["run run1-get source of url"]


def test_the_step_of_an_older_relet_is_known_by_what_it_made(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    document = store.run("run5").to_json()
    document["steps"]["get"]["run"] = None
    del document["steps"]["clean"]["run"]
    overwrite(store, "runs/run5.json", document)
    history = store.export_history("model", tmp_path / "b.tar")
    assert {"run3-get", "run4-clean"} <= {record.id for record in history.bundle.records}
    other.import_bundle(tmp_path / "b.tar")
    assert other.run("run3-get").outputs["sample"].version in map(str, other.versions("sample"))
    lose_objects(store, store.run("run3-get").objects["diff"])
    with pytest.raises(NotFoundError, match="diff of run run3-get"):
        store.export_history("model", tmp_path / "b.tar")


def test_history_goes_back_to_the_beginning(store: Store, tmp_path: Path) -> None:
    before = ran(store, "run1", {"get": ({}, {"sample": b"rows"})})
    for number in (2, 3, 4):
        name = f"after_{number}"
        before = ran(store, f"run{number}", {"refine": (before, {name: b"%d" % number})})
    history = store.export_history("after_4", tmp_path / "b.tar")
    assert [str(version) for version in history.bundle.versions] == [
        *("after_2:v1", "after_3:v1", "after_4:v1", "sample:v1")
    ]
    assert {"run1", "run1-get", "run4-refine"} <= {record.id for record in history.bundle.records}


def test_a_version_names_a_producer_that_comes_along(store: Store, other: Store, tmp_path: Path) -> None:
    ran(store, "run1", {"get": ({}, {"sample": b"rows"})})
    got = ran(store, "run2", {"get": ({}, {"sample": b"rows"})})
    ran(store, "run3", {"train": (got, {"model": b"weights"})}, skipped={"get": "run2-get"})
    assert store.version("sample").producer == "run1-get"
    store.export_history("model", tmp_path / "b.tar")
    other.import_bundle(tmp_path / "b.tar")
    assert other.version("sample").producer == "run2-get"


def test_an_object_that_is_damaged_never_enters_the_file(store: Store, model: Version, tmp_path: Path) -> None:
    sha = store.run("run5").objects["diff"]
    overwrite_object(store, sha, b"another diff")
    with pytest.raises(DamagedError, match=sha):
        store.export_history("model", tmp_path / "b.tar")
    assert list(tmp_path.iterdir()) == []
