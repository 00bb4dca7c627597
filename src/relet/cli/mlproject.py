"""`relet mlproject`: the MLflow project files, from the signatures and the lock."""

from __future__ import annotations

import sys

import click

from relet.cli.terminal import say


@click.command("mlproject")
@click.argument("pipeline")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file is out of date.")
def command(pipeline: str, only_check: bool) -> None:
    """Write MLproject, python_env.yaml, conda.yaml and a project folder for each component of PIPELINE."""
    from relet.mlproject import generate, out_of_date, write_files
    from relet.project.folder import open_project

    project = open_project(pipeline)
    files = generate(project.pipeline, project.root)
    stale = out_of_date(files)
    if not only_check:
        write_files(files)
    for path in stale:
        say(f"{'out of date' if only_check else 'written'}: {path.relative_to(project.root)}")
    if not stale:
        say("every file is up to date")
    sys.exit(1 if stale and only_check else 0)
