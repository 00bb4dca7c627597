"""Stored text never commands a terminal: whatever data, bundles and servers put into it is shown escaped."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relet.cli.terminal import say, say_json, style
from relet.core.record import ArtifactLink, Caveat, CodeState, RunRecord, Status
from relet.core.wording import printable
from relet.store import Store, open_store
from relet.store.layout import log_path
from tests.command import relet
from tests.experiment_store import pipeline_run
from tests.stored import overwrite

# Controls, marks that turn the direction of writing, signs without width, line separators, and escape sequences.
CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
MARKS = [
    chr(code) for code in (*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0x61C, 0xFEFF)
]
SEQUENCES = [
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[8m",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil\x1b\\",
    "\x9b1A",
    "\r\x1b[K",
]
hostile = st.lists(
    st.one_of(st.sampled_from([*CONTROLS, *MARKS, *SEQUENCES]), st.text(max_size=4)), min_size=1, max_size=6
).map(lambda parts: "Q" + "Q".join(parts) + "Q")

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def obeyed(printed: str) -> list[str]:
    """The signs in what was printed that a terminal obeys, but for line ends, tabs and relet's own colours."""
    own = re.sub(r"\x1b\[(?:[0-9]{1,2})m", "", printed)
    return [sign for sign in own if sign not in "\n\t" and unicodedata.category(sign) in OBEYED]


@given(text=hostile)
def test_a_text_is_shown_with_what_a_terminal_would_obey_as_its_escape_sequence(text: str) -> None:
    shown = printable(text)
    assert obeyed(shown) == []
    assert "\n" not in shown
    harmless = "".join(sign for sign in text if unicodedata.category(sign) not in OBEYED | {"Co"})
    assert printable(harmless) == harmless
    assert printable(shown) == shown


@pytest.fixture
def coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a terminal: colours are printed."""
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)


@pytest.mark.usefixtures("coloured")
def test_relet_s_own_colours_stay_and_a_colour_in_a_text_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    green, bold = style("green\x1b[31m", fg="green"), style(".", bold=True)
    say(f"a {green} \x1b[31mred https://ana:secret@host/x?token=abc{bold}")
    assert capsys.readouterr().out == (
        "a \x1b[32mgreen\\x1b[31m\x1b[0m \\x1b[31mred https://host/x?token=***\x1b[1m.\x1b[0m\n"
    )


def test_json_keeps_every_text_and_has_no_sign_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join([*CONTROLS, *MARKS, *SEQUENCES])
    say_json({"text": text})
    printed = capsys.readouterr().out
    assert obeyed(printed) == []
    assert json.loads(printed) == {"schema": 1, "text": text}


def hostile_run(text: str) -> RunRecord:
    link = ArtifactLink(version="sample:v1", type="table", content="c")
    return replace(
        pipeline_run(1),
        status=Status.FAILED,
        experiment=text,
        message=text,
        description=text,
        command=("relet", text),
        machine={"python": text},
        parameters={"train": {text: text}},
        steps={"train": {"action": "run", "reason": text, "run": None, "outputs": {}}},
        caveats=(Caveat(kind="network", what=text), Caveat(kind=text, what=text)),
        code=CodeState(commit="a" * 40, repository=text, folder=text),
        outputs={"sample": link},
    )


def hostile_table(store: Store, folder: Path, text: str, values: list[int]) -> None:
    path = folder / f"{uuid4()}.parquet"
    pq.write_table(pa.table({"id": [1, 2], text: values, "word": [text, f"{text}{values[0]}"]}), path)
    sha = store.put_object(path)
    store.add_version(
        name="sample",
        type="table",
        content=sha,
        files={"sample.parquet": sha},
        description=text,
        metadata={"said": text, text: {"columns": [text]}},
    )


VERBS = (
    ("runs",),
    ("runs", "--json"),
    ("runs", pipeline_run(1).id),
    ("runs", "no such run"),
    ("experiments",),
    ("experiments", "--json"),
    ("compare", pipeline_run(1).id, pipeline_run(2).id),
    ("artifacts", "list"),
    ("artifacts", "list", "sample", "--json"),
    ("artifacts", "show", "sample"),
    ("artifacts", "show", "sample", "--json"),
    ("artifacts", "diff", "sample:v1", "sample:v2"),
    ("artifacts", "diff", "sample:v1", "sample:v2", "--json"),
    ("artifacts", "diff", "sample:v1", "notes"),
    ("artifacts", "get", "notes"),
    ("artifacts", "alias", "sample:prod"),
    ("artifacts", "verify"),
    ("artifacts", "log"),
    ("artifacts", "log", "--json"),
    ("artifacts", "prune", "--keep", "9"),
    ("artifacts", "gc"),
)


@pytest.mark.usefixtures("coloured")
@settings(
    max_examples=4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@example(text="Q".join([*CONTROLS[1:], *MARKS, *SEQUENCES]))
@given(text=hostile.filter(lambda text: "\0" not in text))
def test_no_verb_that_shows_stored_text_lets_it_command_the_terminal(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text.encode(errors="replace").decode()
    folder = tmp_path / str(uuid4())
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RELET_STORE", str(folder / "store"))
    store = open_store(folder / "store")
    hostile_table(store, folder, text, [1, 2])
    hostile_table(store, folder, text, [1, 3])
    sha = store.put_object(b"a note")
    store.add_version(name="notes", type="file", content=sha, files={f"{text[:40].replace('/', '')}.txt": sha})
    store.set_alias("sample", "prod", 1, by=text, why=text)
    store.put_run(hostile_run(text))
    store.put_run(replace(hostile_run(f"{text} "), id=pipeline_run(2).id))
    entry = next(store.log(last=1))
    who = {"user": text, "host": text}
    overwrite(store, log_path(entry.number), {**entry.to_json(), "who": who, "kind": text, "path": text})
    for words in (*VERBS, ("experiments", text), ("artifacts", "show", text), (text,), ("runs", text)):
        status, out, err = relet(capsys, *words)
        assert obeyed(out) == [], words
        assert obeyed(err) == [], words
        assert status in (0, 1, 2), words
