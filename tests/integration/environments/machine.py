"""A machine whose managers only write down what they are asked."""

import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.environments import Environment, build
from relet.errors import SetUpError

PYTHON = platform.python_version()
MINOR = PYTHON.rpartition(".")[0]
LOCK = b"six==1.17.0 --hash=sha256:00\n"
TESTS = sys.executable
BASE = getattr(sys, "_base_executable", sys.executable)
# A folder with a Python that starts and one package, as each manager leaves it.
PREFIX = f"""make_prefix() {{
  mkdir -p "$1/bin" "$1/lib/python{MINOR}/site-packages/six"
  [ -n "${{NO_PYTHON:-}}" ] || cp "$(dirname "$0")/interpreter" "$1/bin/python"
}}
echo "$(basename "$0") $*" >>"$CALLS"
"""
UV = """#!/usr/bin/env bash
case "$1" in
  venv) make_prefix "${@: -1}" ;;
  pip)
    env | grep -E '^(UV_|SSL_|VIRTUAL_ENV|PYTHONPATH)' | sort >"$CALLS.environment"
    cp "${@: -1}" "$CALLS.lock"
    sleep "${SLOW:-0}"
    if [ -n "${SAYS:-}" ]; then printf '%s' "$SAYS" >&2; exit 2; fi ;;
esac
"""
# Both an environment's interpreter and this machine's own, with virtualenv and pip.
INTERPRETER = f"""#!/usr/bin/env bash
case "$*" in
  "-P -m pip config list") [ -z "${{NO_PIP:-}}" ] || exit 1; printf '%s' "${{PIP_ANSWERS:-}}"; exit ;;
  *"-m virtualenv"*|*"-m venv"*) make_prefix "${{@: -1}}"; exit ;;
  *"-m pip install"*) [ -z "${{SAYS:-}}" ] || {{ printf '%s' "$SAYS" >&2; exit 1; }}; exit ;;
esac
printf 'cpython\\n{PYTHON}\\n%s\\n' "$0"
"""
CONDA = """#!/usr/bin/env bash
env | grep -E '_ALWAYS_COPY=' | sort >"$CALLS.environment"
while [ "$1" != --prefix ]; do shift; done
make_prefix "$2"
"""
DOCKER = """#!/usr/bin/env bash
case "$1 $2" in
  "image inspect") cat "$CALLS.image" 2>/dev/null || exit 1 ;;
  "version --format") [ -z "${NO_ENGINE:-}" ] || { echo "Cannot connect to the daemon" >&2; exit 1; } ;;
  "build --quiet")
    ls "${@: -1}" >"$CALLS.context"
    for word; do case "$word" in id=indexes,*) cp "${word#*src=}" "$CALLS.indexes" ;; esac; done
    [ -z "${SAYS:-}" ] || { printf '%s' "$SAYS" >&2; exit 1; }
    echo sha256:feed >"$CALLS.image" ;;
  "run --rm") echo 3.11.9 ;;
esac
"""


class Machine:
    """A machine with nothing but what is put on its PATH, and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "cache"
        self.log = folder / "calls"
        self.bin.mkdir()

    def put(self, name: str, program: str) -> Path:
        file = self.bin / name
        shebang, _, rest = program.partition("\n")
        file.write_text("\n".join([shebang, PREFIX, rest]))
        file.chmod(0o755)
        return file

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def noted(self, kind: str) -> str:
        return self.log.with_name(f"calls.{kind}").read_text()

    def build(self, manager: str = "uv", lock: bytes = LOCK, *, python: str = PYTHON, **more: Any) -> Environment:
        return build(manager, lock, python=python, cache=self.cache, **more)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(SetUpError) as caught:
        act()
    return str(caught.value)


def another(machine: Machine, version: str, folder: str = "bin") -> Path:
    (machine.bin.parent / folder).mkdir(parents=True, exist_ok=True)
    name = f"../{folder}/python{version.rpartition('.')[0]}"
    return machine.put(name, f"#!/usr/bin/env bash\nprintf 'cpython\\n{version}\\n%s\\n' \"$0\"").resolve()
