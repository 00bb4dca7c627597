"""How far a component is: what is sent, and what a printed bar says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

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
