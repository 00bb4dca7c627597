"""Tables written, and the room imported, by processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    program = """
import sys, pyarrow as pa
from pathlib import Path
from relet.data import canonical, table
pa.set_cpu_count(int(sys.argv[1])); pa.set_io_thread_count(int(sys.argv[1]))
numbers = range(200_000)
rows = pa.table({"a": [row % 7 for row in numbers], "b": [str(row * 7919 % 200_003) for row in numbers]})
print(table.write_table(rows, Path(sys.argv[2])))
canonical.SORT_IN_MEMORY = 0
print(table.write_table(rows, Path(sys.argv[2] + "d")))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, threads, tmp_path / threads],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(outputs) == 1
    assert len({(tmp_path / name).read_bytes() for name in ("1", "4", "1d", "4d")}) == 1


def test_importing_the_room_imports_nothing_heavy() -> None:
    program = (
        "import sys, relet.data.table, relet.data.schema, relet.data.sources\n"
        "heavy = {'pandas', 'pyarrow', 'duckdb', 'ibis', 'polars', 'numpy', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from relet import Table\n"
        "import ibis\n"
        "assert Table is ibis.Table\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
