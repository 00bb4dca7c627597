"""A model with all that it stands on, gathered, carried to another store, and set down there."""

from __future__ import annotations

from collections.abc import Callable
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
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store import Store, open_store
from relet.store.layout import content_path, version_path
from tests.stored import enter_what_a_kill_left, lose, lose_objects, overwrite, overwrite_object, stored_paths
from tests.unit.store.past import a_past, add, consistent, contents, everything, forged, manifest_of, ran

EXPORTED_1 = Path(__file__).parent / "exported_1.tar"
EXPORTED_2 = Path(__file__).parent / "exported_2.tar"
# The same with records of runs of format 3.
EXPORTED_2_RUNS_3 = Path(__file__).parent / "exported_2_runs_3.tar"
# The same with records of runs of format 4.
EXPORTED_2_RUNS_4 = Path(__file__).parent / "exported_2_runs_4.tar"


@pytest.fixture
def model(store: Store) -> Version:
    return a_past(store)


@pytest.fixture
def other() -> Store:
    return open_store(f"memory://{uuid4()}")


def forget(store: Store, version: str) -> None:
    """As prune leaves a version: its number is taken, and its content leads nowhere."""
    gone = store.version(version)
    document = {"pruned": "2026-01-02", "name": gone.name, "number": gone.number, "content": gone.content}
    overwrite(store, version_path(gone.name, gone.number), document)
    lose(store, content_path(gone.name, gone.content))


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


# what is gone


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


# a process that ends on the way


class Ended(BaseException):
    """As if the process ended here."""


@pytest.mark.parametrize("after", [False, True])
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


# files that claim to be a bundle


def test_a_file_of_format_1_is_read_and_one_version_alone_is_still_written_so(
    other: Store, tmp_path: Path
) -> None:
    arrival = other.import_bundle(EXPORTED_1)
    assert (str(arrival.version), arrival.runs, arrival.known) == ("sample:v1", (), ())
    assert other.import_version(EXPORTED_1) == arrival.version
    assert other.read_object(arrival.version.files["data.csv"]) == b"id,price\n1,100\n"
    assert (arrival.version.metadata["rows"], arrival.version.description) == (1, "listings")
    other.export_version("sample", tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == EXPORTED_1.read_bytes()


@pytest.mark.parametrize(
    "file", [EXPORTED_2, EXPORTED_2_RUNS_3, EXPORTED_2_RUNS_4], ids=["runs 2", "runs 3", "runs 4"]
)
def test_a_file_of_format_2_is_read(other: Store, file: Path) -> None:
    arrival = other.import_bundle(file)
    assert (str(arrival.version), len(arrival.runs), arrival.gone) == ("model:v2", 8, ("clean_sample:v2",))
    assert other.run("run1-get").objects.keys() == {"lock", "diff", "file pipelines/p/new.py", "source of url"}
    assert str(other.run("run5").caveats[0]) == "connects to example.org"
    assert other.run("run5").overrides == ()
    consistent(other)


def test_what_is_exported_is_the_file_that_was_exported_before(
    store: Store, model: Version, tmp_path: Path
) -> None:
    forget(store, "clean_sample:v2")
    store.export_history("model", tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == EXPORTED_2_RUNS_4.read_bytes()


def changed(path: str, value: object) -> Callable[[Any], None]:
    """Sets what lies at a path of names and numbers, `runs/0/id`."""

    def change(manifest: Any) -> None:
        *above, last = (int(each) if each.isdigit() else each for each in path.split("|"))
        for each in above:
            manifest = manifest[each]
        manifest[last] = value

    return change


def doubled(what: str) -> Callable[[Any], None]:
    return lambda manifest: manifest[what].append(manifest[what][0])


def swapped(manifest: Any) -> None:
    first, second = manifest["versions"][:2]
    first["number"], second["number"] = second["number"], first["number"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("format", 3), "exported by a newer relet"),
        (changed("version", "model:v9"), "says that it holds model:v9"),
        (changed("version", ["model"]), "says that it holds"),
        (changed("versions|0|number", 2), "holds clean_sample:v2 twice"),
        (changed("versions|0|number", 0), "numbered from 1"),
        (changed("versions|0|number", True), "numbered from 1"),
        (changed("versions|0|number", -1), "numbered from 1"),
        (changed("versions|0|number", "../1"), "numbered from 1"),
        (swapped, "says of clean_sample:v1 what it is not"),
        (changed("versions|0|content", "d" * 64), "says of clean_sample:v1 what it is not"),
        (changed("versions|0|content", "../../runs/x"), "content digest"),
        (changed("versions|0|type", "table"), "says of clean_sample:v1 what it is not"),
        (changed("versions|0|name", "../evil"), "artifact's name"),
        (changed("versions|0|files", {"../evil": "ab" * 32}), "can't be a file of a version"),
        (changed("versions|0|files", {"a": "../evil"}), "object's SHA-256"),
        (changed("versions|0|files", {"a": "ab" * 32}), "lacks object abab"),
        (changed("versions|0|producer", "../evil"), "a run id"),
        (changed("versions|0|producer", "run5-train"), "that run does not"),
        (changed("versions|0|description", 5), "no description"),
        (changed("versions|0|metadata", []), "no description, or no metadata"),
        (changed("runs|0|id", "../../evil"), "a run id"),
        (changed("runs|0|id", "run5"), "holds run5 twice"),
        (changed("runs|0|id", 5), "can't be read"),
        (changed("runs|0|format", 5), "format 5; upgrade relet"),
        (changed("runs|0|novelty", 1), "can't be read"),
        (changed("runs|0|status", "finnished"), "can't be read"),
        (changed("runs|0|parent", "../evil"), "a run id"),
        (changed("runs|0|key", "../evil"), "a run id"),
        (changed("runs|0|lock", "../evil"), "object's SHA-256"),
        (changed("runs|0|lock", "ab" * 32), "lacks object abab"),
        (changed("runs|0|lock", 5), "its lock can't be read"),
        (changed("runs|0|code|diff", "ab" * 32), "lacks object abab"),
        (changed("runs|0|code|untracked", {"../../.bashrc": "ab" * 32}), "can't be a file"),
        (changed("runs|0|code|untracked", {"/etc/x": "ab" * 32}), "can't be a file"),
        (changed("runs|0|code|folder", "../.."), "can't be a file"),
        (changed("runs|0|code|commit", "--upload-pack=evil"), "its commit can't be read"),
        (changed("runs|0|code|repository", "--upload-pack=evil"), "its repository can't be read"),
        (changed("runs|0|code|repository", "ext::sh -c evil"), "its repository can't be read"),
        (changed("runs|0|started", 5), "its started can't be read"),
        (changed("runs|0|message", None), "its message can't be read"),
        (changed("runs|0|metrics", {"mae": "low"}), "its metrics can't be read"),
        (changed("runs|0|command", [5]), "its command can't be read"),
        (changed("runs|0|overrides", [5]), "its command can't be read"),
        (changed("runs|0|trial", "one"), "its trial can't be read"),
        (changed("runs|0|winner", "../evil"), "a run id"),
        (changed("runs|0|caveats", [{"kind": ["x"], "what": ""}]), "its caveats can't be read"),
        (changed("runs|0|machine", "here"), "its machine can't be read"),
        (changed("runs|1|parts|code", ["x"]), "its code in its key can't be read"),
        (changed("runs|0|steps", {"get": 5}), "can't be read"),
        (changed("runs|0|steps|get|outputs", {"sample": "sample:latest"}), "names no version by its number"),
        (changed("runs|0|steps|get|outputs", {"sample": "../x:v1"}), "is no reference"),
        (changed("runs|0|steps|get|run", "../evil"), "a run id"),
        (changed("runs|2|outputs|sample|version", "sample:latest"), "names no version by its number"),
        (changed("runs|2|outputs|sample|version", "sample:v3"), "what it is not"),
        (changed("runs|2|outputs|sample|content", "d" * 64), "what it is not"),
        (changed("runs|2|outputs|sample|content", "../evil"), "content digest"),
        (changed("runs|2|outputs|sample|type", "spell"), "can't be read"),
        (changed("runs", None), "can't be read"),
        (changed("gone", ["../evil"]), "object's SHA-256"),
        (doubled("versions"), "twice"),
        (doubled("runs"), "twice"),
        (lambda manifest: manifest.pop("runs"), "can't be read"),
    ],
)
def test_a_bundle_that_was_tampered_with_is_refused_with_nothing_stored(
    store: Store, other: Store, model: Version, tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    store.export_history("model", tmp_path / "b.tar")
    manifest = manifest_of(tmp_path / "b.tar")
    change(manifest)
    with pytest.raises(StoreError, match=message):
        other.import_bundle(forged(tmp_path / "b.tar", tmp_path / "forged.tar", manifest))
    assert stored_paths(other) == []


def test_an_object_that_a_record_needs_and_the_file_lacks_is_named(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    store.export_history("model", tmp_path / "b.tar")
    sha = store.run("run4-clean").objects["diff"]
    with pytest.raises(StoreError, match=f"lacks object {sha}"):
        other.import_bundle(forged(tmp_path / "b.tar", tmp_path / "forged.tar", without=sha))
    assert stored_paths(other) == []


@pytest.mark.parametrize("manifest", [b"[" * 200_000, b'{"format": ' + b"9" * 5000 + b"}", b"\xff", b"[]", b"2"])
def test_a_manifest_that_is_none_is_refused(
    store: Store, other: Store, model: Version, tmp_path: Path, manifest: bytes
) -> None:
    store.export_history("model", tmp_path / "b.tar")
    with pytest.raises(StoreError, match="can't be read"):
        other.import_bundle(forged(tmp_path / "b.tar", tmp_path / "forged.tar", manifest))


def test_a_run_that_is_another_one_here_is_refused_with_nothing_stored(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    store.export_history("model", tmp_path / "b.tar")
    other.put_run(replace(store.run("run4-clean"), started="2026-01-01T00:00:09"))
    before = everything(other)
    with pytest.raises(StoreError, match="run run4-clean is another one"):
        other.import_bundle(tmp_path / "b.tar")
    assert everything(other) == before


def test_a_version_that_claims_to_be_made_by_a_run_of_this_store_is_refused(
    store: Store, other: Store, model: Version, tmp_path: Path
) -> None:
    ran(other, "run9", {"train": ({}, {"model": b"good weights"})})
    before = everything(other)
    add(store, "model", b"evil weights", producer="run9-train")
    store.export_version("model:v3", tmp_path / "b.tar")
    with pytest.raises(StoreError, match=r"run run9-train made model:v1, it says, and in .* it did not"):
        other.import_bundle(tmp_path / "b.tar")
    assert everything(other) == before
