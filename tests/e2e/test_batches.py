"""A new batch is an ordinary event: what is wrong is set aside, what shifted is told, a person accepts it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipelines.nyc_rentals.generated import simulate
from relet.core.artifact import Verdict
from relet.engine.notebook import load
from relet.store import Store, open_store

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
STEPS = "steps=get_data,basic_cleaning,data_check,report_batch,data_split"


class Project:
    """The flagship in a folder of its own, and what a person types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def store(self) -> Store:
        return open_store(self.folder / ".relet")

    def relet(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "relet", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def batch(self, listings: pd.DataFrame, *overrides: str) -> tuple[int, str]:
        listings.to_csv(self.folder / "batch.csv", index=False)
        return self.relet("run", "nyc_rentals", STEPS, "etl.source=batch.csv", "tracking=[]", *overrides)

    def page(self) -> str:
        return load("batch_report:latest", store=str(self.folder / ".relet")).read_text()  # type: ignore[no-any-return]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def listings(seed: int) -> pd.DataFrame:
    return simulate(17000, seed).to_pandas()


def test_a_batch_that_shifted_is_reported_and_accepted_by_a_person(project: Project) -> None:
    status, said = project.batch(listings(1))
    assert status == 0, said
    assert "clean_sample:v1 is the first batch" in said

    # another week: the same market, and a listing that lies in the sea
    another = listings(2)
    another.loc[5, ["longitude", "latitude"]] = [-72.0, 40.7]
    assert project.batch(another)[0] == 0
    gone = load("quarantine:latest", store=str(project.folder / ".relet"))
    assert another["id"][5] in set(gone[gone["reason"] == "outside the city"]["id"])
    assert "outside the city" in project.page()
    assert project.store.aliases("clean_sample")["reference"] == 1

    # prices rise: the tests say no, the page says what shifted, and nothing is split
    dearer = another.assign(price=(another["price"] * 1.15).round().astype(int))
    status, said = project.batch(dearer)
    assert (status, "data_check says no" in said, "test_prices" in said) == (3, True, True)
    verdict: Verdict = load("check_report:latest", store=str(project.folder / ".relet"))
    (shifted,) = [check for check in verdict.checks if check.name == "test_prices"]
    assert shifted.measured["effect"] > shifted.measured["floor"]
    assert shifted.measured["adjusted"] <= 0.05
    assert f"{shifted.measured['effect']:.3g}" in project.page()
    assert len(project.store.versions("trainval")) == 2

    assert project.relet("accept", "clean_sample:latest", "--why", "the season")[0] == 0
    assert project.batch(dearer)[0] == 0
    assert project.store.alias_history("clean_sample", "reference")[-1].why == "the season"
    assert len(project.store.versions("trainval")) == 3


def test_rows_that_can_not_be_right_stop_the_run_where_that_is_asked_for(project: Project) -> None:
    batch = listings(1)
    batch.loc[5, "longitude"] = -72.0
    status, said = project.batch(batch, "etl.on_bad_rows=fail")
    assert status == 2
    assert f"outside the city (id {batch['id'][5]}" in said
    assert project.store.find("clean_sample:latest") is None
    assert project.store.find("quarantine:latest") is None


def test_a_batch_of_another_layout_is_refused_then_mapped_and_goes_all_the_way(project: Project) -> None:
    another = listings(3).drop(columns=["name", "latitude", "longitude"])
    another["last_review"] = pd.to_datetime(another["last_review"]).dt.strftime("%m/%d/%Y")
    names = {
        "id": "listing_id",
        "neighbourhood_group": "borough",
        "calculated_host_listings_count": "host_listings_count",
    }
    another = another.rename(columns=names)
    status, said = project.batch(another)
    assert status == 2
    for line in ("  - latitude ", "  + listing_id ", "  ~ last_review "):
        assert line in said
    assert project.store.find("sample:latest") is None
    mapped = ", ".join(f"{ours}: {theirs}" for ours, theirs in names.items())
    columns = f"{{{mapped}, name: null, latitude: null, longitude: null, last_review: {{format: '%m/%d/%Y'}}}}"
    status, said = project.batch(another, f"etl.columns={columns}")
    assert status == 0, said
    assert project.store.version("trainval:latest").metadata["rows"] > 10_000
