"""What a compared run is called: as it was written, or by the end of its id; never two of one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.browsing.contrast import compare
from relet.store import open_store
from tests.experiment_store import run_id, stored


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ([run_id(1), "00000002"], ("00000001", "00000002")),
        (["model:v1", run_id(2)], ("model:v1", "00000002")),
        ([run_id(1), run_id(2), "00000001"], ("00000001", "00000002", "00000001 (2)")),
    ],
)
def test_a_reference_is_its_own_label_and_a_run_s_is_the_end_of_its_id(
    tmp_path: Path, words: list[str], labels: tuple[str, ...]
) -> None:
    store = open_store(tmp_path / "store")
    for number in (1, 2):
        stored(store, tmp_path, number)
    assert compare(store, words).labels == labels
