"""A project that is run from elsewhere: its code is taken from there, what comes of it stays with the caller."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relet
from relet import environments, mlproject
from relet.cli.run import command
from relet.core.record import CodeState
from relet.environments import interpreters
from relet.errors import ImpossibleError, NotFoundError, SettingError, SetUpError
from relet.project.checkout import lay_out
from relet.project.folder import find_place, find_root
from relet.project.stores import configured_store
from relet.remote.address import RepositoryAddress, find_address, read_address
from relet.remote.clones import Clone, obtain_clone
from relet.remote.visit import visit
from relet.store import open_store
from relet.tracking import courier
from relet.tracking.courier import Courier
from relet.tracking.mlflow import open_mlflow
from tests.tiny_project import FILES, Tiny


@pytest.fixture
def caller(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside of every project, from which the tiny project is run."""
    folder = tmp_path_factory.mktemp("caller")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RELET_PROJECT", str(tiny.root))
    return folder


def files(folder: Path) -> set[str]:
    found = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {str(path) for path in found if "__pycache__" not in path.parts}


def test_what_a_project_from_elsewhere_makes_stays_with_the_caller(tiny: Tiny, caller: Path) -> None:
    before = files(tiny.root)
    assert tiny.ran() == ["get", "clean", "check", "train"]
    assert files(tiny.root) == before
    assert (caller / ".relet" / "artifacts" / "weights").is_dir()
    assert tiny.ran() == []


def test_a_relative_source_and_a_relative_store_are_the_caller_s(tiny: Tiny, caller: Path) -> None:
    (caller / "rows.csv").write_text("n,name\n3,three\n")
    (tiny.root / "rows.csv").write_text("n,name\n3,three\n4,four\n")
    tiny.run("etl.source=rows.csv", "store.url=own")
    assert len(relet.load("sample:latest", store=str(caller / "own"))) == 1


class _Rows(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"n,name\n3,three\n")

    def log_message(self, *_: object) -> None: ...


def test_what_is_fetched_for_it_stays_with_the_caller(tiny: Tiny, caller: Path) -> None:
    before = files(tiny.root)
    with HTTPServer(("127.0.0.1", 0), _Rows) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        tiny.run(f"etl.source=http://127.0.0.1:{server.server_port}/rows.csv", steps=["get"])
        server.shutdown()
    assert list((caller / ".relet" / "downloads").glob("*-rows.csv"))
    assert files(tiny.root) == before


def test_what_a_tracker_keeps_of_it_stays_with_the_caller(
    tiny: Tiny, caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []

    def start(_: str, place: Path, __: Any) -> Courier:
        places.append(place)
        return Courier(store_url="", processes=())

    monkeypatch.setattr(courier, "start", start)
    tiny.run("tracking=[mlflow]")
    assert places == [caller]


def test_it_is_kept_in_the_caller_s_own_project_where_there_is_one(tiny: Tiny, caller: Path) -> None:
    (caller / "pipelines").mkdir()
    (caller / "below").mkdir()
    assert find_root() == tiny.root
    assert find_place() == caller


def test_the_folder_of_such_runs_is_found_again_without_its_project(
    tiny: Tiny, caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.run()
    monkeypatch.delenv("RELET_PROJECT")
    assert configured_store() == str(caller / ".relet")
    assert relet.load("weights:latest").is_file()
    assert find_place() == caller
    with pytest.raises(NotFoundError, match="no pipelines/ in"):
        find_root()


def test_a_wrong_project_is_named(caller: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_PROJECT", str(caller))
    with pytest.raises(NotFoundError, match=r"RELET_PROJECT is .* holds no pipelines/"):
        relet.run("tiny")


def test_the_store_that_the_environment_names_is_the_default(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELET_STORE", str(tiny.root / "named"))
    tiny.run("etl.rows=4")
    assert len(relet.load("sample:latest")) == 4
    assert not (tiny.root / ".relet").exists()
    tiny.run("store.url=asked", "etl.rows=5")
    assert len(relet.load("sample:latest", store="asked")) == 5
    tiny.run("store={url: whole}", "etl.rows=6")
    assert len(relet.load("sample:latest", store="whole")) == 6


def test_mlflow_s_files_lie_beside_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/theirs/mlflow.db")
    assert open_mlflow(tmp_path / "project")._artifacts == tmp_path / "theirs" / "mlruns"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://db/mlflow")
    assert open_mlflow(tmp_path / "project")._artifacts == tmp_path / "project" / "mlruns"


NAMES = st.text("abcxyz019-_.", min_size=1, max_size=8).filter(lambda name: name.strip(".") and ".git" not in name)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
REVISIONS = st.none() | st.lists(st.text("abv019-_.", min_size=1), min_size=1, max_size=2).map("/".join)
USERS = st.sampled_from(["", "ana@", "ana:p@ss:w@rd@", "ana:x%40y@"])


def spelled(url: str, revision: str | None) -> str:
    return url if revision is None else f"{url}@{revision}"


@given(scheme=st.sampled_from(["https", "ssh", "git", "file"]), user=USERS, path=PATHS, revision=REVISIONS)
def test_what_follows_a_url_s_path_is_the_revision(
    scheme: str, user: str, path: str, revision: str | None
) -> None:
    for url in (f"{scheme}://{user}host:22/{path}", f"{scheme}://{user}host/@{path}.git"):
        found = read_address(spelled(url, revision))
        assert found == RepositoryAddress(url=url, revision=revision)
        assert "@host" not in found.shown and "p@ss" not in str(found)


@given(start=st.sampled_from(["git@host:", "git@[::1]:", "/", "./", "../", "~/"]), path=PATHS, revision=REVISIONS)
def test_short_addresses_and_folders_take_a_revision_too(start: str, path: str, revision: str | None) -> None:
    for url in (start + path, f"{start}{path}.git", f"{start}a@b/{path}.git" if revision else start + path):
        assert read_address(spelled(url, revision)) == RepositoryAddress(url=url, revision=revision)


@given(NAMES, NAMES)
def test_the_name_of_a_pipeline_or_a_step_is_no_address(pipeline: str, step: str) -> None:
    assert read_address(f"{pipeline.strip('.')}.{step}") is None


@pytest.mark.parametrize(
    ("text", "said"), [("htps://host/x.git", "did you mean https"), ("../x.git@", "nothing follows the @ of ../x")]
)
def test_a_wrong_address_is_named(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        read_address(text)


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Repository:
    """A repository of the tiny project: 1.0.0 is tagged, `main` is one commit ahead, `dev` another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, content in FILES.items():
            self.write(name, content.lstrip("\n"))
        git(folder, "init", "--quiet", "--initial-branch=main")
        self.first = self.commit("first")
        git(folder, "tag", "-a", "1.0.0", "-m", "annotated")
        self.change("rows: int = 10", "rows: int = 11")
        self.second = self.commit("second")
        git(folder, "switch", "--quiet", "--create", "dev", self.first)
        self.dev = self.commit("third")
        git(folder, "switch", "--quiet", "main")

    def write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def change(self, old: str, new: str, name: str = "pipelines/tiny/steps/get.py") -> None:
        self.write(name, (self.folder / name).read_text().replace(old, new))

    def commit(self, message: str) -> str:
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")

    def tag(self, name: str) -> str:
        self.commit(name)
        git(self.folder, "tag", name)
        return f"{self.folder}@{name}"

    def at(self, revision: str | None = None) -> RepositoryAddress:
        return RepositoryAddress(url=str(self.folder), revision=revision)


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository, with a cache of its own and the current folder outside of every project."""
    monkeypatch.setenv("RELET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.chdir(tmp_path_factory.mktemp("caller"))
    return Repository(tmp_path_factory.mktemp("origin"))


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


def relet_run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relet", "run", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_a_tag_runs_as_it_was_into_the_caller_s_store(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a local run does, down to the exit status; what is relative is the caller's."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    here = Path.cwd()
    (here / "rows.csv").write_text("n,name\n3,three\n4,four\n")
    target = f"{repository.folder}@1.0.0"
    done = relet_run(target, "tiny", "--here", "--json", "etl.source=rows.csv")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["exit_status"] == 0
    assert f"code         commit {repository.first[:12]} of {target}" in done.stderr
    store = open_store(str(here / ".relet"))
    record = store.run(events[-1]["run"])
    assert (record.code.commit, record.code.dirty) == (repository.first, False)
    assert record.command == ("relet", "run", "tiny", "etl.source=rows.csv", "--json")
    assert record.parameters["get"]["source"] == "rows.csv"
    assert {path.name for path in here.iterdir()} == {"rows.csv", ".relet"}
    clone = obtain_clone(repository.at("1.0.0"), tell=pytest.fail)
    assert git(clone.folder, "status", "--porcelain", "--ignored") == ""
    again = relet_run(target, "tiny", "--here", "etl.source=rows.csv", "check.limit=4")
    assert again.returncode == 3
    assert "check says no: 1 of 1 checks failed\n  small: 1 rows are 4 or more" in again.stdout
    assert "get    skip  same key" in again.stdout


def test_ctrl_c_ends_it_as_it_ends_a_local_run(repository: Repository) -> None:
    repository.change("Got:\n", "Got:\n    import time\n    print('begun', flush=True)\n    time.sleep(90)\n")
    repository.change("'''Get the rows.'''", "")
    target = repository.tag("slow")
    process = subprocess.Popen(
        [sys.executable, "-m", "relet", "run", target, "tiny", "--here"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in out


class _BecameError(Exception):
    """Raised in place of becoming another program."""

    def __init__(self, path: str, command: list[str], variables: dict[str, str]) -> None:
        self.command, self.variables = command, variables


@pytest.fixture
def became(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Callable[..., _BecameError]:
    """What `visit` would become."""

    def execve(*arguments: Any) -> None:
        raise _BecameError(*arguments)

    def of(revision: str, *words: str, **options: Any) -> _BecameError:
        with pytest.raises(_BecameError) as raised:
            visit(repository.at(revision), words, **options)
        return raised.value

    monkeypatch.setattr(os, "execve", execve)
    return of


def test_the_caller_s_store_is_that_of_the_caller_s_own_project(
    became: Callable[..., _BecameError], tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path.cwd()
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == str(here / ".relet")
    tiny.edit("conf/config.yaml", "url: .relet", "url: 's3://bucket/ours'")
    (tiny.root / "below").mkdir()
    monkeypatch.chdir(tiny.root / "below")
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == "s3://bucket/ours"
    assert "RELET_STORE" not in became("1.0.0", "tiny", "store.url=x", here=True).variables
    monkeypatch.setenv("RELET_STORE", "own")
    assert became("1.0.0", "tiny", here=True).variables["RELET_STORE"] == "own"


def test_nothing_of_this_process_s_code_is_passed_on(
    became: Callable[..., _BecameError], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = became("1.0.0", "tiny", "etl.low=3", here=True)
    assert found.command == [sys.executable, "-P", "-m", "relet", "run", "tiny", "etl.low=3"]
    assert "/elsewhere" not in found.variables["PYTHONPATH"]
    assert [path.name for path in Path(found.variables["PYTHONPATH"]).iterdir()] == ["relet"]


def test_a_commit_s_own_relet_runs_it(became: Callable[..., _BecameError], repository: Repository) -> None:
    for tag, room in {"own": "relet/remote", "before_the_rooms": "relet/engine/remote"}.items():
        for name in ("relet", "relet/cli", "relet/engine", room):
            repository.write(f"src/{name}/__init__.py", "")
        repository.tag(tag)
        clone = obtain_clone(repository.at(tag))
        assert became(tag, "tiny", here=True).variables["PYTHONPATH"] == str(clone.folder / "src")


def test_an_older_relet_is_not_left_to_run_the_caller_s_project(
    became: Callable[..., _BecameError], repository: Repository
) -> None:
    for name in ("relet", "relet/cli", "relet/engine"):
        repository.write(f"src/{name}/__init__.py", "")
    repository.tag("old")
    with pytest.raises(SetUpError, match=r"old can't be run from elsewhere .*relet\.engine\.remote.*; clone"):
        visit(repository.at("old"), ["tiny"], here=True)


MINOR = platform.python_version().rpartition(".")[0]


@pytest.mark.parametrize(
    ("declared", "required", "asked"),
    [
        (None, None, [MINOR]),
        (None, f">={MINOR}", [MINOR]),
        (None, f"!={MINOR}.*,>=3.11", ["3.20", "3.14"]),
        (f"{MINOR}.99", None, [f"{MINOR}.99"]),
        ("3.14", f">={MINOR}", ["3.14"]),
        ("3.8", None, ["3.8"]),
        ("3.8", f">=3.8,<={MINOR}.99", ["3.8", MINOR]),
        ("3.8", f">=3.8,!={MINOR}.*", ["3.8", "3.14"]),
        ("'no version'", None, [MINOR]),
    ],
)
def test_the_python_is_one_that_the_project_allows(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    declared: str | None,
    required: str | None,
    asked: list[str],
) -> None:
    """The one that it declares, else this one; another that it allows where the machine lacks the first."""
    repository.write("requirements.lock", "")
    if declared:
        repository.write("python_env.yaml", f"python: {declared}\n")
    if required:
        repository.write("pyproject.toml", f"[project]\nrequires-python = {required!r}\n")
    repository.tag("python")
    tried = []

    def build(manager: str, lock: bytes, *, python: str, progress: Any) -> None:
        tried.append(python)
        raise SetUpError(f"no Python {python}")

    def find(python: str) -> None:
        if not python.startswith((MINOR, "3.14")):
            raise SetUpError(f"no Python {python}")

    monkeypatch.setattr(interpreters, "find_interpreter", find)
    monkeypatch.setattr(environments, "build", build)
    with pytest.raises(SetUpError, match="no Python"):
        visit(repository.at("python"), ["tiny"])
    assert tried == asked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1.0.1", "tiny"], "has no tag, branch or commit '1.0.1': did you mean 1.0.0?"),
        (["1.0.0", "tinny"], "@1.0.0 has no pipeline 'tinny': did you mean tiny?"),
        (["1.0.0", "tinny.get"], "@1.0.0 has no pipeline 'tinny.get': did you mean tiny?"),
        (["1.0.0"], "say which pipeline of "),
        (["1.0.0", "etl.low=3"], "@1.0.0 to run: there are tiny"),
        (["bare", "tiny"], "@bare has no requirements.lock to make its environment from; --here runs it in this"),
        (["empty", "tiny"], "@empty is no relet project: it has no pipelines/NAME/pipeline.py"),
        (["odd", "tiny"], "pyproject.toml of "),
        (["never", "tiny"], "@never allows no Python that relet knows: requires-python is ==2.*"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_change(repository: Repository, words: list[str], said: str) -> None:
    repository.write("pyproject.toml", "[project]\nrequires-python = 'three'\n")
    repository.tag("odd")
    repository.write("pyproject.toml", "[project]\nrequires-python = '==2.*'\n")
    repository.tag("never")
    (repository.folder / "requirements.lock").unlink()
    repository.tag("bare")
    shutil.rmtree(repository.folder / "pipelines")
    repository.tag("empty")
    done = relet_run(f"{repository.folder}@{words[0]}", *words[1:])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


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


@pytest.fixture
def mlflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder into which MLflow cloned the tiny project."""
    root = Path(tempfile.mkdtemp()).resolve()
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content.lstrip("\n"))
    monkeypatch.chdir(root)
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    for name in ("RELET_STORE", "RELET_PROJECT"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    yield root
    shutil.rmtree(root)


def test_a_run_of_mlflow_s_clone_belongs_to_the_folder_of_its_database(mlflows: Path, tmp_path: Path) -> None:
    assert mlproject.cloned_by_mlflow(mlflows)
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert Path.cwd() == tmp_path
    assert os.environ["RELET_STORE"] == str(tmp_path / ".relet")
    assert os.environ["RELET_PROJECT"] == str(mlflows)
    relet.run("tiny")
    assert not (mlflows / ".relet").exists()


def test_its_own_words_win(mlflows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlproject.go_to_caller(mlflows, ["run", "tiny", "store.url=x"])
    assert os.environ["RELET_STORE"] == ""
    monkeypatch.setenv("RELET_STORE", "named")
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert os.environ["RELET_STORE"] == "named"


@pytest.mark.parametrize("uri", ["http://tracker:5000", "sqlite:///mlflow.db"])
def test_a_store_that_would_be_lost_is_refused(mlflows: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for words in (["run", "tiny"], ["run", "tiny", "store.url=x"], ["run", "tiny", f"store.url={mlflows}/x"]):
        with pytest.raises(SettingError, match="a store would be lost: set RELET_STORE"):
            mlproject.go_to_caller(mlflows, words)
    mlproject.go_to_caller(mlflows, ["run", "tiny", "store.url=/elsewhere"])
    monkeypatch.setenv("RELET_STORE", "s3://bucket/x")
    mlproject.go_to_caller(mlflows, ["run", "tiny"])
    assert Path.cwd() == mlflows


def test_mlflow_s_project_is_the_one_that_runs_whatever_the_environment_names(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELET_PROJECT", str(tmp_path / "elsewhere"))
    started = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append((words[1:], os.environ.get("RELET_PROJECT"))))
    mlproject.main("tiny", ["steps=get", "etl.low=3 'etl.source=a b.csv'"])
    words = ["-P", "-m", "relet", "run", "tiny", "steps=get", "etl.low=3", "etl.source=a b.csv"]
    assert started == [(words, None)]


def test_a_project_s_own_folder_is_not_taken_for_a_clone(
    mlflows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not mlproject.cloned_by_mlflow(tmp_path)
    assert not mlproject.cloned_by_mlflow(Path(tempfile.gettempdir()).resolve())
    monkeypatch.delenv("MLFLOW_RUN_ID")
    assert not mlproject.cloned_by_mlflow(mlflows)


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


def test_options_reach_the_run_as_they_were_given(
    became: Callable[..., _BecameError], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--json", "--check-determinism", "--env-manager", "virtualenv", "steps=get"]
    with pytest.raises(_BecameError) as raised:
        command.main([*words[:2], str(repository.folder), "tiny", *words[2:], "--here"], standalone_mode=False)
    given = raised.value.command[raised.value.command.index("run") + 1 :]
    assert given == ["tiny", "steps=get", "--json", "--env-manager=virtualenv", "--check-determinism"]
