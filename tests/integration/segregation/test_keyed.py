"""A keyed segregation in processes of their own."""

import subprocess
import sys


def test_another_process_with_another_hash_seed_tells_the_same() -> None:
    code = """
import pyarrow as pa
from relet.segregation import Rule, assign
print(assign(pa.table({"id": [f"k{n}" for n in range(200)]}), {"a": None, "b": 0.3}, Rule()).of_row.tolist())
"""
    run = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert run[0].stdout == run[1].stdout != b""
