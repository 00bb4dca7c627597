"""Every kind of page in a real browser, on a wide screen and on a phone: whole, readable, and alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from selenium import webdriver

from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.report_batch import report_batch
from pipelines.nyc_rentals.generated import simulate
from relet import Check, Verdict
from relet.data.difference import difference
from relet.data.profile import profile
from relet.data.table import read_table, write_table
from relet.report.card import profile_card
from relet.report.difference import difference_page
from tests.e2e.browsing import WIDTHS, asked_for, looked_at, whole

# Each page with a heading that it has, and how many drawings it has at least.
PAGES = {
    "card": ("Correlations", 12),
    "difference": ("Side by side", 10),
    "batch": ("What left, and why", 12),
    "first": ("Where they are", 2),
    "hostile": ("Columns", 3),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    first, second = (cleaned(simulate(rows, seed), folder / str(seed)) for rows, seed in ((4000, 1), (3000, 2)))
    (folder / "card.html").write_text(
        profile_card(profile(first / "clean"), title="clean_sample:v1", head={"rows": "many"})
    )
    found = difference(first / "clean", second / "clean")
    (folder / "difference.html").write_text(
        difference_page(found, before="clean_sample:v1", after="clean_sample:v2")
    )
    for name, batch in (("batch", second), ("first", first)):
        made = report_batch(
            batch / "sample", batch / "clean", batch / "left", verdict(), first / "clean"
        ).batch_report
        shutil.copy(made, folder / f"{name}.html")
    evil = "<script>fetch('https://example.org')</script><img src=https://example.org/x onerror=alert(1)>" * 4
    rows = pa.table({evil: [evil, evil, "b"], "x" * 500: [1, 2, 3], "y": [1.5, 2.5, None]})
    (folder / "hostile.html").write_text(profile_card(profile(rows), title=evil, head={evil: evil}))
    return folder


def cleaned(listings: pa.Table, folder: Path) -> Path:
    folder.mkdir()
    dear = pc.cast(pc.multiply(listings.column("price"), 1.1), pa.int64(), safe=False)
    place = listings.schema.get_field_index("price")
    write_table(listings.set_column(place, "price", dear), folder / "sample")
    found = basic_cleaning(read_table(folder / "sample", "ibis"))
    write_table(found.clean_sample, folder / "clean")
    write_table(found.quarantine, folder / "left")
    return folder


def verdict() -> Verdict:
    measured = {
        "effect": 0.02,
        "floor": 0.05,
        "p_value": 0.2,
        "adjusted": 0.9,
        "sentence": "H0: " + "no change " * 30,
    }
    checks = [Check(name=f"test_column_{n}", passed=True, measured=measured) for n in range(8)]
    wide = tuple({f"a column named {n}": "a value" * 5 for n in range(12)} for _ in range(3))
    return Verdict(
        passed=False,
        reason="1 of 9 checks failed",
        checks=(*checks, Check(name="test_rows", passed=False, message="x" * 300, rows=wide)),
    )


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_readable_and_alone(browser: webdriver.Chrome, pages: Path, name: str, width: int) -> None:
    heading, drawings = PAGES[name]
    found = whole(browser, pages / f"{name}.html", width, heading=heading, drawings=drawings)
    assert (found["outside"], found["scripts"]) == ([], 0)
    assert found["headings"][0] == found["title"]
    assert min(found["drawings"]) > 50


@pytest.mark.long
@pytest.mark.parametrize("name", PAGES)
def test_drawings_follow_the_page_into_the_dark(browser: webdriver.Chrome, pages: Path, name: str) -> None:
    light, dark = (looked_at(browser, pages / f"{name}.html", 1280, scheme) for scheme in ("light", "dark"))
    for found, brighter in ((light, "paper"), (dark, "ink")):
        darker = {"paper": "ink", "ink": "paper"}[brighter]
        assert brightness(found[brighter]) > 200 > 100 > brightness(found[darker])
    assert light["bar"] != dark["bar"]


def brightness(colour: str) -> float:
    """The mean of the three parts of `rgb(1, 2, 3)`."""
    return sum(float(part) for part in colour.strip("rgba()").split(",")[:3]) / 3


@pytest.mark.long
def test_the_page_that_is_looked_at_would_have_been_caught_asking(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<!doctype html><title>x</title><h1>x</h1><img src='x.png'><script>console.error('x')</script>"
        "<section style='width:5000px'>"
        "<svg viewBox='0 0 100 10' width='50'><text font-size='4'>small</text><rect class='s0'/></svg></section>"
    )
    found = looked_at(browser, path, 400)
    assert (found["outside"], found["scripts"]) == (["x.png"], 1)
    assert found["wide"] > 400 and found["sticking"]
    assert found["smallest"] < 9
    assert len(asked_for(browser)) > 1
    assert browser.get_log("browser") != []
