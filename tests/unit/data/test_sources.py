"""Paths of sources, and addresses that are none."""

from __future__ import annotations

import os
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
    "source", ["file:///etc/hosts", "s3://bucket/x.csv", "ftp://host/x.csv", "htp://host/x.csv"]
)
def test_another_scheme_is_refused_with_those_there_are(source: str, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http"):
        resolve_source(source, tmp_path)


def test_an_address_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http:///x"):
        resolve_source("http:///x", tmp_path)
