"""A file of another city goes all the way, and what relet advises on the way to it helps."""

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
from tests.listings import listings_of_another_city

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


class CityProject:
    """The flagship in a folder of its own, and what a person types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))

    def relet(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "relet", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def run(self, listings: pd.DataFrame, *overrides: str) -> tuple[int, str]:
        listings.to_csv(self.folder / "city.csv", index=False)
        return self.relet("run", "nyc_rentals", "etl.source=city.csv", "tracking=[]", *overrides)

    def verdict(self, name: str) -> Verdict:
        found: Verdict = load(f"{name}:latest", store=str(self.folder / ".relet"))
        return found


@pytest.fixture
def project(tmp_path: Path) -> CityProject:
    return CityProject(tmp_path)


@pytest.mark.parametrize(
    ("grouped", "method"),
    [("filled", "keyed"), ("absent", "keyed"), ("empty", "random"), ("empty", "by_host"), ("empty", "by_time")],
)
def test_a_city_with_groups_or_without_is_trained_on_and_tested(
    project: CityProject, grouped: str, method: str
) -> None:
    listings = listings_of_another_city(400, groups=["North", "South"] if grouped == "filled" else [])
    words = ["city=elsewhere", "main.evaluate=true", "gate.min_r2=-9", f"segregation={method}"]
    if grouped == "absent":
        listings = listings.drop(columns="neighbourhood_group")
        words.append("etl.columns={neighbourhood_group: null}")
    status, said = project.run(listings, *words, "gate.min_coverage=0")
    assert status == 0, said
    assert f"{17 if grouped == 'filled' else 15} checks passed, {2 if grouped == 'filled' else 4} skipped" in said
    without = {
        "filled": [],
        "empty": ["neighbourhood_group"],
        "absent": ["neighbourhood_group"],
    }[grouped]
    assert [check.name for check in project.verdict("segregation_report").skipped] == without
    assert [check.name for check in project.verdict("evaluation").skipped] == without
    reason = "etl.columns.neighbourhood_group=null" if grouped == "absent" else "etl.groups names none"
    assert f"skipped: test_borough_names, test_every_borough_is_there ({reason})" in said or grouped == "absent"
    assert reason in said


def test_rows_of_another_city_are_an_error_that_names_the_setting_which_then_helps(project: CityProject) -> None:
    listings = listings_of_another_city(400, groups=["Bronx", "Queens"])
    status, said = project.run(listings)
    assert status == 2
    assert "0 of 400 rows kept: 382 × outside the city, " in said
    assert "city=elsewhere takes any place" in said
    assert project.run(listings, "city=elsewhere")[0] == 0


def test_a_group_that_is_lost_is_told_on_the_screen(project: CityProject) -> None:
    listings = listings_of_another_city(400, groups=["Noord", "Oost"])
    listings.loc[listings["neighbourhood_group"] == "Oost", "price"] = 5000
    status, said = project.run(listings, "city=elsewhere", "etl.max_price=2000", "steps=get_data,basic_cleaning")
    assert status == 0
    oost = (listings["neighbourhood_group"] == "Oost").sum()
    assert f"basic_cleaning keeps no row of Oost: {oost} × price above 2000" in said


def test_after_another_city_s_reference_the_advice_to_accept_helps(project: CityProject) -> None:
    market = simulate(400, 2).to_pandas()
    assert project.run(market, "data_check.min_rows=50")[0] == 0
    listings = listings_of_another_city(400)
    listings["minimum_nights"] += 30
    steps = "steps=get_data,basic_cleaning,data_check,data_split"
    status, said = project.run(listings, "city=elsewhere", steps)
    assert status == 3
    assert "if it is as it should be: relet accept nyc_rentals/clean_sample:v2 --why" in said
    assert project.relet("accept", "nyc_rentals/clean_sample:v2", "--why", "another city")[0] == 0
    assert project.run(listings, "city=elsewhere", steps)[0] == 0
    # a fragment is one whatever it is compared with
    status, said = project.run(listings[:30], "city=elsewhere", steps)
    assert (status, "test_row_count" in said, "relet accept" in said) == (3, True, False)
    status, said = project.relet("accept", "clean_sample:latest", "--why", "small")
    assert (status, "failed test_row_count" in said) == (2, True)
