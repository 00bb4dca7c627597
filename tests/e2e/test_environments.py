"""Environments that are really made: by uv, by virtualenv, and by the Dockerfile on a Debian laid out here."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.environments import Environment, build, interpreters
from relet.environments.docker import dockerfile
from relet.errors import SetUpError

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PYTHON = platform.python_version()
MANAGERS = ("uv", "virtualenv")


def locked(*names: str) -> bytes:
    """What the project's own lock says of some packages, and nothing else."""
    lock = (ROOT / "requirements.lock").read_text()
    blocks = re.findall(rf"^(?:{'|'.join(names)})==.*\n(?:[ ].*\n)+", lock, re.MULTILINE)
    assert len(blocks) >= len(names)
    return "".join(blocks).encode()


LOCK = locked("six", "packaging")


def asked(environment: Environment, program: str) -> list[str]:
    done = subprocess.run([*environment.command, "-P", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("manager", MANAGERS)
def test_what_the_lock_names_is_there_at_its_versions_and_nothing_of_this_environment(
    manager: str, tmp_path: Path
) -> None:
    made = build(manager, LOCK, python=PYTHON, cache=tmp_path)
    assert (made.python, made.made) == (PYTHON, True)
    program = (
        "import sys, six, packaging, importlib.util as u; print(sys.prefix, six.__version__, u.find_spec('numpy'))"
    )
    prefix, version, numpy = asked(made, program)
    assert Path(prefix).is_relative_to(tmp_path)
    assert f"six=={version} ".encode() in LOCK
    assert numpy == "None"
    (help_, *_) = subprocess.run([*made.command, "-P", "-m", "calendar"], capture_output=True).stdout.splitlines()
    assert help_.strip()
    found = build(manager, LOCK, python=PYTHON, cache=tmp_path)
    assert (found.command, found.made) == (made.command, False)


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_file_that_does_not_match_its_hash_is_not_installed(manager: str, tmp_path: Path) -> None:
    wrong = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"1" * 64, LOCK)
    with pytest.raises(SetUpError, match=r"^the lock can't be installed; .* says:\n(?s:.*)1{64}") as caught:
        build(manager, wrong, python=PYTHON, cache=tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert "://" not in str(caught.value)
    assert not list(tmp_path.glob("environments/*/*"))


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_version_that_does_not_exist_is_named(manager: str, tmp_path: Path) -> None:
    wrong = re.sub(rb"six==\S+", b"six==999.9", LOCK)
    with pytest.raises(SetUpError, match=r"^the lock can't be installed; (?s:.*)six==999\.9"):
        build(manager, wrong, python=PYTHON, cache=tmp_path)


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_package_without_a_hash_is_not_installed(manager: str, tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match=r"(?is)hash.*six"):
        build(manager, b"six==1.17.0\n", python=PYTHON, cache=tmp_path)


BUILDER = """
import json, sys
from pathlib import Path
from relet.environments import build
said = []
lock, cache = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
print(json.dumps([build("uv", lock, python=sys.argv[3], cache=cache, progress=said.append).made, said]))
"""


def test_three_processes_at_once_make_one_environment(tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(LOCK)
    command = [sys.executable, "-c", BUILDER, str(tmp_path / "lock"), str(tmp_path / "cache"), PYTHON]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [json.loads(builder.communicate(timeout=60)[0]) for builder in builders]
    assert sorted(made for made, _ in answers) == [False, False, True]
    assert not build("uv", LOCK, python=PYTHON, cache=tmp_path / "cache").made


def _another_minor() -> str | None:
    for minor in ("3.11", "3.12", "3.13"):
        if not PYTHON.startswith(f"{minor}."):
            try:
                return interpreters.find_interpreter(minor).python
            except SetUpError:
                continue
    return None


@pytest.mark.parametrize("manager", MANAGERS)
def test_another_python_of_this_machine_gets_an_environment(manager: str, tmp_path: Path) -> None:
    other = _another_minor()
    if other is None:
        pytest.skip("this machine has no other Python that relet supports")
    made = build(manager, LOCK, python=other.rpartition(".")[0], cache=tmp_path)
    assert asked(made, "import platform, six; print(platform.python_version())") == [made.python]
    assert made.python == other


class Debian:
    """A small Debian with this machine's own Python in /usr/local, as the official image has it, for buildah."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"

    def buildah(self, *words: str | Path) -> str:
        storage = (
            "--root",
            self.folder / "storage",
            "--runroot",
            self.folder / "run",
            "--storage-driver",
            "overlay",
        )
        done = subprocess.run(["buildah", *storage, *words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.strip()

    def lay_out(self, mirror: str, suite: str) -> None:
        needs = "ca-certificates,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,zlib1g"
        command = ["debootstrap", "--variant=minbase", f"--include={needs}", suite, str(self.root), mirror]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"debootstrap can't lay out Debian {suite}: {done.stdout.splitlines()[-1:]}")
        own, local = Path(sys.base_prefix), self.root / "usr" / "local"
        minor = PYTHON.rpartition(".")[0]
        shutil.copy(own / "bin" / f"python{minor}", local / "bin" / "python")
        for library in own.glob("lib/libpython*.so*"):
            shutil.copy(library, local / "lib", follow_symlinks=False)
        ignored = shutil.ignore_patterns("site-packages", "test", "__pycache__")
        shutil.copytree(own / "lib" / f"python{minor}", local / "lib" / f"python{minor}", ignore=ignored)
        for words in (["ldconfig"], ["python", "-m", "ensurepip"]):
            subprocess.run(["chroot", self.root, *words], check=True, capture_output=True)

    def keep_as(self, image: str) -> None:
        whole = self.folder / "root.tar"
        subprocess.run(["tar", "--create", "--file", whole, "--directory", self.root, "."], check=True)
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, whole, "/")
        self.buildah("commit", "--quiet", "--rm", container, image)


@pytest.fixture
def debian() -> Iterator[Debian]:
    """A base image of the name that the Dockerfile asks for; no registry is asked for it."""
    if not os.environ.get("RELET_TEST_IMAGE"):
        pytest.skip("lays out a Debian of its own, 5 minutes and 3 GB: set RELET_TEST_IMAGE=1 to have it tested")
    for program in ("buildah", "debootstrap"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: apt-get install buildah debootstrap")
    if os.getuid() != 0:
        pytest.skip("only root can lay out a Debian and build an image of it")
    if sys.base_prefix == "/usr":
        pytest.skip("this Python belongs to Debian: it can't be taken along to /usr/local")
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    sources = "".join(path.read_text() for path in Path("/etc/apt").glob("sources.list*/debian.sources"))
    mirror = re.search(r"^URIs: (\S+)", sources, re.MULTILINE)
    if system.get("ID") != "debian" or mirror is None:
        pytest.skip("this machine is no Debian whose sources say where to get another")
    # Not among pytest's own folders, which another pytest may clear away while something is mounted in them.
    with tempfile.TemporaryDirectory(prefix="relet-debian-") as folder:
        made = Debian(Path(folder))
        made.lay_out(mirror[1], system["VERSION_CODENAME"])
        made.keep_as(f"docker.io/library/python:{PYTHON}-slim")
        try:
            yield made
        finally:
            # first the containers: what they have mounted must not be there when the folder is cleared away
            for words in (["umount", "--all"], ["rm", "--all"], ["rmi", "--all", "--force"]):
                made.buildah(*words)


@pytest.mark.timeout(900)
def test_the_dockerfile_builds_and_what_it_made_runs_a_mounted_project_as_anyone(
    debian: Debian, tmp_path: Path
) -> None:
    """Twice: with the lock's own uv, and with pip where the lock has none. lightgbm starts only with OpenMP."""
    context, project = tmp_path / "context", tmp_path / "project"
    context.mkdir()
    project.mkdir()
    project.chmod(0o777)
    (project / "step.py").write_text("import lightgbm, pathlib; pathlib.Path('made').write_text('here')")
    (context / "Dockerfile").write_text(dockerfile(PYTHON))
    secrets = []
    if cert := os.environ.get("SSL_CERT_FILE"):
        secrets = ["--secret", f"id=cert,src={cert}"]
    for name, packages in {"uv": ["uv", "lightgbm", "narwhals", "numpy", "scipy"], "pip": ["six"]}.items():
        (context / "requirements.lock").write_bytes(locked(*packages))
        build_it = ("bud", "--isolation", "chroot", "--pull-never", "--layers", *secrets, "--tag", f"relet/{name}")
        debian.buildah(*build_it, context)
    container = debian.buildah("from", "--pull-never", "relet/uv")
    run_it = ("run", "--isolation", "chroot", "--user", "12345:12345", "--volume", f"{project}:{project}")
    debian.buildah(*run_it, "--workingdir", project, container, "--", "python", "-P", "step.py")
    assert (project / "made").read_text() == "here"
    assert (project / "made").stat().st_uid == 12345
    container = debian.buildah("from", "--pull-never", "relet/pip")
    said = debian.buildah("run", "--isolation", "chroot", container, "--", "python", "-c", "import six; print(6)")
    assert said == "6"
