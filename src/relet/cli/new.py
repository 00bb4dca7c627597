"""`relet new`: a project, or a part of one, ready to be edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.cli.terminal import say
from relet.errors import SettingError, SetUpError

if TYPE_CHECKING:
    from relet.templates.project import NewProject

# What can be written into a project that is there.
PARTS = ("pipeline", "component", "check")
# How long uv may take for the lock of a new project: a machine without a network should not wait long.
LOCK_SECONDS = 60


@click.command("new")
@click.argument("words", nargs=-1, required=True, metavar="[pipeline|component|check] NAME")
@click.option(
    "--from-csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file that the pipeline is made for; without it, for invented rows.",
)
@click.option("--target", metavar="COLUMN", help="The file's column that is to be predicted.")
@click.option("--no-lock", is_flag=True, help="Make no requirements.lock: `relet lock` does so later.")
def command(words: tuple[str, ...], file: Path | None, target: str | None, no_lock: bool) -> None:
    """Write a project of its own into a folder NAME, or a part into the project around the current folder.

    \b
    relet new rents                                         a project that runs, with invented rows
    relet new rents --from-csv flats.csv --target rent      a project for a file
    relet new pipeline rents [--from-csv …]                 one more pipeline of this project
    relet new component [rents.]count_rooms                 one more step of a pipeline
    relet new check [rents.]rents_are_round                 one more data test of a pipeline

    A pipeline for a file has its columns and types, bounds for cleaning, data tests, a split (by group or by time
    where a column says so), and a model: of numbers a regression, of text or of up to ten whole numbers a
    classification. Everything is plain code and configuration, to be edited. No file is ever overwritten.
    """
    part, names = (words[0], words[1:]) if words[0] in PARTS else ("project", words)
    if len(names) != 1:
        got = " ".join(names) or "none"
        raise SettingError(f"relet new takes one name for a {part}, got {got}: relet new --help")
    if part in ("component", "check") and (file or target):
        raise SettingError(f"--from-csv and --target go with a project or a pipeline, not with a {part}")
    from relet.templates import parts, project

    if part == "project":
        made = project.new_project(names[0], into=Path.cwd(), file=file, target=target)
        _say_project(made, "" if no_lock else _locked(made.root))
    elif part == "pipeline":
        _say_pipeline(project.new_pipeline(names[0], file=file, target=target))
    else:
        write = parts.new_component if part == "component" else parts.new_check
        for line in write(names[0]):
            say(line)


def _locked(root: Path) -> str:
    """Make the lock of a new project, where uv and an index are there; what came of it, in words."""
    from relet.environments.locking import LOCK, make_lock

    try:
        make_lock(root, timeout=LOCK_SECONDS)
    except SetUpError as error:
        return f"none yet: {' '.join(str(error).split())[:200]}"
    return f"{LOCK} holds each package with its hashes"


def _say_project(made: NewProject, lock: str) -> None:
    say(f"{made.root.name}/ has {len(made.files)} files: a project with the pipeline {made.name}")
    _say_pipeline_facts(made)
    if lock:
        say(f"  lock        {lock}")
    say("go on with:")
    say(f"  cd {made.root.name}")
    _say_next(made)
    if not (made.root / "requirements.lock").exists():
        say("  relet lock                             makes the lock that `relet reproduce` needs")


def _say_pipeline(made: NewProject) -> None:
    say(f"pipelines/{made.name} is there: {len(made.files)} files")
    _say_pipeline_facts(made)
    say("go on with:")
    _say_next(made)


def _say_next(made: NewProject) -> None:
    say(f"  relet run {made.name} main.evaluate=true    trains, tests and tracks a model")
    say("  pytest                                 tests the code")


def _say_pipeline_facts(made: NewProject) -> None:
    roles = made.roles
    classes = f" of {len(roles.classes)} classes" if roles.classes else ""
    say(f"  target      {roles.target}: {roles.task}{classes}, {roles.rows:,} rows")
    say(f"  inputs      {_listed(roles.inputs)}")
    for name, reason in roles.left_out.items():
        say(f"  left out    {name}: {reason}")
    say(f"  split       {roles.split.why}")
    for hint in roles.hints:
        say(f"  look at     {hint}")
    if made.from_csv:
        where = f"copied to data/{made.copied.name}" if made.copied else "too large to be copied, read where it is"
        say(f"  file        {where}; tests/{made.name}.csv holds some of its rows:")
        say("              keep both out of git if they are private")


def _listed(names: tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
