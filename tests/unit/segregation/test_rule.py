"""A rule and the parts' shares are checked before anything is read, and say which setting to change."""

import pytest

from relet.errors import SettingError
from relet.segregation import METHODS, Rule
from relet.segregation.rule import shares_of


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"method": "keyd"}, "no method 'keyd': did you mean keyed.*set method"),
        ({"method": "by_host"}, "no method 'by_host': there are|did you mean"),
        ({"method": "by_time"}, "the method by_time goes by a column; name it: set time_by"),
        ({"method": "keyed", "key": None}, "the method keyed goes by a column; name it: set key"),
        ({"seed": -1}, "seed must lie between 0 and 4294967295, got -1; set seed"),
        ({"seed": 2**32}, "got 4294967296"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Rule(**wrong)  # type: ignore[arg-type]


def test_every_method_makes_a_rule_once_its_column_is_named() -> None:
    for method, needed in METHODS.items():
        rule = Rule(method=method, **({needed: "column"} if needed else {}))  # type: ignore[arg-type]
        assert rule.column == ("column" if needed else None)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"train": None, "test": 20}, r"the share of test .* got 20 \(did you mean 0\.2\?\); set test_size"),
        ({"train": None, "test": 5000}, r"did you mean 0\.2"),
        ({"train": None, "test": 0}, "got 0; set test_size"),
        ({"train": None, "val": float("nan")}, "got nan; set val_size"),
        ({"train": 0.7, "test": 0.2}, r"must add up to 1, got train 0\.7, test 0\.2 \(in all 0\.9\)"),
        ({"train": None, "validation": 0.5, "test": 0.5}, "to less than 1, train being the rest"),
        ({"train": None, "test": None}, "only one part can be the rest, got train and test"),
        ({"train": 1.0}, "2 to 127 parts, got 1"),
        ({f"part_{number}": 1 / 128 for number in range(128)}, "got 128"),
    ],
)
def test_shares_that_do_not_make_a_whole_are_refused(parts: dict[str, float | None], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        shares_of(parts)


def test_the_rest_is_what_is_left() -> None:
    assert shares_of({"a": 0.25, "b": None, "c": 0.25}) == {"a": 0.25, "b": 0.5, "c": 0.25}
