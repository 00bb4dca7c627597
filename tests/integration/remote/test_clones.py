"""Repositories that are cloned, kept and found again."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relet.core.record import CodeState
from relet.errors import ImpossibleError, NotFoundError, SetUpError
from relet.project.checkout import lay_out
from relet.remote.address import RepositoryAddress, find_address
from relet.remote.clones import Clone, obtain_clone
from relet.store import open_store
from tests.integration.remote.repository import Repository, git


def test_every_kind_of_revision_leads_to_its_commit(repository: Repository) -> None:
    commits = {
        "1.0.0": repository.first,
        "main": repository.second,
        "dev": repository.dev,
        repository.dev: repository.dev,
        repository.first[:9]: repository.first,
        "refs/heads/dev": repository.dev,
        None: repository.second,
    }
    for revision, commit in commits.items():
        clone = obtain_clone(repository.at(revision))
        assert clone.commit == git(clone.folder, "rev-parse", "HEAD") == commit, revision
        assert git(clone.folder, "status", "--porcelain", "--ignored") == ""


def test_a_finished_clone_is_taken_again_and_stands_on_its_own(repository: Repository) -> None:
    told: list[str] = []
    first = obtain_clone(repository.at("1.0.0"), tell=told.append)
    assert obtain_clone(repository.at("1.0.0"), tell=told.append) == first
    shutil.rmtree(repository.folder / ".git" / "objects")
    assert git(first.folder, "log", "--format=%s") == "first"
    assert told == [f"cloning {repository.folder}"]


def test_a_commit_that_is_named_whole_needs_no_answer_once_it_is_there(repository: Repository) -> None:
    address = RepositoryAddress(url=f"file://{repository.folder}", revision=repository.first)
    first = obtain_clone(address)
    shutil.rmtree(repository.folder)
    assert obtain_clone(address) == first


def test_a_tag_that_was_moved_leads_to_its_new_commit(repository: Repository) -> None:
    old = obtain_clone(repository.at("1.0.0"))
    git(repository.folder, "tag", "--force", "1.0.0", "dev")
    assert obtain_clone(repository.at("1.0.0")).commit == repository.dev
    assert old.folder.is_dir()


@pytest.mark.parametrize("harm", ["README", "pipelines/tiny/steps/get.py"])
def test_a_clone_that_was_changed_is_made_anew(repository: Repository, harm: str) -> None:
    clone = obtain_clone(repository.at("1.0.0"))
    (clone.folder / harm).write_text("changed\n")
    again = obtain_clone(repository.at("1.0.0"))
    assert git(again.folder, "status", "--porcelain") == ""


def test_what_an_interrupted_clone_left_is_not_taken_and_goes(repository: Repository) -> None:
    shelf = obtain_clone(repository.at("dev")).folder.parent
    left = shelf / "draft-left" / "code" / ".git"
    left.mkdir(parents=True)
    obtain_clone(repository.at("1.0.0"))
    assert not left.exists()
    assert not list(shelf.glob("draft-*"))


def test_a_clone_that_fails_leaves_nothing(repository: Repository) -> None:
    with pytest.raises(NotFoundError, match="has no commit 0123456"):
        obtain_clone(repository.at("0123456"))
    with pytest.raises(NotFoundError, match=r"has no commit 0{40}"):
        obtain_clone(repository.at("0" * 40))
    cache = Path(os.environ["RELET_CACHE"])
    assert {path.name for path in cache.glob("checkouts/*/*")} == {"lock"}


def test_several_at_once_end_with_one(repository: Repository) -> None:
    told: list[str] = []

    def clone(_: int) -> Clone:
        return obtain_clone(repository.at("1.0.0"), tell=told.append)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(clone, range(4)))) == 1
    assert len(told) == 1


def test_no_password_is_kept_or_shown(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{repository.folder}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://ana:secret@host/x.git")
    told: list[str] = []
    clone = obtain_clone(
        RepositoryAddress(url="https://ana:secret@host/x.git", revision="1.0.0"), tell=told.append
    )
    assert told == ["cloning https://host/x.git"]
    assert git(clone.folder, "config", "remote.origin.url") == "https://host/x.git"
    assert "secret" not in (clone.folder / ".git" / "config").read_text()
    with pytest.raises(SetUpError) as raised:
        obtain_clone(RepositoryAddress(url="git://ana:secret@127.0.0.1:1/y.git"))
    assert "secret" not in str(raised.value)
    assert "git://127.0.0.1:1/y.git can't be read: git says: " in str(raised.value)


def test_a_cache_that_can_t_be_written_is_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_CACHE", "/proc/nowhere")
    with pytest.raises(SetUpError, match=r"/proc/nowhere/checkouts can't hold clones .*; set RELET_CACHE"):
        obtain_clone(repository.at("1.0.0"))


def test_a_folder_s_name_alone_is_a_repository_where_a_pipeline_or_a_revision_follows(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.folder.parent)
    name = repository.folder.name
    assert find_address(name, ["tiny", "etl.low=3"]) == RepositoryAddress(url=name)
    assert find_address(f"{name}@1.0.0", []) == RepositoryAddress(url=name, revision="1.0.0")
    assert find_address(f"./{name}", []) == RepositoryAddress(url=f"./{name}")
    for words in ([], ["etl.low=3"], ["--json"], ["~etl.low"]):
        assert find_address(name, words) is None
    assert find_address("tiny@1.0.0", ["tiny"]) is None


def test_a_folder_whose_name_has_an_at_is_found(repository: Repository) -> None:
    odd = repository.folder.rename(repository.folder.with_name("a@b"))
    assert find_address(str(odd), ["tiny"]) == RepositoryAddress(url=str(odd))


def test_a_folder_that_is_no_repository_and_one_without_commits_are_named(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match="pipelines/tiny is no git repository: name the folder that holds"):
        obtain_clone(RepositoryAddress(url="pipelines/tiny"))
    git(tmp_path, "init", "--quiet")
    with pytest.raises(NotFoundError, match="has no commit yet"):
        obtain_clone(RepositoryAddress(url=str(tmp_path)))


def test_of_many_names_none_are_listed(repository: Repository) -> None:
    for number in range(30):
        git(repository.folder, "tag", f"tag-{number}")
    with pytest.raises(NotFoundError, match=r"'zzz': `git ls-remote .*` lists its 33 names"):
        obtain_clone(repository.at("zzz"))


def test_a_commit_that_was_run_from_a_folder_is_laid_out_from_its_clone(
    repository: Repository, tmp_path: Path
) -> None:
    """The record of such a run names no repository: a path means nothing on another machine."""
    code = CodeState(commit=repository.first)
    store = open_store("memory://")
    with pytest.raises(ImpossibleError, match="names no repository"):
        lay_out(code, tmp_path / "not yet", root=None, store=store)
    obtain_clone(repository.at("1.0.0"))
    shutil.rmtree(repository.folder)
    laid_out = lay_out(code, tmp_path / "code", root=None, store=store)
    assert "rows: int = 10" in (laid_out / "pipelines/tiny/steps/get.py").read_text()
