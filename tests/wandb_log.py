"""Read back what W&B recorded offline: a log of protobuf records in the format of LevelDB's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The log's own header; blocks; each piece's header: checksum (4 bytes), length (2), kind (1).
START, BLOCK, PIECE = 7, 32 * 1024, 7
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4
# Seconds that a log is given to be written to its end.
PATIENCE = 10


@dataclass(frozen=True)
class Recorded:
    """One run as W&B would upload it; `history` by row, `artifacts` by name, `saved` are its files' paths."""

    folder: Path
    run: Any
    config: dict[str, Any]
    summary: dict[str, Any]
    history: list[dict[str, Any]]
    artifacts: dict[str, Any]
    saved: set[str]
    exit_code: int | None


def runs_of(wandb: Path, run_id: str) -> list[Path]:
    """The folders in which a run is recorded."""
    return sorted(path.parent for path in wandb.glob(f"offline-run-*/run-{run_id}.wandb"))


def recorded(wandb: Path, run_id: str) -> Recorded:
    """The newest recording of a run."""
    folder = max(runs_of(wandb, run_id), key=lambda path: path.stat().st_mtime_ns)
    records = _written(folder / f"run-{run_id}.wandb")

    def of_kind(kind: str) -> list[Any]:
        return [getattr(each, kind) for each in records if each.WhichOneof("record_type") == kind]

    (run,) = of_kind("run")
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    _update(config, run.config.update)
    for each in of_kind("summary"):
        _update(summary, each.update)
    return Recorded(
        folder=folder,
        run=run,
        config=config,
        summary=summary,
        history=[_row(each.item) for each in of_kind("history")],
        artifacts={each.name: each for each in of_kind("artifact")},
        saved={file.path for each in of_kind("files") for file in each.files},
        exit_code=next((each.exit_code for each in of_kind("exit")), None),
    )


def _written(path: Path) -> list[Any]:
    """The records of a log that is at its end: W&B's own process may still be writing when the client is done."""
    until = time.monotonic() + PATIENCE
    while True:
        records = list(_records(path))
        if any(each.WhichOneof("record_type") == "exit" for each in records) or time.monotonic() > until:
            return records
        time.sleep(0.05)


def _records(path: Path) -> Iterator[Any]:
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, text = path.read_bytes(), START, b""
    if data[:4] != b":W&B":
        return  # nothing is written yet
    while at + PIECE <= len(data):
        if BLOCK - at % BLOCK < PIECE:
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        if at + PIECE + length > len(data):
            return  # the rest is still to come
        text = (b"" if kind in (WHOLE, FIRST) else text) + data[at + PIECE : at + PIECE + length]
        at += PIECE + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(text)


def _row(items: Iterable[Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    _update(row, items)
    return row


def _update(into: dict[str, Any], items: Iterable[Any]) -> None:
    for item in items:
        at, path = into, list(item.nested_key) or [item.key]
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = json.loads(item.value_json)
