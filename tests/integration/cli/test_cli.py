"""The command line, as a person meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.reproduction import keep
from relet.store import open_store
from tests.command import relet
from tests.tiny_project import Tiny


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "--help")
    assert status == 0
    for verb in ("run", "why", "reproduce", "artifacts", "graph", "runs", "sync", "ui", "schema"):
        assert re.search(rf"^  {verb} ", out, re.MULTILINE)


def test_an_unknown_verb_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = relet(capsys, "artifact")
    assert status == 2
    assert "did you mean artifacts?" in err


def test_a_run_prints_a_line_for_each_step_and_one_screen_at_its_end(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = relet(capsys, "run", "tiny")
    assert status == 0
    lines = out.splitlines()
    assert re.match(r"get +run +first run +sample:v1 +\d+\.\d s", lines[0])
    assert "clean_sample:v1 is the first batch" in out
    assert re.search(r"^ +0 rows are 100 or more$", out, re.MULTILINE)
    assert re.search(r"finished in .* 4 run, 0 skipped, 7 new versions", out)
    assert re.search(r"mae +11 +22", out)
    assert "look further: relet artifacts show" in out
    status, out, _ = relet(capsys, "run", "tiny", "etl.low=3")
    assert re.search(r"clean +run +low 2 → 3 +clean_sample:v2", out)
    assert re.search(r"get +skip +same key", out)


def test_a_lock_that_falls_short_is_told_with_the_command_that_helps(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tiny.root / "requirements.lock"
    _, drifted, _ = relet(capsys, "run", "tiny")
    assert f"the lock falls short: pandas {version('pandas')}, locked 3\n" in drifted
    assert "; lock what is installed: relet lock --installed, or install what is locked: " in drifted
    assert "numpy" in drifted and "name a package that stays out of the lock among the dependencies" in drifted
    lock.write_text("".join(f"{each.name}=={each.version}\n" for each in distributions()))
    _, unhashed, _ = relet(capsys, "run", "tiny", "modeling.factor=3")
    assert "the lock falls short: it has no hash for " in unhashed and "--installed" not in unhashed
    assert "make the lock anew with: relet lock\n" in unhashed


def test_a_metric_that_is_a_curve_is_drawn_as_one_in_the_last_screen(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    train = "steps/train.py"
    tiny.edit(train, "import Figure,", "import Curve, Figure,")
    tiny.edit(
        train, '{"mae": value,', '{"by": Curve(points=[(1, 9.0), (2, 2.0), (5, 2.0)], x="rounds"), "mae": value,'
    )
    status, out, _ = relet(capsys, "run", "tiny")
    assert status == 0
    assert re.search(r"^by +2 +█{6}▁{18} 1 to 5 rounds$", out, re.MULTILINE)
    assert re.search(r"^mae +11 +22$", out, re.MULTILINE)
    # found again where nothing runs
    assert "▁ 1 to 5 rounds" in relet(capsys, "run", "tiny")[1]


def test_json_is_one_object_a_line(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "run", "tiny", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [each["event"] for each in events].count("ended") == 4
    assert events[-1]["event"] == "finished"
    assert events[-1]["exit_status"] == status == 0


def test_a_refusal_names_the_check_and_the_rows_and_ends_with_3(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = relet(capsys, "run", "tiny", "check.limit=9")
    assert status == 3
    assert "check says no: 1 of 1 checks failed\n  small: 1 rows are 9 or more\n" in out
    assert "n=9  name=row 9" in out
    assert "relet artifacts show tiny/report:v1" in out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["run", "tinny"], 2, "did you mean tiny?"),
        (["run", "tiny", "steps=trian"], 2, "did you mean train?"),
        (["run", "tiny", "etl.lwo=3"], 2, "etl.low"),
        (["run", "tiny", "etl.low=many"], 2, "takes a whole number"),
        (["run", "tiny", "etl.source=nowhere.csv"], 2, "nowhere.csv"),
        (["run", "tiny.clean", "lwo=3"], 2, "did you mean low?"),
        (["artifacts", "show", "sampel"], 2, "sampel"),
        (["artifacts", "show", "no/Name"], 2, "is no reference"),
        (["why", "trian"], 2, "did you mean train?"),
        (["runs", "20200101"], 2, "20200101"),
    ],
)
@pytest.mark.sampled
def test_wrong_words_get_one_line_of_advice_and_no_traceback(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    relet(capsys, "run", "tiny")
    ended, out, err = relet(capsys, *words)
    assert ended == status
    assert said in out + err
    assert "Traceback" not in out + err


def test_a_component_that_fails_ends_with_1_and_says_how_to_look_inside(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.edit("helper.py", "return", "raise ValueError('no mean')\n    return")
    status, out, err = relet(capsys, "run", "tiny")
    assert status == 1
    assert "train raised ValueError: no mean" in err
    assert "--pdb" in out


def test_outside_a_project_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = relet(capsys, "run", "tiny")
    assert status == 2
    assert "no pipelines/ in" in err


def test_help_of_a_component_shows_its_signature(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = relet(capsys, "run", "tiny.clean", "--help")
    assert re.search(r"low +int +default 2", out)
    assert "clean_sample" in out
    _, out, _ = relet(capsys, "run", "tiny", "--help")
    assert re.search(r"etl.low +int +clean.low", out)
    assert re.search(r"score .*\(on request\)", out)
    assert "Parameters that no file sets" not in out
    tiny.edit("steps/clean.py", "low: int = 2", "low: int = 2, high: int = 9")
    _, out, _ = relet(capsys, "run", "tiny", "--help")
    assert re.search(r"Parameters that no file sets.*\n +clean.high +int +default 9", out)
    _, out, _ = relet(capsys, "run", "tiny.get", "--help")
    assert "Parameters:" in out and "Inputs" not in out


def test_why_says_which_part_of_the_key_changed_old_and_new(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    relet(capsys, "run", "tiny")
    _, out, _ = relet(capsys, "why", "tiny")
    assert out.count("same key") == 4
    _, out, _ = relet(capsys, "why", "train", "modeling.factor=3")
    assert "parameters: factor 2 → 3" in out
    tiny.edit("helper.py", "return", "assert True\n    return")
    _, out, _ = relet(capsys, "why", "tiny.train")
    assert re.search(r"code: pipelines.tiny.helper:mean [0-9a-f]{12} → [0-9a-f]{12}", out)
    _, out, _ = relet(capsys, "why", "train", "etl.low=3")
    assert "clean runs first: low 2 → 3" in out
    _, out, _ = relet(capsys, "why", "train", "--json")
    (step,) = json.loads(out)["steps"]
    assert step["changes"][0]["name"] == "pipelines.tiny.helper:mean"


def test_why_runs_nothing(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    relet(capsys, "why", "tiny")
    assert not (tiny.root / ".relet").exists()


def test_artifacts_are_listed_shown_and_named(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = relet(capsys, "artifacts", "list")
    assert "the store is empty" in out
    relet(capsys, "run", "tiny")
    relet(capsys, "run", "tiny", "etl.low=3")
    _, out, _ = relet(capsys, "artifacts", "list")
    assert re.search(r"tiny/clean_sample:v2 +table .* 7 rows +latest", out)
    _, out, _ = relet(capsys, "artifacts", "list", "clean_sample")
    assert re.search(r"tiny/clean_sample:v1 +table .* 8 rows +reference", out)
    _, out, _ = relet(capsys, "artifacts", "show", "clean_sample:reference")
    assert "made by   clean of tiny" in out
    assert re.search(r"from +tiny/sample:v1", out)
    assert re.search(r"parameter low +2", out)
    _, out, _ = relet(capsys, "artifacts", "alias", "clean_sample:v2", "reference", "--why", "a new year")
    assert out == "tiny/clean_sample:reference is tiny/clean_sample:v2 now\n"
    _, out, _ = relet(capsys, "artifacts", "alias", "clean_sample:reference")
    assert "the first batch" in out
    assert "a new year" in out


def test_the_composed_configuration_is_printed_and_nothing_runs(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["tiny", "etl.low=3", "--cfg"], ["tiny", "--cfg", "etl.low=3"], ["--cfg", "tiny", "etl.low=3"]):
        status, out, _ = relet(capsys, "run", *words, "--package", "etl")
        assert status == 0
        assert re.fullmatch(
            r"# @package etl\nsource: generated  # .*config\.yaml:4\n"
            r"rows: 10  # .*config\.yaml:4\nlow: 3  # override\n",
            out,
        )
    assert relet(capsys, "run", "tiny", "--cfg", "job")[1].startswith("main:\n  experiment_name: tiny  # ")
    assert "have no effect here" in relet(capsys, "run", "tiny", "--cfg", "hydra")[1]
    for words, told in (
        (["tiny", "--package", "etl"], "add --cfg"),
        (["tiny.get", "--cfg"], "write tiny"),
        (["tiny", "-m", "--cfg"], "leave -m out"),
        (["tiny", "--cfg", "etl.lo=3"], r"did you mean etl\.low\?"),
    ):
        status, _, said = relet(capsys, "run", *words)
        assert status == 2 and re.search(told, said)
    assert not (tiny.root / ".relet").exists()


def test_artifacts_are_checked_tidied_and_moved(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    relet(capsys, "run", "tiny")
    relet(capsys, "run", "tiny", "etl.low=3")
    assert relet(capsys, "artifacts", "verify")[:2] == (0, "nothing is broken\n")
    _, out, _ = relet(capsys, "artifacts", "prune", "--keep", "1")
    assert "tiny/dropped:v1" in out
    assert "tiny/clean_sample:v1" not in out
    _, out, _ = relet(capsys, "artifacts", "gc", "--older-than", "0")
    assert re.match(r"[1-9]\d* files deleted", out)
    assert relet(capsys, "artifacts", "verify")[0] == 0
    bundle = str(tiny.root / "bundle.tar")
    relet(capsys, "artifacts", "export", "clean_sample:v2", bundle)
    _, out, _ = relet(capsys, "artifacts", "import", bundle, "--store", str(tiny.root / "other"))
    assert out == "tiny/clean_sample:v1 is stored\n"
    shown = json.loads(relet(capsys, "artifacts", "show", "clean_sample:v2", "--json")[1])["version"]
    sha = shown["files"]["table.parquet"]
    (tiny.root / ".relet" / "objects" / sha[:2] / sha).write_bytes(b"damage")
    status, out, _ = relet(capsys, "artifacts", "verify")
    assert status == 1
    assert sha in out


def test_runs_are_listed_and_shown(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing has run yet" in relet(capsys, "runs")[1]
    relet(capsys, "run", "tiny")
    _, out, _ = relet(capsys, "runs")
    assert re.search(r"finished +4 run, 0 skipped +relet run tiny  \(not promised: uncommitted, lock\)", out)
    _, out, _ = relet(capsys, "runs", out.split()[0])
    assert re.search(r"train +run +first run +.*weights:v1", out)
    assert "not promised: runs code that is not committed: there is no commit" in out


def test_a_verdict_is_shown_with_the_run_and_with_what_it_judged(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    relet(capsys, "run", "tiny")
    run_id = relet(capsys, "runs")[1].split()[0]
    output = OutputVerdict(
        name="metrics",
        recorded="tiny/metrics:v1",
        recorded_content="c",
        reproduced_content="c",
        likeness=Likeness.IDENTICAL,
    )
    step = StepVerdict(component="train", run="20260101T000000000000-0a0a0a0a", outputs=(output,))
    when = "2026-01-01T00:00:00.000+00:00"
    found = Reproduction(
        target=run_id, run=run_id, likeness=Likeness.IDENTICAL, reason="…", when=when, steps=(step,)
    )
    keep(found, open_store(tiny.root / ".relet"))
    assert re.search(r"0 skipped +IDENTICAL +relet run tiny", relet(capsys, "runs")[1])
    said = "again     IDENTICAL on 2026-01-01 (reproduction:v1)"
    assert said in relet(capsys, "runs", run_id)[1]
    assert said in relet(capsys, "artifacts", "show", "metrics:v1")[1]
    assert said not in relet(capsys, "artifacts", "show", "weights:v1")[1]


def test_a_pipeline_is_drawn_as_text_and_as_svg(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = relet(capsys, "graph", "tiny")
    assert re.search(r"← sample +from get", out)
    assert "⊣ check must say yes" in out
    relet(capsys, "graph", "tiny", "--svg", "graph.svg")
    from xml.etree import ElementTree

    drawing = ElementTree.parse(tiny.root / "graph.svg")
    texts = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"get", "clean", "check", "train", "score", "clean_sample"} <= set(texts)


def test_the_reader_of_the_output_may_leave(tiny: Tiny) -> None:
    command = f"{sys.executable} -m relet run tiny | true"
    done = subprocess.run(["bash", "-c", command], cwd=tiny.root, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
