"""MLflow as a tracker. No other room imports mlflow."""

from __future__ import annotations

import os
from pathlib import Path

from relet.tracking.mlflow.tracker import MlflowTracker

SETTING = "MLFLOW_TRACKING_URI"


def open_mlflow(project_root: Path) -> MlflowTracker:
    """A tracker on the server that MLFLOW_TRACKING_URI names, else on a SQLite file in the project's folder.

    A database keeps no files. They go to `mlruns` beside a SQLite file, where `mlflow ui` finds both; with another
    database they go to the project's folder. A server decides itself where files go.
    """
    uri = tracking_uri(project_root)
    beside = local_folder(uri) or project_root.absolute()
    artifacts = None if uri.startswith(("http://", "https://", "databricks")) else beside / "mlruns"
    return MlflowTracker(uri, artifacts=artifacts)


def local_folder(uri: str) -> Path | None:
    """The folder of a SQLite file; None for any other tracker, and for a relative path.

    >>> local_folder("sqlite:////home/ana/mlflow.db")
    PosixPath('/home/ana')
    >>> local_folder("sqlite:///mlflow.db"), local_folder("http://tracker:5000")
    (None, None)
    """
    scheme, found, path = uri.partition("?")[0].partition("sqlite:///")
    return Path(path).parent if found and not scheme and Path(path).is_absolute() else None


def tracking_uri(project_root: Path) -> str:
    """Where runs are tracked: MLFLOW_TRACKING_URI, else the SQLite file in the project's folder."""
    return os.environ.get(SETTING) or f"sqlite:///{project_root.absolute() / 'mlflow.db'}"
