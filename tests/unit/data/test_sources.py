"""Paths of sources, and addresses that are none."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from relet.data.sources import resolve_source
from relet.errors import BadDataError


def test_a_path_is_returned_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd:name.csv"
    path.write_text("a\n1\n")
    assert resolve_source(str(path), tmp_path / "unused") == path
    assert not (tmp_path / "unused").exists()


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "listings_2019.csv").write_text("a\n")
    with pytest.raises(BadDataError, match=r"no such file; did you mean listings_2019\.csv\?"):
        resolve_source(str(tmp_path / "listings_2018.csv"), tmp_path)
    with pytest.raises(BadDataError, match="nor is there a folder"):
        resolve_source(str(tmp_path / "no" / "listings.csv"), tmp_path)


def test_a_folder_is_no_source_and_its_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "listings.csv").write_text("a\n")
    with pytest.raises(BadDataError, match=r"is a folder; name a file in it: there are listings\.csv"):
        resolve_source(str(tmp_path), tmp_path)


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadDataError, match="no ordinary file"):
        resolve_source(str(tmp_path / "pipe"), tmp_path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a" * 300, r"^a{119}… is no file: its name or its path is too long \(300 letters\)$"),
        ("s3:" + "a" * 300, r"^s3:a{116}… is no file: its name|^s3:a+: a source is a path or an http"),
        ("a/" * 5000, r"^(a/)+a?… is no file: its name or its path is too long \(9999 letters\)$"),
        ("loop.csv", r"^loop\.csv is a link that leads back to itself; name the file that is meant$"),
        ("broken.csv", r"^broken\.csv is a link to gone\.csv, which is not there$"),
        ("listings.csv/rows.csv", r"^listings\.csv/rows\.csv: there is no such file; nor is there a folder "),
        ("a\nb", r"^a\\nb: there is no such file; there are broken\.csv, listings\.csv, loop\.csv$"),
        ("a\0b", r"^a\\x00b can't be read: embedded null"),
    ],
)
def test_what_leads_to_no_file_is_told_in_one_short_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("listings.csv").write_text("a\n")
    Path(".hidden").write_text("a\n")
    Path("loop.csv").symlink_to("loop.csv")
    Path("broken.csv").symlink_to("gone.csv")
    with pytest.raises(BadDataError) as caught:
        resolve_source(source, tmp_path)
    assert re.search(said, str(caught.value)), caught.value
    assert len(str(caught.value)) < 400


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "listings.csv"
    path.write_text("a\n")
    # root reads every file, whatever its permissions say
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.R_OK)
    with pytest.raises(BadDataError, match="may not be read; change its permissions"):
        resolve_source(str(path), tmp_path)

    def refused(_path: Path) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(BadDataError, match="lies in a folder that may not be read; change its permissions"):
        resolve_source(str(path), tmp_path)


@pytest.mark.parametrize(
    "source", ["file:///etc/hosts", "s3://bucket/x.csv", "ftp://host/x.csv", "htp://host/x.csv"]
)
def test_another_scheme_is_refused_with_those_there_are(source: str, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http"):
        resolve_source(source, tmp_path)


def test_an_address_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http:///x"):
        resolve_source("http:///x", tmp_path)
