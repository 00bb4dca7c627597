"""The direction in which trials are compared: declared, known, or asked for."""

import pytest

from relet.config.binding import SearchSettings
from relet.core.directions import Direction
from relet.errors import SettingError
from relet.trials.group import chosen_direction


@pytest.mark.parametrize(
    ("metric", "declared", "expected"),
    [
        ("mae", None, "minimize"),
        ("val_roc_auc", None, "maximize"),
        ("r2", "maximize", "maximize"),
        ("total", "maximize", "maximize"),
        ("total", "minimize", "minimize"),
        ("profit_loss", "maximize", "maximize"),
        ("score", "minimize", "minimize"),
    ],
)
def test_what_is_declared_or_known_is_chosen(metric, declared, expected):
    assert chosen_direction(SearchSettings(metric=metric, direction=declared)) is Direction(expected)


@pytest.mark.parametrize(
    ("metric", "declared", "message"),
    [
        (
            "r2",
            "minimize",
            "search.metric is r2, and more of it is better.*set search.direction=maximize, or leave",
        ),
        ("val_log_loss", "maximize", "less of it is better, but search.direction is maximize"),
        ("total", None, "'total', and the name doesn't tell.*set search.direction to minimize or maximize"),
        ("log_los", None, "did you mean log_loss"),
    ],
)
def test_what_is_contradicted_or_unknown_is_refused(metric, declared, message):
    with pytest.raises(SettingError, match=message):
        chosen_direction(SearchSettings(metric=metric, direction=declared))
