"""`relet accept`: a batch that was refused, or any other, becomes what later ones are compared with."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import pytest

from relet.cli import main
from relet.store import open_store
from tests.tiny_project import Tiny


def relet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["relet", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def more_rows_than_the_reference(tiny: Tiny) -> None:
    """The check says no to a batch that has more rows than the reference, as a check that compares them."""
    tiny.edit("steps/check.py", 'clean_sample["n"] >= limit', 'clean_sample["n"] > reference["n"].max()')
    tiny.edit("steps/check.py", "rows=rows)", "rows=rows, compared=True)")


def test_a_refused_batch_is_accepted_with_who_and_why_and_the_next_run_goes_on(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more_rows_than_the_reference(tiny)
    tiny.run()
    status, said = relet(capsys, monkeypatch, "run", "tiny", "etl.rows=12")
    assert status == 3
    assert 'if it is as it should be: relet accept tiny/clean_sample:v2 --why "…"' in said
    # what was said of another batch that was compared with it is not said of it
    assert (
        "tiny/report:v1 said yes"
        in relet(capsys, monkeypatch, "accept", "clean_sample:v1", "--why", "the first")[1]
    )
    status, said = relet(capsys, monkeypatch, "accept", "clean_sample:latest", "--why", "more hosts")
    assert status == 0
    assert "tiny/report:v2 said no: 2 rows" in said
    assert "tiny/clean_sample:reference is tiny/clean_sample:v2 now, it was tiny/clean_sample:v1" in said
    last = open_store(tiny.root / ".relet").alias_history("clean_sample", "reference")[-1]
    assert (last.number, last.by, last.why) == (2, getpass.getuser(), "more hosts")
    assert tiny.run("etl.rows=12").exit_status == 0
    assert tiny.run("etl.rows=12").exit_status == 0
    assert (
        "is tiny/clean_sample:v2 already"
        in relet(capsys, monkeypatch, "accept", "clean_sample:v2", "--why", "x")[1]
    )


def test_what_failed_by_its_own_rows_is_accepted_only_by_force_and_the_force_is_kept(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.run()
    status, said = relet(capsys, monkeypatch, "run", "tiny", "etl.rows=12", "check.limit=5")
    assert (status, "relet accept" in said) == (3, False)
    status, said = relet(capsys, monkeypatch, "accept", "clean_sample:v2", "--why", "I like it")
    assert status == 2
    assert "tiny/clean_sample:v2 failed small by what its rows are" in said
    assert 'relet accept tiny/clean_sample:v2 --force --why "…"' in said
    store = open_store(tiny.root / ".relet")
    assert store.aliases("clean_sample")["reference"] == 1
    # a verdict that can't be read says nothing that would let it through
    version = store.version("report:latest")
    path = next((tiny.root / ".relet" / "objects").rglob(version.files["verdict.json"]))
    path.chmod(0o644)
    kept = path.read_bytes()
    path.write_text("{}")
    status, said = relet(capsys, monkeypatch, "accept", "clean_sample:v2", "--why", "I like it")
    assert (status, "failed what tiny/report:v2 says, which can't be read" in said) == (2, True)
    path = tiny.root / ".relet" / "objects" / path.parent.name / path.name
    path.write_bytes(kept)
    status, said = relet(capsys, monkeypatch, "accept", "clean_sample:v2", "--force", "--why", "I like it")
    assert (status, "reference is tiny/clean_sample:v2 now" in said) == (0, True), said
    last = store.alias_history("clean_sample", "reference")[-1]
    assert (last.number, last.why) == (2, "I like it (forced: it failed small)")


def test_a_batch_that_is_the_reference_already_is_not_advised_to_be_accepted(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.edit("steps/check.py", "rows=rows)", "rows=rows, p_value=0.001)")
    status, said = relet(capsys, monkeypatch, "run", "tiny", "check.limit=5")
    assert (status, "says no" in said, "relet accept" in said) == (3, True, False)


def test_a_batch_without_rows_is_not_accepted_nor_advised_to_be(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.edit("steps/check.py", "passed=bad.empty", "passed=len(clean_sample) > 0")
    tiny.edit("steps/check.py", "rows=rows)", "rows=rows, p_value=0.001)")
    tiny.run()
    status, said = relet(capsys, monkeypatch, "run", "tiny", "etl.low=50")
    assert (status, "says no" in said, "relet accept" in said) == (3, True, False)
    for words in ([], ["--force"]):
        status, said = relet(capsys, monkeypatch, "accept", "clean_sample:latest", "--why", "x", *words)
        assert (status, "has no rows" in said) == (2, True)


def test_nothing_is_accepted_without_a_reason(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.run()
    tiny.run("etl.rows=12")
    status, said = relet(capsys, monkeypatch, "accept", "clean_sample:latest", "--why", " ")
    assert (status, "set --why" in said) == (2, True)
    assert open_store(tiny.root / ".relet").aliases("clean_sample")["reference"] == 1


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("clean_sampel:latest", "clean_sample"),
        ("clean_sample:v9", "holds no tiny/clean_sample:v9"),
        (
            "weights:latest",
            "no component compares anything with a stored tiny/weights: there are tiny/clean_sample",
        ),
    ],
)
@pytest.mark.sampled
def test_what_no_check_compares_with_is_refused(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, reference: str, said: str
) -> None:
    tiny.run()
    status, printed = relet(capsys, monkeypatch, "accept", reference, "--why", "because")
    assert status == 2
    assert said in printed
    assert "reference" not in open_store(tiny.root / ".relet").aliases("weights")


def test_outside_of_a_project_the_alias_is_reference(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.run()
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    store = str(tiny.root / ".relet")
    status, said = relet(capsys, monkeypatch, "accept", "weights:v1", "--why", "a start", "--store", store)
    assert (status, "tiny/weights:reference is tiny/weights:v1 now, it was not set" in said) == (0, True)
