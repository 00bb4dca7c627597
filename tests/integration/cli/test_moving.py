"""A model and what it stands on, taken from one machine to another, as a person does it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from relet.store import Store, open_store
from tests.command import relet
from tests.tiny_project import Tiny
from tests.unit.store.past import consistent


@pytest.fixture
def bundle(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> Path:
    """The weights of the last of three runs, with their history; the project is committed."""
    (tiny.root / ".gitignore").write_text(".relet\nthere\n*.tar\n")
    for words in (["init"], ["add", "."], ["commit", "-m", "all of it"]):
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run([*git, *words], cwd=tiny.root, check=True, capture_output=True)
    for settings in ([], ["etl.low=3"], ["etl.rows=20", "etl.low=4"]):
        assert relet(capsys, "run", "tiny", *settings)[0] == 0
    path = tiny.root / "bundle.tar"
    status, out, _ = relet(capsys, "artifacts", "export", "weights:v3", "--with-history", str(path))
    assert status == 0
    assert out.splitlines() == [
        f"tiny/weights:v3 is in {path} with its history: 12 versions, 10 runs",
        "aliases stay here; set there what you need of: tiny/clean_sample:reference (v1)",
    ]
    return path


@pytest.fixture
def here(tiny: Tiny) -> Store:
    return open_store(tiny.root / ".relet")


@pytest.fixture
def there(tiny: Tiny, bundle: Path, capsys: pytest.CaptureFixture[str]) -> Store:
    """A new machine's store, to which the bundle was brought; the first one is gone."""
    url = str(tiny.root / "there")
    assert relet(capsys, "artifacts", "import", str(bundle), "--store", url)[0] == 0
    return open_store(url)


def test_what_arrives_is_whole_and_is_called_what_it_is_there(here: Store, there: Store) -> None:
    consistent(there)
    weights = there.version("weights:latest")
    assert (str(weights), weights.content) == ("tiny/weights:v2", here.version("weights:v3").content)
    record = there.run(str(weights.producer))
    assert record.inputs["clean_sample"].version == "tiny/clean_sample:v2"
    assert there.version("clean_sample:v2").content == here.version("clean_sample:v3").content
    check = next(each for each in there.runs() if each.component == "check")
    assert check.inputs["reference"].version == "tiny/clean_sample:v1"
    for each in there.runs():
        assert all(there.has_object(sha) for sha in each.objects.values())
        assert each.machine == here.run(each.id).machine


def test_the_new_store_is_told_what_made_the_model_and_import_says_what_it_did(
    tiny: Tiny, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tiny.root / "there")
    _, out, _ = relet(capsys, "artifacts", "import", str(bundle), "--store", url)
    assert out.startswith("tiny/weights:v2 is stored\n")
    assert re.search(r"^  tiny/clean_sample:v3 +is tiny/clean_sample:v2 here$", out, re.MULTILINE)
    assert (
        "10 runs stored\nlook further: relet artifacts show tiny/weights:v2   "
        "relet reproduce tiny/weights:v2 --trust\n" in out
    )
    _, out, _ = relet(capsys, "artifacts", "show", "weights:v2", "--store", url)
    assert "aliases   latest\n" in out
    assert re.search(r"made by   train of tiny, run \S+\n", out)
    assert re.search(r"from +tiny/clean_sample:v2", out)
    assert re.search(r"parameter factor +2.0", out)
    _, out, _ = relet(capsys, "artifacts", "import", str(bundle), "--store", url)
    assert "0 runs stored; 10 runs were here already\n" in out
    assert relet(capsys, "artifacts", "verify", "--store", url)[:2] == (0, "nothing is broken\n")


def test_a_run_there_takes_nothing_on_trust_and_makes_versions_of_its_own_of_the_same_content(
    tiny: Tiny, there: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tiny.root / ".relet")
    there.set_alias("clean_sample", "reference", 1, by="test", why="as it was")
    settings = ["etl.rows=20", "etl.low=4", "store.url=there"]
    _, out, _ = relet(capsys, "run", "tiny", "--json", *settings)
    ended = [event for event in map(json.loads, out.splitlines()) if event["event"] == "ended"]
    assert {event["component"]: event["action"] for event in ended} == {
        "get": "run",
        "clean": "run",
        "check": "run",
        "train": "run",
    }
    assert all(event["new"] for event in ended)
    assert there.aliases("weights") == {"latest": 3}
    assert there.version("weights:v3").content == there.version("weights:v2").content


@pytest.mark.long
def test_the_model_and_what_it_was_compared_with_are_made_again_without_the_first_store(
    tiny: Tiny, there: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tiny.root / ".relet")
    for version in ("tiny/weights:v2", "tiny/clean_sample:v1"):
        status, out, err = relet(capsys, "reproduce", version, "--here", "--trust", "--store", "there")
        assert (status, err) == (0, "")
        assert f"IDENTICAL  {version}: every digest is equal" in out


def test_a_person_reads_what_is_gone_and_what_it_was_needed_for(
    tiny: Tiny, bundle: Path, here: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = here.run(str(here.version("weights:v3").producer))
    lock = record.objects["lock"]
    (tiny.root / ".relet" / "objects" / lock[:2] / lock).unlink()
    status, out, err = relet(capsys, "artifacts", "export", "weights:v3", "--with-history", "again.tar")
    assert status == 2
    assert f"object {lock}: lock of run " in err
    assert "without --with-history" in err
    assert "Traceback" not in out + err
    assert not (tiny.root / "again.tar").exists()


def test_what_is_left_out_is_said_on_both_sides(
    tiny: Tiny, bundle: Path, here: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    (sha,) = here.version("clean_sample:v3").files.values()
    (tiny.root / ".relet" / "objects" / sha[:2] / sha).unlink()
    _, out, _ = relet(capsys, "artifacts", "export", "weights:v3", "--with-history", "less.tar")
    assert "without tiny/clean_sample:v3: it is gone, and a reproduction makes it again\n" in out
    _, out, _ = relet(capsys, "artifacts", "import", "less.tar", "--store", str(tiny.root / "there"))
    assert re.search(r"^  tiny/clean_sample:v3 +was gone when this was exported$", out, re.MULTILINE)
    consistent(open_store(tiny.root / "there"))


def test_a_bundle_that_is_damaged_is_refused_in_one_line(
    tiny: Tiny, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(bundle.read_bytes())
    content[content.index(b"PAR1")] ^= 1
    bundle.write_bytes(content)
    status, out, err = relet(capsys, "artifacts", "import", str(bundle), "--store", str(tiny.root / "there"))
    assert status == 2
    assert "is damaged: object" in err
    assert "Traceback" not in out + err
    assert not (tiny.root / "there").exists()


def test_the_files_of_a_version_are_written_where_a_person_wants_them(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    relet(capsys, "run", "tiny")
    status, out, _ = relet(capsys, "artifacts", "get", "weights:latest")
    assert (status, out) == (0, "weights-v1/weights.txt\n")
    assert (tiny.root / "weights-v1" / "weights.txt").read_text() == "11.0"
    (tiny.root / "weights-v1" / "weights.txt").write_text("mine")
    status, _, err = relet(capsys, "artifacts", "get", "weights:latest")
    assert (status, "weights-v1 has files in it" in err) == (2, True)
    assert (tiny.root / "weights-v1" / "weights.txt").read_text() == "mine"
    assert relet(capsys, "artifacts", "get", "weights:v1", str(tiny.root / "other"))[0] == 0
    assert (tiny.root / "other" / "weights.txt").read_text() == "11.0"


def test_a_run_that_wrote_a_page_says_how_to_open_it_and_a_refusal_what_to_look_at(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.edit("steps/train.py", '"weights.txt"', '"weights.html"')
    assert "a page to open: relet artifacts get tiny/weights:v1" in relet(capsys, "run", "tiny")[1]
    assert "a page to open" not in relet(capsys, "run", "tiny")[1]
    status, out, _ = relet(capsys, "run", "tiny", "check.limit=9")
    assert status == 3
    assert "look at it with: relet artifacts show tiny/report:v2\n" in out
    # the check says so of the rows, whatever they are compared with
    assert "relet accept" not in out
