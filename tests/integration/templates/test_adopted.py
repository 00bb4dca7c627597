"""An adopted script runs as it did, with what relet gives: reasons, keys and artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

import relet
from relet.errors import BadDataError
from relet.store import open_store
from relet.templates.adoption.adopting import adopt_script

SCRIPT = """
import argparse
import sys
from own_part import WORD

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--rows", default="rows.csv")
    parser.add_argument("--out", default="said.txt")
    args = parser.parse_args()
    with open(args.rows) as rows, open(args.out, "w") as out:
        out.write(f"{WORD} {rows.read()}" * args.times)
    sys.exit(0 if args.times < 9 else 3)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/say.py").write_text(SCRIPT)
    (tmp_path / "old/own_part.py").write_text("WORD = 'word'\n")
    (tmp_path / "old/rows.csv").write_text("1")
    adopt_script(Path("old/say.py"))
    return tmp_path


def ran(*words: str) -> dict[str, str]:
    outcome = relet.run("say", "tracking=[]", *words)
    assert outcome.exit_status == 0, outcome.error
    return {result.component: f"{result.action}: {result.reason}" for result in outcome.results}


def said() -> str:
    return relet.load("said:latest").read_text()


def test_a_script_runs_again_only_where_it_or_what_it_gets_changed(project: Path) -> None:
    assert ran() == {"say": "run: first run"}
    assert said() == "word 1word 1"
    assert ran() == {"say": "skip: same key"}
    assert ran("say.times=1")["say"].startswith("run: times 2 → 1")
    assert said() == "word 1"
    (project / "old/rows.csv").write_text("2")
    assert ran("say.times=1")["say"].startswith("run:")
    assert said() == "word 2"
    module = project / "pipelines/say/scripts/own_part.py"
    module.write_text("WORD = 'other'\n")
    assert ran("say.times=1")["say"].startswith("run:")
    assert said() == "other 2"


def test_a_script_that_ends_badly_fails_its_step_and_leaves_nothing(project: Path) -> None:
    with pytest.raises(BadDataError, match=r"^say\.py ended with status 3"):
        relet.run("say", "tracking=[]", "say.times=9")
    assert open_store(project / ".relet").names() == []


def test_what_a_script_reads_is_no_caveat(project: Path) -> None:
    ran()
    (record,) = [each for each in open_store(project / ".relet").runs() if each.component == "say"]
    assert [each.kind for each in record.caveats if each.kind in ("file", "import")] == []
