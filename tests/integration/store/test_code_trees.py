"""A run's code tree travels with it, is kept as long as the run, and is believed by nobody."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.reproduction import ReproductionOptions, reproduce
from relet.store import open_store
from tests.forged_bundle import ForgedBundle
from tests.sums_project import Sums


def tree_of(sums: Sums, run_id: str) -> dict[str, str]:
    digest = sums.store.run(run_id).code.tree
    assert digest is not None
    return sums.store.tree(digest)


def test_the_tree_holds_what_the_pipeline_is_read_from_and_what_its_steps_run(sums: Sums) -> None:
    (sums.root / "unrelated.txt").write_text("no step reads it")
    tree = tree_of(sums, sums.run().run_id)
    names = ("add.py", "conf/config.yaml", "draw.py", "helper.py", "pipeline.py", "rate.py", "words/title.txt")
    assert sorted(tree) == [f"pipelines/sums/{name}" for name in names]
    assert sums.store.read_object(tree["pipelines/sums/helper.py"]) == sums.path("helper.py").read_bytes()


def test_a_second_run_of_the_same_code_stores_none_of_it_again(sums: Sums) -> None:
    first = sums.run()
    before = {path for path in (sums.root / ".relet" / "objects").rglob("*") if path.is_file()}
    second = sums.run()
    assert tree_of(sums, first.run_id) == tree_of(sums, second.run_id)
    assert {path for path in (sums.root / ".relet" / "objects").rglob("*") if path.is_file()} == before


def test_a_collection_keeps_the_code_of_every_run(sums: Sums) -> None:
    outcome = sums.run()
    sums.edit("helper.py", "float(", "1 + float(")
    sums.run()
    sums.store.prune(keep=1)
    sums.store.gc(older_than=timedelta(0))
    assert sums.store.verify() == []
    for digest in tree_of(sums, outcome.run_id).values():
        assert sums.store.read_object(digest)


def test_a_bundle_brings_the_code_and_needs_no_repository(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("elsewhere")
    sums.edit("helper.py", "float(", "1 + float(")
    sums.run()
    sums.store.export_history("report", place / "b.tar")
    monkeypatch.chdir(place)
    shutil.rmtree(sums.root)
    elsewhere = open_store(place / "store")
    arrival = elsewhere.import_bundle(place / "b.tar")
    assert elsewhere.verify() == []
    wishes = ReproductionOptions(here=True, trust=True)
    assert reproduce(str(arrival.version), elsewhere, wishes=wishes).likeness == "IDENTICAL"


def _other_file(forged: ForgedBundle, files: dict[str, str]) -> None:
    files["pipelines/sums/helper.py"] = files["pipelines/sums/add.py"]


def _way_out(forged: ForgedBundle, files: dict[str, str]) -> None:
    files["../evil.py"] = files["pipelines/sums/add.py"]


def _no_tree(forged: ForgedBundle, files: dict[str, str]) -> None:
    forged.manifest["trees"] = {}


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (_other_file, "has other files than it says"),
        (_way_out, "has other files than it says"),
        (_no_tree, "does not say which files the code tree"),
    ],
)
def test_a_forged_tree_is_refused_and_nothing_is_stored(
    sums: Sums, tmp_path: Path, forge: Callable[[ForgedBundle, dict[str, str]], None], said: str
) -> None:
    sums.run()
    sums.store.export_history("report", tmp_path / "b.tar")
    forged = ForgedBundle.of(tmp_path / "b.tar")
    (files,) = forged.manifest["trees"].values()
    forge(forged, files)
    elsewhere = open_store(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=said):
        elsewhere.import_bundle(forged.write(tmp_path / "forged.tar"))
    assert elsewhere.names() == [] and elsewhere.run_ids() == []
