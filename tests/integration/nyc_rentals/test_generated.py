"""The simulator in another process."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from pipelines.nyc_rentals.generated import simulate

ROOT = Path(__file__).parents[3]


def digest(table: pa.Table) -> str:
    return hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest()


def test_a_seed_gives_the_same_rows_in_another_process_whatever_its_hash_seed_and_threads() -> None:
    program = (
        "import hashlib; from pipelines.nyc_rentals.generated import simulate; "
        "print(hashlib.sha256(repr(simulate(500, 3).to_pydict()).encode()).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == digest(simulate(500, 3)), done.stderr
