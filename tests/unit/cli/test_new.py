"""`relet new` says what it made, what it left out, and how to go on."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from relet.cli.new import command
from relet.environments import locking
from relet.errors import SettingError, SetUpError
from tests.ugly_files import UGLY


def said(*words: str) -> str:
    result = CliRunner().invoke(command, words)
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, on a machine without an index."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(locking, "make_lock", no_index)
    return tmp_path


def no_index(root: Path, **_: float) -> bytes:
    raise SetUpError("no lock can be made; uv says:\n  no index can be reached")


def test_a_project_whose_lock_can_not_be_made_says_how_to_make_it_later(here: Path) -> None:
    output = said("rents")
    assert "lock        none yet: no lock can be made; uv says: no index can be reached\n" in output
    assert "  relet lock  " in output
    assert "lock " not in said("flats", "--no-lock").partition("go on with")[0]


def test_a_project_whose_lock_is_made_needs_no_other_command(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "make_lock", lambda root, **_: (root / "requirements.lock").write_bytes(b""))
    output = said("rents")
    assert "lock        requirements.lock holds each package with its hashes" in output
    assert "relet lock" not in output


def test_a_project_says_how_to_go_on(here: Path) -> None:
    output = said("rents")
    assert "rents/ has 22 files" in output
    assert "  cd rents\n  relet run rents main.evaluate=true" in output
    assert "left out    id: the name of a row" in output
    assert "private" not in output


def test_a_project_for_a_file_says_what_a_person_should_look_at(here: Path) -> None:
    target = UGLY["sensors"](here / "sensors.csv")
    output = said("power", "--from-csv", "sensors.csv", "--target", target)
    assert "split       the newest rows by timestamp are the test" in output
    assert "look at     power_w says nearly all of power_kw" in output
    assert "copied to data/power.csv; tests/power.csv holds some of its rows:" in output


def test_parts_are_added_from_a_folder_within(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said("rents")
    monkeypatch.chdir(here / "rents" / "data")
    assert "pipelines/flats is there" in said("pipeline", "flats")
    assert "pipeline.py lists count_rooms" in said("component", "rents.count_rooms")
    assert "check_data runs it" in said("check", "flats.no_row_twice")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("component",), "takes one name for a component, got none"),
        (("rents", "flats"), "takes one name for a project, got rents flats"),
        (("check", "a", "--target", "b"), "not with a check"),
    ],
)
def test_words_that_mean_nothing_are_refused(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        said(*words)


def test_no_word_at_all_is_refused() -> None:
    with pytest.raises((click.UsageError, SystemExit)):
        said()
