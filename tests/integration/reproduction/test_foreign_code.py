"""Runs that came with a bundle: their code is executed only where somebody trusts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet import environments
from relet.errors import UntrustedError
from relet.evaluation import comparison
from relet.reproduction import reproduce
from relet.store import Store, open_store
from tests.command import relet
from tests.integration.reproduction.tampering import edit_record
from tests.sums_project import Sums


@pytest.fixture
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the code of the bundle writes wherever it runs."""
    return tmp_path_factory.mktemp("trace") / "executed"


@pytest.fixture
def there(sums: Sums, trace: Path) -> Store:
    """Another store, to which a report was brought with its history."""
    touch = f"open({str(trace)!r}, 'w').close()\n"
    for name in ("helper.py", "pipeline.py", "draw.py"):
        sums.path(name).write_text(touch + sums.path(name).read_text())
    sums.run()
    trace.unlink()
    sums.store.export_history("report:v1", sums.root / "report.tar")
    store = open_store(sums.root / "there")
    store.import_bundle(sums.root / "report.tar")
    return store


def test_the_code_of_a_bundle_is_not_executed_without_trust(
    sums: Sums, there: Store, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "build", lambda *_, **__: pytest.fail("its packages were installed"))
    run_id = str(there.version("report:v1").producer)
    for target in ("report:v1", run_id):
        with pytest.raises(UntrustedError, match=f"run {run_id}.* came with the bundle [0-9a-f]{{12}}, and its"):
            reproduce(target, there, root=sums.root)
    assert not trace.exists()


def test_the_code_of_a_bundle_is_executed_with_trust(sums: Sums, there: Store, trace: Path) -> None:
    found = sums.again("report:v1", store=there, trust=True)
    assert found.likeness == "IDENTICAL"
    assert trace.exists()


def test_what_came_with_the_bundle_is_not_trusted_when_it_is_compared(
    sums: Sums, there: Store, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, trusted = comparison.compare, []
    monkeypatch.setattr(
        comparison,
        "compare",
        lambda *folders, **words: (trusted.append(words["trusted"]), honest(*folders, **words))[1],
    )
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    assert sums.again("report:v1", store=there, trust=True).likeness == "EQUIVALENT"
    assert sums.again("report:v1").likeness == "EQUIVALENT"
    assert set(trusted[: len(trusted) // 2]) == {False}
    assert set(trusted[len(trusted) // 2 :]) == {True}


def test_a_record_whose_mark_was_taken_away_is_known_by_the_version(sums: Sums, there: Store, trace: Path) -> None:
    for record in there.runs():
        edit_record(sums, record.id, lambda stored: stored.update(caveats=[]), store="there")
    with pytest.raises(UntrustedError, match="came with the bundle"):
        sums.again("report:v1", store=there)
    assert not trace.exists()


def test_a_person_reads_whose_code_it_is_and_what_to_do(
    sums: Sums, there: Store, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = relet(capsys, "reproduce", "report:v1", "--here", "--store", "there")
    assert (status, out) == (2, "")
    assert "report:v1 would run the code of somebody else" in err
    assert "give --trust" in err
    assert not trace.exists()

    assert "reproduction" not in there.names()
    assert relet(capsys, "reproduce", "report:v1", "--here", "--trust", "--store", "there")[0] == 0
