"""MLflow's SQLite file, made whole or not at all.

MLflow makes its database step by step, by years of migrations. Two processes that do so in one file at a time both
fail, and one that is killed on the way may leave a file that no MLflow can use.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relet.files import name_whole


def make_database(uri: str) -> bool:
    """Have MLflow make the database that a `sqlite:///` URI names, unless it is there: True when it was made.

    MLflow works on a file of a temporary folder, which gets its name when it is whole.
    """
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or "?" in uri or path.exists():
        return False
    from mlflow import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=path.parent) as folder:
        draft, whole = Path(folder, "draft.db"), Path(folder, path.name)
        own = f"sqlite:///{draft}"
        with _unsynced_connections():
            MlflowClient(own, registry_uri=own).search_experiments(max_results=1)
        # A copy: MLflow keeps the draft open as long as this process lives.
        with whole.open("xb") as file:
            file.write(draft.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        # Not a rename: of two processes one makes the file, and neither takes the other's away.
        return name_whole(whole, path)


@contextmanager
def _unsynced_connections() -> Iterator[None]:
    """Let SQLite not wait for the disk in the block: the migrations commit often, and the file is a draft."""
    from sqlalchemy import Engine, event

    def connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)
