"""Every kind of page in a real browser, on a wide screen and on a phone: whole, readable, and alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.report_batch import report_batch
from pipelines.nyc_rentals.generated import simulate
from relet import Check, Verdict
from relet.data.difference import difference
from relet.data.profile import profile
from relet.data.table import read_table, write_table
from relet.report.card import profile_card
from relet.report.difference import difference_page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (1280, 400)
# Each page with a heading that it has, and how many drawings it has at least.
PAGES = {
    "card": ("Correlations", 12),
    "difference": ("Side by side", 10),
    "batch": ("What left, and why", 12),
    "first": ("Where they are", 2),
    "hostile": ("Columns", 3),
}
# In the page: what the sizes of its text are, what asks for anything, what sticks out.
LOOK = """
const shown = e => e.getClientRects().length > 0;
const fill = e => e && getComputedStyle(e).fill;
const size = e => {
  const font = parseFloat(getComputedStyle(e).fontSize), svg = e.ownerSVGElement;
  return svg ? font * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : font;
};
const words = [...document.querySelectorAll('text,p,td,th,dt,dd,a,h1,h2,summary')].filter(shown);
return {
  outside: [...document.querySelectorAll('[src],[href]')]
    .map(e => e.getAttribute('src') || e.getAttribute('href'))
    .filter(link => !link.startsWith('#') && !link.startsWith('data:')),
  scripts: document.querySelectorAll('script').length,
  wide: document.documentElement.scrollWidth,
  window: window.innerWidth,
  title: document.title,
  headings: [...document.querySelectorAll('h1,h2')].filter(shown).map(e => e.textContent),
  drawings: [...document.querySelectorAll('svg')].filter(shown).map(e => e.getBoundingClientRect().height),
  sticking: [...document.querySelectorAll('section,section>*,figure,svg:not(.wide)')].filter(shown)
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1).map(e => e.outerHTML.slice(0, 80)),
  smallest: Math.min(...words.map(size)),
  paper: getComputedStyle(document.querySelector('section')).backgroundColor,
  ink: fill(document.querySelector('svg text')),
  bar: fill(document.querySelector('svg .s0')),
};
"""


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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(programs):
        pytest.skip("this machine has no chromium with its chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(programs[1])))
    yield driver
    driver.quit()


def looked_at(browser: webdriver.Chrome, path: Path, width: int, scheme: str = "light") -> dict[str, Any]:
    """What a page is like at a width, with everything that folds open."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(path.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true })")
    found: dict[str, Any] = browser.execute_script(LOOK)
    return found


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_readable_and_alone(browser: webdriver.Chrome, pages: Path, name: str, width: int) -> None:
    path = pages / f"{name}.html"
    found = looked_at(browser, path, width)
    heading, drawings = PAGES[name]
    assert path.stat().st_size < 3 * 1024**2
    assert (found["outside"], found["scripts"]) == ([], 0)
    assert asked_for(browser) == [path.as_uri()]
    assert browser.get_log("browser") == []
    assert found["window"] == width
    assert found["wide"] <= width
    assert found["sticking"] == []
    assert heading in found["headings"]
    assert found["headings"][0] == found["title"]
    assert len(found["drawings"]) >= drawings
    assert min(found["drawings"]) > 50
    assert found["smallest"] >= 9


def asked_for(browser: webdriver.Chrome) -> list[str]:
    """Everything that the browser has asked for, by whatever means, but for what a page carries with it."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith("data:")]


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
