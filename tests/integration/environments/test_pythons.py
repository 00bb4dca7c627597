"""Which Python an environment is made with, and what is said where there is none."""

import subprocess

import pytest

from relet.environments import interpreters
from tests.integration.environments.machine import MINOR, PYTHON, Machine, another, refusal


def test_a_python_that_is_not_there_is_named_with_what_to_do(uv: Machine) -> None:
    message = refusal(lambda: uv.build(python="3.99.1"))
    assert message.startswith("no Python 3.99 on this machine (it has ")
    assert PYTHON in message
    assert message.endswith("install one, with python3.99 on PATH")


SHIM = "#!/usr/bin/env bash\necho 'pyenv: python: command not found' >&2; exit 127\n"


def test_the_exact_python_is_taken_before_another_of_its_minor_version(machine: Machine) -> None:
    first = another(machine, "3.98.2")
    second = another(machine, "3.98.1", ".pyenv/versions/3.98.1/bin")
    third = another(machine, "3.98.10", ".local/share/uv/python/cpython-3.98.10-linux/bin")
    found = {asked: interpreters.find_interpreter(asked) for asked in ("3.98.2", "3.98.1", "3.98", "3.98.7")}
    assert [each.python for each in found.values()] == ["3.98.2", "3.98.1", "3.98.10", "3.98.10"]
    assert [each.path.resolve() for each in found.values()] == [first, second, third, third]


def test_a_python_that_is_here_exactly_is_taken_before_this_process_s_own_one(machine: Machine) -> None:
    exact = another(machine, f"{MINOR}.987")
    assert interpreters.find_interpreter(f"{MINOR}.987").path.resolve() == exact


def test_for_a_minor_version_that_this_process_has_no_program_is_started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, **_: object) -> None:
        raise AssertionError(f"{words} was started")

    another(machine, f"{MINOR}.987")
    monkeypatch.setattr(subprocess, "run", refuse)
    assert interpreters.find_interpreter(MINOR).python == PYTHON


def test_a_shim_that_stands_for_no_python_is_passed_over(machine: Machine) -> None:
    machine.put("python3.98", SHIM)
    another(machine, "3.98.1", ".pyenv/versions/3.98.1/bin")
    assert interpreters.find_interpreter("3.98").python == "3.98.1"


def test_another_implementation_is_not_taken_for_this_one(machine: Machine) -> None:
    machine.put("python3.98", "#!/usr/bin/env bash\nprintf 'pypy\\n3.98.1\\n%s\\n' \"$0\"")
    assert "no Python 3.98" in refusal(lambda: interpreters.find_interpreter("3.98"))


def test_who_asked_for_another_python_is_told_which_is_taken(uv: Machine) -> None:
    another(uv, "3.98.1")
    said: list[str] = []
    uv.build(python="3.98.5", progress=said.append)
    assert said[0] == "no Python 3.98.5 on this machine: taking 3.98.1"
    assert len(list(uv.cache.glob("environments/uv-3.98.1-*/env"))) == 1


@pytest.mark.parametrize("python", ["", "3", "python3", "3.11.7 ", "../3.11", ">=3.11"])
def test_a_python_is_asked_for_by_its_version(uv: Machine, python: str) -> None:
    assert refusal(lambda: uv.build(python=python)) == f"python takes a version as 3.11 or 3.11.7, got {python!r}"
