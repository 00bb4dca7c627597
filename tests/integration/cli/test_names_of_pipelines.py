"""What a person writes and reads where two pipelines make artifacts of one name, or an older relet stored some."""

from __future__ import annotations

import json
import re

import pytest

import relet as library
from tests.command import out_of, relet
from tests.older_relet import older_relet
from tests.tiny_project import Tiny


@pytest.fixture
def both(twin: Tiny) -> Tiny:
    """The project after a run of each pipeline: `tiny` on 10 rows, `twin` on 20."""
    twin.run()
    library.run("twin", "etl.rows=20")
    return twin


def test_the_list_has_full_names_and_a_short_one_is_refused_with_what_to_write(
    both: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = out_of(capsys, "artifacts", "list")
    assert re.search(r"^tiny/sample:v1 +table .* 10 rows +latest$", listed, re.MULTILINE)
    assert re.search(r"^twin/sample:v1 +table .* 20 rows +latest$", listed, re.MULTILINE)
    both_samples = out_of(capsys, "artifacts", "list", "sample")
    assert re.findall(r"^\S+", both_samples, re.MULTILINE) == ["tiny/sample:v1", "twin/sample:v1"]
    of_twin = out_of(capsys, "artifacts", "list", "twin")
    assert "twin/sample:v1" in of_twin and "tiny/" not in of_twin
    for words in (
        ["artifacts", "show", "sample"],
        ["artifacts", "card", "sample"],
        ["artifacts", "diff", "sample", "tiny/sample"],
        ["artifacts", "alias", "sample:latest", "prod"],
        ["artifacts", "alias", "sample:latest"],
        ["artifacts", "get", "sample"],
        ["artifacts", "export", "sample", "sample.tar"],
        ["accept", "sample", "--why", "x"],
        ["reproduce", "sample:latest", "--here"],
        ["compare", "sample:latest", "sample:latest"],
        ["logs", "sample:latest"],
    ):
        status, _, err = relet(capsys, *words)
        assert (status, "write tiny/sample:latest or twin/sample:latest" in err) == (2, True), words
    assert "twin/sample:v1 is described in twin.sample-v1.html" in out_of(
        capsys, "artifacts", "card", "twin/sample"
    )
    assert (
        out_of(capsys, "artifacts", "alias", "twin/sample:v1", "prod")
        == "twin/sample:prod is twin/sample:v1 now\n"
    )
    assert both.store.aliases("tiny/sample") == {"latest": 1}


def test_a_run_shows_its_own_names_short_and_those_of_another_pipeline_full(
    both: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = relet(capsys, "run", "tiny.clean", "sample=twin/sample:v1")
    assert status == 0
    assert re.search(r"clean +run +sample v1 → twin/sample:v1 +clean_sample:v2", out)
    shown = out_of(capsys, "artifacts", "show", "tiny/clean_sample:v2")
    assert re.search(r"from +twin/sample:v1", shown)
    assert re.search(r"get +skip +same key +sample:v1$", out_of(capsys, "why", "tiny"), re.MULTILINE)


def test_a_batch_is_accepted_for_the_pipeline_that_has_it(both: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    library.run("twin", "etl.rows=30")
    said = out_of(capsys, "accept", "twin/clean_sample:v2", "--why", "more hosts")
    assert "twin/clean_sample:reference is twin/clean_sample:v2 now, it was twin/clean_sample:v1" in said
    assert both.store.aliases("tiny/clean_sample")["reference"] == 1


def test_what_an_older_relet_stored_is_listed_named_and_accepted_as_its_pipelines(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    with older_relet(tiny.store):
        tiny.run()
        tiny.run("etl.low=3")
    said = out_of(capsys, "accept", "clean_sample:v2", "--why", "before anything new was made")
    assert "tiny/clean_sample:reference is clean_sample:v2 now, it was clean_sample:v1" in said
    tiny.run("etl.low=4")
    listed = out_of(capsys, "artifacts", "list", "clean_sample").splitlines()
    assert [line.split()[0] for line in listed] == ["clean_sample:v1", "clean_sample:v2", "tiny/clean_sample:v3"]
    assert [line.split()[-1] for line in listed[1:]] == ["reference", "latest"]
    assert "aliases   reference\n" in out_of(capsys, "artifacts", "show", "clean_sample:v2")
    assert "tiny/clean_sample:prod is clean_sample:v1 now" in out_of(
        capsys, "artifacts", "alias", "clean_sample:v1", "prod"
    )
    assert len(out_of(capsys, "artifacts", "alias", "clean_sample:reference").splitlines()) == 1
    (found,) = json.loads(out_of(capsys, "artifacts", "list", "tiny/clean_sample", "--json"))["artifacts"]
    assert [(each["name"], each["number"]) for each in found["versions"]] == [
        ("clean_sample", 1),
        ("clean_sample", 2),
        ("tiny/clean_sample", 3),
    ]
    assert "nothing is broken" in out_of(capsys, "artifacts", "verify")


def test_a_suite_of_data_tests_takes_the_batch_of_its_own_pipeline(
    both: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    from relet.checks.plugin import locate_table

    url = str(both.root / ".relet")
    rows = [len(pd.read_parquet(locate_table("clean_sample:latest", url, name))) for name in ("tiny", "twin")]
    assert rows == [8, 18]
    assert len(pd.read_parquet(locate_table("twin/clean_sample:latest", url, "tiny"))) == 18
