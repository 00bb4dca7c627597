"""Stores that keep a log, with records and verdicts in it, and what the check of the store names."""

from __future__ import annotations

import json
from typing import Any

from relet.core.artifact import ArtifactType, Version
from relet.core.record import RunRecord, Status
from relet.store import LogEntry, LogHead, Store
from relet.store.contents import VERDICT, files_digest
from tests.stored import add_file


def run(id: str, **facts: Any) -> RunRecord:
    return RunRecord(
        id=id,
        pipeline="p",
        experiment="e",
        status=facts.pop("status", Status.RUNNING),
        started="2026-01-01T00:00:00",
        **facts,
    )


def verdict(store: Store, reason: str, name: str = "report") -> Version:
    content = json.dumps({"passed": True, "reason": reason, "checks": []}).encode()
    files = {VERDICT: store.put_object(content)}
    return store.add_version(name=name, type=ArtifactType.VERDICT, content=files_digest(files), files=files)


def a_log(store: Store) -> list[LogEntry]:
    """Six entries: the beginning, two states of a record, a verdict, a version's alias and another record."""
    store.put_run(run("r1"))
    store.put_run(run("r1", status=Status.FINISHED, message="done"))
    verdict(store, "fine")
    version = add_file(store)
    store.set_alias("sample", "prod", version.number, by="test", why="")
    store.put_run(run("r2"))
    return list(store.log())


def named(store: Store, head: LogHead | None = None) -> list[tuple[str, str]]:
    return [(each.kind, each.where) for each in store.verify(head)]
