"""Old encodings of Western Europe are told from each other by their letters, and others are not taken for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.data.dialect import CsvDialect
from relet.data.reading import read_csv
from relet.data.schema import Column, Schema
from relet.data.western import guess_encoding
from relet.errors import BadDataError

TEXTS = [
    "Café – größer",
    "Gemütliches Zimmer, Straße am See",
    "Chambre à louer, près du métro, déjà vu",
    "“Luminoso” piso en el corazón, baño, mañana",
    "Lägenhet på Söder, nära tåget",
    "Apartamento com área de lazer, ótima localização",
    "Großes Loft • 100 m² – €",
    "Hygge på Nørrebro, æble og ø",
]
SCHEMA = Schema(columns=(Column("id", "int64"), Column("name", "string")))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_each_is_told_by_its_letters(text: str, encoding: str) -> None:
    content = text.encode(encoding, errors="ignore")
    guess = guess_encoding(content)
    assert guess.encoding in (encoding, None)
    if guess.encoding is None:
        assert encoding in guess.examples
    else:
        assert content.decode(guess.encoding) == content.decode(encoding)


@pytest.mark.parametrize("text", TEXTS)
def test_the_usual_one_is_found(text: str) -> None:
    assert guess_encoding(text.encode("cp1252")).encoding == "cp1252"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Большая светлая комната и кухня", "cp1251"),
        ("Μεγάλο διαμέρισμα στην Αθήνα", "cp1253"),
        ("明るい部屋", "shift_jis"),
        ("宽敞明亮的房间", "gbk"),
        ("Łódź, mieszkanie przy źródle", "cp1250"),
        ("Příjemný byt v centru, čistý pokoj", "cp1250"),
        ("Cameră în Bucureşti, lângă staţie", "cp1250"),
        ("Erdő mellett fűtött", "cp1250"),
        ("Soba u središtu, čista kuća", "cp1250"),
        ("Łódź Kraków", "iso8859_2"),
        ("Beyoğlu'nda güzel daire, şehir", "cp1254"),
        ("Jauks dzīvoklis Rīgā, centrā", "cp1257"),
        ("Vilnius, Gedimino pr., šalia, žalias", "cp1257"),
        ("на до", "cp1251"),
        ("Žižkov", "cp1250"),
        ("Room北京 flat", "gbk"),
        ("ça à Noël", "cp850"),
    ],
)
def test_no_other_alphabet_is_taken_for_it(text: str, encoding: str) -> None:
    assert guess_encoding(text.encode(encoding)).encoding is None


def test_the_advice_names_the_encoding_and_what_the_text_is_then(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_bytes("id,name\n1,Café – loft\n".encode("cp1252"))
    with pytest.raises(BadDataError, match=r"the text is cp1252 and not UTF-8: 'Café –'") as error:
        read_csv(path, SCHEMA)
    assert error.value.settings == {"dialect.encoding": "cp1252"}
    assert read_csv(path, SCHEMA, dialect=CsvDialect(encoding="cp1252")).column("name").to_pylist() == [
        "Café – loft"
    ]


def test_of_an_encoding_that_nothing_tells_the_line_is_named_and_a_person_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_bytes(b'id,name\n1,"a\nb"\n2,' + "Большая комната".encode("cp1251") + b"\n")
    with pytest.raises(BadDataError, match=r"line 4 is not UTF-8 \(byte 0xc1\); say its encoding by") as error:
        read_csv(path, SCHEMA)
    assert not error.value.settings


def test_another_reading_that_has_words_as_well_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "rents.csv"
    path.write_bytes("id,name\n1,čistý pokoj u řeky\n".encode("cp1250"))
    with pytest.raises(BadDataError, match="cp1250 would read 'čistý řeky'"):
        read_csv(path, SCHEMA)


@pytest.mark.parametrize("between", [0, 3_000_000])
def test_text_in_two_encodings_is_asked_about(tmp_path: Path, between: int) -> None:
    path = tmp_path / "rents.csv"
    text = f"id,name\n1,Straße\n2,{'x' * between}\n".encode()
    path.write_bytes(text + "3,Café – größer\n4,für déjà vu\n5,Çà, über\n".encode("cp1252"))
    with pytest.raises(BadDataError, match="say its encoding by") as error:
        read_csv(path, SCHEMA)
    assert not error.value.settings
    assert "lines before it are UTF-8" in str(error.value)
