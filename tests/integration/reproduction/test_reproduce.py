"""Runs made again: the verdicts that are stored, and what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from relet import environments
from relet.errors import StoreError
from relet.evaluation.comparison import Comparison
from relet.reproduction import keep, reproduce
from relet.store import open_store
from relet.store.reproductions import latest_of_runs, latest_on
from tests.command import relet
from tests.integration.reproduction.tampering import collected
from tests.sums_project import Sums, likenesses


def test_the_verdict_is_an_artifact_that_names_what_it_judged(sums: Sums) -> None:
    outcome = sums.run()
    version = keep(sums.again(outcome), sums.store, ["mlflow"])
    assert (str(version), version.type, sorted(version.files)) == (
        "reproduction:v1",
        "verdict",
        ["reproduction.json", "verdict.json"],
    )
    told = version.metadata
    assert (told["verdict"], told["run"], told["passed"]) == ("IDENTICAL", outcome.run_id, True)
    assert told["judged"] == dict.fromkeys(["sums/drawn:v1", "sums/report:v1", "sums/sums:v1"], "IDENTICAL")
    assert set(told["runs"].values()) == {"IDENTICAL"}
    report = json.loads(sums.store.read_object(version.files["reproduction.json"]))
    assert (report["likeness"], report["steps"][0]["component"], report["format"]) == ("IDENTICAL", "draw", 2)
    assert set(sums.store.pending("mlflow")) == {
        outcome.run_id,
        sums.record(outcome, "draw").id,
        sums.record(outcome, "add").id,
    }


def test_the_newest_verdict_on_a_version_counts_also_where_it_is_impossible(sums: Sums) -> None:
    outcome = sums.run()
    keep(sums.again("report:v1"), sums.store)
    assert str(latest_on(sums.store, "sums/report:v1")).startswith("IDENTICAL on ")
    collected(sums, sums.record(outcome).lock)
    found = reproduce("report:v1", sums.store, root=sums.root)
    keep(found, sums.store)
    assert found.judged == ("sums/report:v1",)
    assert str(latest_on(sums.store, "sums/report:v1")).startswith("IMPOSSIBLE on ")


def test_a_step_that_fails_over_what_is_merely_equivalent_is_not_said_to_have_taken_the_same(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit(
        "rate.py", "    longer =", "    assert sums['total'] == int(sums['total']), 'a fraction'\n    longer ="
    )
    outcome = sums.run("main.evaluate=true")
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert likenesses(found)["add"] == "EQUIVALENT"
    assert found.reason.startswith("rate is the first step that differs (its inputs were within their tolerance")


def test_nothing_is_equivalent_without_a_tolerance_whatever_a_comparison_lets_pass(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("add.py", ', tolerance={"sums": 0.01}', "")
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    fine = Comparison(within=True, largest=None, differences=("its bytes differ",))
    monkeypatch.setattr("relet.evaluation.comparison.compare", lambda *_, **__: fine)
    assert sums.again(outcome).likeness == "DIVERGED"


def test_a_verdict_from_elsewhere_is_refused_and_one_that_makes_no_sense_says_nothing(
    sums: Sums, tmp_path: Path
) -> None:
    outcome = sums.run()
    version = keep(sums.again(outcome), sums.store)
    assert latest_on(sums.store, "sums/sums:v1") is not None
    sums.store.export_version(version.name, tmp_path / "verdict.tar")
    with pytest.raises(StoreError, match="relet's own verdict"):
        open_store("memory://").import_version(tmp_path / "verdict.tar")
    other = open_store("memory://")
    other.add_version(
        name="reproduction", type="verdict", content="c", files={}, metadata={"runs": 5, "judged": []}
    )
    assert latest_of_runs(other) == {}
    assert latest_on(other, "sums/sums:v1") is None


def test_each_version_and_each_step_is_shown_its_own_word(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    keep(sums.again(outcome), sums.store)
    words = {
        version: str(latest_on(sums.store, version)).split()[0] for version in ("sums/drawn:v1", "sums/sums:v1")
    }
    assert words == {"sums/drawn:v1": "IDENTICAL", "sums/sums:v1": "DIVERGED"}
    runs = latest_of_runs(sums.store)
    assert runs[sums.record(outcome, "draw").id].likeness == "IDENTICAL"
    assert runs[outcome.run_id].likeness == "DIVERGED"


def test_verdicts_are_not_pruned(sums: Sums) -> None:
    outcome = sums.run()
    for _ in range(3):
        keep(sums.again(outcome), sums.store)
    assert [each for each in sums.store.prune(1) if each.startswith("reproduction")] == []


def test_a_verdict_made_here_is_told_from_one_of_a_clean_environment(
    sums: Sums, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = sums.run()
    keep(sums.again(outcome), sums.store)
    assert "IDENTICAL (here)" in relet(capsys, "runs")[1]
    shown = relet(capsys, "artifacts", "show", "sums:v1")[1]
    assert re.search(r"^again     IDENTICAL on \S+, in the environment of the asker \(--here\) \(r", shown, re.M)
    monkeypatch.setattr(environments, "build", lambda *_, **__: environments.here())
    keep(reproduce(str(outcome.run_id), sums.store, root=sums.root), sums.store)
    assert "(here)" not in relet(capsys, "runs")[1]
    shown = relet(capsys, "artifacts", "show", "sums:v1")[1]
    assert re.search(r"^again     IDENTICAL on \S+, in a clean environment \(reproduction:v2\)$", shown, re.M)
