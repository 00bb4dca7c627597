"""What a component touched beside what it was given is written down, and what it was given is not."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from relet.core.record import Caveat, RunRecord
from relet.project.surroundings import git
from relet.store import open_store
from tests.tiny_project import Tiny


def caveats(tiny: Tiny, *kinds: str) -> list[Caveat]:
    """Those of the last run of `train`, without what every run of a folder outside git has."""
    return [each for each in records(tiny)["train"].caveats if not kinds or each.kind in kinds]


def records(tiny: Tiny) -> dict[str, RunRecord]:
    found: dict[str, RunRecord] = {}
    for record in open_store(tiny.root / ".relet").runs():
        found.setdefault(record.component or "", record)
    return found


def does(tiny: Tiny, code: str) -> None:
    """Let the helper that training calls do something first."""
    tiny.edit("helper.py", "    return", f"    {code}\n    return")


def commit(tiny: Tiny) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=tiny.root, check=True)


def test_inputs_resources_sources_and_own_files_are_no_caveats(tiny: Tiny) -> None:
    (tiny.root / "rows.csv").write_text("n,name\n5,a\n6,b\n")
    tiny.edit(
        "steps/check.py",
        "    bad =",
        "    (Path(__file__).parents[1] / 'checks/limit.sql').read_text()\n    bad =",
    )
    does(tiny, "made = __import__('pathlib').Path('made'); made.write_text('1'); made.read_text()")
    tiny.run("etl.source=rows.csv")
    commit_kinds = {"uncommitted", "lock"}
    found = {
        name: [e for e in record.caveats if e.kind not in commit_kinds] for name, record in records(tiny).items()
    }
    assert found == {"": [], "get": [], "clean": [], "check": [], "train": []}


def test_a_file_read_outside_the_inputs_is_a_caveat(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "rows.csv"
    outside.write_text("1\n")
    (tiny.root / "factor.txt").write_text("1")
    does(tiny, f"[__import__('pathlib').Path(name).read_text() for name in ('factor.txt', {str(outside)!r})]")
    tiny.run()
    assert caveats(tiny, "file") == [
        Caveat(kind="file", what="factor.txt"),
        Caveat(kind="file", what=str(outside)),
    ]
    assert "reads factor.txt, which is neither its input nor its resource" in map(str, caveats(tiny))


def test_a_module_imported_without_an_import_statement_is_a_caveat(tiny: Tiny) -> None:
    does(tiny, "__import__('importlib').import_module('pipelines.tiny.unused')")
    tiny.run()
    assert caveats(tiny, "import") == [Caveat(kind="import", what="pipelines.tiny.unused")]
    # in the same process it is in memory now, and must be seen all the same
    tiny.run("modeling.factor=3")
    assert caveats(tiny, "import") == [Caveat(kind="import", what="pipelines.tiny.unused")]


def test_a_module_that_another_step_needs_is_seen_when_it_is_imported_dynamically(tiny: Tiny) -> None:
    tiny.edit("steps/clean.py", "import pandas as pd\n", "import pandas as pd\nimport pipelines.tiny.unused\n")
    does(tiny, "__import__('importlib').import_module('pipelines.tiny.unused')")
    tiny.run()
    assert caveats(tiny, "import") == [Caveat(kind="import", what="pipelines.tiny.unused")]
    assert [each for each in records(tiny)["clean"].caveats if each.kind == "import"] == []


def test_a_connection_and_another_program_are_caveats(tiny: Tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        does(
            tiny,
            f"__import__('socket').create_connection(('127.0.0.1', {port})).close(); "
            "__import__('subprocess').run(['true'])",
        )
        tiny.run()
    assert Caveat(kind="network", what=f"127.0.0.1:{port}") in caveats(tiny)
    assert caveats(tiny, "process") == [Caveat(kind="process", what="true")]


def test_a_connection_to_a_process_of_this_machine_is_a_caveat(
    tiny: Tiny, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("elsewhere") / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        does(tiny, f"__import__('socket').socket(__import__('socket').AF_UNIX).connect({str(path)!r})")
        tiny.run()
    assert caveats(tiny, "network") == [Caveat(kind="network", what=str(path))]


def test_a_socket_in_the_folder_for_temporary_files_is_the_steps_own(tiny: Tiny) -> None:
    talk = "__import__('multiprocessing.connection').connection"
    does(tiny, f"(lambda to: {talk}.Client(to.address).close())({talk}.Listener(family='AF_UNIX'))")
    tiny.run()
    assert caveats(tiny, "network") == []


def test_many_of_one_kind_are_counted(tiny: Tiny) -> None:
    for number in range(12):
        (tiny.root / f"{number:02}.txt").write_text("1")
    does(tiny, "[__import__('pathlib').Path(f'{number:02}.txt').read_text() for number in range(12)]")
    tiny.run()
    assert [each.what for each in caveats(tiny, "file")][-2:] == ["07.txt", "4 more"]


def test_uncommitted_code_is_a_caveat_of_the_steps_that_run_it(tiny: Tiny) -> None:
    commit(tiny)
    tiny.run()
    assert caveats(tiny, "uncommitted") == []
    tiny.edit("helper.py", "float(values.sum())", "1 + float(values.sum())")
    tiny.run()
    assert caveats(tiny, "uncommitted") == [Caveat(kind="uncommitted", what="pipelines/tiny/helper.py")]
    found = records(tiny)
    assert [each for each in found["clean"].caveats if each.kind == "uncommitted"] == []
    assert Caveat(kind="uncommitted", what="pipelines/tiny/helper.py") in found[""].caveats


def test_what_git_says_of_each_file_is_recorded_by_comparing_bytes(tiny: Tiny) -> None:
    (tiny.root / ".gitignore").write_text("helper.py\n.relet\n")
    commit(tiny)
    tiny.run()
    code = records(tiny)["train"].code
    assert code.uncommitted == {"pipelines/tiny/helper.py": "ignored"} and code.dirty
    store = open_store(tiny.root / ".relet")
    assert code.tree is not None
    stored = store.read_object(store.tree(code.tree)["pipelines/tiny/helper.py"])
    assert stored == tiny.path("helper.py").read_bytes()
    tiny.path("extra.py").write_text("x = 1\n")
    tiny.edit("steps/train.py", "import pandas", "import pipelines.tiny.extra\nimport pandas")
    # git is told to look away, and is not believed
    git(tiny.root, "update-index", "--assume-unchanged", "pipelines/tiny/steps/train.py")
    tiny.run("modeling.factor=3")
    assert records(tiny)["train"].code.uncommitted == {
        "pipelines/tiny/helper.py": "ignored",
        "pipelines/tiny/extra.py": "untracked",
        "pipelines/tiny/steps/train.py": "changed",
    }


def test_an_environment_that_is_not_the_lock_s_is_a_caveat(tiny: Tiny) -> None:
    import pandas

    tiny.run()
    (found,) = [each for each in caveats(tiny, "lock") if each.what.startswith("pandas ")]
    assert found.what == f"pandas {pandas.__version__}, locked 3"
    (tiny.root / "requirements.lock").unlink()
    tiny.run("modeling.factor=3")
    assert caveats(tiny, "lock") == [Caveat(kind="lock", what="there is no lock")]


def test_a_skipped_step_keeps_its_caveats(tiny: Tiny) -> None:
    (tiny.root / "factor.txt").write_text("1")
    does(tiny, "__import__('pathlib').Path('factor.txt').read_text()")
    tiny.run()
    tiny.run()
    assert Caveat(kind="file", what="factor.txt") in next(open_store(tiny.root / ".relet").runs()).caveats


def test_what_is_read_while_a_module_is_imported_is_seen(tiny: Tiny) -> None:
    (tiny.root / "factor.txt").write_text("1")
    path = tiny.path("helper.py")
    path.write_text("with open('factor.txt') as file:\n    file.read()\n" + path.read_text())
    tiny.run()
    assert caveats(tiny, "file") == [Caveat(kind="file", what="factor.txt")]


def test_a_source_is_kept_so_that_the_run_can_be_made_again(tiny: Tiny) -> None:
    source = tiny.root / "rows.csv"
    source.write_text("n,name\n5,a\n6,b\n")
    tiny.run(f"etl.source={source}")
    content = source.read_bytes()
    source.unlink()
    store = open_store(tiny.root / ".relet")
    assert store.read_object(records(tiny)["get"].sources["source"]) == content
    store.gc(older_than=timedelta(0))
    assert store.read_object(records(tiny)["get"].sources["source"]) == content


def test_a_source_that_the_store_never_had_is_kept_when_its_step_is_skipped(tiny: Tiny) -> None:
    source = tiny.root / "rows.csv"
    source.write_text("n,name\n5,a\n6,b\n")
    tiny.run(f"etl.source={source}")
    digest = records(tiny)["get"].sources["source"]
    (tiny.root / ".relet" / "objects" / digest[:2] / digest).unlink()
    assert tiny.ran(f"etl.source={source}") == []
    assert open_store(tiny.root / ".relet").read_object(digest) == source.read_bytes()


def test_the_remote_is_recorded_without_its_password(tiny: Tiny) -> None:
    commit(tiny)
    for given, kept in (
        ("https://me:secret@example.org:8443/a/b.git", "https://example.org:8443/a/b.git"),
        ("ssh://git@example.org/a.git", "ssh://git@example.org/a.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        (str(Path("/somewhere/on/this/machine")), None),
    ):
        subprocess.run(["git", "config", "remote.origin.url", given], cwd=tiny.root, check=True)
        tiny.run()
        assert next(open_store(tiny.root / ".relet").runs()).code.repository == kept


def test_a_database_that_is_read_and_processes_of_its_own_are_caveats(tiny: Tiny) -> None:
    sqlite3.connect(tiny.root / "rates.db").execute("create table rates (rate)").close()
    (tiny.root / "pool.py").write_text("def nothing(): ...\n")
    does(
        tiny,
        "__import__('sqlite3').connect('rates.db').close(); import multiprocessing; "
        "child = multiprocessing.get_context('spawn').Process(target=print); child.start(); child.join()",
    )
    tiny.run()
    assert Caveat(kind="file", what="rates.db") in caveats(tiny)
    assert Caveat(kind="process", what="processes of its own") in caveats(tiny)


def test_a_repository_that_git_does_not_read_is_named_with_its_reason(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(tiny)
    (tiny.root / ".git" / "HEAD").write_text("nothing that git knows\n")
    tiny.run()
    record = records(tiny)["train"]
    assert record.code.commit is None and record.code.dirty
    monkeypatch.setenv("PATH", str(tiny.root))
    tiny.run("modeling.factor=3")
    assert records(tiny)["train"].code.git == "git is not on this machine"
    assert Caveat(kind="uncommitted", what="there is no commit (git is not on this machine)") in caveats(tiny)


def test_the_record_of_a_step_names_the_blas_that_it_used(tiny: Tiny) -> None:
    does(tiny, "import numpy; numpy.ones(2) @ numpy.ones(2)")
    tiny.run()
    assert records(tiny)["train"].machine["BLAS"]
    assert "BLAS" not in records(tiny)[""].machine
