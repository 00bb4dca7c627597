"""The metric of a sweep is looked at before the first trial runs."""

import pytest

from relet.errors import SettingError
from tests.integration.trials.sweeps import sweep_of
from tests.sums_project import Sums


@pytest.fixture
def undeclared(sums: Sums) -> Sums:
    """The project as it is: no setting says by which metric its trials are compared."""
    return sums


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search.metric=total"], "'total', and the name doesn't tell .* set search.direction to minimize or max"),
        (["search.metric=log_los"], "did you mean log_loss"),
        (
            ["search.metric=r2", "search.direction=minimize"],
            "more of it is better, but .*search.direction=maximize",
        ),
        (["search.metric=total", "search.direction=up"], "search.direction"),
        (["steps=draw", "search.metric=mae"], "compared by mae, but no step that they run gives metrics"),
    ],
)
def test_a_metric_that_can_not_be_ranked_is_told_before_anything_runs(
    undeclared: Sums, words: list[str], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        sweep_of("count=1,2", *words)
    assert list(undeclared.store.runs()) == []


def test_a_direction_is_the_known_one_where_none_is_declared(undeclared: Sums) -> None:
    assert sweep_of("scale=1,2").direction == "minimize"
    assert sweep_of("scale=1,2", "search.metric=val_auc").direction == "maximize"
    assert sweep_of("scale=1,2", "search.metric=total", "search.direction=maximize").direction == "maximize"


def test_a_metric_that_the_last_run_did_not_have_is_told(undeclared: Sums) -> None:
    words = ("scale=1,2", "search.direction=minimize")
    assert sweep_of(*words, "search.metric=totla").warning == ""
    undeclared.run()
    assert sweep_of(*words, "search.metric=total").warning == ""
    warning = sweep_of(*words, "search.metric=totla").warning
    assert warning == "the last run of add had no metric 'totla': did you mean total?"
