"""Arithmetic that gives a row the same bits whether it comes alone, in a file, or in another order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def product(rows: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """rows × weights, added up one input after the other.

    BLAS, which `@` uses, adds up one row in another order than many rows, and the order depends on the number of
    threads too.

    >>> product(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    made = np.zeros((len(rows), weights.shape[1]))
    for column, each in enumerate(weights):
        made += rows[:, column, np.newaxis] * each
    return made


def exponential(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """e to the power of each value, by `math.exp`: numpy's routine depends on the CPU and may differ in the last
    bit. Values are clipped to ±700, near the limit of doubles, so that far extrapolation still gives a number.

    >>> exponential(np.array([0.0]))
    array([1.])
    """
    return np.array([math.exp(value) for value in np.clip(values, -700.0, 700.0)])
