"""Where a link leads, which a step asked, is compared by the next plan."""

from __future__ import annotations

import pytest

from tests.integration.engine.test_lookups import IDLE, actions, counts, looked_at
from tests.sums_project import Sums

LINKS = {
    "readlink": "return float(os.readlink('current')[-1])",
    "resolve": "return float(Path('current').resolve().name[-1])",
    "realpath of a file": "return float(os.path.realpath('current/a')[-3])",
    "beside its code": "return float((here.parents[1] / 'current').resolve().name[-1])",
    "listed as well": "os.listdir('current')\nreturn float(Path('current').readlink().name[-1])",
}


@pytest.mark.parametrize("way", LINKS)
@pytest.mark.sampled
def test_a_link_that_leads_elsewhere_runs_its_step_again(sums: Sums, way: str) -> None:
    for name in ("rows1", "rows2"):
        (sums.root / name).mkdir()
        (sums.root / name / "a").write_text("1")
    link = sums.root / "current"
    link.symlink_to("rows1")
    counts(sums, LINKS[way])
    assert sums.run().metrics["total"] == 1
    assert actions(sums.run()) == IDLE
    link.unlink()
    link.symlink_to("rows2")
    again = sums.run()
    assert again.metrics["total"] == 2
    assert again.results[-1].reason == "current leads elsewhere now than when it was looked at, or to other files"
    assert actions(sums.run()) == IDLE


def test_the_links_of_the_laid_out_folder_are_not_noted(sums: Sums) -> None:
    (sums.root / "rows").mkdir()
    counts(sums, "return float(len((here.parents[1] / 'rows').resolve().name))")
    first = sums.run()
    assert looked_at(sums, first).get("rows", "a folder") == "a folder"
    assert actions(sums.run()) == IDLE
