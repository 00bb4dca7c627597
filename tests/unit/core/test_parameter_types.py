"""Types of hyperparameters beyond JSON's: records hold text or plain values, the function gets what it says."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.accepted import AcceptedType, argument_value, check_value
from relet.core.code import FirstPartyCode
from relet.core.component import Component
from relet.core.signature import read_component
from relet.errors import SettingError, SignatureError

KINDS = """
from enum import Enum, IntEnum, auto

class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"

class Level(IntEnum):
    LOW = 1
    HIGH = 2

class Colour(Enum):
    RED = auto()
    BLUE = (0, 0, 1)
"""
HEAD = """
import datetime as dt
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from relet import Table, component
import kinds_of_test
from kinds_of_test import Colour, Level, Mode

@dataclass(frozen=True, kw_only=True)
class Rule:
    mode: Mode = Mode.SLOW
    since: date = date(2026, 1, 31)

"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "kinds_of_test.py").write_text(KINDS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "kinds_of_test", raising=False)

    def component(signature: str, body: str = "...") -> Component:
        source = f"{HEAD}@component(job_type='x')\ndef step({signature}) -> None: {body}\n"
        (tmp_path / "step.py").write_text(source)
        return read_component("step", "step", tmp_path / "step.py", FirstPartyCode((tmp_path,)))

    yield component
    sys.modules.pop("kinds_of_test", None)


def kinds() -> Any:
    import kinds_of_test  # type: ignore[import-not-found]

    return kinds_of_test


@pytest.mark.parametrize(
    ("signature", "recorded", "given_to_it"),
    [
        ("*, a: Mode = Mode.FAST", "fast", lambda: kinds().Mode.FAST),
        ("*, a: kinds_of_test.Mode = kinds_of_test.Mode.SLOW", "slow", lambda: kinds().Mode.SLOW),
        ("*, a: Level = Level.HIGH", 2, lambda: kinds().Level.HIGH),
        ("*, a: Colour = Colour.BLUE", "BLUE", lambda: kinds().Colour.BLUE),
        ("*, a: Mode | None = None", None, lambda: None),
        ("*, a: tuple[Mode, ...] = (Mode.FAST, Mode.SLOW)", ["fast", "slow"], lambda: tuple(kinds().Mode)),
        ("*, a: list[Mode] = [Mode.FAST]", ["fast"], lambda: [kinds().Mode.FAST]),
        ("*, a: dict[str, Mode] = {}", {}, dict),
        ("*, a: date = date(2026, 1, 31)", "2026-01-31", lambda: date(2026, 1, 31)),
        ("*, a: dt.date = dt.date(year=2026, month=1, day=31)", "2026-01-31", lambda: date(2026, 1, 31)),
        ("*, a: date = '2026-01-31'", "2026-01-31", lambda: date(2026, 1, 31)),
        ("*, a: datetime = datetime(2026, 1, 31, 12)", "2026-01-31T12:00:00", lambda: datetime(2026, 1, 31, 12)),
        ("*, a: Path = Path('a', 'b')", "a/b", lambda: Path("a/b")),
        ("*, a: tuple[Path, int] = (Path('a'), 1)", ["a", 1], lambda: (Path("a"), 1)),
        ("*, a: Path | None = None", None, lambda: None),
        ("*, a: tuple[int, str] = (1, 'x')", [1, "x"], lambda: (1, "x")),
        ("*, a: tuple[int, ...] = ()", [], lambda: ()),
        ("*, a: Literal['x', 2] = 2", 2, lambda: 2),
    ],
)
def test_a_default_is_recorded_plainly_and_given_as_its_type(
    read: Any, signature: str, recorded: Any, given_to_it: Any
) -> None:
    component = read(signature)
    assert component.check({}) == {"a": recorded}
    found = component.parameter("a").argument(recorded)
    assert found == given_to_it()
    assert type(found) is type(given_to_it())


@pytest.mark.parametrize(
    ("signature", "value", "said"),
    [
        ("*, a: Mode", "fst", r"step.a got 'fst': did you mean fast\?"),
        ("*, a: Level", "LOW", "step.a got 'LOW': .*1.*2"),
        ("*, a: Colour", "GREEN", "step.a got 'GREEN': .*RED"),
        ("*, a: date", "31.1.2026", "step.a takes a date such as 2026-01-31, got '31.1.2026'"),
        ("*, a: date", 20260131, "step.a takes a date such as 2026-01-31, got 20260131"),
        ("*, a: datetime", "noon", "step.a takes a time such as"),
        ("*, a: Path", 3, "step.a takes a path, got 3"),
        ("*, a: Path", "", "step.a takes a path, got ''"),
        ("*, a: list[date]", ["2026-01-31", "x"], r"step.a\[1\] takes a date"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_setting(
    read: Any, signature: str, value: Any, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        read(signature).check({"a": value})


def test_a_group_has_fields_of_these_types(read: Any) -> None:
    component = read("*, rule: Rule = Rule(mode=Mode.FAST)")
    assert component.defaults == {"rule.mode": "fast", "rule.since": "2026-01-31"}
    (group,) = component.groups
    found = group.arguments(component.check({"rule.since": "2025-12-31"}))
    assert found == {"mode": kinds().Mode.FAST, "since": date(2025, 12, 31)}


def test_the_module_of_an_enum_belongs_to_the_code(read: Any) -> None:
    component = read("*, a: list[Mode] = [], b: int = 1")
    assert component.modules(component.defaults) == ("kinds_of_test",)


@pytest.mark.parametrize(
    ("signature", "body", "said"),
    [
        ("*, a: Mode = Mode.FASTEST", "...", "must be a literal, got Mode.FASTEST"),
        ("*, a: date = date(2026, 2, 31)", "...", r"default of a is date\(2026, 2, 31\): day"),
        ("*, a: date = date.today()", "...", "must be a literal"),
        ("*, a: set = 1", "...", "date, datetime, Path, an Enum of this project"),
        ("a: Table", "yield a", "line .*: step is a generator, and a component returns all its artifacts at once"),
        ("a: Table", "x = [(yield)]", "step is a generator"),
    ],
)
def test_what_can_be_no_contract_is_refused(read: Any, signature: str, body: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        read(signature, body)


def test_a_generator_inside_of_a_component_is_its_own_matter(read: Any) -> None:
    assert read("*, a: int = 1", "lambda: (yield)").name == "step"
    assert read("*, a: int = 1", "sum(n for n in range(a))").name == "step"


def test_an_async_component_is_refused_with_what_to_write(tmp_path: Path) -> None:
    source = "from relet import component\n@component(job_type='x')\nasync def step() -> None: ...\n"
    (tmp_path / "step.py").write_text(source)
    with pytest.raises(SignatureError, match=r"line 3: step is async, .* write def, and asyncio.run\(…\) in it"):
        read_component("step", "step", tmp_path / "step.py", FirstPartyCode((tmp_path,)))


@given(st.dates() | st.datetimes(timezones=st.none() | st.timezones()))
def test_a_date_comes_back_from_what_is_recorded(value: date) -> None:
    form = "datetime.datetime" if isinstance(value, datetime) else "datetime.date"
    accepted = (AcceptedType(kind=str, form=form),)
    recorded = check_value(value, accepted, "a")
    assert check_value(recorded, accepted, "a") == recorded
    # as texts: a time that a zone has twice, or never, is equal to no time of another zone (PEP 495)
    assert argument_value(recorded, accepted).isoformat() == value.isoformat()
