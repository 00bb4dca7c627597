"""A package that was edited in place is a caveat of what it ran in, when it runs and when it runs again."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from relet.core.record import Caveat
from relet.reproduction import rebuild
from relet.store import open_store
from tests.sums_project import Sums, step

SOURCE = "zero = 0.0\n"


@pytest.fixture
def package(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, sums: Sums) -> Path:
    """The file of a package that the steps import."""
    site = tmp_path_factory.mktemp("packages")
    monkeypatch.setenv("RELET_CACHE", str(tmp_path_factory.mktemp("cache")))
    info = site / "nothing-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nothing\nVersion: 1.5\n\n")
    digest = urlsafe_b64encode(sha256(SOURCE.encode()).digest()).decode().rstrip("=")
    (info / "RECORD").write_text(f"nothing/__init__.py,sha256={digest},11\n")
    file = site / "nothing" / "__init__.py"
    file.parent.mkdir()
    file.write_text(SOURCE)
    sums.edit("helper.py", "    return float(", "    import nothing\n    return nothing.zero + float(")
    monkeypatch.syspath_prepend(str(site))
    clean = rebuild.clean_environment

    def with_site(*given: Any, **more: Any) -> dict[str, str]:
        found = clean(*given, **more)
        return {**found, "PYTHONPATH": os.pathsep.join([found["PYTHONPATH"], str(site)])}

    # The package is in the clean environment, too.
    monkeypatch.setattr(rebuild, "clean_environment", with_site)
    return file


def package_caveats(sums: Sums) -> set[Caveat]:
    records = open_store(sums.root / ".relet").runs()
    return {caveat for record in records for caveat in record.caveats if caveat.kind == "package"}


def test_a_package_as_it_was_installed_is_no_caveat(sums: Sums, package: Path) -> None:
    assert package.is_file()
    sums.run()
    assert package_caveats(sums) == set()


def test_an_edited_package_is_a_caveat_of_the_run_and_of_its_reproduction(sums: Sums, package: Path) -> None:
    package.write_text("zero = 0.00\n")
    outcome = sums.run()
    (caveat,) = package_caveats(sums)
    assert str(caveat) == "uses nothing 1.5 with files that were edited: nothing/__init__.py"
    found = sums.again(outcome)
    assert {str(caveat), f"{caveat} (when it was made again)"} <= set(step(found, "add").caveats)


def test_a_package_that_is_edited_only_when_it_runs_again_is_told_of_that(sums: Sums, package: Path) -> None:
    outcome = sums.run()
    package.write_text("zero = 1.00\n")
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert "; nothing that is recorded was different, but no record holds that it uses nothing" in found.reason
    assert "uses nothing 1.5 with files that were edited: nothing/__init__.py (when it was made again)" in (
        step(found, "add").caveats
    )
