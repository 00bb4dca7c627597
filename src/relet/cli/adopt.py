"""`relet adopt`: a script, a notebook or the steps of an MLflow project as a pipeline, to be taken apart later."""

from __future__ import annotations

from pathlib import Path

import click

from relet.cli.terminal import say
from relet.errors import SettingError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("adopt")
@click.argument("file", required=False, type=FILE, metavar="[SCRIPT.py|NOTEBOOK.ipynb]")
@click.option("--mlproject", "folder", type=FOLDER, help="A folder of MLflow steps.")
@click.option("--name", help="The pipeline's name; without it, the file's or the folder's.")
def command(file: Path | None, folder: Path | None, name: str | None) -> None:
    """Wrap an existing script as a component that runs it unchanged, and say what to take apart next.

    \b
    relet adopt train.py                 a pipeline of one step
    relet adopt analysis.ipynb           the same of a notebook's cells
    relet adopt --mlproject FOLDER       a step for each folder in it that has an MLproject file

    The source is read, never run. Arguments of its argparse are hyperparameters, files that it reads are sources,
    files that it writes are artifacts. The script is copied into the pipeline's folder, with the modules beside it
    that it imports. No file is overwritten.
    """
    if (file is None) == (folder is None):
        raise SettingError("relet adopt takes a script or a notebook, or --mlproject FOLDER: relet adopt --help")
    from relet.templates.adoption.adopting import adopt_script, adoption_lines, way_on

    if file is not None:
        made = adopt_script(file, name=name)
    else:
        from relet.templates.adoption.mlflow_project import adopt_mlproject

        assert folder is not None
        made = adopt_mlproject(folder, name=name)
    for line in adoption_lines(made):
        say(line)
    if made.advice:
        say("to take apart next:")
    for each in made.advice:
        say(f"  {each}")
    say("go on with:")
    say(f"  {way_on(made)}")
