"""Trackers mirror the runs of the store. A record that a tracker did not get waits in the tracker's outbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from relet.errors import SettingError, nearest
from relet.tracking.tracker import RefusedError, Relay, Tracker

__all__ = ["TRACKERS", "RefusedError", "Relay", "Tracker", "open_tracker"]


def _mlflow(project_root: Path) -> Tracker:
    from relet.tracking.mlflow import open_mlflow

    return open_mlflow(project_root)


def _wandb(project_root: Path) -> Tracker:
    from relet.tracking.wandb import open_wandb

    return open_wandb(project_root)


TRACKERS: dict[str, Callable[[Path], Tracker]] = {"mlflow": _mlflow, "wandb": _wandb}


def open_tracker(name: str, project_root: Path) -> Tracker:
    """The tracker of that name, not connected yet. What it keeps on this machine lies in the project's folder.

    >>> open_tracker("mlfow", Path())
    Traceback (most recent call last):
    relet.errors.SettingError: tracking: there is no tracker 'mlfow'; did you mean mlflow? \
set tracking=[mlflow,wandb]
    """
    if name not in TRACKERS:
        known = ",".join(TRACKERS)
        raise SettingError(
            f"tracking: there is no tracker {name!r}; {nearest(name, TRACKERS)} set tracking=[{known}]"
        )
    return TRACKERS[name](project_root)
