"""Which packages of a component the lock does not have, and which have files that nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.core.record import CodeState
from relet.project.surroundings import Surroundings

LOCK = """\
numpy==2.4.6 \\
    --hash=sha256:00
Ours_Too [fast] @ git+https://example.org/ours.git@0123
"""


def told(tmp_path: Path, name: str, version: str) -> list[str]:
    lock = tmp_path / "own.lock"
    lock.write_text(LOCK)
    around = Surroundings(code=CodeState(commit="0" * 40), lock=None, locked={})
    return [str(each) for each in around.caveats((), {name: version}, lock) if each.kind != "lockfile"]


@pytest.mark.parametrize(
    ("name", "version"), [("numpy", "2.4.6"), ("ours-too", "1.0 with content 0a1b2c3d4e5f6071")]
)
def test_a_package_as_the_lock_names_it_is_no_caveat(tmp_path: Path, name: str, version: str) -> None:
    assert told(tmp_path, name, version) == []


@pytest.mark.parametrize(
    ("name", "version", "what"),
    [
        ("numpy", "2.4.5", "numpy 2.4.5, locked 2.4.6"),
        ("numpy", "2.4.6 with content 0a", "numpy 2.4.6 with content 0a, locked 2.4.6"),
        ("scipy", "1.0", "scipy 1.0, not in the lock"),
        ("ours-too", "1.0", "ours-too 1.0, locked a reference"),
    ],
)
def test_a_package_that_is_another_than_the_lock_s_is_a_caveat(
    tmp_path: Path, name: str, version: str, what: str
) -> None:
    assert told(tmp_path, name, version) == [f"runs in an environment that is not the lock's: {what}"]


def test_a_reference_whose_files_can_t_be_read_is_a_caveat_even_where_the_lock_names_it(tmp_path: Path) -> None:
    assert told(tmp_path, "ours-too", "1.0 with content unknown") == [
        "uses ours-too 1.0 with content unknown: it was installed from a reference, and its files can't be read"
    ]


def test_a_lock_that_no_environment_can_be_made_of_is_a_caveat() -> None:
    around = Surroundings(code=CodeState(commit="0" * 40), lock="ab", locked={}, lock_content=b"six==1\n")
    assert [str(each) for each in around.caveats((), {})] == [
        "has a lock that falls short: it has no hash for six: no environment is made of it"
    ]
