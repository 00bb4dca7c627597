"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import StringIO
from types import FrameType
from typing import Any, NoReturn

import click

from relet.cli.terminal import INTERRUPTED_STATUS, error_text, say
from relet.errors import ReletError, nearest
from relet.names import __version__

# Python collects garbage when it has made this many objects more than it has freed. The objects of a start are no
# garbage; with Python's default, 600 collections took a fifth of a start's time.
BETWEEN_COLLECTIONS = 200_000
# What a shell shows for a program that SIGPIPE (signal 13) ended, such as `cat FILE | head -1`.
CLOSED_PIPE_STATUS = 128 + 13

# Each verb, the module that has it, and its line in `relet --help`. The modules are imported when they are used.
COMMANDS = {
    "new": "Begin: write a project, a pipeline, a component or a check.",
    "adopt": "Begin with what is there: a script, a notebook, MLflow steps.",
    "update": "Merge what this relet would write into a project of an older one.",
    "run": "Run a pipeline, or one of its components alone.",
    "tune": "Search for settings that make a better model.",
    "why": "Say what a run would do, and which part of each key changed.",
    "reproduce": "Make a run again, and say whether the result is the same.",
    "graph": "Draw a pipeline.",
    "runs": "List what ran, and how it ended.",
    "logs": "Show what components printed, and the whole traceback of an error.",
    "experiments": "List experiments, or the runs of one side by side.",
    "compare": "Say in what runs differ, and what came of it.",
    "eda": "Explore what is stored in a notebook, or as a page.",
    "accept": "Accept a batch: later ones are compared with it.",
    "artifacts": "List, show, look into, name, check, move and tidy what the store holds.",
    "sync": "Send the trackers what they have missed.",
    "ui": "Open MLflow's own interface on what was tracked.",
    "schema": "Print the JSON Schema of all that --json prints.",
    "lock": "Write the versions and hashes of all that a project needs, or check them.",
    "mlproject": "Write the MLflow project files from the signatures and the lock.",
}


class ClosedPipe(BaseException):
    """Carries a BrokenPipeError past click, which would exit with 1 and say nothing."""

    def __init__(self, error: BrokenPipeError) -> None:
        super().__init__(error)
        self.error = error


@contextmanager
def _past_click() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ClosedPipe(error) from error


class Verbs(click.Group):
    """The group of verbs. The module of a verb is imported when the verb is used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _past_click():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        # with --json, the last line of a stream says how it ended
        from relet.cli.progress import errors_as_events

        with _past_click(), errors_as_events():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"relet.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            raise click.UsageError(f"relet has no verb {args[0]!r}: {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="relet")
def relet() -> None:
    """Run model workflows that can prove every model they made can be made again.

    \b
    relet new NAME --from-csv FILE --target COLUMN   a project for a file of your own
    relet run NAME                                   run its pipeline
    relet why NAME                                   what would run now, and why
    """


def main() -> None:
    """The entry point. An error that relet raises on purpose is printed as one line, without a traceback."""
    gc.set_threshold(BETWEEN_COLLECTIONS)
    _open_standard_streams()
    status: int | str | None
    with _ended_by_signals() as came:
        try:
            status = _exit_status()
        except SystemExit as end:
            status = end.code
        except BrokenPipeError:
            _end_unread()
        except OSError as error:
            # The terminal whose end was told cannot be written to any more.
            if not came and error.errno != errno.ENOSPC:
                raise
            status = INTERRUPTED_STATUS if came else _end_unwritten(error)
        if "_duckdb" not in sys.modules:
            # A look for garbage at the end frees nothing that anyone needs, but DuckDB complains without it.
            gc.freeze()
        sys.exit(128 + came[0] if came and status == INTERRUPTED_STATUS else status)


@contextmanager
def _ended_by_signals() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does; the numbers of the signals that came.

    A signal that this process was told to ignore, as by `nohup`, stays ignored.
    """
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        # Whoever counts Ctrl-C counts this, too.
        act = signal.getsignal(signal.SIGINT)
        (act if callable(act) else signal.default_int_handler)(signal.SIGINT, frame)

    heeded = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        heeded = []
    for each in heeded:
        signal.signal(each, interrupt)
    try:
        yield came
    finally:
        for each in heeded:
            signal.signal(each, signal.SIG_DFL)


def _exit_status() -> int:
    try:
        # click hands back the status of `--help` and of `ctx.exit`; a command that ran hands back None
        return relet.main(standalone_mode=False, prog_name="relet") or 0
    except ReletError as error:
        say(f"relet: {error_text(error)}", err=True)
        return error.exit_status
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("relet: interrupted; nothing that was stored is lost: give the same command again", err=True)
        return INTERRUPTED_STATUS
    except ClosedPipe as error:
        raise error.error from None


def _open_standard_streams() -> None:
    """Open what the caller has closed, as schedulers do: else the next file that is opened would stand for it."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # the lowest free number, which this one is; what this process starts has it as well
            os.set_inheritable(os.open(os.devnull, mode), True)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _end_unwritten(error: OSError) -> int:
    """Say that the output can't be written, as on a full disk, and leave what was not; the exit status."""
    from relet.files import space_advice

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with suppress(OSError):
        # an error of the terminal names no file
        what = f"{error.filename} can't" if error.filename else "what it prints can't"
        say(f"relet: {what} be written: {error.strerror}{space_advice(error) if error.filename else ''}", err=True)
    return 1


def _end_unread() -> NoReturn:
    """End as other programs do whose output nobody reads any more. Raise again where another pipe was closed."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    if not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
        raise
    # Python writes what is left in its buffers when it ends, and would complain that nobody reads that
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(CLOSED_PIPE_STATUS)
