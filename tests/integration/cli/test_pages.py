"""`relet artifacts card` and `diff`, as a person meets them."""

from __future__ import annotations

import json
import re

import pytest

from relet.store import open_store
from tests.command import relet
from tests.tiny_project import Tiny
from tests.unit.report.reading import stands_alone


@pytest.fixture
def two(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> Tiny:
    """A project in which ten rows were cleaned, and then twenty, less strictly."""
    for settings in (["etl.low=4"], ["etl.rows=20"]):
        assert relet(capsys, "run", "tiny", *settings)[0] == 0
    return tiny


def test_a_card_says_what_the_table_is_where_it_came_from_and_where_the_page_is(
    two: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = relet(capsys, "artifacts", "card", "clean_sample:v1")
    assert (status, out, err) == (0, "tiny/clean_sample:v1 is described in clean_sample-v1.html\n", "")
    reading = stands_alone((two.root / "clean_sample-v1.html").read_text())
    version = open_store(two.root / ".relet").version("clean_sample:v1")
    for words in (
        "tiny/clean_sample:v1 Drop the small ones.",
        "6 rows, 2 columns",
        "aliases reference",
        "clean of tiny",
        f"run {version.producer}",
        "from tiny/sample:v1",
        "parameters low 4",
        f"made {version.created[:10]}",
        version.content,
    ):
        assert words in reading.words


def test_the_page_is_written_where_one_wants_it(two: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "artifacts", "card", "sample", "--html", "here.html")
    assert (status, out) == (0, "tiny/sample:v2 is described in here.html\n")
    assert "20 rows" in stands_alone((two.root / "here.html").read_text()).words
    status, _, err = relet(capsys, "artifacts", "card", "sample", "--html", "no/here.html")
    assert status == 2
    assert "can't be written to no/here.html: No such file or directory; choose a file by --html" in err


def test_a_card_of_a_version_whose_run_is_gone_says_so(two: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(two.root / ".relet")
    (two.root / ".relet" / "runs" / f"{store.version('sample:v1').producer}.json").unlink()
    assert relet(capsys, "artifacts", "card", "sample:v1")[0] == 0
    assert "whose record is gone" in stands_alone((two.root / "sample-v1.html").read_text()).words


def test_two_versions_are_compared_on_the_terminal_and_as_a_page(
    two: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = relet(
        capsys, "artifacts", "diff", "clean_sample:v1", "clean_sample:latest", "--html", "diff.html"
    )
    assert (status, err) == (0, "")
    for line in (
        r"tiny/clean_sample:v1 → tiny/clean_sample:v2",
        r"columns   the same",
        r"rows      6 → 18, matched by n",
        r"  only in tiny/clean_sample:v1 +0",
        r"  only in tiny/clean_sample:v2 +12",
        r"  equal +6",
        r"  n +55\.6%  median 6 → 10; range 4 to 9 → 2 to 19",
        r"with drawings in diff\.html",
    ):
        assert re.search(f"^{line}$", out, re.MULTILINE), line
    reading = stands_alone((two.root / "diff.html").read_text())
    assert "median 6 → 10" in reading.words
    assert "svg" in reading.tags


def test_versions_of_two_artifacts_are_compared_too(two: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "artifacts", "diff", "sample:v1", "clean_sample:v1")
    assert status == 0
    assert re.search(r"only in tiny/sample:v1 +4\n", out)
    assert "drawings" not in out
    assert not list(two.root.glob("*.html"))


def test_programs_get_the_difference_as_json(two: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = relet(capsys, "artifacts", "diff", "sample:v1", "sample:v2", "--json", "--html", "diff.html")
    found = json.loads(out)
    assert (found["before"], found["after"]) == ("tiny/sample:v1", "tiny/sample:v2")
    assert found["difference"]["rows"]["only_after"] == 10
    assert found["difference"]["shifts"][0]["before"]["name"] == "n"
    assert (two.root / "diff.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["card", "report"],
            "tiny/report:v1 is a verdict, and only tables have values to look at; "
            "tables here are tiny/clean_sample, tiny/dropped, tiny/sample; "
            "`relet artifacts show tiny/report:v1` says what this one is",
        ),
        (["diff", "sample", "weights"], "tiny/weights:v2 is a file, and only tables"),
        (["card", "sampel"], "did you mean sample?"),
        (["diff", "sample", "clean_sample:v9"], "holds no tiny/clean_sample:v9"),
    ],
)
@pytest.mark.sampled
def test_what_can_t_be_shown_gets_one_line_of_advice(
    two: Tiny, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    status, out, err = relet(capsys, "artifacts", *words)
    assert status == 2
    assert said in err
    assert out == ""
    assert not list(two.root.glob("*.html"))
