"""MLflow as a tracker: the only door to mlflow."""

from __future__ import annotations

import os
from pathlib import Path

from relet.tracking.mlflow.tracker import MlflowTracker

SETTING = "MLFLOW_TRACKING_URI"


def open_mlflow(project_root: Path) -> MlflowTracker:
    """The server that MLFLOW_TRACKING_URI names, else a SQLite file in the project's folder.

    A database keeps no files: those go to `mlruns` in the project's folder, where `mlflow ui` finds both. A
    server knows itself where its files go.
    """
    root, uri = project_root.absolute(), tracking_uri(project_root)
    artifacts = None if uri.startswith(("http://", "https://", "databricks")) else root / "mlruns"
    return MlflowTracker(uri, artifacts=artifacts)


def tracking_uri(project_root: Path) -> str:
    """Where runs are tracked: MLFLOW_TRACKING_URI, else the SQLite file in the project's folder."""
    return os.environ.get(SETTING) or f"sqlite:///{project_root.absolute() / 'mlflow.db'}"
