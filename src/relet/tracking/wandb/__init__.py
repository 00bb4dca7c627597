"""Weights & Biases as a tracker: the only door to wandb."""

from __future__ import annotations

import os
from pathlib import Path

from relet.errors import SettingError, nearest
from relet.tracking.wandb.tracker import WandbMode, WandbTracker

# W&B's own settings; its other names for them are "dryrun", "run" and "shared".
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
    """Runs are recorded in `wandb/` below WANDB_DIR, else in the project's folder.

    They are uploaded as WANDB_MODE says; where it says nothing, when somebody is logged in to W&B here.
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
