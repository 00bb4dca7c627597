"""Each page and drawing is as it was accepted: its digest decides whether there is a new version.

A change that is meant is accepted by `python -m tests.unit.report.test_accepted`; a reviewer reads its diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.report.specimens import DRAWINGS, PAGES, PIECES

ACCEPTED = Path(__file__).parent / "accepted"
SPECIMENS = {**PAGES, **DRAWINGS, **PIECES}


def by_line(markup: str) -> str:
    """One element a line, without the styles and the script, which are the same everywhere."""
    short = re.sub(r"(<(style|script)>).*?(?=</\2>)", r"\1…", str(markup), flags=re.DOTALL)
    return re.sub(r"\s*(<[a-z!])", r"\n\1", short).strip() + "\n"


@pytest.mark.parametrize("name", SPECIMENS)
def test_what_is_shown_is_as_it_was_accepted(name: str) -> None:
    assert by_line(SPECIMENS[name]("it's <new>")) == (ACCEPTED / f"{name}.txt").read_text(encoding="utf-8")


def test_nothing_was_accepted_that_is_not_shown() -> None:
    assert {each.stem for each in ACCEPTED.iterdir()} == set(SPECIMENS)


if __name__ == "__main__":
    ACCEPTED.mkdir(exist_ok=True)
    for each in ACCEPTED.iterdir():
        each.unlink()
    for specimen, make in SPECIMENS.items():
        (ACCEPTED / f"{specimen}.txt").write_text(by_line(make("it's <new>")), encoding="utf-8")
