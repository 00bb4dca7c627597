"""Convert a column's values from the form that they have in a file."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relet.data.layout import ColumnOrigin
from relet.data.notations import PLAIN, number_pattern, signs_pattern
from relet.data.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa

# A whole number as a column with gaps has it in pandas, and as a number of many digits is sometimes written.
# `.000` is none of them: that may be a thousand.
_NO_DECIMALS = r"\.(?:0{0,2}|0{4,})$"
_WHOLE_WITH_EXPONENT = r"^[+-]?\d+(?:\.\d+)?[eE]\+?\d{1,2}$"
# What may stand between the digits of a number.
_BETWEEN = ",.'\u2019"
# The largest whole number up to which a double holds each one.
_EXACT = 2**53
_HEXADECIMAL = r"^[+-]?0[xX]"


def reshape_column(values: pa.ChunkedArray, column: Column, origin: ColumnOrigin) -> pa.ChunkedArray:
    """Convert a column's values from the file's form to the schema's form and type.

    Raises pyarrow.ArrowInvalid for a value that can't be converted.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not origin.plain and not pa.types.is_string(values.type) and not pa.types.is_temporal(values.type):
        values = values.cast(pa.string())
    is_text = pa.types.is_string(values.type)
    if origin.missing and is_text:
        is_missing = pc.is_in(
            pc.utf8_trim_whitespace(values), value_set=pa.array(origin.missing, pa.string()), skip_nulls=True
        )
        values = pc.if_else(is_missing, pa.scalar(None, pa.string()), values)
    if origin.values:
        old, new = list(origin.values), list(origin.values.values())
        place = pc.index_in(values, value_set=pa.array(old, pa.string()))
        values = pc.if_else(place.is_valid(), pa.array(new, pa.string()).take(place), values)
    wanted = pa.type_for_alias(column.type)
    if origin.format and is_text:
        return _of_this_precision(_parse_times(values, origin.format), wanted)
    if is_text and (origin.remove or origin.number):
        values = _usual_numbers(values, origin)
        if pa.types.is_integer(wanted):
            # 55.00 is a whole number; 55.50 is not, and is refused; 1.000 is one where the notation was told
            values = pc.replace_substring_regex(values, r"\.0*$" if origin.number else _NO_DECIMALS, "")
    if is_text and pa.types.is_integer(wanted):
        return whole_numbers(values, wanted)
    return _cast_without_loss(values, wanted)


def _usual_numbers(values: pa.ChunkedArray, origin: ColumnOrigin) -> pa.ChunkedArray:
    """Numbers of a notation as Python writes them; refuses what the notation does not have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    notation = origin.number or PLAIN
    # a sign that may stand between digits is dropped only where it does: 0,52 is not 52
    between = notation.thousands + "".join(sign for sign in origin.remove if sign in _BETWEEN)
    decimal = "" if notation.decimal in between else notation.decimal
    dropped = [letter for letter in origin.remove if letter not in _BETWEEN and not letter.isspace()]
    if dropped:
        # within a number they are a part of it: 1E3 beside EUR, 5€50
        within = rf"\d\s*[{''.join(map(re.escape, dropped))}]+\d"
        if pc.any(pc.match_substring_regex(values, within), min_count=0).as_py():
            raise pa.ArrowInvalid("a letter to drop stands within a number")
    for letter in origin.remove:
        if letter not in _BETWEEN:
            values = pc.replace_substring(values, letter, "")
    values = pc.utf8_trim_whitespace(values)
    if not pc.all(pc.match_substring_regex(values, number_pattern(decimal, between)), min_count=0).as_py():
        raise pa.ArrowInvalid("a text is no number of this notation")
    if between:
        values = pc.replace_substring_regex(values, signs_pattern(between), "")
    return pc.replace_substring(values, decimal, ".") if decimal not in ("", ".") else values


def whole_numbers(texts: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Whole numbers out of texts: also 42932.0, and 1e+05. Raises pyarrow.ArrowInvalid for anything else.

    Arrow reads 0x10 as 16, which a file of numbers can't mean.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(texts, _HEXADECIMAL), min_count=0).as_py():
        raise pa.ArrowInvalid("a hexadecimal number is none that a person wrote")
    try:
        return texts.cast(wanted)
    except pa.ArrowInvalid:
        plain = pc.replace_substring_regex(pc.replace_substring_regex(texts, _NO_DECIMALS, ""), r"^\+(\d)", r"\1")
        with_exponent = pc.match_substring_regex(plain, _WHOLE_WITH_EXPONENT)
        if not pc.any(with_exponent, min_count=0).as_py():
            return plain.cast(wanted)
    numbers = pc.if_else(with_exponent, plain, pa.scalar(None, pa.string())).cast(pa.float64())
    if not pc.all(pc.less_equal(pc.abs(numbers), _EXACT), min_count=0).as_py():
        raise pa.ArrowInvalid("a number has more digits than it says")
    rest = pc.if_else(with_exponent, pa.scalar(None, pa.string()), plain).cast(wanted)
    return pc.coalesce(rest, numbers.cast(wanted))


def _parse_times(values: pa.ChunkedArray, format: str) -> pa.ChunkedArray:
    """Parse texts as times. Days that no calendar has, and years that no file would mean, are refused."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.strptime(values, format=format, unit="s")
    zeros = r"\b0+(\d)"  # 07/08/2019 may be written 7/8/2019
    again = pc.replace_substring_regex(pc.utf8_lower(pc.strftime(found, format=format)), zeros, r"\1")
    same = pc.equal(again, pc.replace_substring_regex(pc.utf8_lower(values), zeros, r"\1"))
    likely = pc.and_(same, pc.greater_equal(pc.year(found), 1000))
    if not pc.all(likely, min_count=0).as_py():
        raise pa.ArrowInvalid(f"there is no such time of the form {format}")
    return found


def _of_this_precision(times: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Times in the column's type: into a date goes their day. Who says the format has seen what is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_date(wanted):
        return times.cast(wanted)
    return pc.floor_temporal(times, unit="day").cast(wanted)


def _cast_without_loss(values: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Cast values to a type of the same kind without loss; parse text."""
    import pyarrow as pa

    if values.type == wanted:
        return values
    kinds = _arrow_kind(values.type), _arrow_kind(wanted)
    if kinds[0] not in (kinds[1], "text", "nothing") and set(kinds) != {"date", "timestamp"}:
        raise pa.ArrowInvalid(f"{values.type} is no {wanted}")
    found = values.cast(wanted)
    if kinds == ("timestamp", "date") and not found.cast(values.type).equals(values):
        raise pa.ArrowInvalid("there are times of day")
    return found


def _arrow_kind(type: pa.DataType) -> str:
    import pyarrow as pa

    tests = {
        "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "date": (pa.types.is_date,),
        "timestamp": (pa.types.is_timestamp,),
        "nothing": (pa.types.is_null,),
    }
    return next((kind for kind, any_of in tests.items() if any(test(type) for test in any_of)), str(type))
