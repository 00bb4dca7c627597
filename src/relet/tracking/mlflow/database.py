"""MLflow's SQLite file, made from its finished schema: MLflow itself replays years of migrations, for seconds.

`schema.sql` is what the migrations of one MLflow version come to (a test compares). Any other version of MLflow
makes its database itself.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

# The version whose schema `schema.sql` is.
MLFLOW = "3.17.2"


def prepare(uri: str) -> bool:
    """Make the database that a `sqlite:///` URI names unless it is there: True when this call made it."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or "?" in uri or path.exists() or not _fits_installed_mlflow():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        with closing(sqlite3.connect(made)) as connection:
            connection.executescript(files(__package__).joinpath("schema.sql").read_text(encoding="utf-8"))
        # A link, not a rename: of two processes one makes the file, and neither takes the other's away.
        with suppress(FileExistsError):
            path.hardlink_to(made)
            return True
    return False


def _fits_installed_mlflow() -> bool:
    try:
        return version("mlflow-skinny") == MLFLOW
    except PackageNotFoundError:
        return False
