"""`relet update` merges what a later relet writes, and loses nothing of the project's own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.templates import filling, project
from relet.templates.kept import KEPT
from relet.templates.project import new_pipeline, new_project
from relet.templates.update import REJECTED_ENDING, UpdateKind, apply_update, plan_update
from tests.command import relet
from tests.ugly_files import UGLY

WHO = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
SHIPPED = filling.FILES
README, MODEL, CLEAN = "README.md", "pipelines/rents/model.py", "pipelines/rents/components/clean.py"


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *WHO, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "all")


def contents(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as this relet writes it, in git."""
    root = new_project("rents", into=tmp_path_factory.mktemp("made")).root
    git(root, "init", "--quiet")
    commit(root)
    return root


@pytest.fixture
def rents(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "rents"
    shutil.copytree(made, root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The templates of a later relet, to be edited: at first the same, under another version."""
    templates = tmp_path / "templates"
    shutil.copytree(filling.FILES, templates)
    monkeypatch.setattr(filling, "FILES", templates)
    for module in ("project", "update", "kept"):
        monkeypatch.setattr(f"relet.templates.{module}.__version__", "9.1.0")
    yield templates


def kinds(root: Path) -> dict[str, str]:
    return {each.path: str(each.kind) for each in plan_update(root).files}


def test_where_the_relet_is_the_same_there_is_nothing_to_do(
    rents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(rents, README, "# ", "# My ")
    commit(rents)
    before = contents(rents)
    status, out, err = relet(capsys, "update")
    assert (status, err) == (0, "") and out.startswith("nothing to do: ")
    assert contents(rents) == before


def test_a_file_that_nobody_edited_gets_its_new_text_and_an_edited_one_is_merged(
    rents: Path, later: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    edit(later, "project/README.md.template", "requirements.lock` holds", "requirements.lock`, later, holds")
    edit(rents, README, "# ", "# My ")
    edit(rents, MODEL, '"""', '"""Mine. ')
    commit(rents)
    status, out, err = relet(capsys, "update")
    assert (status, err) == (0, "")
    assert "replaced  pipelines/rents/components/clean.py\n" in out
    assert "merged    README.md\n" in out and MODEL not in out
    assert "0.1.0 → 9.1.0" in out
    assert (rents / CLEAN).read_text().startswith('"""Later. ')
    readme = (rents / README).read_text()
    assert readme.startswith("# My ") and "requirements.lock`, later, holds" in readme
    assert (rents / MODEL).read_text().startswith('"""Mine. ')
    assert 'relet = "9.1.0"' in (rents / "pyproject.toml").read_text()
    commit(rents)
    assert relet(capsys, "update")[1].startswith("nothing to do: ")


def test_where_both_changed_a_line_the_project_s_stays_and_the_other_is_beside_it(
    rents: Path, later: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    edit(rents, CLEAN, '"""', '"""Mine. ')
    commit(rents)
    mine = (rents / CLEAN).read_bytes()
    status, out, _ = relet(capsys, "update")
    assert status == 1
    assert f"rejected  {CLEAN}: both changed the same lines; yours stay" in out
    assert (rents / CLEAN).read_bytes() == mine
    rejected = (rents / f"{CLEAN}{REJECTED_ENDING}").read_text()
    assert rejected.startswith(f"--- a/{CLEAN}\n+++ b/{CLEAN}\n") and '+"""Later. ' in rejected
    # the change was handed over: the next update does not bring it again
    assert kinds(rents) == {}


def test_a_conflict_in_pyproject_still_says_which_relet_it_is_made_from(rents: Path, later: Path) -> None:
    edit(later, "project/pyproject.toml.template", "line-length = 110", "line-length = 120")
    edit(rents, "pyproject.toml", "line-length = 110", "line-length = 79")
    update = plan_update(rents)
    assert update.rejected == ("pyproject.toml",)
    apply_update(update)
    text = (rents / "pyproject.toml").read_text()
    assert "line-length = 79" in text and 'relet = "9.1.0"' in text


def test_a_package_that_the_project_added_is_no_conflict_with_the_newer_relet(rents: Path, later: Path) -> None:
    edit(rents, "pyproject.toml", '>=0.1.0"]', '>=0.1.0", "xgboost>=3"]')
    apply_update(plan_update(rents))
    assert '>=9.1.0", "xgboost>=3"]' in (rents / "pyproject.toml").read_text()
    assert not (rents / "pyproject.toml.rej").exists()


def test_extras_stay_those_of_the_machine_on_which_the_project_was_made(
    rents: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (rents / "pyproject.toml").read_text()
    monkeypatch.setattr(project, "find_spec", lambda name: None if "[mlflow]" in first else name)
    apply_update(plan_update(rents))
    assert (rents / "pyproject.toml").read_text() == first.replace("0.1.0", "9.1.0").replace(
        'version = "9.1.0"', 'version = "0.1.0"'
    )


def test_rejected_changes_that_nobody_has_seen_to_are_not_written_over(rents: Path, later: Path) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    edit(rents, CLEAN, '"""', '"""Mine. ')
    (rents / f"{CLEAN}{REJECTED_ENDING}").write_text("earlier")
    before = contents(rents)
    with pytest.raises(SettingError, match=r"clean\.py\.rej is there already: see to it, and delete it"):
        apply_update(plan_update(rents))
    assert contents(rents) == before


def test_a_deleted_file_stays_deleted_and_says_so_where_it_would_change(rents: Path, later: Path) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    for path in (CLEAN, MODEL):
        (rents / path).unlink()
    update = plan_update(rents)
    assert {each.path: each.kind for each in update.files if each.path != "pyproject.toml"} == {
        CLEAN: UpdateKind.DELETED
    }
    apply_update(update)
    assert not (rents / CLEAN).exists() and not (rents / MODEL).exists()


def test_a_new_file_is_added_and_one_that_is_there_by_then_is_not_written_over(
    rents: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NEWS.md", "TASKS.md"):
        (later / "project" / f"{name}.template").write_text(f"{name} of {{{{ name }}}}\n")
    more = {"NEWS.md": "project/NEWS.md", "TASKS.md": "project/TASKS.md"}
    monkeypatch.setattr(project, "_PROJECT", {**project._PROJECT, **more})
    (rents / "TASKS.md").write_text("mine\n")
    found = kinds(rents)
    assert (found["NEWS.md"], found["TASKS.md"]) == ("added", "rejected")
    apply_update(plan_update(rents))
    assert (rents / "NEWS.md").read_text() == "NEWS.md of rents\n"
    assert (rents / "TASKS.md").read_text() == "mine\n"


def test_a_file_that_relet_no_longer_writes_is_the_project_s(
    rents: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "_PROJECT", {"pyproject.toml": "project/pyproject.toml"})
    found = kinds(rents)
    assert found[README] == found["AGENTS.md"] == "left"
    apply_update(plan_update(rents))
    assert (rents / README).exists()
    assert README not in kinds(rents)


def test_line_ends_of_another_system_stay(rents: Path, later: Path) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    path = rents / CLEAN
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"# mine\r\n")
    apply_update(plan_update(rents))
    content = path.read_bytes()
    assert content.startswith(b'"""Later. ') and content.endswith(b"# mine\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")


def test_a_link_or_a_folder_in_the_place_of_a_file_is_not_written_through(rents: Path, later: Path) -> None:
    for name in ("clean", "get_data"):
        edit(later, f"pipeline/components/{name}.py.template", '"""', '"""Later. ')
    elsewhere = rents.parent / "elsewhere.py"
    elsewhere.write_text("# mine\n")
    (rents / CLEAN).unlink()
    (rents / CLEAN).symlink_to(elsewhere)
    get_data = rents / "pipelines/rents/components/get_data.py"
    get_data.unlink()
    get_data.mkdir()
    update = plan_update(rents)
    assert set(update.rejected) == {CLEAN, "pipelines/rents/components/get_data.py"}
    apply_update(update)
    assert elsewhere.read_text() == "# mine\n" and (rents / CLEAN).is_symlink() and get_data.is_dir()


def test_a_file_of_rows_that_was_replaced_leaves_what_was_found_out_of_the_first_one(
    rents: Path, later: Path
) -> None:
    (rents / "data/rents.csv").write_text("id,rent\n1,2\n")
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    update = plan_update(rents)
    assert set(kinds(rents)) == {"pyproject.toml", CLEAN}
    assert update.remarks == (
        "data/rents.csv is another file now: what was found out of it, when rents was made, stands as it was",
    )
    (rents / "data/rents.csv").unlink()
    assert "data/rents.csv is not there" in plan_update(rents).remarks[0]


def test_a_template_that_needs_a_word_which_nothing_can_tell_says_what_to_do(rents: Path, later: Path) -> None:
    edit(later, "pipeline/components/clean.py.template", '"""', '"""{{ added_later }} ')
    with pytest.raises(SettingError, match=r"no words for rents \('added_later'\): put the file"):
        plan_update(rents)


def test_a_second_pipeline_is_updated_too(rents: Path, later: Path, tmp_path: Path) -> None:
    target = UGLY["orders"](tmp_path / "orders.csv")
    new_pipeline("orders", file=tmp_path / "orders.csv", target=target)
    assert set(kinds(rents)) == {"pyproject.toml"}
    edit(later, "pipeline/components/clean.py.template", '"""', '"""Later. ')
    assert {CLEAN, "pipelines/orders/components/clean.py"} <= set(kinds(rents))


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_what_is_not_committed_is_not_touched(
    rents: Path, later: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (rents / "notes.txt").write_text("mine")
    before = contents(rents)
    status, out, err = relet(capsys, "update", *words)
    assert contents(rents) == before
    if words:
        assert status == 0 and "nothing is written; go on with: relet update" in out
    else:
        assert (status, out) == (2, "") and "has changes that are not committed (notes.txt)" in err
        assert relet(capsys, "update", "--allow-dirty")[0] == 0
        assert 'relet = "9.1.0"' in (rents / "pyproject.toml").read_text()


def test_outside_of_git_nothing_is_written(rents: Path, later: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(rents / ".git")
    before = contents(rents)
    status, _, err = relet(capsys, "update")
    assert status == 2 and "is in no git repository" in err
    assert contents(rents) == before


def without_kept(root: Path) -> None:
    (root / KEPT).unlink()


def without_table(root: Path) -> None:
    edit(root, "pyproject.toml", "[tool.relet.new]", "[tool.other]")


def of_a_later_relet(root: Path) -> None:
    change_kept(root, relet="10.0.0")


def of_a_later_format(root: Path) -> None:
    change_kept(root, format=2)


def with_a_path_for_a_name(root: Path) -> None:
    kept = json.loads((root / KEPT).read_text())
    change_kept(root, project="../x", pipelines={"../x": kept["pipelines"]["rents"]})


def change_kept(root: Path, **members: Any) -> None:
    kept = json.loads((root / KEPT).read_text())
    (root / KEPT).write_text(json.dumps({**kept, **members}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_kept, r"made by a relet that did not keep what it wrote \(\.relet-new\.json is missing\)"),
        (without_table, r"has no \[tool\.relet\.new\]: only what `relet new` made can be updated"),
        (of_a_later_relet, r"was updated by relet 10\.0\.0, and this is"),
        (of_a_later_format, r"was written by relet 0\.1\.0, and this is"),
        (with_a_path_for_a_name, r"is no name for a pipeline"),
        (lambda root: (root / KEPT).write_text("[]"), r"is not what `relet new` wrote .* put it back from git"),
        (lambda root: (root / KEPT).write_bytes(b"\xff"), r"is not what `relet new` wrote"),
        (lambda root: change_kept(root, files={"a": 1}), r"is not what `relet new` wrote"),
        (lambda root: (root / "pyproject.toml").write_text("["), r"can't be read"),
    ],
)
def test_what_can_not_be_updated_says_why(rents: Path, change: Any, said: str) -> None:
    change(rents)
    before = contents(rents)
    with pytest.raises(SettingError, match=said):
        plan_update(rents)
    assert contents(rents) == before


def test_the_rows_of_the_file_are_not_kept(made: Path) -> None:
    kept = json.loads((made / KEPT).read_text())
    assert not [path for path in kept["files"] if path.endswith(".csv")]
    assert set(kept["files"]) <= set(contents(made))
    assert all(text.encode() == (made / path).read_bytes() for path, text in kept["files"].items())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_line_of_the_project_is_lost_whatever_both_sides_change(
    rents: Path, later: Path, made: Path, data: st.DataObject
) -> None:
    template = later / "pipeline/components/clean.py.template"
    first = (SHIPPED / "pipeline/components/clean.py.template").read_text()
    lines = first.splitlines()
    place = st.integers(min_value=0, max_value=len(lines))
    lines.insert(data.draw(place, label="relet adds a line"), "# later")
    template.write_text("\n".join(lines))
    (rents / CLEAN).write_bytes((made / CLEAN).read_bytes())
    (rents / KEPT).write_bytes((made / KEPT).read_bytes())
    (rents / f"{CLEAN}{REJECTED_ENDING}").unlink(missing_ok=True)
    mine = (rents / CLEAN).read_text().splitlines()
    mine.insert(data.draw(st.integers(min_value=0, max_value=len(mine)), label="the user adds a line"), "# mine")
    (rents / CLEAN).write_text("\n".join([*mine, ""]))
    apply_update(plan_update(rents))
    after = (rents / CLEAN).read_text().splitlines()
    rejected = rents / f"{CLEAN}{REJECTED_ENDING}"
    assert [line for line in after if line != "# later"] == mine
    assert ("# later" in after) != (rejected.exists() and "+# later" in rejected.read_text().splitlines())
