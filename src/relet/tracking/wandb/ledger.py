"""What was recorded for W&B on this machine: one small JSON file for each run, beside the runs' own folders.

`wandb/relet/runs/<run id>.json` is written after the run's folder is whole: a folder that no file names is what
a process left behind that died. `wandb/relet/objects/<SHA-256>` are the artifacts' files, until they are uploaded,
and `wandb/relet/aliases.json` says which version each alias was last recorded for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relet.files import write_whole


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """A run that was recorded in `folder`: the digest of what was, and contents that it made and used."""

    run_id: str
    folder: str
    sent: str
    made: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


def make_recording_folder(wandb: Path) -> None:
    """Make the folder that runs are recorded in; git is told to leave it alone, as `wandb init` does."""
    wandb.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (wandb / ".gitignore").open("x", encoding="utf-8") as file:
        file.write("*\n!settings\n")


def entry(wandb: Path, run_id: str) -> LedgerEntry | None:
    """What was recorded of a run, or None."""
    return _read_entry(_entries_folder(wandb) / f"{run_id}.json")


def _read_entry(path: Path) -> LedgerEntry | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(stored[name]) for name in ("made", "used", "objects")}
        return LedgerEntry(**{**stored, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_entry(wandb: Path, new: LedgerEntry) -> None:
    """Write down that a run was recorded, and remove what was recorded of it before and is not uploaded yet."""
    _write_json_whole(_entries_folder(wandb) / f"{new.run_id}.json", asdict(new))
    for folder in folders(wandb, new.run_id):
        if folder.name != new.folder and not is_uploaded(folder):
            shutil.rmtree(folder, ignore_errors=True)


def folders(wandb: Path, run_id: str) -> list[Path]:
    """The folders that W&B recorded a run in: more than one where it was uploaded and then recorded again."""
    return sorted(path.parent for path in wandb.glob(f"*-{run_id}*/run-{run_id}.wandb"))


def is_uploaded(folder: Path) -> bool:
    """Whether `wandb sync` has uploaded a run's folder: it leaves a mark there."""
    return any(folder.glob("*.wandb.synced"))


def waiting_entries(wandb: Path) -> list[LedgerEntry]:
    """The recorded runs that are not uploaded yet, the oldest first; a folder that is gone does not wait."""
    found = [_read_entry(path) for path in sorted(_entries_folder(wandb).glob("*.json"))]
    return [each for each in found if each and _is_waiting(wandb / each.folder)]


def _is_waiting(folder: Path) -> bool:
    return folder.is_dir() and not is_uploaded(folder)


def in_order(entries: Iterable[LedgerEntry]) -> list[list[LedgerEntry]]:
    """Runs in groups to be uploaded one after another: who makes a content comes before those who use it.

    W&B takes the run that first brings a content for the one that made it.

    >>> a = LedgerEntry(run_id="a", folder="", sent="", made=("x",))
    >>> b = LedgerEntry(run_id="b", folder="", sent="", used=("x",))
    >>> [[each.run_id for each in group] for group in in_order([b, a])]
    [['a'], ['b']]
    """
    left, groups = list(entries), []
    while left:
        to_come = {content for each in left for content in each.made}
        ready = [each for each in left if not (set(each.used) & to_come) - set(each.made)]
        # Two runs that each made what the other used can't be put in order.
        ready = ready or left
        groups.append(ready)
        left = [each for each in left if each not in ready]
    return groups


def object_path(wandb: Path, digest: str) -> Path:
    return wandb / "relet" / "objects" / digest


def drop_objects(wandb: Path) -> None:
    """Remove the artifacts' files that no waiting run needs."""
    needed = {digest for each in waiting_entries(wandb) for digest in each.objects}
    for path in (wandb / "relet" / "objects").glob("*"):
        if path.name not in needed:
            path.unlink(missing_ok=True)


def aliases(wandb: Path) -> dict[str, str]:
    """`project/artifact:alias` → the version of the store that it was last recorded for."""
    try:
        stored = json.loads((wandb / "relet" / "aliases.json").read_text(encoding="utf-8"))
        return {str(name): str(version) for name, version in stored.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def note_aliases(wandb: Path, new: Mapping[str, str]) -> None:
    known = aliases(wandb)
    if new.items() - known.items():
        _write_json_whole(wandb / "relet" / "aliases.json", known | dict(new))


def _entries_folder(wandb: Path) -> Path:
    return wandb / "relet" / "runs"


def _write_json_whole(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(content).encode())
