"""An artifact in W&B as a source of data: `etl.source=wandb:entity/project/name:alias`."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from relet.errors import BadDataError, SettingError, nearest
from relet.tracking.wandb.upload import is_logged_in, why_unreachable

SCHEME = "wandb:"
FORM = "wandb:entity/project/name:alias, and /file after it where the artifact has several"
# Seconds for each of W&B's answers.
TIMEOUT = 30


def fetch(source: str, folder: Path) -> Path:
    """Download the file that a `wandb:` source names to a place below `folder`; W&B's client verifies it.

    Raises SettingError where the source is written wrong or wandb is not installed, BadDataError where W&B can't
    be reached, nobody is logged in, or there is no such artifact or file.

    >>> fetch("wandb:sample", Path("."))
    Traceback (most recent call last):
    relet.errors.SettingError: 'wandb:sample' names no artifact in W&B; write wandb:entity/project/name:alias, \
and /file after it where the artifact has several
    """
    found = re.fullmatch(rf"{SCHEME}(?P<artifact>[^/:]+/[^/:]+/[^/:]+:[^/:]+)(?:/(?P<file>.+))?", source)
    if not found:
        raise SettingError(f"{source!r} names no artifact in W&B; write {FORM}")
    if importlib.util.find_spec("wandb") is None:
        raise SettingError(f"{source}: wandb is not installed: pip install 'relet[wandb]'")
    if os.environ.get("WANDB_MODE") in ("offline", "dryrun", "disabled"):
        raise BadDataError(f"{source} is in W&B, and WANDB_MODE is {os.environ['WANDB_MODE']}; set it to online")
    if not is_logged_in():
        raise BadDataError(f"{source} is in W&B, and nobody is logged in; run `wandb login`, or set WANDB_API_KEY")
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    if reason := why_unreachable():
        raise BadDataError(f"{source} is in W&B, and {reason}")
    return _download_file(source, found["artifact"], found["file"], folder)


def _download_file(source: str, name: str, file: str | None, folder: Path) -> Path:
    import wandb

    try:
        artifact = wandb.Api(timeout=TIMEOUT).artifact(name)
        files = sorted(artifact.manifest.entries)
        chosen = _chosen_file(source, files, file)
        # Two versions of an artifact may have files of one name.
        root = folder / f"wandb-{re.sub('[^A-Za-z0-9]', '', artifact.digest)[:32]}"
        return Path(artifact.get_entry(chosen).download(root=str(root)))
    except BadDataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise BadDataError(f"{source} can't be read from W&B: {reason}") from error


def _chosen_file(source: str, files: list[str], wanted: str | None) -> str:
    if wanted is None and len(files) == 1:
        return files[0]
    if wanted is None:
        raise BadDataError(f"{source} has {len(files)} files ({', '.join(files[:10])}); write {source}/FILE")
    if wanted not in files:
        raise BadDataError(f"{source}: the artifact has no file {wanted!r}; {nearest(wanted, files)}")
    return wanted
