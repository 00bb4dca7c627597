"""Runs made again: what is gone or damaged."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from relet.errors import NotFoundError
from relet.reproduction import ReproductionOptions, reproduce
from relet.store import open_store
from tests.integration.reproduction.tampering import ALL, collected, damaged, edit_record, tampered
from tests.package_site import Site, site
from tests.sums_project import Sums, likenesses, step
from tests.tiny_project import Tiny

__all__ = ["site"]


def test_a_package_that_no_lock_has_and_that_is_missing_is_named(sums: Sums, site: Site) -> None:
    site.install("zeroes", "1.0", "VALUE = 1.0\n")
    sums.path("helper.py").write_text("import zeroes\n\ndef total(path):\n    return zeroes.VALUE\n")
    outcome = sums.run()
    site.remove("zeroes")
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("add ran with zeroes 1.0, which the lock does not have, and fails without it: ")
    assert "No module named 'zeroes'" in found.reason
    assert found.reason.endswith("make the lock anew with relet lock, and run it again")


def test_outputs_that_were_pruned_are_compared_by_their_digests(sums: Sums) -> None:
    outcome = sums.run()
    sums.run("count=5")
    sums.store.prune(keep=1)
    sums.store.gc(older_than=timedelta(0))
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert found.reason == (
        "every digest is equal, of 3 outputs of 2 steps; sums/drawn:v1, sums/report:v1, "
        "sums/sums:v1: gone from the store, so "
        "that the recorded digest alone was compared"
    )
    sums.edit("helper.py", "float(", "1 + float(")
    run_id = edit_record(
        sums, outcome.run_id, lambda record: record["code"].update(tree=None, commit=sums.commit())
    )
    found = sums.again(run_id)
    assert step(found, "add").changes == ("code of pipelines.sums.helper:total changed",)
    assert "what was recorded can't be compared: gone from the store" in found.reason


def test_inputs_that_were_pruned_or_collected_are_named(sums: Sums) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    collected(sums, sums.store.version("drawn:v1").files["drawn.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.missing[0].startswith("drawn.txt of sums/drawn:v1, which add.drawn takes, is gone: object ")
    sums.run("count=5")
    sums.store.prune(keep=1)
    assert sums.again(outcome).missing == (
        "sums/drawn:v1, which add.drawn takes, is gone from the store: it was pruned",
    )
    with pytest.raises(NotFoundError, match="sums/report:v1 was pruned"):
        sums.again("report:v1")


def test_everything_that_was_collected_is_named_at_once(sums: Sums) -> None:
    (sums.root / "numbers.txt").write_text("1 2 3")
    sums.edit("helper.py", "float(", "1 + float(")
    sums.path("words/more.txt").write_text("more")
    outcome = sums.run("source=numbers.txt")
    record = sums.record(outcome)
    assert record.code.tree is not None
    helper = sums.store.tree(record.code.tree)["pipelines/sums/helper.py"]
    for digest in (record.lock, record.code.diff, helper):
        collected(sums, digest)
    collected(sums, sums.record(outcome, "draw").sources["source"])
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert found.likeness == "IMPOSSIBLE"
    assert [told.partition(" is gone from the store: object ")[0] for told in found.missing] == [
        "code pipelines/sums/helper.py",
        "lock",
        "the source of draw.source",
    ]


def test_a_run_without_a_lock_needs_this_environment(sums: Sums) -> None:
    (sums.root / "requirements.lock").unlink()
    sums.commit()
    outcome = sums.run()
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert (found.likeness, found.reason) == (
        "IMPOSSIBLE",
        "no lock was recorded: the project had no requirements.lock; where it has one now, run it in a new store "
        "(relet run sums store.url=FOLDER), or take the current environment (--here)",
    )
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_a_damaged_input_or_lock_is_named(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    lock = sums.record(outcome).lock
    damaged(sums, lock)
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert found.likeness == "IMPOSSIBLE"
    assert f"object {lock}" in found.reason
    assert "is damaged" in found.reason
    damaged(sums, sums.store.version("drawn:v1").files["drawn.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert "is damaged" in found.reason


def test_a_damaged_output_is_judged_by_the_digest_in_the_record(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    damaged(sums, sums.store.version("report:v1").files["report.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IDENTICAL"
    assert re.search(
        r"; sums/report:v1: .* is damaged.*, so that the recorded digest alone was compared", found.reason
    )
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    told = r"can't be compared: sums/report:v1 can't be read: report.txt: object .* was damaged and lies in "
    assert re.search(told, found.reason)


def test_a_stored_input_that_somebody_changed_is_not_taken(sums: Sums) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    tampered(sums.store, sums.root / ".relet", "drawn:v1", b"1 1 1")
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("sums/drawn:v1 is not what the run took: its content has the digest ")
    assert "somebody changed it in the store: bring it back from a copy of the store" in found.reason


def test_a_stored_output_that_somebody_changed_is_told_apart_from_a_step_that_differs(sums: Sums) -> None:
    outcome = sums.run()
    tampered(sums.store, sums.root / ".relet", "drawn:v1", b"1 1 1")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("DIVERGED", {"draw": "DIVERGED", "add": "IDENTICAL"})
    assert "sums/drawn:v1 in the store is not what the run recorded; somebody changed it" in found.reason


def test_one_changed_cell_of_a_stored_table_is_named_with_its_row_and_column(tiny: Tiny) -> None:
    import pandas as pd

    from relet.data.table import write_table

    outcome = tiny.run(steps=["get", "clean"])
    store = open_store(tiny.root / ".relet")
    changed = pd.DataFrame({"n": range(2, 10), "name": [f"row {n}" for n in range(2, 10)]})
    changed.loc[3, "name"] = "roe 5"
    write_table(changed, tiny.root / "changed.parquet")
    tampered(store, tiny.root / ".relet", "clean_sample:v1", (tiny.root / "changed.parquet").read_bytes())
    found = reproduce(outcome.run_id, store, root=tiny.root, wishes=ReproductionOptions(here=True))
    assert found.likeness == "DIVERGED"
    (clean_sample,) = (each for each in step(found, "clean").outputs if each.name == "clean_sample")
    assert clean_sample.differences == (
        "tiny/clean_sample:v1 in the store is not what the run recorded; somebody changed it",
        "name: 1 of 8 rows differ, most of all n 5: 'roe 5' → 'row 5'",
    )


def test_an_output_whose_bytes_were_collected_is_named_though_the_digests_are_equal(sums: Sums) -> None:
    outcome = sums.run()
    collected(sums, sums.store.version("report:v1").files["report.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IDENTICAL"
    assert re.search(r"2 steps; sums/report:v1: .*, so that the recorded digest alone was compared$", found.reason)


def test_a_stored_table_that_is_none_any_more_is_what_somebody_changed(tiny: Tiny) -> None:
    outcome = tiny.run(steps=["get", "clean"])
    store = open_store(tiny.root / ".relet")
    tampered(store, tiny.root / ".relet", "clean_sample:v1", b"no table")
    found = reproduce(outcome.run_id, store, root=tiny.root, wishes=ReproductionOptions(here=True))
    assert found.likeness == "DIVERGED"
    assert "tiny/clean_sample:v1 in the store is not what the run recorded; somebody changed it" in found.reason
