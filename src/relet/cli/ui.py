"""`relet ui`: MLflow's own interface."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from relet.cli.terminal import say


def has_interface() -> bool:
    """Whether the whole of mlflow is installed: its server needs flask, which mlflow-skinny does not bring."""
    return find_spec("flask") is not None


@click.command("ui")
@click.option("--port", default=5000, show_default=True, help="The port on this machine.")
def command(port: int) -> None:
    """Open MLflow's own interface on what was tracked (needs the extra `ui`)."""
    from relet.errors import ReletError
    from relet.project.folder import find_place
    from relet.tracking.mlflow import tracking_uri

    if not has_interface():
        raise ReletError("relet ui needs the whole of mlflow; install it with: pip install 'relet[ui]'")
    uri = tracking_uri(find_place())
    say(f"MLflow on {uri}: http://127.0.0.1:{port}  (Ctrl-C ends it)")
    arguments = ["-m", "mlflow", "ui", "--backend-store-uri", uri, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])
