"""Scratch folders and logs of processes that are gone are removed; those of living ones never are."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import NoReturn

import pytest

from relet.files import LOG_KEPT, UNLOCKED, remove_left_scratch, scratch_folder, scratch_prefix


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def left_folder(within: Path, name: str = f"{scratch_prefix('test')}left") -> Path:
    folder = within / name
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "rows.parquet").write_bytes(b"rows")
    return aged(folder, 10 * UNLOCKED)


def test_a_scratch_folder_is_there_in_its_block_and_gone_after_it(tmp_path: Path) -> None:
    with scratch_folder("test", str(tmp_path)) as folder:
        (folder / "file").write_text("x")
        assert folder.parent == tmp_path
        assert folder.name.startswith(scratch_prefix("test"))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_scratch_folder(tmp_path: Path) -> None:
    left_folder(tmp_path)
    with scratch_folder("test", str(tmp_path)) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_of_a_living_process_stays_however_old_it_is(tmp_path: Path) -> None:
    with scratch_folder("test", str(tmp_path)) as living:
        aged(living, 1_000_000)
        with scratch_folder("test", str(tmp_path)):
            assert living.exists()


def test_a_young_folder_may_not_be_locked_yet_and_stays(tmp_path: Path) -> None:
    young = aged(left_folder(tmp_path), UNLOCKED / 2)
    remove_left_scratch(tmp_path)
    assert young.exists()


def test_a_folder_of_another_name_and_what_a_link_points_to_stay(tmp_path: Path) -> None:
    other = left_folder(tmp_path, "relet-of-a-person")
    link = tmp_path / f"{scratch_prefix('test')}link"
    link.symlink_to(other)
    os.utime(link, (0, 0), follow_symlinks=False)
    remove_left_scratch(tmp_path)
    assert (other / "below" / "rows.parquet").exists()


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> NoReturn:
        raise OSError(95, "Operation not supported")

    left = left_folder(tmp_path)
    monkeypatch.setattr(fcntl, "flock", flock)
    remove_left_scratch(tmp_path)
    assert left.exists()


def test_a_log_that_says_something_is_kept_for_a_day_and_an_empty_one_is_not(tmp_path: Path) -> None:
    telling, empty, locked = (tmp_path / f"{scratch_prefix('mlflow')}{name}.log" for name in ("a", "b", "c"))
    telling.write_text("the server said no")
    empty.touch()
    locked.write_text("its process lives")
    descriptor = os.open(locked, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    for path in (telling, empty, locked):
        aged(path, LOG_KEPT / 2)
    remove_left_scratch(tmp_path)
    assert [path.exists() for path in (telling, empty, locked)] == [True, False, True]
    for path in (telling, locked):
        aged(path, 2 * LOG_KEPT)
    remove_left_scratch(tmp_path)
    assert [path.exists() for path in (telling, locked)] == [False, True]
    os.close(descriptor)
