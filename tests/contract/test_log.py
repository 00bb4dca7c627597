"""What the log of a store keeps to, in memory, on a folder and on S3."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from relet.core.record import RunRecord, Status
from relet.store import Store, open_store
from relet.store.layout import log_path
from tests.stored import lose, overwrite, stored_bytes

RUN = RunRecord(id="r", pipeline="p", experiment="e", status=Status.RUNNING, started="2026-01-01T00:00:00")


def named(store: Store) -> list[tuple[str, str]]:
    return [(each.kind, each.where) for each in store.verify()]


def test_writers_at_once_make_one_chain_in_which_each_document_has_its_entry(url: str) -> None:
    def write(me: int) -> None:
        store = open_store(url)
        for step in range(4):
            store.put_run(replace(RUN, id=f"{me}-{step}"))
            store.put_run(replace(RUN, id="shared", message=f"{me} {step}"))
            store.put_run(replace(RUN, id=f"{me}-{step}", status=Status.FINISHED))

    threads = [threading.Thread(target=write, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store = open_store(url)
    entries = list(store.log())
    assert [each.number for each in entries] == list(range(1, len(entries) + 1))
    assert {f"runs/{me}-{step}.json" for me in range(4) for step in range(4)} <= {each.path for each in entries}
    assert store.verify() == []
    head = store.log_head()
    assert head is not None and head.number == len(entries)
    assert store.verify(head) == []


def test_what_was_planted_changed_or_deleted_is_named_and_can_be_entered(store: Store) -> None:
    for id in ("changed", "gone"):
        store.put_run(replace(RUN, id=id))
    overwrite(store, "runs/planted.json", replace(RUN, id="planted").to_json())
    overwrite(store, "runs/changed.json", replace(RUN, id="changed", message="other").to_json())
    lose(store, "runs/gone.json")
    assert named(store) == [
        ("changed", "runs/changed.json"),
        ("gone", "runs/gone.json"),
        ("unlogged", "runs/planted.json"),
    ]
    assert [each.kind for each in store.enter_in_log("runs/*")] == ["entered"] * 3
    store.gc(timedelta(0))
    assert named(store) == []


def test_a_changed_entry_breaks_the_chain_for_good(store: Store) -> None:
    for number in range(3):
        store.put_run(replace(RUN, id=str(number)))
    before = stored_bytes(store, log_path(2)) or b""
    overwrite(store, log_path(2), before.replace(b'"record"', b'"verdict"'))
    store.put_run(replace(RUN, id="4"))
    assert named(store) == [("log", log_path(3))]
    lose(store, log_path(2))
    assert ("log", log_path(2)) in named(store)
