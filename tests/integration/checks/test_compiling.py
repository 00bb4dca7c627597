"""What a suite compiles."""

import subprocess
import sys
from pathlib import Path


def test_what_a_suite_imports_from_elsewhere_is_not_compiled_anew(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from relet import Table\n"
        "from relet.checks.statistics import kolmogorov_smirnov\n"
        "def test_it(data: Table, reference: Table, judge):\n"
        "    judge(kolmogorov_smirnov(data.n, reference.n))\n"
    )
    program = f"""
import sys
compiled = []
sys.addaudithook(lambda event, args: compiled.append(str(args[1])) if event == "compile" else None)
from pathlib import Path
import pyarrow as pa
from relet.checks import run_suite
from relet.data.table import write_table
write_table(pa.table({{"n": range(100)}}), Path("{tmp_path}/data.parquet"))
data = Path("{tmp_path}/data.parquet")
assert run_suite(Path("{tmp_path}"), data=data, reference=data).passed
found = [name for name in compiled if "site-packages" in name and "_pytest" not in name]
print(len(found) < 10 or found)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
