"""What a file's columns are, out of what their values show: the form of each, or what only a person can know."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relet.data.dates import find_format
from relet.data.dialect import MISSING_WORDS
from relet.data.evidence import ColumnEvidence, SeenText, reads
from relet.data.layout import NUMBERS, TIMES
from relet.data.notations import NOTATIONS, NumberNotation, amount, find_notation
from relet.data.schema import Column

# Words for a missing value, in small letters; and such as "No Reviews".
_MISSING = frozenset(word.lower() for word in MISSING_WORDS) | {
    "\\n",
    "--",
    "---",
    "—",
    "–",
    "n.a.",
    "nil",
    "<na>",
    "<null>",
    "(null)",
    "#na",
    "#null!",
    "not available",
    "not applicable",
    "unknown",
    "never",
    "nat",
    "undefined",
}
_NOTHING_OF = re.compile(r"(?:no|without) [a-z]+(?: [a-z]+)?", re.IGNORECASE)
# More new values than this are not named one by one.
MOST_VALUES = 200


@dataclass(frozen=True, kw_only=True)
class FormFinding:
    """What is found out about one column's form.

    `said` is what the setting has to say of it. `unexplained` is the first text that nothing explains. `doubts`
    are the forms of which only a person knows the right one, and `doubtful` a text that each reads differently.
    `elsewhere` says that all values are other ones than expected; `new` are the values that are.
    """

    said: Mapping[str, Any] = field(default_factory=dict)
    example: SeenText | None = None
    unexplained: SeenText | None = None
    doubts: tuple[Mapping[str, Any], ...] = ()
    doubtful: SeenText | None = None
    elsewhere: bool = False
    new: tuple[SeenText, ...] = ()


def is_missing_word(text: str) -> bool:
    """Whether a text that is no number and no date is a way to write that there is none.

    >>> is_missing_word("NULL"), is_missing_word("No Reviews"), is_missing_word("free")
    (True, True, False)
    """
    return text.lower() in _MISSING or bool(_NOTHING_OF.fullmatch(text))


def find_form(evidence: ColumnEvidence) -> FormFinding:
    """The form of a column that can't be read as it is told."""
    column = evidence.column
    odd = [(key, seen) for key, seen in evidence.in_order if not _reads_alone(seen, evidence)]
    words = [(key, seen) for key, seen in odd if column.nullable and is_missing_word(seen.text.strip())]
    rest = [each for each in odd if each not in words]
    if evidence.overflows:
        return FormFinding(unexplained=odd[0][1] if odd else None)
    found = _form_of_rest(rest, evidence) if rest else FormFinding()
    if words and not found.unexplained:
        missing = [*evidence.origin.missing, *dict.fromkeys(seen.text.strip() for _, seen in words)]
        missing += [word for word in found.said.get("missing", ()) if word not in missing]
        found = replace(
            found,
            said={**found.said, "missing": missing},
            doubts=tuple({**each, "missing": missing} for each in found.doubts),
            example=found.example or words[0][1],
        )
    return found


def find_doubt(evidence: ColumnEvidence) -> FormFinding:
    """The forms that a column of numbers may have beside the usual one, in which it can be read as well."""
    origin = evidence.origin
    if (
        evidence.column.type != "double"
        or origin.number
        or origin.remove
        or not evidence.odd
        or evidence.overflows
    ):
        return FormFinding()
    numbers = [each for each in evidence.in_order if not is_missing_word(each[1].text)]
    return _number_form(numbers, evidence) if numbers else FormFinding()


def _reads_alone(seen: SeenText, evidence: ColumnEvidence) -> bool:
    """Whether a text can be read in the form that was told already."""
    import pyarrow as pa

    origin = evidence.origin
    if origin.plain or evidence.column.type == "string":
        return False
    return reads(pa.array([seen.text]), evidence.column, origin)


def _form_of_rest(odd: Sequence[tuple[str, SeenText]], evidence: ColumnEvidence) -> FormFinding:
    column, origin = evidence.column, evidence.origin
    if column.type in NUMBERS and not (origin.number or origin.remove):
        return _number_form(odd, evidence)
    if column.type in TIMES and not origin.format and not evidence.has_usual:
        return _time_form([seen for _, seen in odd], column)
    if column.type == "string":
        return _value_form([seen for _, seen in odd], evidence)
    return FormFinding(unexplained=odd[0][1])


def _number_form(odd: Sequence[tuple[str, SeenText]], evidence: ColumnEvidence) -> FormFinding:
    """The notation of numbers, with the letters around them."""
    amounts = [(amount(key), seen) for key, seen in odd]
    for found, seen in amounts:
        if found is None:
            return FormFinding(unexplained=seen)
    if mixed := _of_another_unit([(found.around, seen) for found, seen in amounts if found], evidence):
        return FormFinding(unexplained=mixed)
    around = "".join(dict.fromkeys(letter for found, _ in amounts if found for letter in found.around))
    numbers = {found.number: seen for found, seen in amounts if found}
    notation = find_notation(numbers, whole=evidence.column.type == "int64", has_points=evidence.has_points)
    said = {"remove": around} if around else {}
    if notation.chosen:
        return FormFinding(said=_with_number(said, notation.chosen), example=odd[0][1])
    if not notation.possible:
        return FormFinding(unexplained=_first_unlike(numbers, evidence.column))
    return FormFinding(
        # the plain one last: it is what nobody has to say, so that it is seldom what is meant
        doubts=tuple(_with_number(said, each, told=True) for each in reversed(notation.possible)),
        doubtful=numbers[notation.doubtful],
        example=odd[0][1],
    )


def _of_another_unit(units: Sequence[tuple[str, SeenText]], evidence: ColumnEvidence) -> SeenText | None:
    """The first amount whose unit is another than that of those before it: 5 $ and 5 € are not the same.

    Amounts without a unit have that of the others, but beside 45 % a number without a sign may be a share.
    """
    first = ""
    for around, seen in units:
        first = first or around.casefold()
        if around and around.casefold() != first:
            return seen
    bare = evidence.has_usual or any(not around for around, _ in units)
    return next((seen for around, seen in units if "%" in around and bare), None)


def _with_number(said: Mapping[str, Any], notation: NumberNotation, *, told: bool = False) -> dict[str, Any]:
    number = notation.words or ({"decimal": notation.decimal} if told else {})
    return {**said, "number": number} if number else dict(said)


def _first_unlike(numbers: Mapping[str, SeenText], column: Column) -> SeenText:
    """The first number that can't be of the notation that those before it have."""
    in_order = sorted(numbers.items(), key=lambda each: each[1].row)
    left = set(NOTATIONS)
    for number, seen in in_order:
        left = {each for each in left if each.can_be(number, whole=column.type == "int64")}
        if not left:
            return seen
    return in_order[0][1]


def _time_form(odd: Sequence[SeenText], column: Column) -> FormFinding:
    texts = [seen.text for seen in odd]
    found = find_format(texts, column)
    if found.chosen:
        return FormFinding(said={"format": found.chosen}, example=odd[0])
    if not found.possible:
        return FormFinding(unexplained=odd[0])
    return FormFinding(
        doubts=tuple({"format": each} for each in found.possible),
        doubtful=odd[texts.index(found.doubtful)],
        example=odd[0],
    )


def _value_form(odd: Sequence[SeenText], evidence: ColumnEvidence) -> FormFinding:
    """Values that a column of text must not have: other spellings, missing ones, or those of elsewhere."""
    column, origin = evidence.column, evidence.origin
    plain = [_plain(value) for value in column.values]
    # A+ and A- are two values, and a+ may be either
    spelled = {name: value for name, value in zip(plain, column.values, strict=True) if plain.count(name) == 1}
    values: dict[str, str | None] = dict(origin.values)
    new = []
    for seen in odd:
        if meant := _same_but_case(seen.text, column) or spelled.get(_plain(seen.text)):
            values[seen.text] = meant
        else:
            new.append(seen)
    if new and not evidence.has_usual and len(new) == len(odd) and column.elsewhere:
        return FormFinding(elsewhere=True, example=odd[0], new=tuple(odd))
    said: dict[str, Any] = {"values": _as_pairs(values)} if values else {}
    if new:
        if not column.nullable or len(new) > MOST_VALUES or (column.needed and len(new) == len(odd)):
            return FormFinding(unexplained=new[0], new=tuple(odd))
        said["missing"] = [*origin.missing, *dict.fromkeys(seen.text.strip() for seen in new)]
    return FormFinding(said=said, example=odd[0], new=tuple(odd))


def _same_but_case(text: str, column: Column) -> str | None:
    """The one value that a text is but for case and the spaces around it."""
    found = [value for value in column.values if value.casefold() == text.strip().casefold()]
    return found[0] if len(found) == 1 else None


def _as_pairs(values: Mapping[str, str | None]) -> list[list[str | None]]:
    return [[old, new] for old, new in values.items()]


def _plain(text: str) -> str:
    """A text without what people leave out: case, spaces, signs, a leading article."""
    return re.sub(r"^the |[\W_]+", "", text.casefold())
