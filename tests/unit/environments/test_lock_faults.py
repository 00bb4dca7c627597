"""What is said of a lock that no environment can be made from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.environments import lock_faults as faults
from relet.environments.lock_faults import lock_faults, relet_needs

HASH = "--hash=sha256:" + "0" * 64
NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), unique=True, min_size=1, max_size=20)


def project(*dependencies: str) -> bytes:
    listed = ", ".join(f'"{each}"' for each in dependencies)
    return f'[project]\nname = "own"\ndependencies = [{listed}]\n'.encode()


@given(NAMES)
def test_a_lock_with_a_version_and_a_hash_for_each_package_has_no_fault(names: list[str]) -> None:
    lock = "".join(
        f"{name}==1.{place} \\\n    {HASH} \\\n    {HASH}\n    # via own\n" for place, name in enumerate(names)
    )
    assert lock_faults(lock.encode(), project(*names)) == ()


@given(NAMES, st.data())
def test_a_package_without_a_hash_is_named(names: list[str], data: st.DataObject) -> None:
    bare = data.draw(st.sampled_from(names))
    lock = "\n".join(f"{name}==1" if name == bare else f"{name}==1 {HASH}" for name in names)
    assert lock_faults(lock.encode()) == (f"it has no hash for {bare}: no environment is made of it",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-e .", "it names a folder or file of one machine"),
        ("./wheels/own-1-py3-none-any.whl", "it names a folder or file of one machine"),
        (f"own @ file:///somewhere/own.whl {HASH}", "it names a folder or file of one machine"),
        ("own @ git+https://host/own@1234", "it takes own from a repository"),
        ("--index-url https://host/simple", "it says where packages come from (--index-url)"),
        ("-r other.txt", "it has a line -r, which is no package"),
        ("what is this", "it has a line that is no package: 'what is this'"),
        (f"numpy>=2 {HASH}", "it leaves the version of numpy open"),
        (f"numpy==2.* {HASH}", "it leaves the version of numpy open"),
    ],
)
def test_a_line_that_can_not_be_installed_elsewhere_is_told(line: str, said: str) -> None:
    (told,) = lock_faults(f"{line}\n".encode())
    assert told.startswith(said)


def test_no_address_of_a_registry_is_repeated() -> None:
    assert "host" not in " ".join(lock_faults(b"--extra-index-url https://host/simple\n-i https://host\n"))


def test_a_dependency_that_the_lock_does_not_hold_is_named() -> None:
    told = lock_faults(f"numpy==2.4 {HASH}\n".encode(), project("numpy>=2", "polars"))
    assert told == ("it does not hold polars, which pyproject.toml asks for",)


def test_a_version_that_is_no_longer_asked_for_is_named() -> None:
    told = lock_faults(f"numpy==1.26 {HASH}\n".encode(), project("numpy>=2"))
    assert told == ("it has numpy 1.26, but pyproject.toml asks for >=2",)


def test_a_dependency_for_another_platform_is_not_missed() -> None:
    assert lock_faults(b"", project("pywin32; sys_platform == 'another'")) == ()


def test_a_lock_without_relet_holds_what_relet_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "requires", lambda name: ["numpy>=2", 'optuna>=5; extra == "tune"'])
    assert lock_faults(b"", project("relet>=0.1")) == ("it does not hold numpy, which relet asks for",)
    whole = f"numpy==2.4 {HASH}\n".encode()
    assert lock_faults(whole, project("relet")) == ()
    assert lock_faults(whole, project("relet[tune]")) == ("it does not hold optuna, which relet asks for",)
    assert relet_needs(["tune"]) == ("numpy>=2", "optuna>=5")


def test_a_pyproject_that_can_not_be_read_asks_for_nothing() -> None:
    assert lock_faults(b"", b"[project\n") == () == lock_faults(b"", b"[project]\ndependencies = 3\n")
