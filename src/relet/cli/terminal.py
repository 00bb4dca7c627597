"""The door to the terminal: a command prints through it, and no text in what is printed commands the terminal."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any

import click

from relet.core.wording import printable, without_credentials

# The number of the schema of all that --json prints (`relet schema`, docs/json.md). It is raised when a field is
# taken away or changes its meaning, not when one is added.
JSON_SCHEMA = 1
# What a shell shows for a program that Ctrl-C (SIGINT, signal 2) ended.
INTERRUPTED_STATUS = 128 + 2
# relet's own colours stand between these until a line is printed. No stored text can hold them: the word is drawn
# anew for each process.
_WORD = os.urandom(16).hex()
_COLOUR = re.compile(rf"<{_WORD} ([0-9;]+)>")


def style(text: str, **styles: Any) -> str:
    """The text in a colour, or bold, where it is printed to a terminal; `styles` are those of `click.style`."""
    before, after = click.style("\n", **styles).split("\n")
    return f"{_hidden(before)}{printable(text)}{_hidden(after)}"


def _hidden(colour: str) -> str:
    return re.sub(r"\x1b\[([0-9;]+)m", rf"<{_WORD} \1>", colour)


def say(text: object = "", *, err: bool = False) -> None:
    """Print a text with a line end. Line ends and tabs in it stay; addresses lose their credentials."""
    # The odd parts are the colours' numbers.
    parts = [
        f"\x1b[{part}m" if place % 2 else printable(without_credentials(part), keep="\n\t")
        for place, part in enumerate(_COLOUR.split(str(text)))
    ]
    click.echo("".join(parts), err=err)


def error_text(error: BaseException) -> str:
    """What an error says; the name of its kind where it says nothing."""
    return str(error) or type(error).__name__


def say_json(members: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Print an object of these members as JSON; the number of relet's schema comes first.

    Every sign that a terminal would obey is escaped. JSON has no infinite numbers and no NaN: they are null.
    """
    import json

    value = without_credentials({"schema": JSON_SCHEMA, **members})
    try:
        text = json.dumps(value, indent=indent, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_with_finite_numbers(value), indent=indent, default=str, allow_nan=False)
    click.echo(text)


def say_document(**members: Any) -> None:
    """Print a document for a program: one object, whose members `relet schema` describes."""
    say_json(members, indent=1)


def _with_finite_numbers(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_with_finite_numbers(name): _with_finite_numbers(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_finite_numbers(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
