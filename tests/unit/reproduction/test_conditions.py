"""The conditions that a check of determinism changes, each apart from the others."""

from __future__ import annotations

import os

import pytest

from relet.reproduction.conditions import disturbances, held, options_of, variables_of


def test_each_condition_has_a_name_of_its_own() -> None:
    names = [each.name for each in disturbances()]
    assert len(names) == len(set(names))


def test_the_environment_leaves_the_variables_of_other_conditions_as_they_are() -> None:
    usual = {"PATH": "/bin", "HOME": "/home/a", "TZ": "UTC", "LANG": "C.UTF-8", "USER": "a", "SECRET": "a word"}
    bare = [each for each in disturbances() if each.name == "the environment"]
    assert variables_of(bare, usual, "/other") == {
        "PATH": "/bin",
        "HOME": "/other",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "USER": "a",
    }


def test_what_is_changed_last_counts() -> None:
    seeds = [each for each in disturbances() if each.name == "the hash seed"]
    changed = variables_of((*held(), *seeds), {}, "/other")["PYTHONHASHSEED"]
    assert changed != variables_of(held(), {}, "/other")["PYTHONHASHSEED"]


def test_the_umask_is_another_and_this_process_keeps_its_own() -> None:
    before = os.umask(0o077)
    try:
        options = options_of(each for each in disturbances() if each.name == "the umask")
        kept = os.umask(before)
    finally:
        os.umask(before)
    assert (options, kept) == (["--umask", "022"], 0o077)


def test_a_setting_of_glibc_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=3")
    (kernels,) = (each for each in disturbances() if each.name == "the CPU kernels")
    assert kernels.changes["GLIBC_TUNABLES"].startswith("glibc.malloc.check=3:glibc.cpu.hwcaps=")


def test_the_kernels_of_a_processor_that_is_not_x86_are_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "the CPU kernels" not in [each.name for each in disturbances()]
