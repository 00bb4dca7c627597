"""What every test may ask for."""

import os

from relet.engine.loading import WAIT
from tests.sums_project import sums
from tests.tiny_project import tiny

# as the engine does before it imports numeric libraries, and before any test does
os.environ.setdefault("OMP_WAIT_POLICY", WAIT)

__all__ = ["sums", "tiny"]
