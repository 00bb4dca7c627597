"""The ledger of what was recorded for W&B on this machine, below `wandb/relet`, beside W&B's own folders.

`runs/<run id>.json` is written once the run's folder is whole. A folder that no such file names was left by a
process that died. `objects/<SHA-256>` are the artifacts' files until they are uploaded. `aliases.json` says for
which version each alias was recorded last.
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
    """A run that was recorded in `folder`.

    `sent` is the digest of what was recorded, `made` and `used` are the contents of the run's artifacts, `objects`
    the SHA-256 of their files.
    """

    run_id: str
    folder: str
    sent: str
    made: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


def make_recording_folder(wandb: Path) -> None:
    """Make the folder that runs are recorded in, with a .gitignore such as `wandb init` writes."""
    wandb.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (wandb / ".gitignore").open("x", encoding="utf-8") as file:
        file.write("*\n!settings\n")


def entry(wandb: Path, run_id: str) -> LedgerEntry | None:
    """The entry of a run, or None where none was recorded."""
    return _read_entry(_entries_folder(wandb) / f"{run_id}.json")


def _read_entry(path: Path) -> LedgerEntry | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(stored[name]) for name in ("made", "used", "objects")}
        return LedgerEntry(**{**stored, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_entry(wandb: Path, new: LedgerEntry) -> None:
    """Write a run's entry, then remove the run's earlier folders that are not uploaded.

    In this order: a process that dies in between leaves a folder too many, and never an entry without its folder.
    """
    _write_json_whole(_entries_folder(wandb) / f"{new.run_id}.json", asdict(new))
    for folder in folders(wandb, new.run_id):
        if folder.name != new.folder and not is_uploaded(folder):
            shutil.rmtree(folder, ignore_errors=True)


def folders(wandb: Path, run_id: str) -> list[Path]:
    """The folders that W&B wrote for a run: several where the run was uploaded and then recorded again."""
    return sorted(path.parent for path in wandb.glob(f"*-{run_id}*/run-{run_id}.wandb"))


def is_uploaded(folder: Path) -> bool:
    """Whether `wandb sync` has uploaded a run's folder, where it then leaves a mark."""
    return any(folder.glob("*.wandb.synced"))


def waiting_entries(wandb: Path) -> list[LedgerEntry]:
    """The entries of the runs that are not uploaded yet, the oldest first, without runs whose folder is gone."""
    found = [_read_entry(path) for path in sorted(_entries_folder(wandb).glob("*.json"))]
    return [each for each in found if each and _is_waiting(wandb / each.folder)]


def _is_waiting(folder: Path) -> bool:
    return folder.is_dir() and not is_uploaded(folder)


def in_order(entries: Iterable[LedgerEntry]) -> list[list[LedgerEntry]]:
    """The entries in groups that are uploaded in turn: a run that made a content before those that used it.

    For W&B a content was made by the run that brings it first.

    >>> a = LedgerEntry(run_id="a", folder="", sent="", made=("x",))
    >>> b = LedgerEntry(run_id="b", folder="", sent="", used=("x",))
    >>> [[each.run_id for each in group] for group in in_order([b, a])]
    [['a'], ['b']]
    """
    left, groups = list(entries), []
    while left:
        to_come = {content for each in left for content in each.made}
        ready = [each for each in left if not (set(each.used) & to_come) - set(each.made)]
        # Runs that each made what another used have no order.
        ready = ready or left
        groups.append(ready)
        left = [each for each in left if each not in ready]
    return groups


def object_path(wandb: Path, digest: str) -> Path:
    return wandb / "relet" / "objects" / digest


def drop_objects(wandb: Path) -> None:
    """Remove the artifacts' files that no run needs which still waits to be uploaded."""
    needed = {digest for each in waiting_entries(wandb) for digest in each.objects}
    for path in (wandb / "relet" / "objects").glob("*"):
        if path.name not in needed:
            path.unlink(missing_ok=True)


def aliases(wandb: Path) -> dict[str, str]:
    """`project/artifact:alias` → the version, as the store calls it, that the alias was last recorded for."""
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
