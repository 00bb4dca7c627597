"""A machine without a manager, with uv, and with docker."""

import os
import sys
from pathlib import Path

import pytest

from tests.integration.environments.machine import (
    DOCKER,
    INTERPRETER,
    UV,
    Machine,
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "XDG_", "SSL_", "PYENV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(made.log))
    monkeypatch.setenv("HOME", str(tmp_path))
    made.put("interpreter", INTERPRETER)
    monkeypatch.setattr(sys, "executable", str(made.bin / "interpreter"))
    return made


@pytest.fixture
def uv(machine: Machine) -> Machine:
    machine.put("uv", UV)
    return machine


@pytest.fixture
def docker(machine: Machine) -> Machine:
    machine.put("docker", DOCKER)
    return machine
