"""The pages of experiments and comparisons in a real browser: whole, readable, alone, and sortable."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver

from relet import Curve
from relet.browsing.experiment_page import page_material
from relet.browsing.experiments import gather
from relet.core.record import Status
from relet.experiments.contrast import ContrastedRun, contrast
from relet.experiments.experiment import Experiment, trial
from relet.experiments.objective import Objective
from relet.report.contrast import contrast_page
from relet.report.experiment import ExperimentPageContent, experiment_page
from relet.store import open_store
from tests.e2e.browsing import WIDTHS, looked_at, whole
from tests.experiment_store import pipeline_run, run_id, stored, sweep

EVIL = "<script>fetch('https://example.org')</script><img src=https://example.org/x onerror=alert(1)>"
# Each page with a heading that it has, and how many drawings it has at least.
PAGES = {
    "experiment": ("Parallel coordinates", 4),
    "bare": ("What did not finish", 0),
    "hostile": ("Parallel coordinates", 3),
    "comparison": ("Curves", 1),
}


def curve(number: int) -> Curve:
    return Curve(points=[(at, 20 + 40 / at + number / 5) for at in range(1, 60)], x="rounds")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    store = open_store(folder / "store")
    store.put_run(sweep(100))
    for number in range(1, 13):
        families = {
            "family": ["forest", "linear", "boosted"][number % 3],
            "depth": number,
            "rate": 0.001 * 2**number,
        }
        stored(
            store,
            folder / "scratch",
            number,
            error=curve(number),
            parameters={"train": families},
            parent=run_id(100),
            trial=number,
            metrics={"mae": 30 + (number - 6) ** 2 / 10, "r2": 0.5, "rows": 30000.0 * number},
            refused="too few rows" if number == 5 else "",
            status=Status.STOPPED if number == 5 else Status.FINISHED,
        )
    found = gather(store)["prices"]
    by = Objective.of("mae")
    whole = page_material(store, found, by.ranked(found.trials), by, place=folder)
    assert whole.figures and whole.importance
    (folder / "experiment.html").write_text(experiment_page(whole))
    lost = [trial(pipeline_run(n, status=Status.FAILED, message=f"{n} " * 80, metrics={})) for n in (1, 2)]
    bare = ExperimentPageContent(
        experiment=Experiment(name="bare", trials=tuple(lost)), trials=tuple(lost), aim=None
    )
    (folder / "bare.html").write_text(experiment_page(bare))
    evil = [
        trial(
            pipeline_run(n, parameters={EVIL: {EVIL * 4: f"{EVIL}{n}"}}, metrics={"mae": 1.0 * n, EVIL: 2.0 * n})
        )
        for n in range(1, 9)
    ]
    hostile = ExperimentPageContent(
        experiment=Experiment(name=EVIL * 3, trials=tuple(evil)),
        trials=tuple(evil),
        aim=Objective.of("mae"),
        importance={EVIL: 1.0},
        importance_note=EVIL,
        curves={EVIL: {evil[0].id: curve(1)}},
    )
    (folder / "hostile.html").write_text(experiment_page(hostile))
    sides = []
    for number in range(1, 11):
        record = store.run(run_id(number))
        sides.append(
            ContrastedRun(
                label=f"run {number}", record=record, trial=trial(record), curves={"error": curve(number)}
            )
        )
    (folder / "comparison.html").write_text(contrast_page(contrast(sides)))
    return folder


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_readable_and_alone(browser: webdriver.Chrome, pages: Path, name: str, width: int) -> None:
    heading, drawings = PAGES[name]
    found = whole(browser, pages / f"{name}.html", width, heading=heading, drawings=drawings)
    assert found["scripts"] == (0 if name == "comparison" else 1)
    assert all(link.startswith("store/objects/") for link in found["outside"])


@pytest.mark.long
def test_a_click_on_a_heading_sorts_the_table_and_another_turns_it(browser: webdriver.Chrome, pages: Path) -> None:
    looked_at(browser, pages / "experiment.html", 1280)
    column = """
    const table = document.querySelector('table.sortable');
    const place = [...table.tHead.rows[0].cells].findIndex(e => e.textContent.trim() === arguments[0]);
    if (arguments[1]) table.tHead.rows[0].cells[place].querySelector('button').click();
    return [...table.tBodies[0].rows].map(row => row.cells[place].textContent);
    """

    def read(name: str, click: bool = True) -> list[str]:
        return list(browser.execute_script(column, name, click))

    before = read("trial", click=False)
    up, down = read("rows"), read("rows")
    assert up == [f"{30000 * n:,}" for n in range(1, 13)]
    assert down == up[::-1]
    assert read("trial") == [str(n) for n in range(1, 13)] != before
    families = read("family")
    assert families == sorted(families)


@pytest.mark.long
def test_a_link_to_an_artifact_leads_to_its_file(browser: webdriver.Chrome, pages: Path) -> None:
    looked_at(browser, pages / "experiment.html", 1280)
    script = "return [...document.querySelectorAll('a')].find(e => e.textContent === 'figure.svg').href"
    browser.get(browser.execute_script(script))
    assert "<svg>" in browser.find_element("tag name", "body").text  # as text: an object's name has no ending


@pytest.mark.long
def test_a_script_that_is_not_the_pages_own_does_not_run(browser: webdriver.Chrome, pages: Path) -> None:
    path = pages / "injected.html"
    page = (pages / "experiment.html").read_text()
    path.write_text(page.replace("</main>", "<script>document.title = 'run'</script></main>"))
    assert looked_at(browser, path, 1280)["title"] == "prices"
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))
