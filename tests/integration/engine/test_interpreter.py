"""Another interpreter that calls components: what it is asked, what it answers, and how it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

import relet
from relet.core.artifact import ArtifactType
from relet.core.record import KeyParts
from relet.engine.interpreter import InterpreterProcess, clean_environment
from relet.engine.worker import PROTOCOL
from relet.errors import BadDataError, ComponentError, SetUpError
from relet.project.call import ComponentCall, InputFolder
from relet.project.folder import open_project
from relet.project.key import code_parts
from relet.project.surroundings import machine
from relet.project.tree import code_tree, lay_out_tree
from tests.sums_project import Sums


def started(sums: Sums, **options: Any) -> InterpreterProcess:
    scratch = sums.root / "scratch"
    scratch.mkdir(exist_ok=True)
    environment = clean_environment({}, lock=b"", root=sums.root, scratch=scratch)
    given: dict[str, Any] = {"environment": environment, "log": sums.root / "log", **options}
    return InterpreterProcess([sys.executable], **given)


@pytest.fixture
def there(sums: Sums) -> Iterator[InterpreterProcess]:
    with started(sums) as interpreter:
        yield interpreter


def parts_there(sums: Sums, there: InterpreterProcess, *names: str) -> dict[str, KeyParts]:
    return there.parts(sums.root, "sums", {name: {} for name in names})


def call(sums: Sums, name: str, **arguments: Any) -> ComponentCall:
    """The call of a step; `add` takes the numbers 1, 2 and 3."""
    project = open_project("sums", sums.root)
    code = code_parts(project, project.pipeline.components, {})
    place = lay_out_tree(code_tree(project), Path(mkdtemp(dir=sums.root / "scratch")) / "code", sums.root)
    drawn = sums.root / "drawn"
    drawn.mkdir(exist_ok=True)
    (drawn / "drawn.txt").write_text("1 2 3")
    component = project.pipeline.component(name)
    return ComponentCall(
        component=component,
        place=place,
        code=code[name].code,
        inputs={each.name: InputFolder(folder=drawn, type=ArtifactType.FILE) for each in component.inputs},
        arguments={**component.defaults, **arguments},
        files=(),
        scratch=sums.root / "scratch",
    )


def test_it_says_on_which_machine_it_runs(there: InterpreterProcess) -> None:
    assert there.machine == {**machine(), "environment": there.machine["environment"]}


def test_the_parts_of_keys_are_what_they_are_here(sums: Sums, there: InterpreterProcess) -> None:
    project = open_project("sums", sums.root)
    assert parts_there(sums, there, "draw", "add") == code_parts(project, project.pipeline.components[:2], {})


def test_a_component_is_called_on_what_is_laid_out_and_its_outputs_lie_in_the_scratch_folder(
    sums: Sums, there: InterpreterProcess
) -> None:
    called = there.call(call(sums, "add", scale=2.0))
    assert (called.outputs["report"].folder / "report.txt").read_text() == "the sum is 12"
    assert called.outputs["sums"].metadata == {"metrics": {"total": 12.0}}
    assert called.outputs["report"].folder.is_relative_to(sums.root / "scratch")
    assert called.machine == there.machine


def test_what_a_component_touched_is_answered_too(sums: Sums, there: InterpreterProcess) -> None:
    (sums.root / "secret.txt").write_text("1")
    sums.edit("helper.py", "    return", "    open('secret.txt').read()\n    return")
    assert "reads secret.txt, which is neither its input nor its resource" in map(
        str, there.call(call(sums, "add")).caveats
    )


def test_each_question_is_answered_from_the_project_as_it_is_then(sums: Sums, there: InterpreterProcess) -> None:
    assert there.call(call(sums, "add")).outputs["sums"].metadata["metrics"] == {"total": 6.0}
    sums.edit("helper.py", "float(", "1 + float(")
    (sums.root / "scratch" / "outputs").rename(sums.root / "scratch" / "before")
    assert there.call(call(sums, "add")).outputs["sums"].metadata["metrics"] == {"total": 7.0}


def test_only_packages_whose_import_sets_nothing_are_imported_ahead(sums: Sums, there: InterpreterProcess) -> None:
    # The classes of a module are in memory, though the module itself is set aside for the call.
    loaded = "float('yaml.error' in modules) + 2 * float('markupsafe' in modules)"
    sums.path("helper.py").write_text(
        "import time\n\n\ndef total(path):\n    time.sleep(0.3)\n"
        "    classes = (*object.__subclasses__(), *str.__subclasses__())\n"
        f"    modules = {{each.__module__ for each in classes}}\n    return {loaded}\n"
    )
    # while it sleeps, the process imports ahead what it may, and the next call is a copy of that
    first = call(sums, "add")
    there.prepare(["yaml", "markupsafe"], first.place)
    there.call(first)
    (sums.root / "scratch" / "outputs").rename(sums.root / "scratch" / "before")
    assert there.call(call(sums, "add")).outputs["sums"].metadata["metrics"] == {"total": 2.0}


def test_an_error_comes_by_its_own_name_with_the_trace_from_there(sums: Sums, there: InterpreterProcess) -> None:
    sums.edit(
        "helper.py", "return", "from relet.errors import BadDataError\n    raise BadDataError('torn')\n    return"
    )
    with pytest.raises(BadDataError, match=r"^torn\n"):
        there.call(call(sums, "add"))
    sums.edit("helper.py", "raise BadDataError('torn')", "raise ValueError('torn')")
    with pytest.raises(ComponentError, match=r"^add raised ValueError: torn\n") as caught:
        there.call(call(sums, "add"))
    assert "helper.py" in caught.value.__notes__[0]
    # it goes on
    assert parts_there(sums, there, "draw")["draw"].component == "draw"


def test_what_components_print_goes_to_the_log(sums: Sums, there: InterpreterProcess) -> None:
    sums.edit("helper.py", "return", "print('a word')\n    return")
    there.call(call(sums, "add"))
    assert (sums.root / "log").read_text() == "a word\n"


def test_a_process_that_ends_by_itself_is_named_with_its_last_words(sums: Sums, there: InterpreterProcess) -> None:
    sums.edit(
        "helper.py", "return", "import os\n    os.write(2, b'last words\\n\\n')\n    os._exit(3)\n    return"
    )
    with pytest.raises(ComponentError, match=r"^add ended its process with status 3: last words$"):
        there.call(call(sums, "add"))
    # it was the call's own process that ended: the next question finds another one
    assert parts_there(sums, there, "draw")["draw"].component == "draw"
    there.close()
    there.close()


@pytest.mark.long
def test_a_process_that_closes_the_line_is_ended(sums: Sums) -> None:
    sums.edit("helper.py", "return", "import os, time\n    os.closerange(3, 30)\n    time.sleep(60)\n    return")
    with started(sums) as there, pytest.raises(ComponentError, match="add closed the line to whoever asks"):
        there.call(call(sums, "add"))


def test_a_program_that_is_no_interpreter_of_relet_is_refused(sums: Sums) -> None:
    def start(script: str) -> None:
        program = sums.root / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        InterpreterProcess([str(program)], environment=dict(os.environ), log=sums.root / "log")

    with pytest.raises(
        SetUpError, match=f"speaks protocol 99, this one speaks {PROTOCOL}; use the same relet on both sides"
    ):
        start("""echo '{"protocol": 99, "machine": {}}'; read line""")
    with pytest.raises(
        ComponentError, match=r"^the interpreter ended its process with status 1: No module named relet"
    ):
        start("echo 'No module named relet' >&2; exit 1")
    with pytest.raises(ComponentError, match=r"^the interpreter ended its process with status 4$"):
        start("echo hello; exit 4")
    with pytest.raises(SetUpError, match="/nowhere/python can't be started: No such file or directory"):
        InterpreterProcess(["/nowhere/python"], environment={})


def test_it_ends_at_once_when_nobody_asks_any_more(sums: Sums) -> None:
    began = time.monotonic()
    there = started(sums)
    asked = time.monotonic()
    there.close()
    assert time.monotonic() - asked < 1 + (asked - began)
    assert there.exit_status == 0


def test_threads_of_a_component_that_go_on_do_not_keep_it(sums: Sums) -> None:
    began = time.monotonic()
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()"
    sums.edit("helper.py", "return", f"{thread}\n    return")
    with started(sums) as there:
        there.call(call(sums, "add"))
    assert there.exit_status == 0 and time.monotonic() - began < 30


def test_the_environment_holds_nothing_that_would_bring_other_code(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.setenv(name, "/elsewhere")
    found = clean_environment({"A": "b"}, lock=b"", root=sums.root, scratch=sums.root)
    assert "/elsewhere" not in found.values()
    assert found["A"] == "b"
    (package,) = Path(found["PYTHONPATH"]).iterdir()
    assert package.resolve() == Path(relet.__file__).parent.resolve()


def test_relet_is_the_locks_or_the_projects_own_where_there_is_one(sums: Sums) -> None:
    locked = clean_environment({}, lock=b"a==1\nrelet==0.1.0 \\\n", root=sums.root, scratch=sums.root)
    assert "PYTHONPATH" not in locked
    own = sums.root / "src" / "relet"
    own.mkdir(parents=True)
    (own / "__init__.py").touch()
    found = clean_environment({}, lock=b"relet==0.1.0\n", root=sums.root, scratch=sums.root)
    assert found["PYTHONPATH"] == str(sums.root / "src")
