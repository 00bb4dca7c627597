"""Files that hold a history: of older formats, tampered with, and of runs that are others here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact import Version
from relet.errors import StoreError
from relet.store import Store
from tests.stored import stored_paths
from tests.unit.store.past import add, consistent, everything, forged, forget, manifest_of, ran

EXPORTED_1 = Path(__file__).parent / "exported_1.tar"
EXPORTED_2 = Path(__file__).parent / "exported_2.tar"
# The same with records of runs of format 3.
EXPORTED_2_RUNS_3 = Path(__file__).parent / "exported_2_runs_3.tar"
# The same with records of runs of format 4.
EXPORTED_2_RUNS_4 = Path(__file__).parent / "exported_2_runs_4.tar"
# The same with records of runs of format 5.
EXPORTED_2_RUNS_5 = Path(__file__).parent / "exported_2_runs_5.tar"
# The same with records of runs of format 6.
EXPORTED_2_RUNS_6 = Path(__file__).parent / "exported_2_runs_6.tar"


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
    "file",
    [EXPORTED_2, EXPORTED_2_RUNS_3, EXPORTED_2_RUNS_4, EXPORTED_2_RUNS_5, EXPORTED_2_RUNS_6],
    ids=["runs 2", "runs 3", "runs 4", "runs 5", "runs 6"],
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
    assert (tmp_path / "again.tar").read_bytes() == EXPORTED_2_RUNS_6.read_bytes()


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
        (changed("runs|0|format", 7), "format 7; upgrade relet"),
        (changed("runs|0|novelty", 1), "can't be read"),
        (changed("runs|0|status", "finnished"), "can't be read"),
        (changed("runs|0|parent", "../evil"), "a run id"),
        (changed("runs|0|key", "../evil"), "a run id"),
        (changed("runs|0|lock", "../evil"), "its lock can't be read"),
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
        (changed("runs|0|parameters", {"add": None}), "its parameters can't be read"),
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
