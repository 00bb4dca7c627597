"""Which trials go first: while a reference is missing, the first trial that is not refused sets it."""

from __future__ import annotations

import pytest

from relet.project.order import read_order
from relet.project.request import prepare
from relet.trials.pool import PlannedTrial
from relet.trials.precedence import first_goes_alone, missing_reference_makers
from tests.tiny_project import Tiny


def goes_alone(*overrides: str) -> bool:
    """Whether the first of the trials with these overrides goes alone."""
    order = read_order("tiny", [])
    waiting = [PlannedTrial(number=number, overrides=(each,)) for number, each in enumerate(overrides, 1)]
    return first_goes_alone(order, prepare(order))(waiting)


def test_the_makers_of_a_missing_reference_are_all_upstream_of_its_first_product(tiny: Tiny) -> None:
    assert missing_reference_makers(prepare(read_order("tiny", []))) == ["get", "clean"]
    tiny.run()
    assert missing_reference_makers(prepare(read_order("tiny", []))) == []


def test_a_reference_whose_maker_is_not_selected_is_made_by_no_trial(tiny: Tiny) -> None:
    assert missing_reference_makers(prepare(read_order("tiny", ["steps=get,check"]))) == []


@pytest.mark.parametrize(
    ("overrides", "alone"),
    [
        (["etl.low=1", "etl.low=2"], True),
        (["etl.rows=8", "etl.rows=9"], True),
        (["etl.low=1", "etl.low=1", "etl.low=2"], True),
        (["modeling.factor=1.0", "modeling.factor=2.0"], False),
        (["check.limit=5", "check.limit=100"], False),
        (["etl.low=1"], False),
        (["etl.low=1", "etl.lwo=2"], False),
        (["etl.lwo=2", "etl.lwo=3"], False),
        ([], False),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
@pytest.mark.sampled
def test_trials_that_would_set_the_reference_to_different_products_go_one_by_one(
    tiny: Tiny, overrides: list[str], alone: bool
) -> None:
    assert goes_alone(*overrides) is alone


def test_once_the_reference_is_there_no_trial_goes_alone(tiny: Tiny) -> None:
    tiny.run()
    assert not goes_alone("etl.low=1", "etl.low=2")
