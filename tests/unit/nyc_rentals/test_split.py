"""The flagship's segregation: by listing, as the usual split, by host, by time; and what it says it did."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.nyc_rentals.components.data_split import data_split
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.boosted import Boosted
from pipelines.nyc_rentals.generated import simulate
from pipelines.nyc_rentals.rule import ListingsRule
from relet import Verdict
from relet.config import settings
from relet.data.table import write_table
from relet.errors import SettingError
from relet.project.folder import open_project

ROOT = Path(__file__).parents[3]
CONF = ROOT / "pipelines" / "nyc_rentals" / "conf"


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    frame: pd.DataFrame = simulate(4_000, 4).to_pandas()
    return frame.sort_values("id", ignore_index=True)


@pytest.fixture(scope="module")
def stored(listings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean_sample") / "table.parquet"
    write_table(listings, path)
    return path


def parted(path: Path, option: str) -> tuple[pd.DataFrame, pd.DataFrame, Verdict]:
    """The parts and the verdict with `segregation=option`."""
    flagship = open_project("nyc_rentals", ROOT).pipeline
    found = settings(flagship, CONF, [f"segregation={option}"]).parameters["data_split"]
    fields = {name.rpartition(".")[2]: value for name, value in found.items() if name.startswith("segregation.")}
    made = data_split(path, test_size=found["test_size"], segregation=ListingsRule(**fields))
    return made.trainval.read_all().to_pandas(), made.test.read_all().to_pandas(), made.segregation_report


def test_by_default_a_listing_keeps_its_side_when_the_next_batch_comes(
    listings: pd.DataFrame, stored: Path, tmp_path: Path
) -> None:
    made = data_split(stored)
    tested = set(made.test.read_all()["id"].to_pylist())
    assert made.segregation_report.passed
    write_table(listings.iloc[::3].reset_index(drop=True), tmp_path / "earlier.parquet")
    earlier = set(data_split(tmp_path / "earlier.parquet").test.read_all()["id"].to_pylist())
    assert earlier == tested & set(listings["id"].iloc[::3])
    assert 0.17 < len(tested) / len(listings) < 0.23


@pytest.mark.parametrize("option", ["keyed", "random", "by_host", "by_time"])
def test_no_listing_is_lost_and_the_reason_says_what_was_done(
    listings: pd.DataFrame, stored: Path, option: str
) -> None:
    trainval, test, verdict = parted(stored, option)
    assert sorted([*trainval["id"], *test["id"]]) == listings["id"].tolist()
    assert verdict.passed
    assert verdict.reason.startswith(
        f"trainval {len(trainval):,} rows ({len(trainval) / 4000:.1%}), test {len(test):,}"
    )
    hosts = set(trainval["host_id"]) & set(test["host_id"])
    assert f" {len(hosts):,} hosts" in verdict.reason
    if hosts:
        share = test["host_id"].isin(hosts).mean()
        assert f"({share:.1%} of test)" in verdict.reason


def test_random_gives_every_borough_its_share_and_draws_what_scikit_learn_draws(
    listings: pd.DataFrame, stored: Path
) -> None:
    from sklearn.model_selection import train_test_split

    _, test, _ = parted(stored, "random")
    strata = listings["neighbourhood_group"]
    _, drawn = train_test_split(listings, test_size=0.2, random_state=42, stratify=strata)
    assert test["id"].tolist() == sorted(drawn["id"])
    share = test["neighbourhood_group"].value_counts() - 0.2 * strata.value_counts()
    assert share.abs().max() <= 1


def test_by_host_a_host_is_never_on_both_sides(listings: pd.DataFrame, stored: Path) -> None:
    trainval, test, _ = parted(stored, "by_host")
    assert not set(trainval["host_id"]) & set(test["host_id"])
    assert 0.19 < len(test) / len(listings) <= 0.2005
    shares = test["neighbourhood_group"].value_counts() / listings["neighbourhood_group"].value_counts()
    assert shares.between(0.1, 0.25).all()


def test_by_time_the_listings_reviewed_last_are_tested_on(listings: pd.DataFrame, stored: Path) -> None:
    trainval, test, verdict = parted(stored, "by_time")
    assert trainval["last_review"].dropna().max() < test["last_review"].min()
    assert test["last_review"].notna().all()
    missing = int(trainval["last_review"].isna().sum())
    assert missing
    assert f"{missing:,} rows without last_review are in trainval" in verdict.reason


def test_the_validation_follows_the_same_method(listings: pd.DataFrame) -> None:
    """Hosts that are told apart from the test's are told apart from the validation's, too."""
    rows = listings[listings["price"].between(10, 350)].reset_index(drop=True)
    quick = Boosted(n_estimators=2)
    by_host = train_model(rows, learner=quick, segregation=ListingsRule(method="by_group"), val_size=0.2)
    random = train_model(rows, learner=quick, segregation=ListingsRule(method="random"), val_size=0.2)
    keyed = train_model(rows, learner=quick, val_size=0.2)
    assert len({each.model.about["rows"] for each in (by_host, random, keyed)}) > 1
    with pytest.raises(SettingError, match=r"no method 'by_groups': did you mean by_group"):
        train_model(rows, learner=quick, segregation=ListingsRule(method="by_groups"))


def test_the_keyed_validation_is_drawn_anew_from_what_was_kept_from_the_test(stored: Path) -> None:
    """By the test's own hash it would be empty, or all of one side."""
    trainval = data_split(stored).trainval.read_all().to_pandas()
    rows = trainval[trainval["price"].between(10, 350)].reset_index(drop=True)
    kept = train_model(rows, val_size=0.2, learner=Boosted(n_estimators=2)).model.about["rows"]
    assert 0.75 < kept / len(rows) < 0.85


def test_an_unknown_method_or_size_names_the_setting(stored: Path) -> None:
    with pytest.raises(SettingError, match=r"no method 'randm': did you mean random.*set method"):
        data_split(stored, segregation=ListingsRule(method="randm"))
    with pytest.raises(SettingError, match=r"the share of test .* got 20 \(did you mean 0\.2\?\); set test_size"):
        data_split(stored, test_size=20)
