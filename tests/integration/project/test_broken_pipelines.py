"""One broken pipeline stops no verb that does not need it."""

from __future__ import annotations

import pytest

from tests.command import relet
from tests.sums_project import Sums

BROKEN = {
    "syntax": ("pipeline.py", "x = (\n"),
    "import": ("pipeline.py", "from pipelines.broken.nowhere import step\nfrom relet import Pipeline\n"),
    "configuration": ("conf/config.yaml", "main: [\n"),
}


@pytest.mark.parametrize(("file", "content"), BROKEN.values(), ids=BROKEN)
@pytest.mark.sampled
def test_what_looks_only_works_beside_a_broken_pipeline(
    sums: Sums, capsys: pytest.CaptureFixture[str], file: str, content: str
) -> None:
    folder = sums.root / "pipelines" / "broken"
    (folder / "conf").mkdir(parents=True)
    (folder / "pipeline.py").write_text("from relet import Pipeline\n\npipeline = Pipeline([])\n")
    (folder / file).write_text(content)
    sums.run()
    for words in (
        ["runs"],
        ["logs"],
        ["experiments"],
        ["artifacts", "verify"],
        ["sync"],
        ["artifacts", "show", "sums:v1"],
    ):
        status, _, err = relet(capsys, *words)
        assert (status, err) == (0, ""), words
    assert sums.again("sums:v1").likeness == "IDENTICAL"


def test_where_every_pipeline_is_broken_its_error_is_told(sums: Sums, capsys: pytest.CaptureFixture[str]) -> None:
    sums.path("pipeline.py").write_text("x = (\n")
    status, _, err = relet(capsys, "runs")
    assert status == 2
    assert "pipelines/sums/pipeline.py, line 1: '(' was never closed" in err
