"""Runs made again: what is laid out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from relet.reproduction import keep
from tests.integration.reproduction.tampering import ALL, remote, settings, without_tree
from tests.sums_project import Sums, likenesses, step
from tests.tiny_project import Tiny


def test_a_run_of_a_clean_commit_is_identical(sums: Sums) -> None:
    outcome = sums.run()
    found = sums.again(outcome)
    assert (found.likeness, likenesses(found)) == ("IDENTICAL", ALL)
    assert found.reason == "every digest is equal, of 3 outputs of 2 steps"
    assert found.commit == sums.git("rev-parse", "HEAD")
    assert found.environment == "here"
    assert found.judged == ("sums/drawn:v1", "sums/report:v1", "sums/sums:v1")
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


@pytest.mark.long
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
    assert (code.folder, dict(code.uncommitted)) == (
        "teams/ours é",
        {"pipelines/tiny/checks/more.sql": "untracked", "pipelines/tiny/helper.py": "changed"},
    )
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


@pytest.mark.parametrize("loss", ["squashed", "collected", "shallow", "not read", "no repository", "no git"])
@pytest.mark.sampled
def test_a_run_is_made_again_whatever_became_of_its_commit(
    sums: Sums, loss: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.edit("helper.py", "float(", "1 + float(")
    sums.commit()
    outcome = sums.run()
    match loss:
        case "squashed":
            sums.git("reset", "-q", "--soft", "HEAD~1")
            sums.git("commit", "-q", "--amend", "-m", "all in one")
        case "collected":
            sums.git("commit", "-q", "--amend", "-m", "another")
            sums.git("reflog", "expire", "--expire=now", "--all")
            sums.git("gc", "-q", "--prune=now")
        case "shallow":
            sums.git("commit", "-q", "--allow-empty", "-m", "later")
            sums.git("clone", "-q", "--depth=1", f"file://{sums.root}", str(tmp_path / "clone"))
            shutil.rmtree(sums.root / ".git")
            shutil.move(tmp_path / "clone" / ".git", sums.root / ".git")
        case "not read":
            (sums.root / ".git" / "HEAD").write_text("nothing that git knows\n")
        case "no repository":
            shutil.rmtree(sums.root / ".git")
        case "no git":
            monkeypatch.setenv("PATH", "/nowhere")
    sums.edit("helper.py", "1 + float(", "2 + float(")
    assert sums.again(outcome).likeness == "IDENTICAL"


def test_the_commit_of_an_older_record_that_is_gone_and_was_never_pushed_is_named(sums: Sums) -> None:
    outcome = sums.run()
    without_tree(sums, outcome.run_id)
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
    outcome = sums.run()
    assert sums.again(outcome, root=other.root).likeness == "IDENTICAL"
    found = sums.again(without_tree(sums, outcome.run_id), root=other.root)
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
    kept = (".relet/artifacts/reproduction/", ".relet/objects/", ".relet/log/")
    assert all(name.startswith(kept) for name in new)
    assert (str(version), sums.store.version("reproduction:latest").number) == ("reproduction:v1", 1)


def stubborn() -> str:
    """Leave a folder behind, in the working folder, that can't be removed as it is."""
    return "import os, pathlib; f = pathlib.Path('left/in'); f.mkdir(parents=True, exist_ok=True); f.chmod(0o500)"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
