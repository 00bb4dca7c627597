"""Environments from a lock, on a machine whose managers only write down what they are asked."""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from relet.environments import Environment, build, here, interpreters, makers
from relet.environments.cache import cache_folder
from relet.environments.docker import dockerfile
from relet.environments.programs import telling_lines
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


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(SetUpError) as caught:
        act()
    return str(caught.value)


def test_the_environment_that_is_here_is_this_interpreter() -> None:
    assert here() == Environment(manager="here", command=(sys.executable,), python=PYTHON, made=False)


def test_a_lock_is_installed_whole_and_held_to_its_hashes(uv: Machine) -> None:
    made = uv.build()
    assert (made.manager, made.python, made.made) == ("uv", PYTHON, True)
    assert uv.noted("lock").encode() == LOCK
    assert f"venv --quiet --no-project --python {BASE}" in uv.calls[-3]
    assert "pip sync --quiet --require-hashes" in uv.calls[-2]
    assert "--link-mode copy" in uv.calls[-2]
    assert f"--python {made.command[0]}" in uv.calls[-2]


@pytest.mark.parametrize("forbidden", [True, False])
def test_bytecode_is_written_at_once_only_where_an_import_may_not_write_it(
    uv: Machine, monkeypatch: pytest.MonkeyPatch, forbidden: bool
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    uv.build()
    uv.build("virtualenv")
    (sync,) = (call for call in uv.calls if "pip sync" in call)
    (install,) = (call for call in uv.calls if "pip install" in call)
    assert ("--compile-bytecode" in sync) == forbidden
    assert ("--compile" in install.split(), "--no-compile" in install) == (forbidden, not forbidden)


def test_a_finished_environment_is_found_without_starting_a_program(uv: Machine) -> None:
    made = uv.build()
    calls = uv.calls
    found = uv.build()
    assert (found.command, found.python, found.made) == (made.command, made.python, False)
    assert uv.calls == calls


def test_a_finished_environment_needs_its_manager_no_more(uv: Machine) -> None:
    uv.build()
    (uv.bin / "uv").unlink()
    assert not uv.build().made


def test_another_lock_or_another_manager_is_another_environment(uv: Machine) -> None:
    environments = {uv.build(), uv.build(lock=LOCK + b"\n"), uv.build("virtualenv")}
    assert len({each.command for each in environments}) == 3
    assert all(each.made for each in environments)


def test_a_minor_version_is_this_process_s_own_and_found_again(uv: Machine) -> None:
    made = uv.build(python=MINOR)
    assert made.python == PYTHON
    calls = uv.calls
    assert uv.build(python=MINOR).command == uv.build().command == made.command
    assert uv.calls == calls


def test_a_lock_that_can_t_be_installed_is_refused_with_uv_s_own_words(
    uv: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Resolved 2 packages\nerror: Failed to download six\n  cause: Hash mismatch for six\n"
    monkeypatch.setenv("SAYS", said)
    message = refusal(uv.build)
    assert message == (
        "the lock can't be installed; uv says:\n  error: Failed to download six\n    cause: Hash mismatch for six"
    )
    assert not list(uv.cache.glob("environments/*/*"))
    monkeypatch.delenv("SAYS")
    assert uv.build().made


def test_an_environment_whose_python_does_not_start_is_refused(
    uv: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PYTHON", "1")
    assert "has no Python that starts" in refusal(uv.build)
    monkeypatch.delenv("NO_PYTHON")
    assert uv.build().made


BUILDER = """
import sys
from pathlib import Path
from relet.environments import build
sys.executable = sys.argv[1]
build("uv", sys.argv[2].encode(), python=sys.argv[3], cache=Path(sys.argv[4]), progress=lambda _: None)
"""


def killed_half_way(machine: Machine, slow: float) -> None:
    """Kill a process that builds, alone, while its uv is still installing."""
    arguments = [str(machine.bin / "interpreter"), LOCK.decode(), PYTHON, str(machine.cache)]
    environment = {**os.environ, "SLOW": str(slow)}
    builder = subprocess.Popen([TESTS, "-c", BUILDER, *arguments], env=environment)
    while not any(call.startswith("uv pip sync") for call in machine.calls):
        assert builder.poll() is None
        time.sleep(0.01)
    builder.send_signal(signal.SIGKILL)
    builder.wait()


def test_a_build_that_was_killed_half_way_is_done_anew(uv: Machine) -> None:
    killed_half_way(uv, slow=0.3)
    (left,) = uv.cache.glob("environments/*/env/bin/python")
    (left.parent / "of_the_killed").touch()
    made = uv.build()
    assert made.made
    assert made.command == (str(left),)
    assert not (left.parent / "of_the_killed").exists()


def test_a_killed_builder_s_last_program_keeps_the_next_builder_waiting(uv: Machine) -> None:
    killed_half_way(uv, slow=1)
    said: list[str] = []
    start = time.monotonic()
    assert uv.build(progress=said.append).made
    assert time.monotonic() - start > 0.5
    assert said[1].startswith("making an environment") and said[0].startswith("waiting for another process")


def test_two_builders_at_once_end_with_one_whole_environment(uv: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "0.5")
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: uv.build(progress=said.append), range(2)))
    assert sorted(each.made for each in both) == [False, True]
    assert both[0].command == both[1].command
    assert sum(call.startswith("uv pip sync") for call in uv.calls) == 1
    assert [line.split()[0] for line in sorted(said)] == ["making", "waiting"]


def test_a_builder_that_failed_leaves_the_work_to_who_waits_for_it(
    uv: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_half_way(uv, slow=0.5)
    monkeypatch.setenv("SAYS", "error: no")
    refusal(uv.build)
    monkeypatch.delenv("SAYS")
    assert uv.build().made


@pytest.mark.parametrize("damage", ["interpreter gone", "interpreter another", "package gone", "package added"])
def test_a_damaged_environment_is_made_anew(uv: Machine, damage: str) -> None:
    python = Path(uv.build().command[0])
    packages = python.parents[1] / "lib" / f"python{MINOR}" / "site-packages"
    match damage:
        case "interpreter gone":
            python.unlink()
        case "interpreter another":
            python.write_text(python.read_text() + "#")
        case "package gone":
            (packages / "six").rmdir()
        case "package added":
            (packages / "seven").mkdir()
    again = uv.build()
    assert again.made
    assert os.access(again.command[0], os.X_OK)
    assert [path.name for path in packages.iterdir()] == ["six"]
    assert not uv.build().made


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"python": "3.11.7"}', "\0"])
def test_a_stamp_that_says_nothing_is_no_stamp(uv: Machine, text: str) -> None:
    uv.build()
    (stamp,) = uv.cache.glob("environments/*/stamp.json")
    stamp.write_text(text)
    assert uv.build().made


def test_a_python_that_is_not_there_is_named_with_what_to_do(uv: Machine) -> None:
    message = refusal(lambda: uv.build(python="3.99.1"))
    assert message.startswith("no Python 3.99 on this machine (it has ")
    assert PYTHON in message
    assert message.endswith("install one, with python3.99 on PATH")


SHIM = "#!/usr/bin/env bash\necho 'pyenv: python: command not found' >&2; exit 127\n"


def another(machine: Machine, version: str, folder: str = "bin") -> Path:
    (machine.bin.parent / folder).mkdir(parents=True, exist_ok=True)
    name = f"../{folder}/python{version.rpartition('.')[0]}"
    return machine.put(name, f"#!/usr/bin/env bash\nprintf 'cpython\\n{version}\\n%s\\n' \"$0\"").resolve()


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


@pytest.fixture
def docker(machine: Machine) -> Machine:
    machine.put("docker", DOCKER)
    return machine


def test_docker_builds_an_image_of_the_lock_and_nothing_else(docker: Machine) -> None:
    made = docker.build("docker", python="3.11")
    assert made.python == "3.11.9"
    image = made.command[-2]
    assert image.startswith("relet/")
    (asked,) = (call for call in docker.calls if call.startswith("docker build"))
    assert f"--tag {image} " in asked
    assert docker.noted("context").split() == ["Dockerfile", "requirements.lock"]


def test_a_container_sees_its_folders_and_variables_and_no_network(docker: Machine, tmp_path: Path) -> None:
    folders = [tmp_path / "project", tmp_path / "a,store"]
    made = docker.build("docker", folders=folders, environment={"HOME": "/h", "A": "b c"})
    words = " ".join(made.command)
    assert words.startswith(f"{docker.bin / 'docker'} run --rm --interactive --init --pull never ")
    assert f"--user {os.getuid()}:{os.getgid()} --network none" in words
    for folder in folders:
        assert f'--mount type=bind,"source={folder}","target={folder}"' in words
    assert f"--workdir {folders[0]}" in words
    assert "--env HOME=/h --env USER=relet --env A=b c" in words
    assert made.command[-1] == "python"
    assert "--network host" in " ".join(docker.build("docker", network=True).command)


def test_an_image_is_found_again_until_it_is_removed_or_replaced(docker: Machine) -> None:
    assert docker.build("docker").made
    assert not docker.build("docker", environment={"A": "b"}).made
    image = docker.log.with_name("calls.image")
    image.write_text("sha256:another")
    assert docker.build("docker").made
    image.unlink()
    assert docker.build("docker").made
    assert not docker.build("docker").made


def test_an_image_s_build_is_told_of_indexes_in_secret(docker: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = """
global.index-url='https://me:secret@a.example'
global.extra-index-url='file:///x https://b.example'
"""
    monkeypatch.setenv("PIP_ANSWERS", listing)
    docker.build("docker")
    assert docker.noted("indexes").splitlines() == [
        "export UV_DEFAULT_INDEX=https://me:secret@a.example",
        "export UV_INDEX=https://b.example",
        "export PIP_INDEX_URL=https://me:secret@a.example",
        "export PIP_EXTRA_INDEX_URL=https://b.example",
        "export UV_INDEX_STRATEGY=unsafe-best-match",
        "export UV_HTTP_TIMEOUT=180",
    ]
    assert not [call for call in docker.calls if "secret@" in call]
    (secrets,) = (call for call in docker.calls if "--secret" in call)
    assert not Path(secrets.partition("src=")[2].split()[0]).exists()


def test_an_image_that_can_t_be_built_is_refused_with_docker_s_words(
    docker: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAYS", "#5 installing\nerror: Hash mismatch for six\n")
    assert refusal(lambda: docker.build("docker")) == (
        f"no image of Python {PYTHON} with the lock can be built; docker says:\n  error: Hash mismatch for six"
    )


def test_a_docker_without_an_engine_is_told_from_no_docker(
    docker: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.build("docker")
    docker.log.with_name("calls.image").rename(docker.log.with_name("calls.away"))
    monkeypatch.setenv("NO_ENGINE", "1")
    for lock in (LOCK, b""):
        message = refusal(lambda lock=lock: docker.build("docker", lock))
        assert message.startswith("docker is installed, but no engine answers it: start the engine")
        assert message.endswith("docker says: Cannot connect to the daemon")
    docker.log.with_name("calls.away").rename(docker.log.with_name("calls.image"))
    monkeypatch.delenv("NO_ENGINE")
    assert not docker.build("docker").made, "an engine that was away costs no image"
    monkeypatch.setenv("PATH", str(docker.bin))
    (docker.bin / "docker").unlink()
    assert refusal(lambda: docker.build("docker")).startswith("docker is not installed: install Docker")


def test_the_dockerfile_names_the_python_and_installs_only_what_has_a_hash() -> None:
    instructions = parsed(dockerfile("3.12.1"))
    assert [name for name, _ in instructions] == ["FROM", "RUN", "COPY", "RUN"]
    assert instructions[0][1] == "python:3.12.1-slim"
    assert "libgomp1" in instructions[1][1]
    assert instructions[2][1] == "requirements.lock /opt/relet/requirements.lock"
    commands = [part.strip() for part in instructions[3][1].split(";")]
    installs = [each for each in commands if " install " in each or " sync " in each]
    assert len(installs) == 3
    assert all("--require-hashes" in each for each in installs)
    assert "://" not in dockerfile("3.12.1")


def parsed(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions, each with its arguments on one line."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in whole.splitlines())]


def test_environments_are_kept_in_the_user_s_cache(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == machine.bin.parent / ".cache" / "relet"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == machine.bin.parent / ".cache" / "relet"
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert cache_folder() == Path("/shared/relet")
    monkeypatch.setenv("RELET_CACHE", "/own")
    assert cache_folder() == Path("/own")


def test_a_cache_that_can_t_be_written_is_named_with_its_setting(uv: Machine) -> None:
    uv.cache.write_text("a file")
    message = refusal(uv.build)
    assert message == f"{uv.cache / 'environments'} can't hold environments (Not a directory); set RELET_CACHE"


def test_a_program_s_last_words_have_neither_addresses_nor_paths_nor_endless_lines(tmp_path: Path) -> None:
    from relet.environments.cache import EnvironmentFolder

    site = EnvironmentFolder(folder=tmp_path / "x", held=0)
    output = (
        f"Using Python at {site.folder}\nerror: Failed to fetch `https://me:pw@a.example/six`\n\n"
        f"  in {site.lock} and {site.prefix} of {Path.home()}\n{'x' * 500}\n"
    )
    first, second, third = telling_lines(output, site)
    assert first == "error: Failed to fetch `…"
    assert second == "  in the lock and …/env of ~"
    assert len(third) == 400
