"""The door to the terminal: a command prints through it, and no text in what is printed commands the terminal."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from relet.core.wording import printable, without_credentials

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


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as JSON, in which every sign that a terminal would obey is escaped."""
    import json

    click.echo(json.dumps(without_credentials(value), indent=indent, default=str))
