"""How far a component is: what is sent, and what a printed bar says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet import progress
from relet.engine.progress import bar_report, is_bar, reporting, without_overwritten_bars


@pytest.fixture
def sent() -> Iterator[list[Mapping[str, Any]]]:
    reports: list[Mapping[str, Any]] = []
    with reporting(reports.append):
        yield reports


def test_a_report_is_sent_within_a_call_alone(sent: list[Mapping[str, Any]]) -> None:
    progress(1, 2, "half")
    with reporting(None):
        progress(2, 2)
    assert sent == [{"done": 1.0, "total": 2.0, "text": "half"}]


@pytest.mark.parametrize("done", [math.nan, math.inf])
def test_what_json_can_not_say_is_not_sent(sent: list[Mapping[str, Any]], done: float) -> None:
    progress(done, 2)
    assert sent == []


@pytest.mark.parametrize("given", [("1",), (None,), (1, "2"), ([1],)])
def test_what_is_no_number_is_refused_also_outside_of_a_run(given: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"relet\.progress takes numbers"):
        progress(*given)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (b"\r  0%|          | 0/5 [00:00<?, ?it/s]", (0.0, 5.0, "")),
        ("\repoch 3:  40%|████      | 2/5 [00:00<00:00, 9it/s]".encode(), (2.0, 5.0, "epoch 3")),
        (b"\r 20%|## | 1/5 [00:00]\r 40%|## | 2/5 [00:00]", (2.0, 5.0, "")),
        (b"100% sure | of it", None),
        (b"", None),
    ],
)
def test_the_last_bar_that_was_printed_is_read(printed: bytes, told: tuple[float, float, str] | None) -> None:
    found = bar_report(printed)
    assert (found and tuple(found.values())) == told


def test_only_bars_that_others_overwrite_are_left_out() -> None:
    assert is_bar(b"\r 20%|## | 1/5 [00:00]")
    assert not is_bar(b"\r 20%|## | 1/5 [00:00]\n")
    assert not is_bar(b"text\r 20%|## | 1/5 [00:00]")
    plain = "a\rb\n 5% | of it\r\n"
    assert without_overwritten_bars(plain) == plain


PIECES = st.lists(st.sampled_from(["\r", "\n", "1%|", "|", "9", " ", "x", "%", "50%|# | 1/2 ["]), max_size=14).map(
    "".join
)
STATE = r"\r[^\r\n]*\d+%\|[^\r\n]*"


@given(PIECES)
def test_bars_are_what_plain_patterns_of_them_say(printed: str) -> None:
    assert is_bar(printed.encode()) is (re.fullmatch(f"(?:{STATE})+", printed) is not None)
    expected = re.sub(f"(?:{STATE})*\r([^\r\n]*\\d+%\\|[^\r\n]*)", r"\1", printed)
    assert without_overwritten_bars(printed) == expected


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["x", "1", "\r1", "1%|", "|", "| ", "\r1%|", "| 1"])
def test_a_long_line_takes_no_longer_than_short_ones(piece: str) -> None:
    printed = piece * (2_000_000 // len(piece))
    bar_report(printed.encode())
    is_bar(printed.encode())
    assert len(without_overwritten_bars(printed)) <= len(printed)
