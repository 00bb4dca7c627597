"""A disk that is full, or a name that is long: what a run says, and what it leaves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from relet.errors import ComponentError, StoreError
from tests.sums_project import Sums
from tests.tiny_disk import tiny_disk

ADVICE = "; free some space in {}, or set TMPDIR to a folder that has more"


@contextmanager
def temporary_files_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(folder))
        yield


def test_a_source_that_does_not_fit_into_the_temporary_folder_says_which_to_set(
    sums: Sums, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sums.root / "numbers.txt").write_text("1 " * 400_000)
    disk = tmp_path / "disk"
    with tiny_disk(disk), temporary_files_in(disk, monkeypatch), pytest.raises(StoreError) as caught:
        sums.run("source=numbers.txt")
    assert "numbers.txt: No space left on device; nothing in the store is changed" in str(caught.value)
    assert str(caught.value).endswith(ADVICE.format(disk))
    assert sums.store.verify() == []


def test_code_that_does_not_fit_into_the_temporary_folder_says_which_to_set(
    sums: Sums, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    with (
        tiny_disk(disk, "nr_inodes=4"),
        temporary_files_in(disk, monkeypatch),
        pytest.raises(StoreError, match="No space left on device") as caught,
    ):
        sums.run()
    assert str(caught.value).endswith(ADVICE.format(disk))


def test_a_step_that_fills_the_temporary_folder_says_which_to_set(sums: Sums) -> None:
    raised = "import errno\n    raise OSError(errno.ENOSPC, 'No space left on device')\n    return"
    sums.edit("helper.py", "return", raised)
    with pytest.raises(ComponentError, match=r"raised OSError: .*No space left on device; free") as caught:
        sums.run()
    assert str(caught.value).endswith(ADVICE.format(tempfile.gettempdir()))


def test_a_download_that_does_not_fit_is_told_with_its_setting_and_its_folder(sums: Sums, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "numbers.txt").write_text("1 " * 400_000)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        downloads = sums.root / ".relet" / "downloads"
        downloads.parent.mkdir(exist_ok=True)
        address = f"http://127.0.0.1:{server.server_port}/numbers.txt"
        with tiny_disk(downloads), pytest.raises(StoreError) as caught:
            sums.run(f"source={address}")
        server.shutdown()
    assert str(caught.value) == (
        f"source: {address}: can't be kept in {downloads}: No space left on device; "
        "free some space there and try again"
    )


@pytest.mark.parametrize("name", ["x" * 255, "\N{OLD ITALIC LETTER A}" * 62])
def test_a_source_of_the_longest_name_that_a_file_may_have_is_read(sums: Sums, name: str) -> None:
    (sums.root / name).write_text("1 2 3")
    assert str(sums.run(f"source={name}").status) == "finished"
