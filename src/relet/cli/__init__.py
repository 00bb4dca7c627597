"""The command line: each command parses, calls one function, prints."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from relet.errors import ReletError, nearest
from relet.names import __version__

# So many more objects than were freed are made before garbage is looked for. What a start makes is no garbage, and
# looking through it 600 times, as Python does by default, is a fifth of its time.
BETWEEN_COLLECTIONS = 200_000

# Each verb, the module that has it, and its line in `relet --help`. The modules are imported when they are used.
COMMANDS = {
    "run": "Run a pipeline, or one of its components alone.",
    "tune": "Search for settings that make a better model.",
    "why": "Say what a run would do, and which part of each key changed.",
    "reproduce": "Make a run again, and say whether the result is the same.",
    "graph": "Draw a pipeline.",
    "runs": "List what ran, and how it ended.",
    "experiments": "List experiments, or the runs of one side by side.",
    "compare": "Say in what runs differ, and what came of it.",
    "eda": "Explore what is stored in a notebook, or as a page.",
    "accept": "Accept a batch: later ones are compared with it.",
    "artifacts": "List, show, look into, name, check, move and tidy what the store holds.",
    "sync": "Send the trackers what they have missed.",
    "ui": "Open MLflow's own interface on what was tracked.",
    "mlproject": "Write the MLflow project files from the signatures and the lock.",
}


class Verbs(click.Group):
    """The verbs, each loaded when it is asked for."""

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
    relet run nyc_rentals                       the flagship, on generated listings
    relet run nyc_rentals etl.source=BATCH.csv  on real ones
    relet why nyc_rentals                       what would run now, and why
    """


def main() -> None:
    """The entry point: errors that relet raises on purpose are told in a line, without a traceback."""
    gc.set_threshold(BETWEEN_COLLECTIONS)
    try:
        relet.main(standalone_mode=False, prog_name="relet")
    except ReletError as error:
        click.echo(f"relet: {error}", err=True)
        sys.exit(error.exit_status)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("relet: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output, such as `head`, has gone: that is not an error
        sys.stderr.close()
        sys.exit(141)
