"""Documents, text, arrays and pages that were made again: where they differ, and what a tolerance allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Figure
from tests.unit.evaluation.comparing import FIGURE, compared, only

DOCUMENT, TEXT, ARRAY = ArtifactType.DOCUMENT, ArtifactType.TEXT, ArtifactType.ARRAY


@pytest.mark.parametrize(
    ("type", "old", "new", "said", "within"),
    [
        (DOCUMENT, {"a": {"b": 1.0}}, {"a": {"b": 1.0005}}, "['a']['b']: 1.0 → 1.0005 (relative 0.0005)", True),
        (DOCUMENT, {"a": [1, 2]}, {"a": [1, 3]}, "['a'][1]: 2 → 3", False),
        (DOCUMENT, {"a": 1}, {"a": 1.0}, "['a']: 1 → 1.0", True),
        (DOCUMENT, {"a": 0.0}, {"a": -0.0}, "['a']: 0.0 → -0.0", True),
        (DOCUMENT, {"a": 1, "b": 2}, {"a": 1}, "the document has no 'b'; it was 2", False),
        (DOCUMENT, {"a": 1}, {"a": 1, "b": 2}, "the document has a new 'b': 2", False),
        (DOCUMENT, {"a": [1]}, {"a": [1, 2]}, "['a'] has 2 entries instead of 1", False),
        (DOCUMENT, ["x"], {"x": 1}, "the document: ['x'] → {'x': 1}", False),
        (TEXT, "MAE 61.5", "MAE 61.6", "the text: 1 of 1 numbers differ", False),
        (TEXT, "MAE 61.5", "MAE 61.5001", "the text: 1 of 1 numbers differ", True),
        (TEXT, "good", "bad", "the text: other text in line 1", False),
        (ARRAY, np.array([1.0, 2.0]), np.array([1.0, 2.001]), "1 of 2 numbers differ, most of all at [1]", True),
        (ARRAY, np.array(1.0), np.array(3.0), "1 of 1 numbers differ, most of all at []: 1.0 → 3.0", False),
        (ARRAY, np.array([1j]), np.array([1j + 0.0005]), "1 of 1 numbers differ", True),
        (ARRAY, np.array([1, 2]), np.array([1, 4]), "1 of 2 values differ, the first at (1,): 2 → 4", False),
        (ARRAY, np.array(["a"]), np.array(["b"]), "1 of 1 values differ, the first at (0,): a → b", False),
        (ARRAY, np.array([0.0]), np.array([-0.0]), "only the signs of zeros", True),
        (ARRAY, np.zeros((2, 1)), np.zeros((1, 2)), "the array has the shape (1, 2) instead of (2, 1)", False),
        (ARRAY, np.zeros(2), np.zeros(2, "f4"), "the array holds float32 instead of float64", False),
        (ARRAY, np.array([1.0, np.nan]), np.array([1.0, 2.0]), "a number on one side only", False),
        (FIGURE, Figure(svg="<svg/>"), Figure(html="<p/>"), "the figure is .html instead of .svg", False),
        (FIGURE, Figure(html="<p>1.5</p>"), Figure(html="<p>1.5001</p>"), "the page: 1 of 1", True),
    ],
)
def test_a_difference_is_told_with_its_place(
    type: ArtifactType, old: Any, new: Any, said: str, within: bool
) -> None:
    found = compared(type, old, new, 0.001)
    assert said in only(found)
    assert found.within is within
    assert not compared(type, old, new, None).within


def test_missing_times_are_equal_and_the_one_that_differs_is_named() -> None:
    old = np.array(["NaT", "2024-01-01"], "M8[D]")
    found = compared(ARRAY, old, np.array(["NaT", "2024-01-02"], "M8[D]"), 1.0)
    assert "1 of 2 values differ, the first at (1,): 2024-01-01 → 2024-01-02" in only(found)


@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_an_array_equals_itself(numbers: list[float]) -> None:
    found = compared(ARRAY, np.array(numbers), np.array(numbers), None)
    assert found.within
    assert found.differences == ()
