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


def test_a_refused_batch_is_accepted_with_who_and_why_and_the_next_run_goes_on(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # this check says no to a batch that has more rows than the reference
    tiny.edit("steps/check.py", 'clean_sample["n"] >= limit', 'clean_sample["n"] > reference["n"].max()')
    tiny.run()
    assert tiny.run("etl.rows=12").exit_status == 3
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
