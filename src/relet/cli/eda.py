"""`relet eda`: explore what is stored in a notebook."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from relet.cli.terminal import say


@click.command("eda", context_settings={"ignore_unknown_options": True})
@click.argument("pipeline")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[REFERENCE] [OVERRIDES]...")
@click.option("--html", is_flag=True, help="Execute the notebook, store what it shows as a page, and track that.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page to this file, too; implies --html.",
)
@click.option("--json", "as_json", is_flag=True, help="With --html: one JSON object a line, for programs.")
@click.option("--port", type=int, help="The notebook's port on this machine (default: a free one from 2718 on).")
@click.option("--headless", is_flag=True, help="Say the notebook's address, and open no browser.")
def command(
    pipeline: str,
    words: tuple[str, ...],
    html: bool,
    output: Path | None,
    as_json: bool,
    port: int | None,
    headless: bool,
) -> None:
    """Explore what is stored: open PIPELINE's notebook, `eda.py`, in the browser (needs the extra `eda`).

    REFERENCE is one of the artifacts that it explores (`clean_sample:v3`, `sample:latest`); what was made from it,
    or what it was made from, is looked up. Without one it is what was made last. OVERRIDES are settings, as in
    `relet run`.

    \b
    relet eda nyc_rentals                                   in the browser, to look around and to change it
    relet eda nyc_rentals --html --output exploration.html  as a page, stored and tracked
    """
    from relet.browsing.exploration import open_notebook, prepare_exploration

    references = [word for word in words if "=" not in word]
    if len(references) > 1:
        raise click.UsageError(f"one artifact is explored at a time, got {' and '.join(references)}")
    if as_json and not html and output is None:
        raise click.UsageError("--json tells of a page that is made; the notebook prints no JSON: add --html")
    overrides = [word for word in words if "=" in word]
    exploration = prepare_exploration(
        pipeline, references[0] if references else None, overrides, ("relet", *sys.argv[1:])
    )
    if not html and output is None:
        for name, version in exploration.versions.items():
            say(f"{name:<16}{version}")
        open_notebook(exploration, port=port, headless=headless)
    from relet.browsing.exploration import write_page
    from relet.cli.screen import finish, run_screen
    from relet.engine.run import execute

    with run_screen(as_json=as_json) as watch:
        watch.begin(exploration.job)
        outcome = execute(exploration.job, watch)
    finish(exploration.job, outcome, as_json=as_json)
    if outcome.exit_status == 0 and output is not None:
        write_page(exploration, outcome, output)
        say(f"written to {output}", err=as_json)
    elif outcome.exit_status == 0 and not as_json:
        say(f"open it: relet eda {pipeline} --output exploration.html")
    sys.exit(outcome.exit_status)
