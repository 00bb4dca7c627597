"""`relet reproduce`, as a person meets it."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.command import relet
from tests.integration.reproduction.tampering import without_tree
from tests.sums_project import Sums


def test_a_run_that_is_identical_is_told_step_by_step_and_ends_with_0(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = sums.run().run_id
    status, out, err = relet(capsys, "reproduce", run_id, "--here")
    assert (status, err) == (0, "")
    commit = sums.git("rev-parse", "HEAD")[:12]
    told = re.sub(r"\d+\.\d s", "T s", out).splitlines()
    assert [re.sub(r"  +", "  ", line) for line in told] == [
        f"code  as the run stored it (commit {commit})",
        f"environment  here, Python {sums.store.run(run_id).machine['python']}",
        "made again  draw  T s",
        "made again  add  T s",
        "",
        "draw  IDENTICAL  drawn:v1  T s",
        "add  IDENTICAL  report:v1  sums:v1  T s",
        f"IDENTICAL  {run_id}: every digest is equal, of 3 outputs of 2 steps",
        "T s; the recorded steps took T s",
        "stored as reproduction:v1",
    ]


def test_an_alias_is_told_with_its_version_and_what_was_taken_as_stored(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    sums.run()
    sums.run("scale=2", steps=["add"])
    sums.store.set_alias("report", "prod", 2, by="test", why="")
    status, out, _ = relet(capsys, "reproduce", "report:prod", "--here")
    assert status == 0
    assert "\ntaken as stored: sums/drawn:v1\n" in out
    assert "\nIDENTICAL  report:prod (sums/report:v2): every digest is equal" in out


def test_what_is_equivalent_ends_with_0_and_says_how_far_it_is(
    sums: Sums, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = sums.run().run_id
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    status, out, _ = relet(capsys, "reproduce", run_id, "--here")
    assert status == 0
    assert re.search(r"^add   EQUIVALENT  report:v1  sums:v1", out, re.MULTILINE)
    assert re.search(r"^      sums: total: \S+ → \S+ \(relative 0\.00\d+\)$", out, re.MULTILINE)
    assert re.search(
        r"^EQUIVALENT  .* add: sums within its tolerance of 0\.01 \(largest difference 0\.00\d+\);", out, re.M
    )


def test_what_diverged_ends_with_1_and_names_the_step_and_what_was_different(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    sums.git("update-index", "--assume-unchanged", "pipelines/sums/helper.py")
    sums.edit("helper.py", "float(", "50 + float(")
    run_id = without_tree(sums, sums.run("main.evaluate=true").run_id)
    status, out, _ = relet(capsys, "reproduce", run_id, "--here")
    assert status == 1
    assert re.search(r"^rate  DIVERGED .*\(its inputs differ\)$", out, re.MULTILINE)
    assert f"\nDIVERGED  {run_id}: add is the first step that differs (its inputs were equal): report: " in out
    assert "different was: code of pipelines.sums.helper:total changed\n" in out
    assert re.search(r"skipped +DIVERGED ", relet(capsys, "runs")[1])


def test_a_step_that_was_not_made_is_told_with_its_error(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    sums.edit(
        "helper.py", "return", "import os\n    assert 'relet-reproduce-' not in os.environ['HOME']\n    return"
    )
    run_id = sums.run().run_id
    status, out, _ = relet(capsys, "reproduce", run_id, "--here")
    assert status == 1
    assert "\n      add raised AssertionError: \n" in out
    assert "was not made: add raised AssertionError" in out


def test_what_is_impossible_ends_with_2_and_lists_what_is_missing(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    sums.run()
    run_id = sums.run("scale=2", steps=["add"]).run_id
    for digest in (sums.store.run(run_id).lock, sums.store.version("drawn:v1").files["drawn.txt"]):
        (sums.root / ".relet" / "objects" / str(digest)[:2] / str(digest)).unlink()
    status, out, _ = relet(capsys, "reproduce", run_id)
    assert status == 2
    first, *missing, last = out.strip().splitlines()
    assert first == f"IMPOSSIBLE  {run_id}:"
    assert [line[:6] for line in missing] == ["  lock", "  draw"]
    assert last == "stored as reproduction:v1"
    status, out, _ = relet(capsys, "reproduce", run_id, "--here")
    assert out.startswith(
        f"\nIMPOSSIBLE  {run_id}: drawn.txt of sums/drawn:v1, which add.drawn takes, is gone: object "
    )


def test_a_commit_that_is_gone_says_where_it_was_looked_for(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = without_tree(sums, sums.run().run_id)
    shutil.rmtree(sums.root / ".git")
    status, out, _ = relet(capsys, "reproduce", run_id, "--here")
    assert status == 2
    assert "can't be had (there is no git repository here; the record names no repository to fetch it from)" in out


def test_json_is_all_that_is_on_standard_output(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = sums.run().run_id
    status, out, err = relet(capsys, "reproduce", run_id, "--here", "--json")
    document = json.loads(out)
    told = document["reproduction"]
    assert (status, told["likeness"], told["run"], document["version"]) == (
        0,
        "IDENTICAL",
        run_id,
        "reproduction:v1",
    )
    assert [each["component"] for each in told["steps"]] == ["draw", "add"]
    assert err.startswith("code         as the run stored it (commit ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reprot:v1"], "holds no artifact 'reprot': did you mean report?"),
        (
            ["20260101"],
            "'20260101' is neither a run's id (`relet runs` lists them) nor a version, such as model:v7",
        ),
        (["report:v1", "--here", "--python", "3.12"], "leave out --python, or --here"),
        (["report:v1", "--here", "--keep", "."], "is not empty; name a folder that is, or is not there"),
        (["report:v1", "--python", "three"], "python takes a version as 3.11 or 3.11.7, got 'three'"),
    ],
)
@pytest.mark.sampled
def test_a_mistake_gets_advice_and_is_no_verdict(
    sums: Sums, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    sums.run()
    status, _, err = relet(capsys, "reproduce", *words)
    assert status == 2
    assert said in err
    assert "reproduction" not in sums.store.names()


def test_a_working_tree_that_can_not_be_read_does_not_stand_in_the_way(
    sums: Sums, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = sums.run().run_id
    sums.path("add.py").write_text("def add(:\n")
    status, out, err = relet(capsys, "reproduce", run_id, "--here", "--store", str(sums.root / ".relet"))
    assert (status, "IDENTICAL" in out) == (0, True)
    assert err.startswith("no tracker is told of the verdict, since the project can't be read: ")


def test_outside_of_every_project_the_store_alone_is_enough_where_nothing_was_committed(
    sums: Sums,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.rmtree(sums.root / ".git")
    run_id = sums.run().run_id
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    status, out, _ = relet(capsys, "reproduce", run_id, "--here", "--store", str(sums.root / ".relet"))
    assert status == 0
    assert out.startswith("code         as the run stored it (no commit)\n")


def test_a_folder_that_is_kept_is_named(
    sums: Sums, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_id = sums.run().run_id
    kept = tmp_path_factory.mktemp("kept") / "again"
    assert relet(capsys, "reproduce", run_id, "--here", "--keep", str(kept))[1].endswith(
        f"stored as reproduction:v1; laid out in {kept}\n"
    )
    assert (kept / "code" / "pipelines").is_dir()


def test_ctrl_c_ends_with_130_and_stores_nothing(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    # the parent of the process that this one is a copy of
    above = "int(open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1])"
    stops = f"if 'relet-reproduce-' in os.environ['HOME']:\n        os.kill({above}, 2); time.sleep(60)"
    sums.edit("helper.py", "return", f"import os, time\n    {stops}\n    return")
    run_id = sums.run().run_id
    status, _, err = relet(capsys, "reproduce", run_id, "--here")
    advice = "relet: interrupted; nothing that was stored is lost: give the same command again"
    assert (status, err) == (130, f"\n{advice}\n")
    assert "reproduction" not in sums.store.names()
