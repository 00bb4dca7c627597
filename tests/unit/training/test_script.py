"""A script runs as it is, in a folder of its own, with arguments and files of the pipeline."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from relet.errors import BadDataError
from relet.training.script import run_script


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders for scripts lie in the test's own, as they lie in a call's own in a run."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scripts" / "own.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_script_gets_its_arguments_and_leaves_its_files(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("1 2")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "beside.py").write_text("WORD = 'beside'\n")
    own = script(
        tmp_path,
        "import sys\nfrom pathlib import Path\nfrom beside import WORD\nif __name__ == '__main__':\n"
        "    text = Path('data/rows.csv').read_text()\n"
        "    Path('out/made.txt').write_text(' '.join([WORD, text, *sys.argv[1:]]))\n",
    )
    ended = run_script(
        own,
        {"--fast": True, "--n": 3, "--no": None, "place": "x"},
        reads={"data/rows.csv": rows},
        writes={"made": "out/made.txt"},
        folders=["out"],
    )
    assert ended.status == 0 and ended.verdict("own.py").passed
    assert ended.files["made"].read_text() == "beside 1 2 --fast --n 3 x"


def test_files_that_no_artifact_keeps_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write = "import os\nfrom pathlib import Path\nfor each in {}:\n    Path(each).write_text('x')\n"
    kept = ["out/model/a.txt", "made.txt", "mlflow.db"]
    writes = {"model": "out/model", "made": "made.txt"}
    folders = ["out/model"]
    (tmp_path / "in.txt").write_text("x")
    reads = {"data/in.txt": tmp_path / "in.txt"}
    run_script(script(tmp_path, write.format(kept)), {}, reads=reads, writes=writes, folders=folders)
    assert capsys.readouterr().out == ""
    lost = ["b.txt", "out/a.txt"]
    run_script(script(tmp_path, write.format([*kept, *lost])), {}, reads=reads, writes=writes, folders=folders)
    told = "which no artifact keeps: name what is to be kept in writes=…"
    assert capsys.readouterr().out == f"own.py wrote b.txt, out/a.txt, {told}\n"
    run_script(script(tmp_path, write.format([f"{each}.txt" for each in range(7)])), {})
    assert "4.txt and 2 more files, which no" in capsys.readouterr().out


def test_a_script_finds_its_files_where_it_lies_itself(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1 2")
    own = script(
        tmp_path,
        "from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
        "(HERE / 'made.txt').write_text((HERE / 'rows.csv').read_text() + Path(__file__).read_text()[:4])\n",
    )
    ended = run_script(own, {}, reads={"rows.csv": tmp_path / "rows.csv"}, writes={"made": "made.txt"})
    assert ended.files["made"].read_text() == "1 2from"
    assert [each.name for each in own.parent.iterdir()] == ["own.py"]


def test_a_script_has_its_own_futures_and_not_those_of_relet(tmp_path: Path) -> None:
    own = script(tmp_path, "def rows(number: int): ...\nassert rows.__annotations__ == {'number': int}\n")
    assert run_script(own, {}).status == 0


def test_an_error_of_a_script_names_its_own_file_and_line(tmp_path: Path) -> None:
    own = script(tmp_path, "import sys\nassert sys.modules['__main__'].__dict__ is globals()\n1 / 0\n")
    before = sys.modules["__main__"]
    with pytest.raises(ZeroDivisionError) as raised:
        run_script(own, {})
    last = raised.traceback[-1]
    assert (str(last.path), last.lineno + 1) == (str(own), 3)
    assert sys.modules["__main__"] is before


def test_the_process_is_as_before_whatever_the_script_does(tmp_path: Path) -> None:
    before = (list(sys.argv), list(sys.path), Path.cwd())
    own = script(tmp_path, "import os, sys\nsys.path.append('x'); os.chdir('/'); raise ValueError('no')\n")
    with pytest.raises(ValueError, match="no"):
        run_script(own, {})
    assert (list(sys.argv), list(sys.path), Path.cwd()) == before


@pytest.mark.parametrize(("code", "status"), [("0", 0), ("None", 0), ("2", 2), ("'a reason'", 1)])
def test_the_status_of_a_script_is_its_end(tmp_path: Path, code: str, status: int) -> None:
    own = script(tmp_path, f"import sys\nsys.exit({code})\n")
    assert run_script(own, {}, check=False).status == status
    if status:
        with pytest.raises(BadDataError, match=f"own.py ended with status {status}"):
            run_script(own, {})


def test_a_file_that_is_not_there_is_named_with_its_artifact(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"wrote no model\.pkl, which is the artifact model"):
        run_script(script(tmp_path, "x = 1\n"), {}, writes={"model": "model.pkl"})


def test_a_module_runs_in_a_copy_of_its_step(tmp_path: Path) -> None:
    step = tmp_path / "steps" / "step"
    step.mkdir(parents=True)
    (step / "own_module_of_step.py").write_text(
        "import sys; sys.path.insert(0, '..'); import own_common; import pathlib\n"
        "pathlib.Path('said.txt').write_text(own_common.WORD)\n"
    )
    (tmp_path / "steps" / "own_common.py").write_text("WORD = 'common'\n")
    ended = run_script(
        "own_module_of_step",
        {},
        writes={"said": "said.txt"},
        beside=[step, tmp_path / "steps" / "own_common.py"],
        folder="step",
    )
    assert ended.files["said"].read_text() == "common"
    assert not (step / "said.txt").exists()
