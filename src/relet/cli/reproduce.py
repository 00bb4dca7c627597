"""`relet reproduce`: make a run again and say whether the result is the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from relet.cli.place import STORE, default_root, open_default_store
from relet.cli.terminal import say, say_document, style
from relet.core.artifact import short_name
from relet.core.reproduction import Likeness, Reproduction, StepVerdict
from relet.errors import ReletError

_COLOURS = {
    Likeness.IDENTICAL: "green",
    Likeness.EQUIVALENT: "green",
    Likeness.DIVERGED: "red",
    Likeness.IMPOSSIBLE: "yellow",
}
# How many differences of one output are printed; the stored verdict has all.
SHOWN = 6


@click.command("reproduce")
@click.argument("target")
@STORE
@click.option("--here", is_flag=True, help="In this environment, instead of one made from the recorded lock.")
@click.option("--python", metavar="VERSION", help="With another Python than the recorded one, such as 3.12.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Do it in this empty folder, and leave it."
)
@click.option("--trust", is_flag=True, help="Also where it came with a bundle: somebody else's code runs.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON, for programs.")
def command(
    target: str,
    store_url: str | None,
    here: bool,
    python: str | None,
    keep: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Make TARGET again in a clean place, and say whether the result is the same.

    TARGET is a run's id (`relet runs`), or a version (`model:v7`, `model:prod`): then the steps of its run that
    lead up to it. The recorded commit and the recorded lock are laid out, the recorded steps run with the recorded
    parameters on the stored inputs, and every output is compared.

    \b
    IDENTICAL   every digest is equal                                  exit status 0
    EQUIVALENT  numbers differ within what components declared         0
    DIVERGED    the first step that differs is named, and how          1
    IMPOSSIBLE  what is missing is named                               2

    A run that came with a bundle (`relet artifacts import`) is refused without --trust: its code and its packages
    are somebody else's, and can do whatever you can do.

    Thread counts are those recorded, unless variables such as OMP_NUM_THREADS are set for this command.
    """
    if here and python:
        raise click.UsageError("--here is this environment with its Python: leave out --python, or --here")
    from relet.cli.screen import delivery_line
    from relet.reproduction import ReproductionOptions, reproduce
    from relet.reproduction import keep as keep_verdict
    from relet.tracking.courier import start

    store = open_default_store(store_url)
    root = default_root()
    trackers = _project_trackers(root)
    courier = start(store.url, root, trackers) if root and trackers else None
    reproduction = reproduce(
        target,
        store,
        root=root,
        wishes=ReproductionOptions(here=here, python=python, kept=keep, trust=trust),
        tell=lambda line: say(line, err=as_json),
    )
    version = keep_verdict(reproduction, store, trackers)
    deliveries = courier.finish() if courier else ()
    if as_json:
        say_document(version=str(version), reproduction=reproduction.to_json())
    else:
        for line in _reproduction_lines(reproduction):
            say(line)
        say(f"stored as {version}" + (f"; laid out in {keep}" if keep else ""))
        for each in deliveries:
            if not each.complete:
                say(delivery_line(each))
    sys.exit(reproduction.likeness.exit_status)


def _project_trackers(root: Path | None) -> tuple[str, ...]:
    """The project's trackers; none where the project can't be read. Its present state may be broken: the run that
    is made again belongs to another commit."""
    from relet.project.stores import configured_trackers

    try:
        return configured_trackers(root)
    except ReletError as error:
        say(f"no tracker is told of the verdict, since the project can't be read: {error}", err=True)
        return ()


def _reproduction_lines(reproduction: Reproduction) -> Iterator[str]:
    width = max((len(step.component) for step in reproduction.steps), default=0) + 2
    yield ""
    for step in reproduction.steps:
        yield from _step_lines(step, width)
    for each in reproduction.pinned:
        yield f"taken as stored: {each}"
    for caveat in reproduction.caveats:
        yield f"not promised: {caveat}"
    word = style(reproduction.likeness, fg=_COLOURS[reproduction.likeness], bold=True)
    target = reproduction.target
    if reproduction.subject not in (None, target):
        target = f"{target} ({reproduction.subject})"
    if len(reproduction.missing) > 1:
        yield f"{word}  {target}:"
        yield from (f"  {each}" for each in reproduction.missing)
    else:
        yield f"{word}  {target}: {reproduction.reason}"
    if reproduction.seconds and reproduction.recorded_seconds:
        yield f"{reproduction.seconds:.1f} s; the recorded steps took {reproduction.recorded_seconds:.1f} s"


def _step_lines(step: StepVerdict, width: int) -> Iterator[str]:
    word = style(f"{step.likeness:<12}", fg=_COLOURS[step.likeness])
    indent = " " * width
    versions = "  ".join(short_name(output.recorded) for output in step.outputs)
    duration = f"{step.seconds:.1f} s" if step.seconds is not None else ""
    remark = "" if step.inputs_equal else "  (its inputs differ)"
    yield f"{step.component:<{width}}{word}{versions:<56}{duration:>7}{remark}".rstrip()
    if step.error:
        yield f"{indent}{step.error}"
        return
    for output in step.outputs:
        if output.likeness is not Likeness.IDENTICAL:
            for difference in output.differences[:SHOWN]:
                yield f"{indent}{output.name}: {difference}"
            if len(output.differences) > SHOWN:
                yield f"{indent}{output.name}: and {len(output.differences) - SHOWN} more"
