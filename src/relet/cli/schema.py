"""`relet schema`: what --json prints, as a JSON Schema."""

from __future__ import annotations

from pathlib import Path

import click

from relet.cli.terminal import say

FILE = Path(__file__).with_name("schema.json")


@click.command("schema")
def command() -> None:
    """Print the JSON Schema (2020-12) of all that --json prints: each event of a stream, and each document.

    Its number stands in each of them as `schema`. It is raised when a field is taken away or changes its meaning;
    new fields come without that, so a program should ignore fields that it does not know.
    """
    say(FILE.read_text(encoding="utf-8").rstrip("\n"))
