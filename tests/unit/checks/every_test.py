"""The tests of two samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

from relet.checks.statistics import (
    TwoSampleOutcome,
    anderson_darling,
    chi_square,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    population_stability,
    welch,
)

Array = np.ndarray[Any, np.dtype[Any]]


ALL = [
    anderson_darling,
    chi_square,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    kullback_leibler,
    mann_whitney,
    population_stability,
    welch,
]


OF_NUMBERS = [anderson_darling, kolmogorov_smirnov, mann_whitney, welch]


Test = Callable[..., TwoSampleOutcome]
