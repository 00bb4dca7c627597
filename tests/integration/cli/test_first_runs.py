"""The first run in a project starts the process of calls early, and no step sees that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sums_project import Sums

# What is loaded into the memory of a process that has imported NumPy, whoever did.
LOOKS = "    return float('multiarray' in Path('/proc/self/maps').read_text())"


def relet(sums: Sums, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "relet", *words]
    return subprocess.run(command, cwd=sums.root, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not say what is in memory")
def test_a_step_finds_in_memory_what_it_finds_in_a_later_run(sums: Sums) -> None:
    sums.edit("helper.py", "def total", "from pathlib import Path\n\ndef total")
    sums.edit("helper.py", "    return float(sum(int(word) for word in path.read_text().split()))", LOOKS)
    # a step that may set variables has nothing imported ahead in any run
    sums.edit("add.py", " + float(os.environ.get('OMP_NUDGE', 0))", "")
    assert not (sums.root / ".relet").exists()
    found = []
    for scale in (1, 2):
        assert relet(sums, "run", "sums", f"scale={scale}").returncode == 0
        found.append(sums.store.version("sums:latest").metadata["metrics"]["total"])
    assert found == [0.0, 0.0]


def test_wrong_words_of_a_first_run_are_one_line_at_once(sums: Sums) -> None:
    ended = relet(sums, "run", "sums", "coumt=4")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("relet: there is no setting 'coumt'") and ended.stderr.count("\n") == 1
