"""Weights & Biases as a tracker. No other room imports wandb."""

from __future__ import annotations

import os
from pathlib import Path

from relet.errors import SettingError, nearest
from relet.tracking.wandb.tracker import WandbMode, WandbTracker

# W&B's own settings. "dryrun", "run" and "shared" are its other names for two of the modes.
FOLDER, MODE = "WANDB_DIR", "WANDB_MODE"
MODES = {
    "disabled": WandbMode.DISABLED,
    "dryrun": WandbMode.OFFLINE,
    "offline": WandbMode.OFFLINE,
    "online": WandbMode.ONLINE,
    "run": WandbMode.ONLINE,
    "shared": WandbMode.ONLINE,
}


def open_wandb(project_root: Path) -> WandbTracker:
    """A tracker that records in the folder `wandb/` below WANDB_DIR, else below the project's folder.

    WANDB_MODE says whether runs are uploaded. Where it is not set, they are uploaded if somebody is
    logged in to W&B.
    """
    root = Path(os.environ.get(FOLDER) or project_root).expanduser().absolute()
    return WandbTracker(root / "wandb", mode=_mode(os.environ.get(MODE, "")))


def _mode(word: str) -> WandbMode | None:
    """
    >>> _mode("offlin")
    Traceback (most recent call last):
    relet.errors.SettingError: WANDB_MODE is 'offlin'; did you mean offline?
    """
    if word and word not in MODES:
        raise SettingError(f"{MODE} is {word!r}; {nearest(word, MODES)}")
    return MODES.get(word)
