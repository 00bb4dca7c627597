"""`relet eda`, as a person meets it: on a small project with a notebook of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.store import Store, open_store
from tests.command import relet
from tests.tiny_project import Tiny

NOTEBOOK = """
import marimo

app = marimo.App()

with app.setup:
    import marimo as mo
    import pandas as pd

    import relet


@app.cell
def inputs():
    _given = mo.cli_args().to_dict()
    sample, clean_sample, dropped = (
        relet.load(str(_given.get(name, name)), as_="path") for name in ("sample", "clean_sample", "dropped")
    )
    return clean_sample, dropped, sample


@app.cell
def counts(clean_sample, dropped, sample):
    _rows = [len(pd.read_parquet(each)) for each in (sample, clean_sample, dropped)]
    mo.md(f"## Rows\\n\\n{_rows[0]} came, {_rows[1]} stayed, {_rows[2]} left")
    return


if __name__ == "__main__":
    app.run()
"""
STEP = '''
from pathlib import Path
from shutil import copy
from tempfile import mkdtemp
from typing import NamedTuple
from relet import component
from relet.report.notebook import notebook_page

NOTEBOOK = Path(__file__).parents[1] / "eda.py"

class Explored(NamedTuple):
    exploration: Path

@component(job_type="exploration", resources=("eda.py",))
def explore(sample: Path, clean_sample: Path, dropped: Path) -> Explored:
    """Count the rows."""
    folder = Path(mkdtemp())
    page = notebook_page(NOTEBOOK, {"sample": sample, "clean_sample": clean_sample, "dropped": dropped})
    (folder / "page.html").write_text(page)
    copy(NOTEBOOK, folder)
    return Explored(folder)
'''


@pytest.fixture
def explored(tiny: Tiny) -> Tiny:
    """The tiny project, with a notebook and a component that executes it."""
    tiny.path("eda.py").write_text(NOTEBOOK.lstrip())
    tiny.path("steps/explore.py").write_text(STEP)
    tiny.edit("pipeline.py", "\npipeline =", "from pipelines.tiny.steps.explore import explore\n\npipeline =")
    tiny.edit("pipeline.py", "train, score],", "train, score, explore],\n    by_name=[explore],")
    return tiny


@pytest.fixture
def stored(explored: Tiny) -> Tiny:
    """The same after a run."""
    explored.run(steps=["get", "clean"])
    return explored


def store(tiny: Tiny) -> Store:
    return open_store(tiny.root / ".relet")


def text(page: Path) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.read_text(), flags=re.DOTALL).split())


def test_the_page_is_stored_tracked_and_made_once(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "eda", "tiny", "--html")
    assert status == 0
    assert re.search(r"explore +run +first run +exploration:v1", out)
    assert "open it: relet eda tiny --output exploration.html" in out
    version = store(stored).version("exploration:v1")
    assert sorted(version.files) == ["eda.py", "page.html"]
    (record,) = (each for each in store(stored).runs() if each.component == "explore")
    assert version.producer == record.id
    assert {link.version for link in record.inputs.values()} == {
        f"tiny/{name}:v1" for name in ("sample", "clean_sample", "dropped")
    }
    assert record.parts is not None and set(record.parts.resources) == {"eda.py"}
    _, out, _ = relet(capsys, "eda", "tiny", "--html")
    assert re.search(r"explore +skip +same key +exploration:v1", out)


@pytest.mark.long
def test_nothing_beside_the_tables_and_the_notebook_is_read(stored: Tiny) -> None:
    (stored.root / "pyproject.toml").write_text("[tool.uv]\n")
    command = [sys.executable, "-m", "relet", "eda", "tiny", "--html"]
    subprocess.run(command, cwd=stored.root, check=True, capture_output=True, timeout=60)
    (record,) = (each for each in store(stored).runs() if each.component == "explore")
    assert [str(each) for each in record.caveats if each.kind not in ("uncommitted", "lock")] == []


def test_the_page_is_written_to_a_file(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = relet(capsys, "eda", "tiny", "--output", "look.html")
    assert (status, out.splitlines()[-1]) == (0, "written to look.html")
    assert "Rows 10 came, 8 stayed, 2 left" in text(stored.root / "look.html")


@pytest.mark.long
def test_a_changed_notebook_runs_again_and_a_comment_in_it_does_not(
    stored: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    relet(capsys, "eda", "tiny", "--html")
    stored.edit("eda.py", "    _rows =", "    # counted\n    _rows =")
    assert "same key" in relet(capsys, "eda", "tiny", "--html")[1]
    stored.edit("eda.py", "came,", "arrived,")
    assert re.search(r"explore +run +eda.py changed +exploration:v2", relet(capsys, "eda", "tiny", "--html")[1])


@pytest.mark.long
def test_what_belongs_to_the_chosen_version_is_looked_up(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    stored.run("etl.rows=20", "etl.low=5", steps=["get", "clean"])
    relet(capsys, "eda", "tiny", "--output", "latest.html")
    assert "20 came, 15 stayed, 5 left" in text(stored.root / "latest.html")
    for reference in ("clean_sample:v1", "sample:v1", "dropped:v1"):
        relet(capsys, "eda", "tiny", reference, "--output", "first.html")
        assert "10 came, 8 stayed, 2 left" in text(stored.root / "first.html")


COMPARE = """
from typing import Annotated, NamedTuple
import pandas as pd
from relet import Metrics, Stored, component

class Compared(NamedTuple):
    compared: Metrics

@component(job_type="compare")
def compare(
    dropped: pd.DataFrame,
    clean_sample: pd.DataFrame,
    reference: Annotated[pd.DataFrame, Stored("clean_sample:reference", initially="clean_sample")],
) -> Compared:
    return Compared({"rows": float(len(clean_sample) - len(reference))})
"""


@pytest.mark.long
def test_the_reference_that_a_batch_was_compared_with_is_no_part_of_it(
    explored: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    explored.path("steps/compare.py").write_text(COMPARE)
    explored.edit("pipeline.py", "\npipeline =", "from pipelines.tiny.steps.compare import compare\n\npipeline =")
    explored.edit("pipeline.py", "score, explore],", "score, compare, explore],")
    steps = ["get", "clean", "check", "compare"]
    explored.run(steps=steps)
    explored.run("etl.rows=20", "etl.low=5", steps=steps)
    relet(capsys, "eda", "tiny", "--output", "latest.html")
    assert "20 came, 15 stayed, 5 left" in text(explored.root / "latest.html")


@pytest.mark.long
def test_a_newer_sample_that_was_not_cleaned_is_not_mixed_in(
    stored: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    stored.run("etl.rows=20", steps=["get"])
    relet(capsys, "eda", "tiny", "--output", "latest.html")
    assert "10 came, 8 stayed, 2 left" in text(stored.root / "latest.html")
    status, _, err = relet(capsys, "eda", "tiny", "sample:v2", "--html")
    assert status == 2
    assert "no run is recorded that made or took tiny/sample:v2 together with clean_sample, dropped" in err
    assert "relet run tiny steps=get,clean" in err
    # nor because somebody once looked at the two together
    assert relet(capsys, "run", "tiny.explore", "sample=sample:v2", "clean_sample=clean_sample:v1")[0] == 0
    relet(capsys, "eda", "tiny", "clean_sample:v1", "--output", "again.html")
    assert "10 came, 8 stayed, 2 left" in text(stored.root / "again.html")


def test_where_the_records_are_gone_the_latest_are_taken(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(stored.root / ".relet" / "runs")
    relet(capsys, "eda", "tiny", "--output", "latest.html")
    assert "10 came, 8 stayed, 2 left" in text(stored.root / "latest.html")


def test_settings_are_taken_as_by_run(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = relet(capsys, "eda", "tiny", "--html", "store.url=elsewhere")
    assert status == 2 and "elsewhere holds no sample, no clean_sample, no dropped" in err


def test_json_is_one_object_a_line(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = relet(capsys, "eda", "tiny", "--json", "--output", "look.html")
    events = [json.loads(line) for line in out.splitlines()]
    assert [each["event"] for each in events] == ["run", "started", "ended", "finished"]
    assert err == "written to look.html\n"


def test_a_cell_that_fails_is_told_with_what_it_raised(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    stored.edit("eda.py", "    _rows =", "    raise ValueError('no rows today')\n    _rows =")
    status, _, err = relet(capsys, "eda", "tiny", "--output", "look.html")
    assert status == 1
    assert "explore raised ValueError: no rows today" in err
    assert not (stored.root / "look.html").exists()


def test_before_anything_is_stored_it_says_what_to_run(explored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--html",), ()):
        status, _, err = relet(capsys, "eda", "tiny", *words)
        assert status == 2
        assert "there is nothing to explore" in err and "relet run tiny steps=get,clean" in err


def test_a_wrong_reference_gets_the_nearest(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    stored.run()
    for words, said in (
        (["clean_sampel"], "did you mean clean_sample?"),
        (["clean_sample:v9"], "clean_sample:v9"),
        (["weights"], "eda.py explores sample, clean_sample, dropped, not weights"),
        (["sample:v1", "clean_sample:v1"], "one artifact is explored at a time"),
    ):
        status, _, err = relet(capsys, "eda", "tiny", *words, "--html")
        assert status == 2 and said in err


def test_a_pipeline_without_a_notebook_is_told_what_one_is(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = relet(capsys, "eda", "tiny")
    assert status == 2
    assert "write a marimo notebook pipelines/tiny/eda.py" in err


def test_without_marimo_it_says_how_to_install_it(
    stored: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relet.browsing.exploration.find_spec", lambda name: None)
    for words in (("--html",), ()):
        status, _, err = relet(capsys, "eda", "tiny", *words)
        assert status == 2
        assert "pip install 'relet[eda]'" in err


def test_neither_a_run_nor_an_evaluation_explores(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert "explore" not in stored.actions()
    stored.run()
    assert "explore" not in stored.actions("main.evaluate=true", "etl.low=3", steps=None)
    _, out, _ = relet(capsys, "why", "tiny.explore")
    assert out.startswith("explore  run")
    assert "explore" not in relet(capsys, "why", "tiny.train")[1]


def test_asking_for_help_does_not_import_marimo(tmp_path: Path) -> None:
    for words in (["--help"], ["eda", "--help"]):
        program = (
            f"import sys; sys.argv = ['relet', *{words}]\nfrom relet.cli import main\n"
            "try: main()\nfinally: print('marimo' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
        assert "notebook" in done.stdout and done.stdout.endswith("False\n")


def test_the_notebook_opens_on_the_chosen_versions(
    stored: Tiny, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[list[str], dict[str, str]]] = []

    def become(_: str, command: list[str], environment: dict[str, str]) -> None:
        begun.append((command, environment))
        raise SystemExit

    monkeypatch.setattr(os, "execve", become)
    stored.run("etl.low=5", steps=["clean"])
    _, out, _ = relet(capsys, "eda", "tiny", "clean_sample:v1", "--headless", "--port", "3000")
    assert out.split() == [
        *("sample", "tiny/sample:v1", "clean_sample", "tiny/clean_sample:v1", "dropped", "tiny/dropped:v1")
    ]
    ((command, environment),) = begun
    line = " ".join(command)
    assert f"-m marimo edit {stored.path('eda.py')} " in line and "--headless --port 3000" in line
    # without it marimo asks whether a notebook that names its packages runs in an environment of its own
    assert "--no-sandbox" in command
    assert line.endswith(
        "-- --sample tiny/sample:v1 --clean_sample tiny/clean_sample:v1 --dropped tiny/dropped:v1"
    )
    assert environment["RELET_STORE"] == store(stored).url
    assert environment["PYTHONPATH"].split(os.pathsep)[0] == str(stored.root)


@pytest.fixture
def server(stored: Tiny) -> Iterator[tuple[str, Tiny]]:
    """`relet eda` itself, serving on a free port of this machine; the address that it says."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "relet", "eda", "tiny", "clean_sample:v1", "--headless", "--port", str(port)]
    log = stored.root / "server.log"
    with log.open("wb") as printed:
        process = subprocess.Popen(command, cwd=stored.root, stdout=printed, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while not (said := re.search(r"http://\S+", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield said[0], stored
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.long
def test_the_notebook_is_served(server: tuple[str, Tiny]) -> None:
    address, _ = server
    # the address holds a token, in exchange for which comes a cookie
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = opener.open(address, timeout=30).read().decode()
    assert "eda.py" in page and "marimo" in page


@pytest.mark.long
@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs chromium and chromedriver"
)
def test_the_open_notebook_shows_what_it_found(server: tuple[str, Tiny], tmp_path: Path) -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    address, tiny = server
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"):
        options.add_argument(f"--{flag}")
    options.add_argument("--disable-background-networking")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(address)
        deadline = time.monotonic() + 60
        while "10 came, 8 stayed, 2 left" not in browser.page_source:
            assert time.monotonic() < deadline, browser.page_source[-2000:]
            time.sleep(0.5)
    finally:
        browser.quit()
    assert tiny.path("eda.py").read_text() == NOTEBOOK.lstrip()


@pytest.mark.long
def test_mlflow_shows_the_page_and_the_notebooks_code(stored: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    from mlflow import MlflowClient

    status, out, _ = relet(capsys, "eda", "tiny", "--html", "tracking=[mlflow]")
    assert status == 0 and "tracked in mlflow" in out
    client = MlflowClient(f"sqlite:///{stored.root}/mlflow.db")
    experiment = client.get_experiment_by_name("tiny")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`relet.job_type` = 'exploration'")
    shown = {each.path for each in client.list_artifacts(run.info.run_id, "exploration")}
    assert shown == {"exploration/page.html", "exploration/eda.py"}
    assert {each.dataset.name for each in run.inputs.dataset_inputs} == {"sample", "clean_sample", "dropped"}
