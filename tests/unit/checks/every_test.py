"""The tests of two samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

from relet.checks import statistics

Array = np.ndarray[Any, np.dtype[Any]]
ALL = [
    statistics.anderson_darling,
    statistics.chi_square,
    statistics.g_test,
    statistics.jensen_shannon,
    statistics.kolmogorov_smirnov,
    statistics.kullback_leibler,
    statistics.mann_whitney,
    statistics.population_stability,
    statistics.welch,
]
OF_NUMBERS = [
    statistics.anderson_darling,
    statistics.kolmogorov_smirnov,
    statistics.mann_whitney,
    statistics.welch,
]
Test = Callable[..., statistics.TwoSampleOutcome]
