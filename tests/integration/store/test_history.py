"""A model with all that it stands on, gathered, carried to another store, and set down there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.artifact import Version
from relet.core.record import Status
from relet.errors import NotFoundError
from relet.store import Store, open_store
from tests.stored import enter_what_a_kill_left
from tests.unit.store.past import add, consistent, contents, everything, forget, ran


def test_what_a_model_stands_on_comes_along_each_once_and_nothing_else_does(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    history = store.export_history("model", tmp_path / "b.tar")
    assert history.notes == ()
    assert [str(version) for version in history.bundle.versions] == [
        *("clean_sample:v1", "clean_sample:v2", "dropped:v1", "evaluation:v1", "metrics:v1"),
        *("model:v1", "model:v2", "sample:v1", "sample:v3"),
    ]
    assert [record.id for record in history.bundle.records] == [
        *("run1", "run1-clean", "run1-get", "run3-get", "run4-clean", "run5", "run5-test", "run5-train")
    ]
    arrival = other.import_bundle(tmp_path / "b.tar")
    assert (str(arrival.version), arrival.version.content) == ("model:v2", model.content)
    assert {was: str(now) for was, now in arrival.versions.items()}["sample:v3"] == "sample:v2"
    assert len(arrival.runs) == 8
    assert (arrival.known, arrival.gone) == ((), ())
    consistent(other)
    for record in history.bundle.records:
        carried = other.run(record.id)
        assert carried.objects == record.objects
        assert all(other.has_object(sha) for sha in record.objects.values())
        assert (record.imported, str(carried.imported)[:11]) == (None, "the bundle ")
        here = {"inputs": record.inputs, "outputs": record.outputs, "steps": record.steps}
        assert replace(carried, caveats=record.caveats, **here) == record
    assert other.run("run1-get").sources != {}
    assert other.run("run5").steps["get"] == {
        **store.run("run5").steps["get"],
        "outputs": {"sample": "sample:v2"},
    }


def test_the_same_store_is_exported_as_the_same_bytes(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    store.export_history("model", tmp_path / "1.tar")
    add(store, "sample", b"something of tomorrow")
    store.export_history("model:v2", tmp_path / "2.tar")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_what_was_carried_leads_no_run_there_to_skip_and_the_newest_names_are_latest(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    store.set_alias("model", "prod", 2, by="test", why="")
    store.export_history("model", tmp_path / "b.tar")
    other.import_bundle(tmp_path / "b.tar")
    # a bundle is not believed: it could let a run take what nobody ever computed
    assert other.key(str(store.run("run4-clean").key)) is None
    assert other.aliases("model") == {"latest": 2}
    assert other.aliases("clean_sample") == {"latest": 2}


def test_the_version_that_was_asked_for_is_latest_though_a_newer_one_comes_along(
    store: Store, other: Store, tmp_path: Path
) -> None:
    asked = add(store, "model", b"weights", "run1-train")
    champion = add(store, "model", b"by hand")
    ran(store, "run1", {"train": ({"champion": champion}, {"model": b"weights"})})
    store.export_history("model:v1", tmp_path / "b.tar")
    other.import_bundle(tmp_path / "b.tar")
    assert other.version("model:latest").content == asked.content
    assert len(other.versions("model")) == 2


def test_importing_twice_changes_nothing(store: Store, other: Store, model: Version, tmp_path: Path) -> None:
    forget(store, "clean_sample:v2")
    store.export_history("model", tmp_path / "b.tar")
    other.import_bundle(tmp_path / "b.tar")
    before = everything(other)
    again = other.import_bundle(tmp_path / "b.tar")
    assert everything(other) == before
    assert (again.runs, len(again.known)) == ((), 8)
    assert store.import_bundle(tmp_path / "b.tar").version == model


def test_a_store_with_versions_of_its_own_keeps_them_their_numbers_and_what_they_are_called(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    own = [add(other, "sample", b"own"), add(other, "sample", b"rows 3"), add(other, "model", b"own model")]
    other.set_alias("model", "latest", 1, by="test", why="")
    store.export_history("model", tmp_path / "b.tar")
    arrival = other.import_bundle(tmp_path / "b.tar")
    assert [other.version(str(version)) for version in own] == own
    assert {was: str(now) for was, now in arrival.versions.items() if now.name in ("sample", "model")} == {
        "sample:v1": "sample:v3",
        "sample:v3": "sample:v2",
        "model:v1": "model:v2",
        "model:v2": "model:v3",
    }
    assert other.version("model:latest") == own[2]
    assert other.version("sample:latest") == own[1]
    assert other.run("run5-test").inputs["sample"].version == "sample:v2"
    assert other.run("run5").steps["train"]["outputs"]["model"] == "model:v3"
    consistent(other)


def test_a_run_that_is_there_is_left_as_it_is_and_so_is_a_key_that_leads_somewhere(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    store.export_history("model", tmp_path / "b.tar")
    known = replace(store.run("run5"), message="as it is here", status=Status.RUNNING, steps={})
    other.put_run(known)
    own = add(other, "sample", b"own")
    key = str(store.run("run3-get").key)
    other.put_key(key, {"sample": str(own)}, "another")
    arrival = other.import_bundle(tmp_path / "b.tar")
    assert other.run("run5") == known
    assert (arrival.known, len(arrival.runs)) == (("run5",), 7)
    assert (other.key(key), other.maker(key)) == ({"sample": "sample:v1"}, "another")


# a process that ends on the way


class Ended(BaseException):
    """As if the process ended here."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.long
def test_wherever_an_import_ends_what_is_there_is_whole_and_the_next_one_completes_it(
    store: Store, model: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    from relet.store.bucket import Bucket

    forget(store, "clean_sample:v2")
    store.export_history("model", tmp_path / "b.tar")
    whole = open_store(f"memory://{uuid4()}")
    whole.import_bundle(tmp_path / "b.tar")
    ends = 0
    while True:
        other, left = open_store(f"memory://{uuid4()}"), [ends]
        with monkeypatch.context() as patch:
            for name in ("create", "put"):
                patch.setattr(Bucket, name, ending(getattr(Bucket, name), left, after))
            try:
                other.import_bundle(tmp_path / "b.tar")
                break
            except Ended:
                pass
        assert enter_what_a_kill_left(other) == [], f"the process ended at write {ends}"
        for record in other.runs():
            assert all(
                other.find(each.version) for each in record.outputs.values() if "clean_s" not in each.version
            )
        other.import_bundle(tmp_path / "b.tar")
        assert timeless(other) == timeless(whole)
        ends += 1
    assert ends > 40


def ending(write: Any, left: list[int], after: bool) -> Any:
    def ends(self: object, *arguments: object) -> object:
        left[0] -= 1
        if left[0] < 0 and not after:
            raise Ended
        result = write(self, *arguments)
        if left[0] < 0:
            raise Ended
        return result

    return ends


def timeless(store: Store) -> dict[str, object]:
    """What a store holds, without the times at which it was written, garbage, and the log, which says them."""
    store.gc(timedelta(0))
    began = next(store.log()).path
    return {
        "versions": {str(replace(v, created="")): v.files for n in store.names() for v in store.versions(n)},
        "latest": {name: store.aliases(name) for name in store.names()},
        "runs": {record.id: record for record in store.runs()},
        "others": {path for path in everything(store) if path.startswith(("objects/", "keys/"))} - {began},
    }


# laws


pasts = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.booleans(), st.booleans()),
    min_size=1,
    max_size=5,
)


def lived(store: Store, past: list[tuple[int, int, int, bool, bool]]) -> None:
    """Runs of get → clean → train on few different contents, with inputs pinned and contents pruned at times."""
    for number, (rows, low, factor, pinned, pruned) in enumerate(past):
        known = {name: store.version(name) for name in store.names()}
        run = f"r{number}"
        got = ran(store, f"{run}a", {"get": ({}, {"sample": bytes([rows])})}, source=bytes([rows, rows]))
        sample = known.get("sample", got["sample"]) if pinned else got["sample"]
        cleaned = ran(store, f"{run}b", {"clean": ({"sample": sample}, {"clean_sample": bytes([rows, low])})})
        inputs = {**cleaned, "reference": known.get("clean_sample", cleaned["clean_sample"])}
        makers = {"get": f"{run}a-get", "clean": f"{run}b-clean"}
        ran(store, f"{run}c", {"train": (inputs, {"model": bytes([rows, low, factor])})}, skipped=makers)
        if pruned:
            store.prune(keep=2)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=pasts, owned=pasts)
@pytest.mark.long
def test_what_is_exported_is_what_is_imported_and_exported_again_and_nothing_is_lost_or_doubled(
    tmp_path: Path, past: list[tuple[int, int, int, bool, bool]], owned: list[tuple[int, int, int, bool, bool]]
) -> None:
    store, fresh, other = (open_store(f"memory://{uuid4()}") for _ in range(3))
    lived(store, past)
    try:
        first = store.export_history("model", tmp_path / "1.tar").bundle
    except NotFoundError as error:
        assert "took it as" in str(error)
        return
    fresh.import_bundle(tmp_path / "1.tar")
    consistent(fresh)
    second = fresh.export_history("model", tmp_path / "2.tar").bundle
    assert second.objects == first.objects
    assert {(v.name, v.content) for v in second.versions} == {(v.name, v.content) for v in first.versions}
    assert [record.id for record in second.records] == [record.id for record in first.records]
    for number in range(len(owned)):
        add(other, "model", b"own %d" % number)
    before = {str(version): version for name in other.names() for version in other.versions(name)}
    meant = {name: other.version(name) for name in other.names()}
    for _ in range(2):
        other.import_bundle(tmp_path / "2.tar")
        consistent(other)
        assert {reference: other.version(reference) for reference in before} == before
        assert {name: other.version(name) for name in meant} == meant
        held = [(v.name, v.content) for name in other.names() for v in other.versions(name)]
        assert len(held) == len(set(held)) == len(contents(fresh) | {(v.name, v.content) for v in before.values()})
