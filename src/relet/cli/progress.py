"""What a command shows while it works: lines for a person, a moving line on a terminal, or JSON for a program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import click

from relet.cli.terminal import INTERRUPTED_STATUS, error_text, say, say_json
from relet.core.wording import printable, without_credentials

if TYPE_CHECKING:
    from rich.status import Status as Spinner

# The note in click's context of a command that it has printed an event.
STREAM_BEGUN = "relet.stream_begun"
# Columns of the terminal that the spinner takes in front of the moving line.
SPINNER_WIDTH = 2


class ProgressDisplay(Protocol):
    """Where a command writes while it works. A display writes some of the four kinds, and ignores the others."""

    def event(self, name: str, **facts: Any) -> None:
        """Something happened: for a program."""

    def line(self, text: str = "") -> None:
        """Something happened: for a person. The line stays on the screen."""

    def moving(self, text: str) -> None:
        """What goes on right now, for a person at a terminal. The next line replaces this one."""

    def still(self, text: str) -> None:
        """What has gone on for long, for a person who sees no moving line."""


class JsonDisplay:
    """One JSON object for each event."""

    def event(self, name: str, **facts: Any) -> None:
        print_event(name, **facts)

    def line(self, text: str = "") -> None: ...

    def moving(self, text: str) -> None: ...

    def still(self, text: str) -> None: ...


class PlainDisplay:
    """Lines of text, for a file, a pipe or a log."""

    def event(self, name: str, **facts: Any) -> None: ...

    def line(self, text: str = "") -> None:
        say(text)

    def moving(self, text: str) -> None: ...

    def still(self, text: str) -> None:
        say(text)


class TerminalDisplay(PlainDisplay):
    """The same lines, and below them a moving one."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._spinner: Spinner | None = None

    def line(self, text: str = "") -> None:
        self.clear()
        super().line(text)

    def moving(self, text: str) -> None:
        from rich.text import Text

        # a Text, since a str would be read as Rich's markup
        words = Text(printable(without_credentials(text.replace("\n", " "))))
        words.truncate(self._console.width - SPINNER_WIDTH, overflow="ellipsis")
        if self._spinner is None:
            self._spinner = self._console.status(words)
            self._spinner.start()
        else:
            self._spinner.update(words)

    def still(self, text: str) -> None: ...

    def clear(self) -> None:
        """Take the moving line from the screen."""
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


@contextmanager
def progress_display(*, as_json: bool) -> Iterator[ProgressDisplay]:
    """The display that fits: JSON where it is asked for, a moving line on a terminal, plain lines elsewhere."""
    if as_json:
        yield JsonDisplay()
    elif sys.stdout.isatty():
        display = TerminalDisplay()
        try:
            yield display
        finally:
            display.clear()
    else:
        yield PlainDisplay()


def print_event(event: str, /, **facts: Any) -> None:
    """Print an event as a line of JSON, and note in the command's context that its stream has begun."""
    say_json({"event": event, **facts})
    if context := click.get_current_context(silent=True):
        context.meta[STREAM_BEGUN] = True


@contextmanager
def errors_as_events() -> Iterator[None]:
    """Print an error that ends the block as the last event of the stream, where one has begun. It is raised on."""
    context = click.get_current_context()
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        told = isinstance(error, click.ClickException | click.exceptions.Exit | BrokenPipeError)
        if context.meta.get(STREAM_BEGUN) and not told:
            interrupted = isinstance(error, click.Abort | KeyboardInterrupt)
            status = INTERRUPTED_STATUS if interrupted else getattr(error, "exit_status", 1)
            with suppress(OSError):
                print_event("error", error=error_text(error), exit_status=status)
        raise


def elapsed_text(seconds: float) -> str:
    """How long something has gone on.

    >>> elapsed_text(9.7), elapsed_text(75), elapsed_text(7260)
    ('9 s', '1 min 15 s', '2 h 1 min')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def download_text(done: int, total: int | None) -> str:
    """How many bytes of a source have come, of how many where the server says so.

    >>> download_text(1_500_000, 6_000_000), download_text(1_500_000, None)
    ('fetching the source: 1.5 of 6.0 MB (25%)', 'fetching the source: 1.5 MB')
    """
    share = f" of {total / 1e6:.1f} MB ({done / total:.0%})" if total else " MB"
    return f"fetching the source: {done / 1e6:.1f}{share}"
