"""What the tests of sweeps run on."""

import pytest

from tests.integration.trials.sweeps import METRIC
from tests.sums_project import Sums


@pytest.fixture
def adding(sums: Sums) -> Sums:
    """A project that is compared by what it adds up."""
    conf = sums.path("conf/config.yaml")
    conf.write_text(conf.read_text() + METRIC)
    return sums
