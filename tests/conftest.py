"""What every test may ask for."""

import signal
from collections import Counter

import pytest
from hypothesis import settings

from relet.project.importing import set_library_defaults
from relet.store import log_checks
from tests.search_project import hills
from tests.sums_project import sums
from tests.tiny_project import tiny, twin

# as the engine does before it imports numeric libraries, and before any test does
set_library_defaults()

# A shell that starts these tests in the background tells them to ignore Ctrl-C, which some of them are about.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test` draws the same examples every time, so that what fails fails again. `make test-long` draws other ones
# each time (--hypothesis-profile random): it prints the example that fails and the line that repeats it
# (@reproduce_failure), and Hypothesis keeps it in .hypothesis/examples, where the next random run begins.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("fixed")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_writers() -> None:
    """Where no other process writes, the check of a store waits for no writer between a document and its entry."""
    log_checks.SETTLING = 0.0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that is `sampled`, the cases after the first two are long."""
    counts: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("sampled"):
            name = item.nodeid.partition("[")[0]
            counts[name] += 1
            if counts[name] > 2:
                item.add_marker(pytest.mark.long)


__all__ = ["hills", "sums", "tiny", "twin"]
