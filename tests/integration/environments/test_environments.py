"""Environments from a lock, on a machine whose managers only write down what they are asked."""

import os
import sys
from pathlib import Path

import pytest

from relet.environments import Environment, here
from relet.environments.cache import cache_folder
from relet.environments.programs import telling_lines
from tests.integration.environments.machine import (
    BASE,
    LOCK,
    MINOR,
    PYTHON,
    Machine,
    refusal,
)


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
