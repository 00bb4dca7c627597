"""Images of a lock, and the containers that run in them."""

import os
from pathlib import Path

import pytest

from relet.environments.docker import dockerfile
from tests.integration.environments.machine import (
    LOCK,
    PYTHON,
    Machine,
    refusal,
)


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
