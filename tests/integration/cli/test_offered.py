"""The command that a refused file is answered with: typed as it stands, it reads the file."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from relet.core.override_words import override_text
from tests.command import relet
from tests.written_project import WrittenProject, write_files

FILES = {
    "pyproject.toml": '[project]\nname = "flats"\nversion = "0"\n',
    "pipelines/flats/pipeline.py": """
from pipelines.flats.get_data import get_data
from relet import Pipeline

pipeline = Pipeline([get_data])
""",
    "pipelines/flats/get_data.py": """
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from relet import RowStream, Source, component
from relet.data.dialect import CsvDialect
from relet.data.reading import stream_csv
from relet.data.schema import Column, Schema

ROWS = Schema(columns=(Column("id", "int64", nullable=False), Column("rent", "int64"), Column("seen", "date32")))


class Sample(NamedTuple):
    sample: RowStream


@component(job_type="get_data")
def get_data(
    *, source: Annotated[str, Source()], columns: dict[str, Any] = {}, dialect: CsvDialect = CsvDialect()
) -> Sample:
    return Sample(stream_csv(Path(source), ROWS, columns, dialect, setting="etl.columns"))
""",
    "pipelines/flats/conf/config.yaml": """
tracking: []
etl:
  source: rents.csv
  columns: {}
""",
}


class Flats(WrittenProject):
    pipeline: ClassVar[str] = "flats"

    def rents(self, content: str | bytes, name: str = "rents.csv") -> None:
        (self.root / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def flats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flats:
    write_files(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return Flats(tmp_path)


def offered(err: str) -> list[str]:
    """The words of the command that stands in what was printed."""
    (line,) = [line for line in err.splitlines() if line.startswith("  relet run ")]
    return shlex.split(line)[1:]


@pytest.mark.parametrize(
    ("content", "given", "added"),
    [
        ("id,rent,seen,größe\n1,$1,,x\n", [], 'etl.columns={*: null, rent: {remove: "$"}}'),
        ("listing_id,rent,seen\n1,9,31.12.2019\n", [], "etl.columns={id: listing_id, seen: {format: '%d.%m.%Y'}}"),
        ("Nr,rent,seen\n1,NULL,\n", ["etl.columns={id: Nr}"], "etl.columns={id: Nr, rent: {missing: ['NULL']}}"),
        ("id,Café (rent),seen\n1,9,\n".encode("cp1252"), [], "etl.dialect.encoding=cp1252"),
    ],
)
def test_the_command_reads_the_file(
    flats: Flats, capsys: pytest.CaptureFixture[str], content: str | bytes, given: list[str], added: str
) -> None:
    flats.rents(content)
    status, _, err = relet(capsys, "run", "flats", "tracking=[]", *given)
    assert status == 2
    words = offered(err)
    assert words[:3] == ["run", "flats", "tracking=[]"]
    assert added in words
    assert relet(capsys, *words)[0] == 0


def test_a_setting_that_is_too_long_for_a_line_is_written_into_a_file(
    flats: Flats, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"no {letter * 30}" for letter in "abcdefghijkl"]
    flats.rents("id,rent,seen\n" + "".join(f"{number},{word},\n" for number, word in enumerate(words)))
    err = relet(capsys, "run", "flats")[2]
    file = flats.path("conf/columns/rents.yaml")
    assert "pipelines/flats/conf/columns/rents.yaml says it:" in err
    assert offered(err)[-1] == "+columns=rents"
    assert yaml.safe_load(file.read_text())["etl"]["columns"]["rent"]["missing"] == words
    assert relet(capsys, *offered(err))[0] == 0
    before = file.read_text()
    relet(capsys, "run", "flats")
    assert [each.name for each in file.parent.iterdir()] == ["rents.yaml"]
    assert file.read_text() == before
    flats.rents("id,rent,seen\n" + "".join(f"{number},{word}m,\n" for number, word in enumerate(words)))
    assert offered(relet(capsys, "run", "flats")[2])[-1] == "+columns=rents_2"


LONG = "id,rent,seen\n" + "".join(f"{place},no {letter * 30},\n" for place, letter in enumerate("abcdefghijkl"))


@pytest.mark.parametrize("name", ["2019", "null", "true", "1e5"])
def test_a_file_whose_name_is_a_value_for_hydra_is_offered_as_well(
    flats: Flats, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    flats.rents(LONG, f"{name}.csv")
    words = offered(relet(capsys, "run", "flats", f"etl.source={name}.csv")[2])
    assert words[-1] == f"+columns=file_{name}"
    assert relet(capsys, *words)[0] == 0


def test_an_option_that_was_chosen_gives_way_to_the_one_that_says_more(
    flats: Flats, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(flats.root, {"pipelines/flats/conf/columns/mine.yaml": "# @package etl\ncolumns: {id: Nr}\n"})
    flats.rents(LONG.replace("id,", "Nr,"))
    words = offered(relet(capsys, "run", "flats", "+columns=mine")[2])
    assert words == ["run", "flats", "+columns=rents"]
    assert relet(capsys, *words)[0] == 0
    assert flats.path("conf/columns/mine.yaml").read_text() == "# @package etl\ncolumns: {id: Nr}\n"


@pytest.mark.parametrize("there", ["conf/columns", "conf/columns/x.yaml/y.txt", "conf/columns/x.yaml"])
def test_other_files_where_the_option_goes_stop_nothing(
    flats: Flats, capsys: pytest.CaptureFixture[str], there: str
) -> None:
    place = flats.path(there)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes("ü".encode("latin-1"))
    flats.rents(LONG)
    status, _, err = relet(capsys, "run", "flats")
    assert status == 2
    assert "Nothing of it is stored. If that is meant, say what is what" in err
    assert place.read_bytes() == "ü".encode("latin-1")


def test_no_option_is_left_behind_where_it_would_not_be_taken(
    flats: Flats, capsys: pytest.CaptureFixture[str]
) -> None:
    config = f"defaults: [optional columns: null, _self_, late: a]\n{FILES['pipelines/flats/conf/config.yaml']}"
    late = "# @package etl\ncolumns: {rent: {missing: [zz]}}\n"
    write_files(flats.root, {"pipelines/flats/conf/config.yaml": config, "pipelines/flats/conf/late/a.yaml": late})
    flats.rents(LONG)
    err = relet(capsys, "run", "flats")[2]
    assert "Nothing of it is stored. If that is meant" in err
    assert "  relet run " not in err
    assert not list(flats.path("conf/columns").glob("*"))


def test_the_choice_between_two_columns_of_one_name_can_be_typed(
    flats: Flats, capsys: pytest.CaptureFixture[str]
) -> None:
    flats.rents("id,rent,rent,seen\n1,2,3,\n")
    err = relet(capsys, "run", "flats")[2]
    ways = shlex.split(err.splitlines()[0].partition("is meant: ")[2])
    assert [way for way in ways if way != "or"] == [
        "etl.columns={rent: rent, *: null}",
        "etl.columns={rent: 'rent 2', *: null}",
    ]
    for way in ways[::2]:
        assert relet(capsys, "run", "flats", way)[0] == 0


@pytest.mark.parametrize("word", ["1e5", "12.e3", "???", "${a}", "a\x85b", "no", "~", "a: b", "\\${x}"])
def test_any_name_survives_the_file_that_is_written(
    flats: Flats, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    column = f'"{word} id"'
    flats.rents(LONG.replace("id,", f"{column},"))
    words = offered(relet(capsys, "run", "flats")[2])
    assert relet(capsys, *words)[0] == 0
    if word == "???":
        return  # nobody can say that name
    flats.rents(LONG.replace("id,", f'"{word}",'))
    given = f"etl.columns={{id: {override_text(word)}}}"
    words = offered(relet(capsys, "run", "flats", given)[2])
    assert words[-1].startswith("+columns=")
    assert relet(capsys, *words)[0] == 0


def test_a_name_that_would_command_the_terminal_goes_into_a_file(
    flats: Flats, capsys: pytest.CaptureFixture[str]
) -> None:
    flats.rents("id,rent\x1b[2J,seen\n1,9,\n")
    err = relet(capsys, "run", "flats")[2]
    assert "\x1b" not in err
    assert relet(capsys, *offered(err))[0] == 0


def test_programs_get_the_settings_as_fields(flats: Flats, capsys: pytest.CaptureFixture[str]) -> None:
    flats.rents("listing_id,rent,seen\n1,9,\n")
    out = relet(capsys, "run", "flats", "--json")[1]
    assert json.loads(out.splitlines()[-1])["settings"] == {"etl.columns": {"id": "listing_id"}}


def test_what_is_asked_or_simply_wrong_offers_no_command(flats: Flats, capsys: pytest.CaptureFixture[str]) -> None:
    for rent in ("1.000 €", "cheap"):
        flats.rents(f"id,rent,seen\n1,{rent},\n2,950,\n")
        assert "  relet run" not in relet(capsys, "run", "flats")[2]


def test_what_was_done_to_a_file_is_said(flats: Flats, capfd: pytest.CaptureFixture[str]) -> None:
    flats.rents(gzip.compress("id;rent;seen\n1;9;\n".encode("utf-16-le")))
    assert relet(capfd, "run", "flats")[0] == 0
    # the step prints it, and its log keeps it
    assert "rents.csv: fields are divided by semicolons" in relet(capfd, "logs", "flats.get_data")[1]
