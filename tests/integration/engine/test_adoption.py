"""A run takes nothing over that is not what it claims, whoever put it into the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import relet
from relet.cli import relet as relet_command
from relet.core.record import Status
from relet.errors import ReletError
from tests.forged_bundle import ForgedBundle
from tests.forgeries import other_rows, yes
from tests.integration.engine.watching import Notes
from tests.tiny_project import Tiny


def edit(tiny: Tiny, version: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Write something else into a version's document."""
    name, _, number = version.partition(":v")
    path = tiny.root / ".relet" / "artifacts" / f"tiny.{name}" / "versions" / f"{number}.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_poisoned_table_trains_nothing_and_is_made_again(tiny: Tiny) -> None:
    tiny.run()
    store = tiny.store
    honest = store.version("clean_sample:v1")
    poison = store.put_object(other_rows())
    edit(tiny, "clean_sample:v1", lambda held: held["files"].update({"table.parquet": poison}))
    notes = Notes()
    outcome = relet.run("tiny", "modeling.factor=3", watch=notes)
    assert [each.component for each in outcome.results if each.action == "run"] == ["clean", "train"]
    assert "clean_sample:v1 is not what it claims" in notes.notes[0]
    assert any("was not taken" in note for note in notes.notes)
    again = store.version("clean_sample")
    assert (again.number, again.content, again.files) == (2, honest.content, honest.files)
    assert {(each.kind, each.where) for each in store.verify()} == {("false", "tiny/clean_sample:v1")}


def test_a_verdict_whose_metadata_were_turned_says_no_all_the_same(tiny: Tiny) -> None:
    assert tiny.run("check.limit=9").status is Status.STOPPED
    edit(tiny, "report:v1", lambda held: held["metadata"].update(passed=True))
    assert tiny.run("check.limit=9", steps=["train"]).results[0].reason == "check said no to it"
    outcome = tiny.run("check.limit=9")
    assert outcome.status is Status.STOPPED
    assert [str(each.action) for each in outcome.results] == ["skip", "skip", "run", "waits"]
    assert "tiny/weights" not in tiny.store.names()


def test_a_yes_that_came_in_a_bundle_opens_no_gate_that_said_no_here(tiny: Tiny, tmp_path: Path) -> None:
    """All of the bundle is consistent: a record of the gate's, a verdict of its own, its key."""
    assert tiny.run("check.limit=9").status is Status.STOPPED
    store = tiny.store
    store.export_history("report", tmp_path / "report.tar")
    forged = ForgedBundle.of(tmp_path / "report.tar")
    turn_to_yes(forged)
    arrival = store.import_bundle(forged.write(tmp_path / "forged.tar"))
    assert (str(arrival.version), arrival.version.metadata["passed"]) == ("tiny/report:v2", True)
    assert store.verify() == []
    outcome = tiny.run("check.limit=9", steps=["train"])
    assert (outcome.exit_status, outcome.results[0].reason) == (3, "check said no to it")


@pytest.mark.parametrize("content", [b'{"a":' * 100_000, b"[]", b'{"started": 5}', b"\xff"])
@pytest.mark.parametrize(
    "folder", ["runs", "keys", "artifacts/tiny.sample/versions", "artifacts/tiny.sample/aliases/latest"]
)
@pytest.mark.sampled
def test_why_and_run_say_in_words_what_they_can_not_read(tiny: Tiny, folder: str, content: bytes) -> None:
    tiny.run()
    for path in (tiny.root / ".relet" / folder).iterdir():
        path.write_bytes(content)
    for words in (["why", "tiny"], ["run", "tiny"], ["runs"], ["artifacts", "list"]):
        done = CliRunner().invoke(relet_command, words)
        assert done.exception is None or isinstance(done.exception, ReletError | SystemExit), done.exception
        assert done.output or str(done.exception)


def turn_to_yes(bundle: ForgedBundle) -> None:
    """Let the gate's newest run have said yes: under another run's id, since the honest one is known."""
    from relet.store.contents import files_digest

    bundle.put("report", "verdict.json", yes())
    report = bundle.version("report")
    report["content"] = files_digest(report["files"])
    report["metadata"].update(passed=True, reason="too dear")
    for run in bundle.manifest["runs"]:
        if run["component"] == "check":
            run["id"] = report["producer"] = "99990101T000000000000-00000000"
            run["outputs"]["report"]["content"] = report["content"]
    for run in bundle.manifest["runs"]:
        if run["component"] is None:
            run["id"] = "99990101T000000000000-00000001"
            run["steps"]["check"]["run"] = "99990101T000000000000-00000000"
