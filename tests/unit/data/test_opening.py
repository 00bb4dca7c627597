"""Files are opened as they come: packed, in UTF-16, with other signs between fields; and what was done is said."""

from __future__ import annotations

import gzip
import io
import logging
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.data.dialect import CsvDialect
from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.errors import BadDataError, SettingError

SCHEMA = Schema(
    columns=(Column("id", "int64", nullable=False), Column("name", "string"), Column("rent", "double"))
)
TEXT = "id,name,rent\n1,Café – größer,950.5\n2,loft,\n"
ROWS = [{"id": 1, "name": "Café – größer", "rent": 950.5}, {"id": 2, "name": "loft", "rent": None}]


def written(folder: Path, content: bytes, name: str = "rents.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def gzipped(content: bytes) -> bytes:
    """By gzip, the same bytes at any time: the names of tests are made of them."""
    return gzip.compress(content, mtime=0)


def zipped(files: dict[str, bytes]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return found.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzipped(TEXT.encode()), "unpacked by gzip"),
        (
            zipped({"inner.csv": TEXT.encode(), "__MACOSX/inner.csv": b"?"}),
            "inner.csv was unpacked out of the zip",
        ),
        (TEXT.encode("utf-16"), "read as UTF-16"),
        (TEXT.encode("utf-16-le"), "read as UTF-16-LE"),
        (TEXT.encode("utf-16-be"), "read as UTF-16-BE"),
        (TEXT.encode("utf-32"), "read as UTF-32"),
        (TEXT.encode("utf-32-be"), "read as UTF-32-BE"),
        (TEXT.replace(",", ";").encode(), "fields are divided by semicolons"),
        (TEXT.replace(",", "\t").encode(), "fields are divided by tabs"),
        (TEXT.replace(",", "|").encode(), "fields are divided by bars"),
        (gzipped(TEXT.replace(",", ";").encode("utf-16-le")), "fields are divided by semicolons"),
        (gzipped(f"sep=;\n{TEXT.replace(',', ';')}".encode()), "fields are divided by semicolons"),
        (f"sep=;\n{TEXT.replace(',', ';')}".encode("utf-16-le"), "fields are divided by semicolons"),
    ],
)
def test_what_is_known_by_its_bytes_is_read_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        assert read_csv(written(tmp_path, content), SCHEMA).to_pylist() == ROWS
    assert said in caplog.text
    assert "rents.csv" in caplog.text


def test_a_plain_file_is_read_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_csv(written(tmp_path, TEXT.encode("utf-8-sig")), SCHEMA).to_pylist() == ROWS
    assert not caplog.text


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_line_that_spreadsheets_read_names_the_separator_and_lines_keep_their_numbers(
    tmp_path: Path, line: str
) -> None:
    text = f"{line}\n{TEXT.replace(',', ';')}"
    assert read_csv(written(tmp_path, text.encode()), SCHEMA).to_pylist() == ROWS
    with pytest.raises(BadDataError, match=r"row 3 \(line 5\), column 'id'"):
        read_csv(written(tmp_path, f"{text}x;y;1\n".encode()), SCHEMA)


def test_fields_with_other_separators_in_them_change_nothing(tmp_path: Path) -> None:
    text = 'id,name,rent\n1,"a;b;c;d;e",1\n2,"a|b|c|d",2\n'
    assert read_csv(written(tmp_path, text.encode()), SCHEMA).column("name").to_pylist() == [
        "a;b;c;d;e",
        "a|b|c|d",
    ]


def test_a_separator_that_was_told_is_taken_whatever_the_header_shows(tmp_path: Path) -> None:
    text = "id#name#rent\n1#a,b#1\n"
    found = read_csv(written(tmp_path, text.encode()), SCHEMA, dialect=CsvDialect(separator="#"))
    assert found.to_pylist() == [{"id": 1, "name": "a,b", "rent": 1.0}]


def test_a_separator_that_was_told_and_divides_nothing_is_told_with_the_one_that_does(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.encode())
    with pytest.raises(BadDataError, match=r"divided by commas, not by ';': set the dialect's separator to ','"):
        read_csv(path, SCHEMA, dialect=CsvDialect(separator=";"))
    alone = Schema(columns=(Column("id", "int64"),))
    assert read_csv(written(tmp_path, b"id\n1\n"), alone, dialect=CsvDialect(separator=";")).num_rows == 1


def test_what_is_said_of_the_whole_file_holds_for_each_column(tmp_path: Path) -> None:
    text = "id;name;rent\n1.000;-;1.234,5\n-;x;-\n"
    dialect = CsvDialect(decimal=",", thousands=".", missing=("-",))
    schema = Schema(columns=(Column("id", "int64"), Column("name", "string"), Column("rent", "double")))
    assert read_csv(written(tmp_path, text.encode()), schema, dialect=dialect).to_pylist() == [
        {"id": 1000, "name": None, "rent": 1234.5},
        {"id": None, "name": "x", "rent": None},
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzipped(TEXT.encode())[:-9], "the archive can't be unpacked"),
        (zipped({"a.csv": b"", "b.csv": b""}), r"holds 2 files \(a.csv, b.csv\); unpack it"),
        (zipped({}), "holds 0 files; unpack it"),
        (zipped({"[Content_Types].xml": b"", "sheet.xml": b""}), "a spreadsheet or a document; save it as CSV"),
        (b"PK\x03\x04rest", "the archive can't be unpacked"),
        (gzipped(b""), "the file is empty"),
    ],
)
def test_an_archive_without_one_whole_file_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BadDataError, match=said):
        read_csv(written(tmp_path, content), SCHEMA)


def test_an_archive_that_unpacks_to_much_more_than_it_is_stops_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relet.data.opening.LARGEST", 1024**2)
    content = gzipped(b"id,name,rent\n" + b"1,x,1\n" * 1_000_000)
    with pytest.raises(BadDataError, match=r"unpacks to more than \d+ MB, 200 times its own size"):
        read_csv(written(tmp_path, content), SCHEMA)


def test_text_that_is_not_of_the_encoding_that_was_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"rents\.csv: line 1 or one after it is no text in utf-16"):
        read_csv(
            written(tmp_path, b"\x00\xd8\x00\x00" * 9 + b"x"), SCHEMA, dialect=CsvDialect(encoding="utf-16-le")
        )


@pytest.mark.parametrize("said", [{"thousands": "_"}, {"decimal": ";"}, {"decimal": ".", "thousands": "."}])
def test_signs_that_no_number_has_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"decimal|thousands"):
        CsvDialect(**said)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(names, min_size=1, max_size=5),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_the_rows_are_the_same_however_a_file_is_packed_encoded_and_divided(
    tmp_path: Path, texts: list[str], encoding: str, separator: str, end: str, packed: bool
) -> None:
    quoted = [text.replace('"', '""') for text in texts]
    lines = [separator.join(("id", "name", "rent"))]
    lines += [separator.join((str(number), f'"{text}"', "1.5")) for number, text in enumerate(quoted)]
    content = end.join([*lines, ""]).encode(encoding)
    found = read_csv(written(tmp_path, gzipped(content) if packed else content), SCHEMA)
    assert found.column("name").to_pylist() == [text or None for text in texts]
    assert found.column("id").to_pylist() == list(range(len(texts)))


def test_a_separator_in_a_line_of_its_own_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_csv(written(tmp_path, f"sep=#\n{TEXT.replace(',', '#')}".encode()), SCHEMA)
    assert "fields are divided by '#'" in caplog.text


@pytest.mark.parametrize("sign", ['"', "\r", "x", "7", "\0", "\x1b"])
def test_a_sign_that_divides_no_fields_is_none_in_such_a_line(tmp_path: Path, sign: str) -> None:
    with pytest.raises(BadDataError):
        read_csv(written(tmp_path, f"sep={sign}\n{TEXT}".encode()), SCHEMA)


def test_a_separator_beside_ascii_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="separator is a sign of ASCII, got '§'"):
        read_csv(written(tmp_path, TEXT.encode()), SCHEMA, dialect=CsvDialect(separator="§"))


@pytest.mark.parametrize("encoding", ["rot13", "base64", "hex", "zlib", "bz2", "undefined", "quopri"])
def test_a_codec_that_is_none_of_text_is_no_encoding(encoding: str) -> None:
    with pytest.raises(SettingError, match="encoding is the name of one"):
        CsvDialect(encoding=encoding)


def test_the_name_of_a_file_in_an_archive_moves_no_cursor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_csv(written(tmp_path, zipped({"a\x1b[31m.csv": TEXT.encode()})), SCHEMA)
    assert r"a\x1b[31m.csv was unpacked" in caplog.text
    with pytest.raises(BadDataError) as error:
        read_csv(written(tmp_path, zipped({"a\x1b[31m.csv": b"", "b": b""})), SCHEMA)
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_of_any_kind_is_refused_in_words(tmp_path: Path, method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("a.csv", TEXT * 100)
    content = bytearray(packed.getvalue())
    for place in range(45, 60):
        content[place] ^= 0x5A
    with pytest.raises(BadDataError, match="the archive can't be unpacked"):
        read_csv(written(tmp_path, bytes(content)), SCHEMA)


def test_what_an_archive_within_an_archive_and_one_with_a_password_need_is_said(tmp_path: Path) -> None:
    twice = gzipped(gzipped(TEXT.encode()))
    with pytest.raises(BadDataError, match="a gzip file within an archive; unpack it first"):
        read_csv(written(tmp_path, twice), SCHEMA)
    locked = bytearray(zipped({"a.csv": TEXT.encode()}))
    locked[6] |= 1
    locked[locked.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadDataError, match="locked by a password; unpack it"):
        read_csv(written(tmp_path, bytes(locked)), SCHEMA)
