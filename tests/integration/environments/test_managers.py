"""What uv, virtualenv, venv and conda are asked, and what is said where one is not installed."""

import sys
from pathlib import Path

import pytest

from relet.environments import makers
from tests.integration.environments.machine import BASE, CONDA, PYTHON, UV, Machine, refusal


def test_a_manager_that_there_is_not_is_refused_with_the_nearest(machine: Machine) -> None:
    assert refusal(lambda: machine.build("virtual")) == (
        "no manager 'virtual' of environments: did you mean virtualenv?"
    )


def test_without_uv_it_is_said_what_to_install(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    assert refusal(machine.build) == (
        "uv is not installed: `pip install uv`, or take another manager of environments"
    )
    assert not list(machine.cache.glob("environments/*/"))


def test_uv_is_found_through_its_package(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    elsewhere = machine.put("elsewhere", UV)
    package = types.SimpleNamespace(find_uv_bin=lambda: str(elsewhere))
    monkeypatch.setitem(sys.modules, "uv", package)
    assert machine.build().made
    assert any(call.startswith("elsewhere venv") for call in machine.calls)


def test_uv_is_told_what_pip_was_told(uv: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = """
global.cert='/a/ca.pem'
global.index-url='https://mirror.example/simple'
global.extra-index-url='https://one.example\\nhttps://two.example'
list.index-url='https://wrong.example'
:env:.index-url='https://nearer.example/simple'
"""
    monkeypatch.setenv("PIP_ANSWERS", listing)
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    uv.build()
    assert uv.noted("environment").splitlines() == [
        "SSL_CERT_FILE=/a/ca.pem",
        "UV_DEFAULT_INDEX=https://nearer.example/simple",
        "UV_HTTP_TIMEOUT=180",
        "UV_INDEX=https://one.example https://two.example",
        "UV_INDEX_STRATEGY=unsafe-best-match",
        "UV_PYTHON_DOWNLOADS=never",
    ]


def test_what_uv_was_told_itself_is_left_alone(uv: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_ANSWERS", "global.index-url='https://pip.example'")
    monkeypatch.setenv("UV_INDEX_URL", "https://uv.example")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "7")
    uv.build()
    told = uv.noted("environment").splitlines()
    assert "UV_INDEX_URL=https://uv.example" in told
    assert "UV_HTTP_TIMEOUT=7" in told
    assert not [line for line in told if line.startswith("UV_DEFAULT_INDEX")]


def test_without_pip_its_environment_variables_still_count(uv: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PIP", "1")
    monkeypatch.setattr(sys, "_base_executable", str(uv.bin / "interpreter"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example")
    uv.build()
    assert "UV_DEFAULT_INDEX=https://pip.example" in uv.noted("environment").splitlines()


def test_virtualenv_makes_an_environment_that_pip_fills(machine: Machine) -> None:
    made = machine.build("virtualenv")
    (bare,) = (call for call in machine.calls if "-m virtualenv" in call)
    assert "--no-download" in bare and f"--python {BASE}" in bare
    (filled,) = (call for call in machine.calls if "pip install" in call)
    assert filled.startswith("python -I -m pip install")
    assert "--no-deps --require-hashes" in filled
    assert made.python == PYTHON


def test_without_virtualenv_python_s_own_venv_makes_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makers, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "_base_executable", str(machine.bin / "interpreter"))
    machine.build("virtualenv")
    assert any(call.startswith("interpreter -I -m venv") for call in machine.calls)


def test_pip_s_last_words_are_handed_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYS", "WARNING: x\nERROR: No matching distribution found for six==99\n")
    assert refusal(lambda: machine.build("virtualenv")) == (
        "the lock can't be installed; pip says:\n  ERROR: No matching distribution found for six==99"
    )


@pytest.mark.parametrize("program", ["conda", "mamba", "micromamba"])
def test_conda_brings_the_python_that_is_asked_for(machine: Machine, program: str) -> None:
    log = machine.put(program, CONDA)
    made = machine.build("conda", python="3.11")
    (create,) = (call for call in machine.calls if call.startswith(log.name))
    prefix = Path(made.command[0]).parents[1]
    assert create.endswith(f"--override-channels --channel conda-forge --prefix {prefix} python=3.11 pip")
    assert any(call.startswith("python -I -m pip install") for call in machine.calls)
    assert machine.noted("environment").split() == ["CONDA_ALWAYS_COPY=true", "MAMBA_ALWAYS_COPY=true"]
    assert made.python == PYTHON
    calls = machine.calls
    assert not machine.build("conda", python="3.11").made
    assert machine.calls == calls


def test_without_conda_it_is_said_what_to_install(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.bin))
    assert refusal(lambda: machine.build("conda")).startswith(
        "no conda on PATH: install conda, mamba or micromamba"
    )
