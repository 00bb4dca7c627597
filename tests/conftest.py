"""What every test may ask for."""

import signal

from relet.project.importing import set_library_defaults
from tests.search_project import hills
from tests.sums_project import sums
from tests.tiny_project import tiny

# as the engine does before it imports numeric libraries, and before any test does
set_library_defaults()

# A shell that starts these tests in the background tells them to ignore Ctrl-C, which some of them are about.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["hills", "sums", "tiny"]
