"""A source on the command line: an error names the setting, and a file of any name is read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from relet.errors import BadDataError, SettingError, StoreError
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny


def argument(*words: str, pipeline: str = "tiny") -> str:
    return str(prepare(read_order(pipeline, list(words))).arguments["get"]["source"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", r"^etl\.source is empty; write a path or an http\(s\) URL, or generated$"),
        ("data", r"^etl\.source: data is a folder; name a file in it: there are rows\.csv$"),
        ("data/rowz.csv", r"^etl\.source: data/rowz\.csv: there is no such file; did you mean rows\.csv\?$"),
        ("pipe", r"^etl\.source: pipe is no ordinary file; copy its content to one$"),
        ("loop", r"^etl\.source: loop is a link that leads back to itself"),
        ("x" * 300, r"^etl\.source: x{119}… is no file: its name or its path is too long \(300 letters\)$"),
        ("ftp://host/rows.csv", r"^etl\.source: ftp://host/rows\.csv: a source is a path or an http\(s\) URL"),
    ],
)
def test_a_source_that_is_none_is_told_with_its_setting(tiny: Tiny, word: str, said: str) -> None:
    (tiny.root / "data").mkdir()
    (tiny.root / "data" / "rows.csv").write_text("n,name\n1,a\n")
    (tiny.root / "loop").symlink_to("loop")
    os.mkfifo(tiny.root / "pipe")
    with pytest.raises((BadDataError, SettingError)) as caught:
        argument(f"etl.source={word}")
    assert re.search(said, str(caught.value)), caught.value


def test_of_a_component_alone_the_parameter_is_named(tiny: Tiny) -> None:
    with pytest.raises(SettingError, match=r"^get\.source is empty; write a path"):
        argument("source=", pipeline="tiny.get")
    with pytest.raises(BadDataError, match=r"^get\.source: nowhere: there is no such file"):
        argument("source=nowhere", pipeline="tiny.get")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("${a}.csv", r"\${a}.csv"),
        ("${a} (1).csv", r"\${a} (1).csv"),
        ("${a", r"\${a"),
        ("$a.csv", "$a.csv"),
        ("{a}, b.csv", '"{a}, b.csv"'),
        ("2024", '"2024"'),
        ("x" * 251 + ".csv", "x" * 251 + ".csv"),
    ],
)
def test_a_file_of_an_odd_name_is_read(tiny: Tiny, name: str, word: str) -> None:
    (tiny.root / name).write_text("n,name\n1,a\n")
    assert argument(f"etl.source={word}") == str(tiny.root / name)


def test_a_file_that_can_not_be_read_to_its_end_is_told(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    (tiny.root / "rows.csv").write_text("n,name\n1,a\n")

    def broken(path: Path) -> str:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("relet.data.download.file_digest", broken)
    with pytest.raises(BadDataError, match=r"^etl\.source: .*rows\.csv can't be read: Input/output error$"):
        argument("etl.source=rows.csv")


def test_an_error_of_the_network_names_the_setting_too(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> Path:
        raise StoreError("http://host/rows.csv: can't be kept")

    monkeypatch.setattr("relet.data.sources.fetch_url", refused)
    with pytest.raises(StoreError, match=r"^etl\.source: http://host/rows\.csv: can't be kept$"):
        argument("etl.source=http://host/rows.csv")


@pytest.mark.parametrize(
    ("text", "factor"), [("1e-05", 1e-05), ("07", 7.0), ("2", 2.0), ("-3.5", -3.5), (".5", 0.5)]
)
def test_a_number_for_a_component_alone_is_what_python_and_mlflow_write(
    tiny: Tiny, text: str, factor: float
) -> None:
    words = [f"factor={text}", "clean_sample=clean_sample:v1"]
    job = prepare(read_order("tiny.train", words))
    assert job.parameters["train"]["factor"] == factor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nan", "train.factor takes a finite number, got nan"),
        (".nan", "train.factor takes a finite number, got nan"),
        ("-.inf", "train.factor takes a finite number, got -inf"),
        ("1e999", "train.factor takes a finite number, got inf"),
        ("0x10", "train.factor takes a number, got '0x10'"),
        ("1:30", "train.factor takes a number, got '1:30'"),
    ],
)
def test_what_is_no_finite_number_for_a_component_alone_is_refused(tiny: Tiny, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=f"^{re.escape(said)}"):
        prepare(read_order("tiny.train", [f"factor={text}", "clean_sample=clean_sample:v1"]))
