"""Settings are measured on folds of what is trained on, and on nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipelines.nyc_rentals.components import validate_model as module
from pipelines.nyc_rentals.families.linear import Linear
from pipelines.nyc_rentals.rule import ListingsRule
from relet.errors import SettingError
from tests.listings import kept_listings

QUICK: dict[str, Any] = {"alpha": 0.01, "max_iter": 50}


@pytest.fixture(scope="module")
def listings() -> pd.DataFrame:
    return kept_listings(900)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """What each fit learned from and was measured on; nothing is fitted."""
    found: list[tuple[pd.DataFrame, pd.DataFrame]] = []

    class Fitted:
        def __init__(self, rows: pd.DataFrame) -> None:
            self.rows = rows

        def predict(self, rows: pd.DataFrame) -> Any:
            found.append((self.rows, rows))
            return rows["minimum_nights"].to_numpy(dtype=float)

    monkeypatch.setattr(module, "fitted_pipeline", lambda rows, learner, **_: Fitted(rows))
    return found


@pytest.mark.parametrize("method", ["keyed", "random", "stratified", "by_group"])
def test_every_row_is_measured_once_and_never_where_it_was_learned_from(
    listings: pd.DataFrame, seen: list[tuple[pd.DataFrame, pd.DataFrame]], method: str
) -> None:
    for fold in (1, 2, 3):
        module.validate_model(
            listings, learner=Linear(), fold=fold, folds=3, segregation=ListingsRule(method=method)
        )
    assert sorted(
        id for _, measured in seen for id in measured.assign(id=_ids(listings, measured))["id"]
    ) == sorted(listings["id"])
    for learned, measured in seen:
        assert len(learned) + len(measured) == len(listings)
        assert not set(learned["id"]) & set(_ids(listings, measured))


def _ids(listings: pd.DataFrame, measured: pd.DataFrame) -> list[int]:
    """The ids of rows that came without: by their columns, which together are one row's own."""
    keys = [*measured.columns]
    known = {tuple(map(str, row)): id for id, *row in listings[["id", *keys]].itertuples(index=False)}
    return [known[tuple(map(str, row))] for row in measured.itertuples(index=False)]


def test_by_time_what_is_measured_is_never_older_than_what_was_learned_from(
    listings: pd.DataFrame, seen: list[tuple[pd.DataFrame, pd.DataFrame]]
) -> None:
    for fold in (1, 2, 3):
        module.validate_model(
            listings, learner=Linear(), fold=fold, folds=3, segregation=ListingsRule(method="by_time")
        )
    sizes = [len(learned) for learned, _ in seen]
    assert sizes == sorted(sizes) and len(set(sizes)) == 3
    for learned, measured in seen:
        assert learned["last_review"].max() <= measured["last_review"].min()


@pytest.mark.parametrize("fold", [0, 4])
def test_a_fold_that_is_not_there_is_refused(listings: pd.DataFrame, fold: int) -> None:
    with pytest.raises(SettingError, match=f"there are folds 1 to 3, got {fold}; set fold"):
        module.validate_model(listings, learner=Linear(), fold=fold, folds=3)


def test_the_settings_reach_the_model_and_the_same_ones_give_the_same_number(listings: pd.DataFrame) -> None:
    def mae(**parameters: float) -> float:
        found = module.validate_model(listings, fold=2, family="linear", learner=Linear(**{**QUICK, **parameters}))
        return float(found.validation_metrics["mae"])

    assert mae() == mae()
    assert mae() != mae(alpha=0.5)
    assert 10 < mae() < 100
