"""`relet run`: run a pipeline, or one of its components alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(
    "run",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@click.argument("target", required=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[steps=a,b] [OVERRIDES]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option("--pdb", "debug", is_flag=True, help="Open the debugger in a step that fails.")
@click.option("-h", "--help", "wants_help", is_flag=True, help="This text; after a TARGET, what it takes.")
@click.pass_context
def command(
    ctx: click.Context, target: str | None, words: tuple[str, ...], as_json: bool, debug: bool, wants_help: bool
) -> None:
    """Run a pipeline, or one of its components alone.

    TARGET is a pipeline (`nyc_rentals`), followed by steps=a,b and overrides in Hydra's syntax
    (`etl.max_price=300 model=random_forest`); or a component (`nyc_rentals.data_split`), followed by its own
    inputs and parameters (`clean_sample=clean_sample:v2 test_size=0.3`).

    \b
    Exit status: 0 done, 1 a component failed, 2 wrong settings or bad data, 3 a verdict said no,
    130 interrupted.
    """
    if target is None:
        click.echo(ctx.get_help())
        ctx.exit(0 if wants_help else 2)
    if wants_help:
        from relet.cli.describe import describe

        click.echo(describe(target))
        return
    from relet.cli.screen import finish, watcher
    from relet.engine.request import prepare, read_order
    from relet.engine.run import execute

    order = read_order(target, words, (Path(sys.argv[0]).name, *sys.argv[1:]))
    with watcher(as_json=as_json) as watch:
        job = prepare(order, progress=watch.fetched)
        watch.begin(job)
        outcome = execute(job, watch, debug=debug)
    finish(job, outcome, as_json=as_json)
    sys.exit(outcome.exit_status)
