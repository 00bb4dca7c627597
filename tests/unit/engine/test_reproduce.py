"""Runs made again: what is laid out, what is compared, what is named, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from relet import environments
from relet.core.record import Status
from relet.engine.run import execute
from relet.errors import NotFoundError, ReletError, SetUpError, StoreError
from relet.evaluation.comparison import Comparison
from relet.project.job import RunOutcome
from relet.project.order import read_order
from relet.project.request import prepare
from relet.reproduction import ReproductionOptions, keep, reproduce
from relet.store import Store, open_store
from relet.store.reproductions import latest_of_runs, latest_on
from tests.sums_project import Sums, likenesses, step
from tests.tiny_project import Tiny

ALL = {"draw": "IDENTICAL", "add": "IDENTICAL"}


def edit_record(sums: Sums, run_id: str | None, change: Callable[[dict[str, Any]], None]) -> str:
    """Write something else into a run's record, as somebody might."""
    path = sums.root / ".relet" / "runs" / f"{run_id}.json"
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    return str(run_id)


def collected(sums: Sums, digest: str | None) -> None:
    """Lose an object, as a garbage collection that knew nothing of it would."""
    assert digest
    (sums.root / ".relet" / "objects" / digest[:2] / digest).unlink()


def damaged(sums: Sums, digest: str | None) -> None:
    assert digest
    path = sums.root / ".relet" / "objects" / digest[:2] / digest
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def tampered(store: Store, folder: Path, reference: str, content: bytes) -> None:
    """Let a version hold other bytes under the same digest of its content, all of it consistent."""
    name, _, number = reference.partition(":v")
    path = folder / "artifacts" / name / "versions" / f"{number}.json"
    manifest = json.loads(path.read_text())
    (file,) = manifest["files"]
    manifest["files"][file] = store.put_object(content)
    path.write_text(json.dumps(manifest))


# ---- what is laid out ----------------------------------------------------------------------------------------


def test_a_run_of_a_clean_commit_is_identical(sums: Sums) -> None:
    outcome = sums.run()
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert found.reason == "every digest is equal, of 3 outputs of 2 steps"
    assert found.commit == sums.git("rev-parse", "HEAD")
    assert found.environment == "here"
    assert found.judged == ("drawn:v1", "report:v1", "sums:v1")
    assert found.pinned == ()


def test_what_was_committed_since_does_not_count(sums: Sums) -> None:
    outcome = sums.run()
    sums.edit("helper.py", "float(", "1 + float(")
    sums.commit()
    sums.edit("helper.py", "1 + float(", "2 + float(")
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_it_needs_no_project_around_it_where_the_record_says_where_to_fetch(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = remote(sums, tmp_path_factory.mktemp("remote"), monkeypatch)
    outcome = sums.run()
    assert sums.record(outcome).code.repository == url
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert sums.again(outcome, root=None).likeness == "IDENTICAL"


def test_a_pushed_commit_that_no_branch_holds_any_more_is_fetched_by_itself(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("remote")
    remote(sums, folder, monkeypatch, **{"clone.defaultRemoteName": "upstream", "protocol.version": "0"})
    outcome = sums.run()
    other = sums.git("commit-tree", "-m", "other", sums.git("write-tree"), folder=folder / "sums.git")
    sums.git("update-ref", "refs/heads/main", other, folder=folder / "sums.git")
    monkeypatch.chdir(folder)
    assert sums.again(outcome, root=None).likeness == "IDENTICAL"


def remote(sums: Sums, folder: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Push what is committed to a remote, which git finds under a public address."""
    url = "https://example.org/sums.git"
    sums.git("clone", "-q", "--bare", str(sums.root), str(folder / "sums.git"))
    sums.git("remote", "add", "origin", url)
    settings(monkeypatch, **values, **{f"url.{folder.as_uri()}/.insteadOf": "https://example.org/"})
    return url


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """The user's own configuration of git."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(values)))
    for number, (name, value) in enumerate(values.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", name)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)


def test_a_dirty_tree_is_laid_out_as_it_was(sums: Sums) -> None:
    helper, title = sums.path("helper.py"), sums.path("words/title.txt")
    sums.path("words/old.txt").write_text("an old word\n" * 20)
    sums.path("words/gone.txt").write_text("gone")
    sums.path("words/crlf.txt").write_bytes(b"one\r\ntwo\r\n")
    sums.path("words/binary.bin").write_bytes(bytes(range(256)))
    sums.path("words/run.sh").write_text("exit 0\n")
    (sums.root / ".gitignore").write_text(".relet\nhidden*\n")
    sums.commit()
    helper.write_bytes(helper.read_bytes().replace(b"float(", b"float(plus +") + b"\nfrom .hidden import plus\n")
    sums.path("hidden.py").write_text("from pipelines.sums.untracked import plus\n")
    sums.path("untracked.py").write_text("plus = 1\n")
    title.write_bytes("naïve ÿ".encode("latin-1"))
    sums.path("words/gone.txt").unlink()
    sums.path("words/old.txt").rename(sums.path("words/new.txt"))
    sums.path("words/crlf.txt").write_bytes(b"one\r\nthree\r\n")
    sums.path("words/binary.bin").write_bytes(bytes(reversed(range(256))))
    sums.path("words/run.sh").chmod(0o755)
    for name in ("with a space", "Übermaß", "a 'quote\"", "new\nline", "*[a]?"):
        sums.path(f"words/{name}").write_text(name)
    sums.path("add.py").write_text(
        sums.path("add.py")
        .read_text()
        .replace("    words =", f"    {listing()}\n    words =")
        .replace("words + str", "words + seen + str")
    )
    outcome = sums.run()
    found = sums.again(outcome)
    assert (found.likeness, step(found, "add").changes) == ("IDENTICAL", ())


def test_a_script_that_git_did_not_hold_can_be_executed_again(sums: Sums) -> None:
    sums.path("words/run.sh").write_text("#!/bin/sh\n")
    sums.path("words/run.sh").chmod(0o755)
    runs = "import subprocess; subprocess.run([Path(__file__).with_name('words') / 'run.sh'], check=True)"
    sums.edit("add.py", "    words =", f"    {runs}\n    words =")
    assert sums.again(sums.run()).likeness == "IDENTICAL"


def test_a_file_that_no_record_could_name_does_not_stand_in_the_way(sums: Sums) -> None:
    (sums.root / os.fsdecode(b"\xff.py")).touch()
    assert sums.again(sums.run()).likeness == "IDENTICAL"


def listing() -> str:
    """What a step sees of its folder: every file's name, bytes, and whether it can be executed."""
    return (
        "folder = Path(__file__).parent / 'words'; "
        "seen = b''.join(f'{p.name} {p.read_bytes().hex()} {p.stat().st_mode & 0o100}'.encode() "
        "for p in sorted(folder.rglob('*')))"
    )


def test_the_project_may_lie_in_a_folder_of_its_repository(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = Sums(tiny.root)
    outer.git("init", "-q", "-b", "main")
    inner = Sums(tiny.root / "teams" / "ours é")
    shutil.copytree(tiny.root / "pipelines", inner.root / "pipelines")
    shutil.rmtree(tiny.root / "pipelines")
    (tiny.root / "unrelated.txt").write_text("first")
    outer.commit("first")
    (tiny.root / "unrelated.txt").write_text("second")
    inner_helper = inner.root / "pipelines" / "tiny" / "helper.py"
    inner_helper.write_text(inner_helper.read_text().replace("float(", "1 + float("))
    (inner.root / "pipelines" / "tiny" / "checks" / "more.sql").write_text("select 2\n")
    monkeypatch.chdir(inner.root)
    settings(monkeypatch, **{"diff.relative": "true"})
    outcome = tiny.run()
    code = inner.record(outcome).code
    assert (code.folder, list(code.untracked)) == ("teams/ours é", ["pipelines/tiny/checks/more.sql"])
    found = inner.again(outcome)
    assert found.likeness == "IDENTICAL"
    assert len(found.steps) == 4


def test_a_project_outside_git_is_laid_out_from_the_files_of_its_code(sums: Sums) -> None:
    shutil.rmtree(sums.root / ".git")
    outcome = sums.run()
    sums.path("helper.py").unlink()
    found = sums.again(outcome)
    assert found.likeness == "IDENTICAL"
    assert "runs code that is not committed: there is no commit" in found.caveats


def test_a_shallow_clone_can_make_its_own_commit_again(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sums.commit()
    shallow = Sums(tmp_path_factory.mktemp("shallow") / "clone")
    sums.git("clone", "-q", "--depth=1", sums.root.as_uri(), str(shallow.root))
    monkeypatch.chdir(shallow.root)
    settings(monkeypatch, **{"clone.rejectShallow": "true"})
    assert shallow.again(shallow.run()).likeness == "IDENTICAL"


def test_a_work_tree_beside_the_repository_can_make_its_own_commit_again(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Sums(tmp_path_factory.mktemp("beside") / "tree")
    sums.git("worktree", "add", "-q", "--detach", str(beside.root))
    monkeypatch.chdir(beside.root)
    beside.edit("helper.py", "float(", "1 + float(")
    assert beside.again(beside.run()).likeness == "IDENTICAL"


def test_a_commit_that_was_amended_away_is_found_as_long_as_it_is_there(sums: Sums) -> None:
    outcome = sums.run()
    sums.edit("helper.py", "float(", "1 + float(")
    sums.git("add", "-A")
    sums.git("commit", "-q", "--amend", "-m", "another first")
    assert sums.git("branch", "--contains", str(sums.record(outcome).code.commit)) == ""
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_a_commit_that_is_gone_and_was_never_pushed_is_named(sums: Sums) -> None:
    outcome = sums.run()
    sums.git("commit", "-q", "--amend", "-m", "another first")
    sums.git("reflog", "expire", "--expire=now", "--all")
    sums.git("gc", "-q", "--prune=now")
    found = sums.again(outcome)
    commit = str(found.commit)[:12]
    assert (found.likeness, found.reason) == (
        "IMPOSSIBLE",
        f"commit {commit} can't be had (this repository does not hold it; the record names no repository to fetch "
        "it from); was it ever pushed?",
    )


def test_a_commit_that_another_clone_never_pushed_is_named(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Sums(tmp_path_factory.mktemp("other") / "clone")
    remote(sums, tmp_path_factory.mktemp("remote"), monkeypatch)
    sums.git("clone", "-q", str(sums.root), str(other.root))
    sums.edit("helper.py", "float(", "1 + float(")
    sums.commit()
    found = sums.again(sums.run(), root=other.root)
    assert found.likeness == "IMPOSSIBLE"
    assert "this repository does not hold it; git says: fatal: " in found.reason
    assert found.reason.endswith("was it ever pushed?")


@pytest.mark.parametrize(
    "values",
    [
        {
            "diff.noprefix": "true",
            "diff.mnemonicPrefix": "true",
            "color.ui": "always",
            "diff.external": "false",
            "diff.context": "0",
            "diff.renames": "copies",
            "diff.submodule": "log",
            "apply.whitespace": "fix",
            "core.autocrlf": "true",
        },
        {
            "clone.defaultRemoteName": "upstream",
            "core.hooksPath": "TEMPLATE/hooks",
            "init.templateDir": "TEMPLATE",
            "core.fsmonitor": "true",
            "core.eol": "crlf",
            "submodule.recurse": "true",
            "protocol.version": "0",
        },
    ],
    ids=["diffs", "clones"],
)
def test_the_users_own_settings_of_git_shape_neither_the_diff_nor_what_is_laid_out(
    sums: Sums, monkeypatch: pytest.MonkeyPatch, values: dict[str, str]
) -> None:
    sums.path("words/.gitattributes").write_text("*.txt text=auto\n")
    sums.path("words/lines.txt").write_text("one \ntwo\t\n")
    sums.commit()
    template = sums.root / ".git" / "template"
    for folder in (template / "hooks", template / "info"):
        folder.mkdir(parents=True)
    (template / "hooks" / "post-checkout").write_text("#!/bin/sh\necho >> pipelines/sums/words/title.txt\n")
    (template / "hooks" / "post-checkout").chmod(0o755)
    (template / "info" / "attributes").write_text("*.txt text eol=crlf\n")
    values = {name: value.replace("TEMPLATE", str(template)) for name, value in values.items()}
    settings(monkeypatch, **values)
    sums.edit("add.py", "value = scale", "value = 1 * scale")
    sums.edit("helper.py", "float(", "1 + float(")
    sums.path("words/lines.txt").write_text("one \nthree\t\n\n")
    found = sums.again(sums.run())
    assert (found.likeness, step(found, "add").changes) == ("IDENTICAL", ())


def test_inside_a_hook_of_git_the_users_own_repository_is_left_alone(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("helper.py", "float(", "1 + float(")
    outcome = sums.run()
    sums.git("checkout", "-q", "--", ".")
    sums.commit("second")
    monkeypatch.setenv("GIT_DIR", str(sums.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(sums.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(sums.root / ".git" / "index"))
    assert sums.again(outcome).likeness == "IDENTICAL"
    assert sums.git("log", "-1", "--format=%s") == "second"
    assert sums.git("status", "--porcelain") == ""


def test_nothing_is_left_behind_and_nothing_changes_but_for_the_verdict(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("helper.py", "    return", f"    {stubborn()}\n    return")
    outcome = sums.run()
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("TMPDIR", str(scratch))
    os.utime(sums.path("helper.py"))
    before = everything(sums.root)
    found = sums.again(outcome)
    assert (found.likeness, everything(sums.root)) == ("IDENTICAL", before)
    version = keep(found, sums.store)
    assert list(scratch.iterdir()) == []
    new = {name for name in everything(sums.root) if name not in before}
    assert all(name.startswith((".relet/artifacts/reproduction/", ".relet/objects/")) for name in new)
    assert (str(version), sums.store.version("reproduction:latest").number) == ("reproduction:v1", 1)


def stubborn() -> str:
    """Leave a folder behind, in the working folder, that can't be removed as it is."""
    return "import os, pathlib; f = pathlib.Path('left/in'); f.mkdir(parents=True, exist_ok=True); f.chmod(0o500)"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ---- which steps, from what ----------------------------------------------------------------------------------


def test_skipped_steps_are_made_again_from_the_records_of_their_own_runs(sums: Sums) -> None:
    first, second, third = sums.run(), sums.run("scale=2"), sums.run("scale=2")
    assert {str(each.action) for each in third.results} == {"skip"}
    found = sums.again(third)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert step(found, "draw").run == sums.record(first, "draw").id
    assert step(found, "add").run == sums.record(second, "add").id


def test_the_run_of_one_step_is_made_again_on_its_stored_inputs(sums: Sums) -> None:
    found = sums.again(sums.record(sums.run(), "add").id)
    assert (found.likeness, likenesses(found), found.pinned) == ("IDENTICAL", {"add": "IDENTICAL"}, ("drawn:v1",))


def test_a_version_is_made_again_with_the_steps_that_lead_up_to_it(sums: Sums) -> None:
    outcome = sums.run("main.evaluate=true")
    found = sums.again("report:v1")
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert (found.run, found.subject) == (sums.record(outcome, "add").id, "report:v1")
    assert likenesses(sums.again("drawn")) == {"draw": "IDENTICAL"}


def test_an_alias_is_followed_to_its_version(sums: Sums) -> None:
    sums.run()
    sums.run("scale=2")
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    found = sums.again("report:prod")
    assert (found.likeness, found.subject, found.target) == ("IDENTICAL", "report:v1", "report:prod")


def test_a_version_that_came_without_its_history_is_impossible_and_can_still_be_kept(sums: Sums) -> None:
    sums.run()
    sums.store.export_version("report:v1", sums.root / "report.tar")
    there = open_store("memory://")
    there.import_version(sums.root / "report.tar")
    found = reproduce("report:v1", there, root=sums.root, wishes=ReproductionOptions(here=True))
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("the record of the run that made report:v1 can't be had")
    keep(found, there, ["mlflow"])
    assert there.pending("mlflow") == []


def test_of_a_failed_run_the_finished_steps_are_made_again_and_it_is_said(sums: Sums) -> None:
    sums.edit("helper.py", "return", "raise ValueError('no sum')\n    return")
    with pytest.raises(ReletError):
        sums.run()
    failed = next(each for each in sums.store.runs() if each.parent is None)
    found = sums.again(failed.id)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", {"draw": "IDENTICAL"})
    assert found.reason == (
        "every digest is equal, of 1 output of 1 step; the run itself ended as failed (add raised ValueError: no "
        "sum): only what it finished was made again"
    )
    step_that_failed = next(each for each in sums.store.runs() if each.status is Status.FAILED)
    found = sums.again(step_that_failed.id)
    assert found.likeness == "IMPOSSIBLE"
    assert "ended as failed before any step was finished" in found.reason


def test_of_an_interrupted_run_the_finished_steps_are_made_again(sums: Sums) -> None:
    sums.edit("helper.py", "return", "raise KeyboardInterrupt\n    return")
    with pytest.raises(KeyboardInterrupt):
        sums.run()
    interrupted = next(each for each in sums.store.runs() if each.parent is None)
    found = sums.again(interrupted.id)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", {"draw": "IDENTICAL"})
    assert "the run itself ended as interrupted" in found.reason


def test_of_a_run_that_has_not_ended_nothing_can_be_said(sums: Sums) -> None:
    run_id = edit_record(sums, sums.run().run_id, lambda record: record.update(status="running", steps={}))
    found = sums.again(run_id)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.endswith("has not ended, or was killed: name a version that it made, such as model:v7")


def test_a_pipeline_of_tables_with_a_verdict_that_said_no_is_made_again_as_far_as_it_went(tiny: Tiny) -> None:
    outcome = tiny.run("check.limit=9")
    assert outcome.status is Status.STOPPED
    found = reproduce(
        outcome.run_id, open_store(tiny.root / ".relet"), root=tiny.root, wishes=ReproductionOptions(here=True)
    )
    assert likenesses(found) == dict.fromkeys(["get", "clean", "check"], "IDENTICAL")
    assert "the run itself ended as stopped" in found.reason
    # the reference was this run's own first batch: it is made again, and not taken from the store
    assert found.pinned == ()


def test_steps_on_stored_inputs_take_them_from_the_store(sums: Sums) -> None:
    sums.run()
    found = sums.again(sums.run("scale=3", steps=["add"]))
    assert (found.likeness, likenesses(found), found.pinned) == ("IDENTICAL", {"add": "IDENTICAL"}, ("drawn:v1",))


def test_one_component_alone_is_made_again_with_its_own_words(sums: Sums) -> None:
    sums.run()
    sums.run("count=5")
    outcome = execute(prepare(read_order("sums.add", ["drawn=drawn:v1", "scale=10"])))
    found = sums.again(outcome)
    assert (found.likeness, found.pinned) == ("IDENTICAL", ("drawn:v1",))


def test_an_input_that_was_absent_is_absent_again(sums: Sums) -> None:
    outcome = sums.run("main.evaluate=true")
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    found = sums.again(outcome)
    assert (found.likeness, step(found, "rate").inputs_equal, found.pinned) == ("IDENTICAL", True, ())


def test_a_reference_that_was_moved_since_is_what_it_was(sums: Sums) -> None:
    sums.run()
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    outcome = sums.run("scale=1000", "main.evaluate=true")
    sums.store.set_alias("report", "prod", 2, by="test", why="")
    found = sums.again(outcome)
    assert (found.likeness, found.pinned) == ("IDENTICAL", ("report:v1",))


def test_a_stored_input_is_taken_as_stored_though_a_step_made_the_same(sums: Sums) -> None:
    sums.run()
    sums.store.set_alias("report", "prod", 1, by="test", why="")
    outcome = sums.run("main.evaluate=true")
    assert sums.record(outcome, "rate").inputs["champion"].version == "report:v1"
    found = sums.again(outcome)
    assert (found.likeness, step(found, "rate").inputs_equal, found.pinned) == ("IDENTICAL", True, ("report:v1",))


def test_a_source_that_was_deleted_since_comes_from_the_store(sums: Sums) -> None:
    source = sums.root / "numbers é.txt"
    source.write_text("1 2 3")
    outcome = sums.run(f"source='{source}'")
    source.unlink()
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_what_is_neither_a_run_nor_a_version_gets_advice(sums: Sums) -> None:
    sums.run()
    for target, said in (
        ("report:v9", "holds no report:v9"),
        ("reprot:v1", r"did you mean report\?"),
        ("20260101T000000", r"neither a run's id \(`relet runs` lists them\) nor a version"),
        ("20260101T000000000000-00000000", "holds no run"),
        ("../../etc/passwd", "neither a run's id"),
    ):
        with pytest.raises(NotFoundError, match=said):
            sums.again(target)


# ---- what is gone or damaged ---------------------------------------------------------------------------------


def test_outputs_that_were_pruned_are_compared_by_their_digests(sums: Sums) -> None:
    outcome = sums.run()
    sums.run("count=5")
    sums.store.prune(keep=1)
    sums.store.gc(older_than=timedelta(0))
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    sums.edit("helper.py", "float(", "1 + float(")
    run_id = edit_record(sums, outcome.run_id, lambda record: record["code"].update(commit=sums.commit()))
    found = sums.again(run_id)
    assert step(found, "add").changes == ("code of pipelines.sums.helper changed",)
    assert "what was recorded was pruned, so the two can't be compared" in found.reason


def test_inputs_that_were_pruned_or_collected_are_named(sums: Sums) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    collected(sums, sums.store.version("drawn:v1").files["drawn.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.missing[0].startswith("drawn.txt of drawn:v1, which add.drawn takes, is gone: object ")
    sums.run("count=5")
    sums.store.prune(keep=1)
    assert sums.again(outcome).missing == (
        "drawn:v1, which add.drawn takes, is gone from the store: it was pruned",
    )
    with pytest.raises(NotFoundError, match="report:v1 was pruned"):
        sums.again("report:v1")


def test_everything_that_was_collected_is_named_at_once(sums: Sums) -> None:
    (sums.root / "numbers.txt").write_text("1 2 3")
    sums.edit("helper.py", "float(", "1 + float(")
    sums.path("words/more.txt").write_text("more")
    outcome = sums.run("source=numbers.txt")
    record = sums.record(outcome)
    for digest in (record.lock, record.code.diff, *record.code.untracked.values()):
        collected(sums, digest)
    collected(sums, sums.record(outcome, "draw").sources["source"])
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert found.likeness == "IMPOSSIBLE"
    assert [told.partition(" is gone from the store: object ")[0] for told in found.missing] == [
        "lock",
        "diff",
        "file pipelines/sums/words/more.txt",
        "the source of draw.source",
    ]


def test_a_run_without_a_lock_needs_this_environment(sums: Sums) -> None:
    (sums.root / "requirements.lock").unlink()
    sums.commit()
    outcome = sums.run()
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert (found.likeness, found.reason) == (
        "IMPOSSIBLE",
        "no lock was recorded: the project had no requirements.lock (--here uses the current environment)",
    )
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_a_damaged_input_or_lock_is_named(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    lock = sums.record(outcome).lock
    damaged(sums, lock)
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert found.likeness == "IMPOSSIBLE"
    assert f"object {lock}" in found.reason
    assert "is damaged" in found.reason
    damaged(sums, sums.store.version("drawn:v1").files["drawn.txt"])
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert "is damaged" in found.reason


def test_a_damaged_output_is_judged_by_the_digest_in_the_record(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    damaged(sums, sums.store.version("report:v1").files["report.txt"])
    assert sums.again(outcome).likeness == "IDENTICAL"
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert re.search(r"report: report:v1 can't be read: report.txt: object .* is damaged: its bytes", found.reason)


def test_a_stored_input_that_somebody_changed_is_not_taken(sums: Sums) -> None:
    sums.run()
    outcome = sums.run("scale=3", steps=["add"])
    tampered(sums.store, sums.root / ".relet", "drawn:v1", b"1 1 1")
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("drawn:v1 is not what the run took: its content has the digest ")
    assert "somebody changed it in the store: bring it back from a copy of the store" in found.reason


def test_a_stored_output_that_somebody_changed_is_told_apart_from_a_step_that_differs(sums: Sums) -> None:
    outcome = sums.run()
    tampered(sums.store, sums.root / ".relet", "drawn:v1", b"1 1 1")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("DIVERGED", {"draw": "DIVERGED", "add": "IDENTICAL"})
    assert "drawn:v1 in the store is not what the run recorded; somebody changed it" in found.reason


def test_one_changed_cell_of_a_stored_table_is_named_with_its_row_and_column(tiny: Tiny) -> None:
    import pandas as pd

    from relet.data.table import write_table

    outcome = tiny.run(steps=["get", "clean"])
    store = open_store(tiny.root / ".relet")
    changed = pd.DataFrame({"n": range(2, 10), "name": [f"row {n}" for n in range(2, 10)]})
    changed.loc[3, "name"] = "roe 5"
    write_table(changed, tiny.root / "changed.parquet")
    tampered(store, tiny.root / ".relet", "clean_sample:v1", (tiny.root / "changed.parquet").read_bytes())
    found = reproduce(outcome.run_id, store, root=tiny.root, wishes=ReproductionOptions(here=True))
    assert found.likeness == "DIVERGED"
    (clean_sample,) = (each for each in step(found, "clean").outputs if each.name == "clean_sample")
    assert clean_sample.differences == (
        "clean_sample:v1 in the store is not what the run recorded; somebody changed it",
        "name: 1 of 8 rows differ, most of all n 5: 'roe 5' → 'row 5'",
    )


# ---- what is different ---------------------------------------------------------------------------------------


def test_an_edited_seed_in_the_record_is_named(sums: Sums) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "draw").id, lambda record: record["parameters"].update(seed=43))
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "DIVERGED", "add": "DIVERGED"}
    assert found.reason.startswith("draw is the first step that differs (its inputs were equal): drawn: ")
    assert found.reason.endswith("; different was: seed 42 → 43")
    assert not step(found, "add").inputs_equal


@pytest.mark.parametrize(
    ("change", "said"),
    [({"scale": "fast"}, "takes a number, got 'fast'"), ({"scael": 1}, r"did you mean scale\?")],
)
def test_parameters_that_do_not_fit_the_recorded_code_are_named(
    sums: Sums, change: dict[str, Any], said: str
) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record["parameters"].update(change))
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert found.reason.startswith("the parameters in the record of run ")
    assert re.search(said, found.reason)


def test_an_edited_helper_that_was_hidden_from_git_is_named(sums: Sums) -> None:
    sums.git("update-index", "--assume-unchanged", "pipelines/sums/helper.py")
    sums.edit("helper.py", "float(", "1 + float(")
    found = sums.again(sums.run())
    assert found.likeness == "DIVERGED"
    assert found.reason.endswith("different was: code of pipelines.sums.helper changed")


def test_another_version_of_a_package_is_named(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path_factory.mktemp("packages")
    (packages / "six.py").write_text("ninth = 9\n")
    (packages / "six-9.9.dist-info").mkdir()
    (packages / "six-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: six\nVersion: 9.9\n")
    (packages / "six-9.9.dist-info" / "RECORD").write_text("six.py,,\n")
    sums.edit("helper.py", "    return float(", "    import six\n    return getattr(six, 'ninth', 0) + float(")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.delitem(sys.modules, "six", raising=False)
    outcome = sums.run()
    monkeypatch.undo()
    os.chdir(sums.root)
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert "different was: six 9.9 → 1." in found.reason


def test_thread_counts_are_as_recorded_unless_the_caller_sets_others(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = "    import os\n    return float(os.environ.get('OMP_NUM_THREADS', 0)) + float("
    sums.edit("helper.py", "    return float(", threads)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    outcome = sums.run()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert sums.again(outcome).likeness == "IDENTICAL"
    monkeypatch.setenv("OMP_NUM_THREADS", "2000")
    found = sums.again(outcome)
    assert found.likeness == "DIVERGED"
    assert found.reason.endswith("different was: OMP_NUM_THREADS 1 → 2000")


@pytest.mark.parametrize("code", ["__import__('time').time_ns()", "1000 * __import__('random').random()"])
def test_a_step_that_reads_the_clock_or_draws_without_a_seed_diverges_with_advice(sums: Sums, code: str) -> None:
    sums.edit("helper.py", "float(", f"{code} + float(")
    found = sums.again(sums.run())
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "DIVERGED"}
    assert found.reason.startswith("add is the first step that differs (its inputs were equal): ")
    assert found.reason.endswith(
        "nothing that is recorded was different: `relet run --check-determinism` looks for what is not"
    )


def test_numbers_within_the_declared_tolerance_are_equivalent(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("EQUIVALENT", {"draw": "IDENTICAL", "add": "EQUIVALENT"})
    assert found.reason.startswith("add: sums within its tolerance (largest difference 0.00")
    assert (found.likeness.exit_status, found.verdict().passed) == (0, True)


def test_numbers_beyond_the_tolerance_diverge_whatever_the_working_tree_says_by_now(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    sums.edit("add.py", '{"sums": 0.01}', '{"sums": 100.0, "report": 100.0}')
    sums.commit()
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("DIVERGED", {"draw": "IDENTICAL", "add": "DIVERGED"})
    assert "sums: total: " in found.reason


def test_a_step_that_takes_what_is_merely_equivalent_is_held_to_its_own_tolerance(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run("main.evaluate=true")
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "EQUIVALENT", "rate": "DIVERGED"}
    assert not step(found, "rate").inputs_equal
    assert found.reason.startswith(
        "rate is the first step that differs (its inputs were within their tolerance, not equal): rating: total: "
    )
    assert found.reason.endswith("; how much may come of that, @component(tolerance=…) of rate says beforehand")


def test_a_number_that_meets_none_leaves_the_verdict_readable_as_json(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("add.py", "str(round(value))", "'x'")
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "nan")
    found = sums.again(outcome)
    version = keep(found, sums.store)
    stored = sums.store.read_object(version.files["reproduction.json"]).decode()
    told = json.loads(stored, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (told["likeness"], found.likeness) == ("DIVERGED", "DIVERGED")


# ---- components that do what they should not -----------------------------------------------------------------


# Only a process that makes a run again lives there.
AGAIN = "'relet-reproduce-' in os.environ['HOME']"


def does_again(sums: Sums, code: str) -> RunOutcome:
    """Run, with a helper that does something when it is made again."""
    body = "".join(f"\n        {line}" for line in code.splitlines())
    sums.edit("helper.py", "    return", f"    import os\n    if {AGAIN}:{body}\n    return")
    return sums.run()


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 1_000_000)",
        "print('{\"outputs\": {}}', flush=True)",
        "os.write(1, b'{\"outputs\": {}}\\n')",
        "os.system('echo {}; read word')",
        "assert __import__('sys').stdin.read() == ''",
        "os.chdir('/')",
        "__import__('threading').Thread(target=__import__('time').sleep, args=(60,), daemon=True).start()",
        "__import__('multiprocessing').get_context('fork').Process(target=print, args=('x',)).start()",
    ],
    ids=["much", "stdout", "descriptor", "program", "stdin", "folder", "thread", "fork"],
)
def test_what_a_component_does_to_its_process_breaks_nothing(sums: Sums, code: str) -> None:
    found = sums.again(does_again(sums, code))
    assert (found.likeness, found.reason) == (
        "IDENTICAL",
        "every digest is equal, of 3 outputs of 2 steps",
    )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise ValueError('no sum')", "add raised ValueError: no sum"),
        ("raise SystemExit('enough')", "SystemExit: enough"),
        ("raise ValueError('\\udcff')", "add raised ValueError: \\udcff"),
        ("print('last words', flush=True); os._exit(7)", "add ended its process with status 7: last words"),
        ("os.kill(os.getpid(), 9)", "add was ended by SIGKILL (no memory left?)"),
        ("os.kill(os.getpid(), 2)", "add ended its process with status 0"),
        (
            "if not os.fork():\n    __import__('time').sleep(20)\n    os._exit(0)\nos._exit(3)",
            "add ended its process with status 3",
        ),
        ("if not os.fork():\n    raise SystemExit\n__import__('time').sleep(0.3)\nos._exit(3)", "status 3"),
    ],
    ids=["error", "exit", "surrogate", "_exit", "killed", "interrupted", "fork outlives", "fork goes on"],
)
def test_a_step_that_can_not_be_made_again_says_why(sums: Sums, code: str, error: str) -> None:
    found = sums.again(does_again(sums, code))
    assert likenesses(found) == {"draw": "IDENTICAL", "add": "DIVERGED"}
    assert error in step(found, "add").error
    assert found.reason.startswith("add is the first step that differs (its inputs were equal): it was not made: ")
    keep(found, sums.store)


def test_an_error_belongs_to_the_step_that_raised_it(sums: Sums) -> None:
    fails = f"    import os\n    if {AGAIN}:\n        raise ValueError('add')\n    numbers = [random"
    sums.edit("draw.py", "    numbers = [random", fails)
    found = sums.again(sums.run())
    assert step(found, "draw").error == "draw raised ValueError: add"
    assert step(found, "add").error == "draw failed before it"
    assert found.reason.startswith("draw is the first step")


def test_ctrl_c_is_no_verdict_and_does_not_wait_for_the_step(sums: Sums) -> None:
    outcome = does_again(sums, "os.kill(os.getppid(), 2)\n__import__('time').sleep(60)")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sums.again(outcome)
    assert time.monotonic() - began < 30
    assert "reproduction" not in sums.store.names()


def test_the_callers_environment_does_not_leak_in(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "SOME_SETTING",
        "PYTHONPATH",
        "MLFLOW_RUN_ID",
        "RELET_STORE",
        "RELET_PROJECT",
        "XDG_CACHE_HOME",
        "GIT_DIR",
    )
    outcome = does_again(sums, f"raise ValueError([os.environ.get(n) for n in {secrets}], os.environ['HOME'])")
    for name in secrets:
        monkeypatch.setenv(name, str(sums.root))
    error = step(sums.again(outcome), "add").error
    assert str(sums.root) not in error
    assert str(Path.home()) not in error
    assert "relet-reproduce-" in error


def test_two_reproductions_at_once_do_not_meet(sums: Sums) -> None:
    runs = [sums.run(), sums.run("count=5")]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(sums.again, runs))
    assert [each.likeness for each in found] == ["IDENTICAL", "IDENTICAL"]
    assert {str(keep(each, sums.store)) for each in found} == {"reproduction:v1", "reproduction:v2"}


# ---- wishes --------------------------------------------------------------------------------------------------


def test_a_folder_that_is_kept_holds_the_code_the_store_and_what_was_printed(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = sums.run()
    kept = tmp_path_factory.mktemp("kept") / "again"
    assert sums.again(outcome, kept=kept).likeness == "IDENTICAL"
    assert {"code", "store", "log"} <= {path.name for path in kept.iterdir()}
    assert open_store(kept / "store").names() == ["drawn", "report", "sums"]
    with pytest.raises(SetUpError, match="is not empty; name a folder that is, or is not there"):
        sums.again(outcome, kept=kept)
    with pytest.raises(SetUpError, match=r"can't be used .* name an empty folder"):
        sums.again(outcome, kept=kept / "log" / "x")


def test_the_environment_is_made_from_the_recorded_lock_with_the_recorded_python(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    (sums.root / "requirements.lock").write_text("pandas==4\n")
    asked: list[Any] = []

    def build(manager: str, lock: bytes, *, python: str, **_: Any) -> environments.Environment:
        asked.append((manager, lock, python))
        return environments.here()

    monkeypatch.setattr(environments, "build", build)
    assert reproduce(outcome.run_id, sums.store, root=sums.root).likeness == "IDENTICAL"
    reproduce(outcome.run_id, sums.store, root=sums.root, wishes=ReproductionOptions(python="3.13"))
    recorded = sums.record(outcome).machine["python"]
    assert asked == [("uv", b"pandas==3\n", recorded), ("uv", b"pandas==3\n", "3.13")]


def test_a_component_with_a_lock_of_its_own_is_called_in_an_environment_made_from_it(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.path("own.lock").write_text("six==1\n")
    own = "docker:pipelines/sums/own.lock"
    sums.edit("add.py", 'job_type="add"', f'job_type="add", environment="{own}"')
    sums.commit()
    asked: list[Any] = []

    def build(manager: str, lock: bytes, **_: Any) -> environments.Environment:
        asked.append((manager, lock))
        return environments.here()

    monkeypatch.setattr(environments, "build", build)
    outcome = sums.run()
    assert asked == [("docker", b"six==1\n")]
    asked.clear()
    assert sums.again(outcome).likeness == "IDENTICAL"
    assert asked == []
    assert reproduce(outcome.run_id, sums.store, root=sums.root).likeness == "IDENTICAL"
    assert asked == [("uv", b"pandas==3\n"), ("uv", b"six==1\n")]
    sums.git("rm", "-q", "pipelines/sums/own.lock")
    run_id = edit_record(sums, outcome.run_id, lambda record: record["code"].update(commit=sums.commit()))
    assert reproduce(run_id, sums.store, root=sums.root).missing == (
        "the recorded code holds no lock pipelines/sums/own.lock, which add names",
    )


def test_without_git_there_is_no_verdict_on_a_run_of_a_commit(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sums.run()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetUpError, match="git is not on this machine; install it"):
        sums.again(outcome)


def test_a_lock_that_can_not_be_installed_is_impossible_but_a_wish_that_can_not_be_met_is_an_error(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()

    def build(*_: Any, **__: Any) -> environments.Environment:
        raise SetUpError("the lock can't be installed: pandas==3 is nowhere")

    monkeypatch.setattr(environments, "build", build)
    found = reproduce(outcome.run_id, sums.store, root=sums.root)
    assert (found.likeness, found.reason) == ("IMPOSSIBLE", "the lock can't be installed: pandas==3 is nowhere")
    with pytest.raises(SetUpError):
        reproduce(outcome.run_id, sums.store, root=sums.root, wishes=ReproductionOptions(python="3.99"))


def test_an_environment_that_can_not_call_components_is_impossible(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = sums.run()
    for command, said in (("/bin/false", "ended its process with status 1"), ("/nowhere", "can't be started")):
        there = environments.Environment(manager="uv", command=(command,), python="3.11.7", made=False)
        monkeypatch.setattr(environments, "build", lambda *_, there=there, **__: there)
        found = reproduce(outcome.run_id, sums.store, root=sums.root)
        assert found.likeness == "IMPOSSIBLE"
        assert found.reason.startswith("the environment (uv) can't call components: ")
        assert said in found.reason


# ---- records that somebody wrote -----------------------------------------------------------------------------

SHA = "0" * 40


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": {"folder": "../.."}}, "the folder '../..'"),
        ({"code": {"folder": "/etc"}}, "the folder '/etc'"),
        ({"code": {"untracked": {"../evil.py": "OBJECT"}}}, "the file '../evil.py'"),
        ({"code": {"untracked": {"/tmp/evil.py": "OBJECT"}}}, "the file '/tmp/evil.py'"),
        ({"code": {"untracked": {".git/config": "OBJECT"}}}, "the file '.git/config'"),
        ({"code": {"untracked": {"out/evil.py": "OBJECT"}}}, "out/evil.py, which leads out of the project"),
        ({"code": {"untracked": {"x.py": "../../x"}}}, "the file x.py '../../x'"),
        ({"code": {"untracked": ["x.py"]}}, "the files ['x.py']"),
        ({"code": {"commit": "--upload-pack=touch EVIL"}}, "the commit '--upload-pack=touch EVIL'"),
        ({"code": {"commit": SHA, "repository": "--upload-pack=touch EVIL"}}, "git is not asked for"),
        ({"code": {"commit": SHA, "repository": "ext::sh -c touch% EVIL"}}, "git is not asked for"),
        ({"code": {"commit": SHA, "repository": "ssh://-oProxyCommand=touch EVIL/x"}}, "git is not asked for"),
        ({"code": {"commit": SHA, "repository": "/"}}, "git is not asked for"),
        ({"pipeline": "../../elsewhere"}, "the pipeline or the step '../../elsewhere'"),
        ({"pipeline": "nowhere"}, "there is no pipeline 'nowhere'"),
        ({"machine": {"environment": {"OMP_NUM_THREADS": 3}}}, "the environment {'OMP_NUM_THREADS': 3}"),
    ],
)
def test_a_hostile_record_is_refused_and_nothing_is_executed(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory, change: dict[str, Any], said: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (sums.root / "out").symlink_to(outside, target_is_directory=True)
    evil = outside / "evil"
    sums.edit(
        "helper.py", "    return", f"    import os\n    if {AGAIN}:\n        open({str(evil)!r}, 'w')\n    return"
    )
    sums.commit()
    outcome = sums.run()
    text = json.dumps(change).replace("EVIL", str(evil))
    text = text.replace("OBJECT", sums.store.put_object(b"import nothing\n"))

    def rewrite(record: dict[str, Any]) -> None:
        for name, value in json.loads(text).items():
            record[name] = {**record[name], **value} if isinstance(value, dict) else value

    found = sums.again(edit_record(sums, outcome.run_id, rewrite))
    assert found.likeness == "IMPOSSIBLE"
    assert said.replace("EVIL", str(evil)) in found.reason
    assert list(outside.iterdir()) == []


def test_a_step_of_a_hostile_name_is_refused(sums: Sums) -> None:
    outcome = sums.run()
    edit_record(sums, sums.record(outcome, "add").id, lambda record: record.update(component="../../add"))
    found = sums.again(outcome)
    assert found.likeness == "IMPOSSIBLE"
    assert "names the pipeline or the step '../../add'" in found.reason


def test_of_the_recorded_variables_only_those_that_relet_records_are_set(sums: Sums) -> None:
    outcome = does_again(sums, "assert 'LD_AUDIT' not in os.environ")
    edit_record(
        sums, outcome.run_id, lambda record: record["machine"].update(environment={"LD_AUDIT": "/nowhere.so"})
    )
    assert step(sums.again(outcome), "add").error == ""


def test_code_without_pipelines_does_not_let_a_folder_above_stand_in(
    sums: Sums, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outcome = sums.run()
    kept = tmp_path_factory.mktemp("above") / "again"
    shutil.copytree(sums.root / "pipelines", kept.parent / "pipelines")
    sums.git("rm", "-qr", "pipelines")
    (sums.root / "readme").touch()
    run_id = edit_record(sums, outcome.run_id, lambda record: record["code"].update(commit=sums.commit()))
    found = sums.again(run_id, kept=kept)
    assert (found.likeness, found.reason) == ("IMPOSSIBLE", "the recorded code holds no pipelines/")


# ---- what is stored ------------------------------------------------------------------------------------------


def test_the_verdict_is_an_artifact_that_names_what_it_judged(sums: Sums) -> None:
    outcome = sums.run()
    version = keep(sums.again(outcome), sums.store, ["mlflow"])
    assert (str(version), version.type, sorted(version.files)) == (
        "reproduction:v1",
        "verdict",
        ["reproduction.json", "verdict.json"],
    )
    told = version.metadata
    assert (told["verdict"], told["run"], told["passed"]) == ("IDENTICAL", outcome.run_id, True)
    assert told["judged"] == dict.fromkeys(["drawn:v1", "report:v1", "sums:v1"], "IDENTICAL")
    assert set(told["runs"].values()) == {"IDENTICAL"}
    report = json.loads(sums.store.read_object(version.files["reproduction.json"]))
    assert (report["likeness"], report["steps"][0]["component"], report["format"]) == ("IDENTICAL", "draw", 1)
    assert set(sums.store.pending("mlflow")) == {
        outcome.run_id,
        sums.record(outcome, "draw").id,
        sums.record(outcome, "add").id,
    }


def test_the_newest_verdict_on_a_version_counts_also_where_it_is_impossible(sums: Sums) -> None:
    outcome = sums.run()
    keep(sums.again("report:v1"), sums.store)
    assert str(latest_on(sums.store, "report:v1")).startswith("IDENTICAL on ")
    collected(sums, sums.record(outcome).lock)
    found = reproduce("report:v1", sums.store, root=sums.root)
    keep(found, sums.store)
    assert found.judged == ("report:v1",)
    assert str(latest_on(sums.store, "report:v1")).startswith("IMPOSSIBLE on ")


def test_a_step_that_fails_over_what_is_merely_equivalent_is_not_said_to_have_taken_the_same(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit(
        "rate.py", "    longer =", "    assert sums['total'] == int(sums['total']), 'a fraction'\n    longer ="
    )
    outcome = sums.run("main.evaluate=true")
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    found = sums.again(outcome)
    assert likenesses(found)["add"] == "EQUIVALENT"
    assert found.reason.startswith("rate is the first step that differs (its inputs were within their tolerance")


def test_nothing_is_equivalent_without_a_tolerance_whatever_a_comparison_lets_pass(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("add.py", ', tolerance={"sums": 0.01}', "")
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "0.4")
    fine = Comparison(within=True, largest=None, differences=("its bytes differ",))
    monkeypatch.setattr("relet.evaluation.comparison.compare", lambda *_, **__: fine)
    assert sums.again(outcome).likeness == "DIVERGED"


def test_a_verdict_from_elsewhere_is_refused_and_one_that_makes_no_sense_says_nothing(
    sums: Sums, tmp_path: Path
) -> None:
    outcome = sums.run()
    version = keep(sums.again(outcome), sums.store)
    assert latest_on(sums.store, "sums:v1") is not None
    sums.store.export_version(version.name, tmp_path / "verdict.tar")
    with pytest.raises(StoreError, match="relet's own verdict"):
        open_store("memory://").import_version(tmp_path / "verdict.tar")
    other = open_store("memory://")
    other.add_version(
        name="reproduction", type="verdict", content="c", files={}, metadata={"runs": 5, "judged": []}
    )
    assert latest_of_runs(other) == {}
    assert latest_on(other, "sums:v1") is None


def test_each_version_and_each_step_is_shown_its_own_word(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = sums.run()
    monkeypatch.setenv("OMP_NUDGE", "40.1")
    keep(sums.again(outcome), sums.store)
    words = {version: str(latest_on(sums.store, version)).split()[0] for version in ("drawn:v1", "sums:v1")}
    assert words == {"drawn:v1": "IDENTICAL", "sums:v1": "DIVERGED"}
    runs = latest_of_runs(sums.store)
    assert runs[sums.record(outcome, "draw").id].likeness == "IDENTICAL"
    assert runs[outcome.run_id].likeness == "DIVERGED"


def test_verdicts_are_not_pruned(sums: Sums) -> None:
    outcome = sums.run()
    for _ in range(3):
        keep(sums.again(outcome), sums.store)
    assert [each for each in sums.store.prune(1) if each.startswith("reproduction")] == []
