"""Environments that are a docker image: Debian, the Python that is asked for, and what the lock names."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from relet.environments import indexes
from relet.environments.cache import EnvironmentFolder, EnvironmentStamp, ensure_environment, environment_digest
from relet.environments.programs import start
from relet.errors import SetUpError

# Two secrets may be given to the build. So no address of an index, which may hold a password, stays in the image.
_DOCKERFILE = """\
# Python and the packages of requirements.lock, each file checked against its hash. Mount the project into it.
# Shell lines that tell pip and uv their indexes:    docker build --secret id=indexes,src=FILE
# The certificates by which the indexes are trusted: docker build --secret id=cert,src=FILE
FROM python:{python}-slim
# lightgbm needs OpenMP; git tells the commit that a run records.
RUN apt-get update \\
 && apt-get install --yes --no-install-recommends git libgomp1 \\
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /opt/relet/requirements.lock
# The lock's own uv installs the rest; where it has none, pip does.
RUN --mount=type=secret,id=indexes --mount=type=secret,id=cert \\
    set -eu; cd /opt/relet; \\
    export PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1; \\
    if [ -e /run/secrets/indexes ]; then . /run/secrets/indexes; fi; \\
    if [ -e /run/secrets/cert ]; then export SSL_CERT_FILE=/run/secrets/cert PIP_CERT=/run/secrets/cert; fi; \\
    awk '/^[a-z0-9]/ {{ wanted = /^uv==/ }} wanted' requirements.lock >uv.txt; \\
    if [ -s uv.txt ]; then \\
      python -m pip install --quiet --no-deps --require-hashes -r uv.txt; \\
      uv pip sync --quiet --system --require-hashes --compile-bytecode requirements.lock; \\
    else \\
      python -m pip install --quiet --no-deps --require-hashes -r requirements.lock; \\
    fi; \\
    rm uv.txt
"""


def dockerfile(python: str) -> str:
    """The Dockerfile of an environment with what the `requirements.lock` beside it names.

    >>> dockerfile("3.11.7").splitlines()[3]
    'FROM python:3.11.7-slim'
    """
    return _DOCKERFILE.format(python=python)


def build_image(
    lock: bytes,
    *,
    python: str,
    root: Path,
    folders: Sequence[Path],
    environment: Mapping[str, str],
    network: bool,
    say: Callable[[str], None],
) -> tuple[tuple[str, ...], EnvironmentStamp, bool]:
    """The command that starts the image's Python, the image's stamp, and whether it had to be made.

    Raises SetUpError without a docker client or engine, and where the image can't be built.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise SetUpError("docker is not installed: install Docker, or take another manager of environments")
    name = environment_digest(lock + dockerfile(python).encode(), python)
    image = f"relet/{name}"

    def make(site: EnvironmentFolder) -> str:
        _image_digest(docker, image)
        say(f"making an image of Python {python} with docker, once for this lock")
        (site.folder / "Dockerfile").write_text(dockerfile(python), encoding="utf-8")
        failure = f"no image of Python {python} with the lock can be built"
        with _build_secrets() as secrets:
            command = ("build", "--quiet", "--tag", image, *secrets)
            start(
                site, "docker", docker, *command, site.folder, failure=failure, settings={"DOCKER_BUILDKIT": "1"}
            )
        version = ("python", "-c", "import platform; print(platform.python_version())")
        failure = "the image's Python does not start"
        return start(
            site, "docker", docker, "run", "--rm", *_NEVER_PULLED, image, *version, failure=failure
        ).strip()

    folder = root / f"docker-{python}-{name}"
    stamp, made = ensure_environment(
        folder, lock, make=make, evidence=lambda: _image_digest(docker, image), say=say
    )
    seen = _container_options(folders, environment, network)
    return (docker, "run", "--rm", "--interactive", "--init", *_NEVER_PULLED, *seen, image, "python"), stamp, made


_NEVER_PULLED = ("--pull", "never")


def _image_digest(docker: str, image: str) -> str | None:
    """The digest of an image, None where the engine has none of that name. Raises SetUpError without an engine."""
    found = _ask_docker(docker, "image", "inspect", "--format", "{{.Id}}", image)
    if found.returncode == 0:
        return found.stdout.strip()
    engine = _ask_docker(docker, "version", "--format", "{{.Server.Version}}")
    if engine.returncode:
        said = (engine.stderr.strip().splitlines() or ["nothing"])[-1]
        raise SetUpError(
            "docker is installed, but no engine answers it: start the engine, point DOCKER_HOST at one, or take "
            f"another manager of environments; docker says: {said}"
        )
    return None


def _ask_docker(docker: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([docker, *words], capture_output=True, text=True, errors="replace", check=False)


def _container_options(folders: Sequence[Path], environment: Mapping[str, str], network: bool) -> Iterator[str]:
    """The options for what a container sees of this machine: the folders, at their own paths, as their owner."""
    yield from ("--user", f"{os.getuid()}:{os.getgid()}")
    yield from ("--network", "host" if network else "none")
    for folder in map(Path.absolute, folders):
        # Quoted as a field of CSV: a path may have a comma.
        yield from ("--mount", ",".join(["type=bind", f'"source={folder}"', f'"target={folder}"']))
    if folders:
        yield from ("--workdir", str(folders[0].absolute()))
    # The image has no user of this number: programs that ask for a home or a name are given one.
    for name, value in {"HOME": "/tmp", "USER": "relet", **environment}.items():
        yield from ("--env", f"{name}={value}")


@contextmanager
def _build_secrets() -> Iterator[Sequence[str]]:
    """The options that tell the build of indexes and certificates, in files that are removed afterwards."""
    told = {**os.environ, **indexes.for_uv()}
    exports = indexes.for_container(told)
    with tempfile.TemporaryDirectory(prefix="relet-") as folder:
        lines = Path(folder, "indexes")
        lines.touch(0o600)
        lines.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items()))
        secrets = ["--secret", f"id=indexes,src={lines}"]
        if cert := told.get("SSL_CERT_FILE"):
            secrets += ["--secret", f"id=cert,src={cert}"]
        yield secrets
