"""Why a file is refused, and what can be said so that it is read: advice that was followed before it is given."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

from relet.core.override_words import shell_override
from relet.core.wording import count, printable
from relet.data.csv_faults import MalformedFileError, NotUtf8Error, shown_text
from relet.data.difference_lines import column_told, form_line, name_lines, question_of_form, question_of_names
from relet.data.evidence import gather_evidence
from relet.data.file_rows import checked_batches, header_of, header_types, texts_of
from relet.data.findings import find_doubt, find_form
from relet.data.layout import Layout, read_layout
from relet.data.matching import find_names, names_fault
from relet.data.opening import OpenedFile, opened_file
from relet.data.schema import Column, Schema
from relet.data.western import guess_encoding
from relet.errors import BadDataError, SettingError

if TYPE_CHECKING:
    import pyarrow as pa

# The most lines of a difference that are shown, and the most letters of the settings within a message.
LINES = 20
LONGEST = 400
# How many columns a sentence names.
NAMED = 5
# How many bytes around the first one that is not UTF-8 tell the encoding.
AROUND = 1024**2


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What differs between a file and a layout, in `lines`, and what would resolve it.

    That are the `layout` and the `settings` beside it; or there is a `question` that only a person can answer.
    `was_told` where the layout's own setting had said something before.
    """

    lines: tuple[str, ...] = ()
    layout: Layout
    settings: Mapping[str, Any] = field(default_factory=dict)
    question: str = ""
    has_other_columns: bool = False
    was_told: bool = False


def explained(file: OpenedFile, layout: Layout, error: BadDataError) -> BadDataError:
    """The error for a file that was refused with this one: all that differs, and what to say so that it is read.

    What is offered has been tried on the whole file; `settings` of the error holds it. Where nothing can be
    offered, the message says what only a person knows.
    """
    try:
        if isinstance(error, NotUtf8Error):
            return _explained_encoding(file, layout, error)
        if isinstance(error, MalformedFileError):
            raise error
        found = _explanation(file, layout)
        return _refusal(file, found) if found else BadDataError(str(error))
    except MalformedFileError as other:
        return BadDataError(f"{other}{_lacking(file, layout)}")
    except NotUtf8Error as other:
        return _explained_encoding(file, layout, other)


def _lacking(file: OpenedFile, layout: Layout) -> str:
    """The columns that the header of a malformed file lacks, as the end of a sentence."""
    try:
        header = header_of(file, layout)
    except BadDataError:
        return ""
    missing = [shown_text(name) for name in layout.taken if name not in header]
    shown = ", ".join(missing[:NAMED]) + (
        f" and {count(len(missing) - NAMED, 'other')}" if missing[NAMED:] else ""
    )
    return f"; its header lacks {shown}" if missing else ""


def _explained_encoding(file: OpenedFile, layout: Layout, error: NotUtf8Error) -> BadDataError:
    """The error for text that is not UTF-8: with its encoding, where its letters tell it."""
    setting = f"{layout.setting[: layout.setting.rfind('.') + 1]}dialect.encoding"
    with file.path.open("rb") as content:
        if _holds_other_letters(content, error.at):
            return BadDataError(
                f"{error}, and lines before it are UTF-8: the file has two encodings. Write it in one, or say its "
                f"encoding by {setting}"
            )
        content.seek(max(error.at - AROUND, 0))
        guess = guess_encoding(content.read(2 * AROUND))
    if guess.encoding is None or file.dialect.encoding:
        shown = "; ".join(f"{name} would read {shown_text(text)}" for name, text in guess.examples.items())
        return BadDataError(f"{error}; say its encoding by {setting}{f' ({shown})' if shown else ''}")
    text = opened_file(file.given, replace(file.dialect, encoding=guess.encoding), list(layout.taken))
    found = _explanation(text, layout) or Explanation(layout=layout)
    line = f"  ~ the text is {guess.encoding} and not UTF-8: {shown_text(guess.examples[guess.encoding])}"
    settings = {**found.settings, setting: guess.encoding}
    return _refusal(text, replace(found, lines=(line, *found.lines), settings=settings))


def _holds_other_letters(content: IO[bytes], size: int) -> bool:
    """Whether there are letters beside ASCII within so many bytes of the beginning."""
    start = content.read(3)
    rest = size - len(start)
    if not start.isascii() and start != codecs.BOM_UTF8:
        return True
    while rest > 0 and (block := content.read(min(rest, AROUND))):
        if not block.isascii():
            return True
        rest -= len(block)
    return False


def _explanation(file: OpenedFile, layout: Layout) -> Explanation | None:
    """All that differs between a file and a layout; None where neither names nor forms do."""
    header = header_of(file, layout)
    sample = next(texts_of(file, header, header))
    names = find_names(layout, header, lambda name, column: _holds(sample.column(name), column))
    lines = name_lines(names, layout, header_types(file, header) if names.added else {})
    try:
        named = layout.with_told({**layout.told, **_with_forms(names.told, layout)})
    except SettingError as error:
        return Explanation(lines=lines, layout=layout, question=str(error), has_other_columns=True)
    there = [name for name in named.taken if name in header]
    found = gather_evidence(texts_of(file, header, there), named).values()
    forms = [(each, find_form(each)) for each in found if each.fails]
    if any(form.said.get("number", {}).get("decimal") == "," for _, form in forms):
        # a file with decimal commas may have points between thousands
        forms += [(each, form) for each in found if not each.fails and (form := find_doubt(each)).doubts]
    if not lines and not forms:
        return None
    settings: dict[str, Any] = {}
    told = dict(named.told)
    for evidence, form in forms:
        if form.elsewhere and evidence.column.elsewhere:
            settings.update([evidence.column.elsewhere])
        elif form.said:
            told[evidence.column.name] = column_told(evidence.column, named.told, form.said)
    wanted = named.with_told(told)
    questions = (question_of_names(names, layout), *(question_of_form(file, wanted, *each) for each in forms))
    shown = (*lines, *filter(None, (form_line(file, wanted, *each) for each in forms)))
    if not shown and not any(questions) and not settings and told == layout.told:
        return None
    return Explanation(
        lines=shown,
        layout=_open_to_all(wanted, {each.column.name for each, form in forms if form.elsewhere}),
        settings=settings,
        question=next(filter(None, questions), ""),
        has_other_columns=bool(lines),
        was_told=bool(layout.told),
    )


def _with_forms(names: Mapping[str, str | None], layout: Layout) -> dict[str, Any]:
    """What is said of columns that have other names, with the forms that were said of them already."""
    schema = layout.schema
    return {
        name: column_told(schema.column(name), layout.told, {"from": found})
        if found is not None and isinstance(layout.told.get(name), Mapping)
        else found
        for name, found in names.items()
    }


def _holds(texts: pa.ChunkedArray, column: Column) -> float:
    """How well a column's values are those of ours: 0 not at all, 1 by their type, 2 by their values, too."""
    import pyarrow as pa

    alone = read_layout(Schema(columns=(replace(column, nullable=True),)))
    evidence = gather_evidence([pa.table({column.name: texts})], alone)[column.name]
    if column.values:
        return 2.0 if evidence.has_usual else 1.0
    return 0.0 if evidence.fails and find_form(evidence).unexplained else 1.0


def _open_to_all(layout: Layout, names: Collection[str]) -> Layout:
    """The layout with these columns open to all values."""
    columns = (replace(each, values=()) if each.name in names else each for each in layout.schema.columns)
    return replace(layout, schema=replace(layout.schema, columns=tuple(columns)))


def _refusal(file: OpenedFile, found: Explanation) -> BadDataError:
    """The error with all that was found, and with what to say, if that has been tried."""
    other = "has other columns than expected" if found.has_other_columns else "is not written as expected"
    shown = found.lines[:LINES]
    if more := len(found.lines) - len(shown):
        shown = (*shown, f"  … and {count(more, 'other difference')}")
    refused = "\n".join([f"{file.name} {other}:", *shown, "Nothing of it is stored."])
    if found.question:
        return BadDataError(f"{refused} {found.question}")
    if fault := _fault_when_followed(file, found.layout):
        return BadDataError(f"{refused} It would be refused all the same: {fault}" if shown else str(fault))
    settings = dict(found.settings)
    if found.layout.told:
        settings[found.layout.setting] = dict(found.layout.told)
    refusal = BadDataError(f"{refused} If that is meant, say what is what{_as_typed(settings, found.was_told)}")
    refusal.settings = settings
    return refusal


def _fault_when_followed(file: OpenedFile, layout: Layout) -> BadDataError | None:
    """What is wrong with a file that is read as it is advised; None where nothing is."""
    try:
        header = header_of(file, layout)
        if fault := names_fault(file.name, layout, header):
            return fault
        for _ in checked_batches(file, header, layout):
            pass
    except BadDataError as error:
        return error
    return None


def _as_typed(settings: Mapping[str, Any], was_told: bool) -> str:
    """The settings as words of a command, where one can hold them."""
    # a mapping that a file of the configuration fills takes other names with a plus alone
    plus = "+" if was_told else ""
    try:
        words = " ".join(
            shell_override(f"{plus if isinstance(value, Mapping) else ''}{name}", value)
            for name, value in settings.items()
        )
    except ValueError:
        words = ""
    # OmegaConf takes ??? for a value that is still to come
    is_shown = len(words) <= LONGEST and printable(words) == words and "???" not in words
    return f": {words}" if words and is_shown else ""
