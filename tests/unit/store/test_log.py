"""The log of a store: what it says, and what the check of it names."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.core.record import Status
from relet.errors import NotFoundError, StoreError
from relet.store import LogEntry, LogHead, Store, log, open_store
from relet.store.layout import log_path
from relet.store.objects import digest_of
from tests.stored import lose, overwrite, stored_bytes, stored_paths
from tests.unit.store.logged import a_log, named, run, verdict

DEEP = b'{"a":' * 100_000


def test_each_entry_holds_the_digest_of_the_one_before_and_of_what_was_put(store: Store) -> None:
    entries = a_log(store)
    assert [(each.number, each.kind, each.path) for each in entries[1:]] == [
        (2, "record", "runs/r1.json"),
        (3, "record", "runs/r1.json"),
        (4, "verdict", "artifacts/report/versions/1.json"),
        (5, "alias", "artifacts/sample/aliases/prod/1.json"),
        (6, "record", "runs/r2.json"),
    ]
    stored = [stored_bytes(store, log_path(each.number)) or b"" for each in entries]
    assert [each.previous for each in entries] == ["", *map(digest_of, stored[:-1])]
    for entry in entries[2:]:
        assert entry.sha256 == digest_of(stored_bytes(store, entry.path) or b"")
    assert store.log_head() == LogHead(6, digest_of(stored[-1]))
    assert [each.number for each in store.log(last=2)] == [5, 6]
    assert named(store) == named(store, store.log_head()) == []


def test_an_entry_says_who_as_the_machine_does_and_that_nobody_proved_it(store: Store) -> None:
    entry = a_log(store)[-1]
    assert (entry.who.user, entry.who.host) == (pwd.getpwuid(os.getuid()).pw_name, os.uname().nodename)
    assert str(entry.who).endswith(", unauthenticated")


def test_a_user_without_a_name_writes_all_the_same_and_is_said_to_have_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> object:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    log.this_writer.cache_clear()
    store.put_run(run("r"))
    log.this_writer.cache_clear()
    (*_, entry) = store.log()
    assert entry.who.user == f"a user without a name (number {os.getuid()})"


def test_the_first_entry_lists_what_was_there_and_its_object_stays(store: Store) -> None:
    a_log(store)
    lose(store, *(path for path in stored_paths(store) if path.startswith("log/")))
    later = open_store(store.url)
    assert (later.log_head(), named(later)) == (None, [])
    later.put_run(run("r3"))
    began = next(later.log())
    assert began.kind == "began"
    later.gc(timedelta(0))
    listing = json.loads(later.read_object(began.sha256))
    assert sorted(listing) == [
        "artifacts/report/versions/1.json",
        "artifacts/sample/aliases/prod/1.json",
        "runs/r1.json",
        "runs/r2.json",
        "runs/r3.json",
    ]
    assert named(later) == []
    overwrite(later, "runs/r1.json", run("r1", message="forged").to_json())
    lose(later, "runs/r2.json")
    assert named(later) == [("changed", "runs/r1.json"), ("gone", "runs/r2.json")]


def test_what_was_there_when_the_log_began_can_be_put_again(store: Store) -> None:
    overwrite(store, "runs/r1.json", run("r1").to_json())
    store.put_run(run("r2"))
    store.put_run(run("r1", message="again"))
    assert named(store) == []


def test_a_lost_list_of_what_was_there_is_named(store: Store) -> None:
    a_log(store)
    lose(store, next(store.log()).path)
    assert ("log", log_path(1)) in named(store)


def test_without_an_entry_a_document_is_named_with_both_causes_until_it_is_entered(store: Store) -> None:
    a_log(store)
    overwrite(store, "runs/r3.json", run("r3", machine={"relet": "0.0.9"}).to_json())
    (problem,) = store.verify()
    assert str(problem) == (
        "unlogged: runs/r3.json: it has no entry in the log: a writer was stopped before it wrote the entry, "
        "a relet that keeps no log wrote it (it says 0.0.9), or somebody put it there; if it is right, enter it: "
        "relet artifacts log --enter runs/r3.json"
    )
    (entry,) = store.enter_in_log("runs/r3.json")
    assert (entry.kind, entry.number, entry.who) == ("entered", 7, log.this_writer())
    assert named(store) == []
    with pytest.raises(NotFoundError, match="is no document that the log lacks"):
        store.enter_in_log("runs/r3.json")


def test_many_documents_are_entered_at_once_and_none_that_the_log_has(store: Store) -> None:
    a_log(store)
    for id in ("r3", "r4"):
        overwrite(store, f"runs/{id}.json", run(id).to_json())
    lose(store, "runs/r2.json")
    overwrite(
        store, "artifacts/sample/aliases/prod/2.json", {"number": 1, "when": "2026-01-01", "by": "", "why": ""}
    )
    assert [each.path for each in store.enter_in_log("runs/*")] == ["runs/r2.json", "runs/r3.json", "runs/r4.json"]
    assert named(store) == [("unlogged", "artifacts/sample/aliases/prod/2.json")]


@pytest.mark.parametrize("path", ["../secret", "format", "keys/k.json", "runs/r1.json", "", "log/000000001.json"])
def test_nothing_else_is_entered(store: Store, path: str) -> None:
    a_log(store)
    with pytest.raises(NotFoundError):
        store.enter_in_log(path)


def test_a_pruned_verdict_has_its_entry(store: Store) -> None:
    for reason in ("one", "two"):
        verdict(store, reason)
    assert store.prune(keep=1) == ["report:v1"]
    assert [each.kind for each in store.log()][-1] == "pruned"
    assert named(store) == []
    lose(store, "artifacts/report/versions/1.json")
    assert named(store) == [("gone", "artifacts/report/versions/1.json")]


def test_an_imported_verdict_a_record_and_an_alias_are_logged_by_who_imports_them(
    store: Store, tmp_path: Path
) -> None:
    made = verdict(store, "fine")
    store.put_run(run("r", status=Status.FINISHED))
    store.export_version(str(made), tmp_path / "report.tar")
    other = open_store(f"memory://{uuid4()}")
    other.import_bundle(tmp_path / "report.tar")
    assert [each.kind for each in other.log()] == ["began", "verdict", "alias"]
    assert named(other) == []


def edit_entry(store: Store, number: int, /, **fields: Any) -> None:
    document = json.loads(stored_bytes(store, log_path(number)) or b"")
    overwrite(store, log_path(number), {**document, **fields})


def test_the_first_entry_that_does_not_follow_is_named_alone(store: Store) -> None:
    a_log(store)
    one, other = (stored_bytes(store, log_path(number)) or b"" for number in (2, 3))
    edit_entry(store, 2, when="2026-01-02T00:00:00")
    edit_entry(store, 4, when="2026-01-02T00:00:00")
    assert named(store) == [("log", log_path(3))]
    overwrite(store, log_path(2), one)
    overwrite(store, log_path(3), other)
    assert named(store) == [("log", log_path(5))]


def test_a_missing_entry_is_named_and_appends_go_on(store: Store) -> None:
    a_log(store)
    lose(store, log_path(4))
    assert named(store) == [("log", log_path(4)), ("unlogged", "artifacts/report/versions/1.json")]
    open_store(store.url).put_run(run("r9"))
    assert "unlogged" in {kind for kind, _ in named(store)}
    assert log_path(7) in stored_paths(store) or log_path(4) in stored_paths(store)
    assert ("unlogged", "runs/r9.json") not in named(store)


def test_an_entry_far_after_the_others_is_named_with_all_that_are_missing(store: Store) -> None:
    a_log(store)
    overwrite(store, log_path(10**12), stored_bytes(store, log_path(6)) or b"")
    messages = [str(each) for each in store.verify()]
    assert messages[0].startswith(
        "log: log/000000007.json: this entry and all up to number 999999999999 are missing"
    )
    store.put_run(run("r9"))
    assert [each.path for each in store.log()][-1] == "runs/r9.json"


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"number": ' + b"9" * 5000 + b"}",
        b'{"number": 6}',
        b'{"who": {"user": "\\ud800"}}',
    ],
)
def test_an_entry_that_can_not_be_read_is_named_and_appends_go_on(store: Store, content: bytes) -> None:
    a_log(store)
    overwrite(store, log_path(6), content)
    unread: list[str] = []
    assert ("log", log_path(6)) in named(store)
    assert len(list(store.log(unread=unread))) == 5
    assert unread == [log_path(6)]
    open_store(store.url).put_run(run("r3"))
    (*_, entry) = store.log()
    assert (entry.number, entry.previous) == (7, digest_of(content))
    assert ("unlogged", "runs/r3.json") not in named(store)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    st.sampled_from(["../../etc/passwd", "objects/ab", "x" * 5000, "\ud800", "began", 10**30]),
)


@settings(max_examples=60)
@given(number=st.integers(1, 6), field=st.sampled_from([*LogEntry.__dataclass_fields__, "novelty"]), value=values)
def test_any_value_in_any_field_of_an_entry_is_met_with_words(number: int, field: str, value: object) -> None:
    store = open_store(f"memory://{uuid4()}")
    a_log(store)
    before = stored_bytes(store, log_path(number))
    edit_entry(store, number, **{field: value})
    changed = stored_bytes(store, log_path(number)) != before
    head = store.log_head()
    assert head is not None
    assert all(each.message for each in store.verify())
    list(store.log())
    if changed and number < 6:
        assert ("log", log_path(number)) in named(store) or ("log", log_path(number + 1)) in named(store)
    store.put_run(run("r3"))
    assert ("unlogged", "runs/r3.json") not in named(store)


@pytest.mark.parametrize(
    "path",
    ["log/1.json", "log/notes.txt", "log/000000000.json", "log/x/000000002.json", f"log/{'9' * 150}x.json"],
)
def test_what_lies_beside_the_entries_is_named_and_counts_for_nothing(store: Store, path: str) -> None:
    a_log(store)
    overwrite(store, path, b"{")
    assert named(store) == [("log", path)]
    store.put_run(run("r3"))
    assert [each.number for each in store.log()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_head_that_was_kept_shows_that_the_end_was_cut_off_and_that_all_was_written_anew(store: Store) -> None:
    a_log(store)
    head = store.log_head()
    assert head is not None
    lose(store, log_path(6), "runs/r2.json")
    assert named(store) == []
    assert named(store, head) == [("log", "log/")]
    later = open_store(store.url)
    later.put_run(run("r9"))
    assert named(later) == []
    assert named(later, head) == [("log", log_path(6))]
    lose(store, *(path for path in stored_paths(store) if path.startswith("log/")))
    assert named(open_store(store.url), head) == [("log", "log/")]


@pytest.mark.parametrize(
    "text", ["", "12", "0:" + "a" * 64, "1:" + "A" * 64, "1:" + "a" * 63, f"{'9' * 60}:{'a' * 64}"]
)
def test_a_text_that_is_no_head_is_an_error_that_says_what_to_write(text: str) -> None:
    with pytest.raises(StoreError, match="write NUMBER:DIGEST"):
        LogHead.parse(text)


def test_a_folder_that_was_emptied_gets_a_log_that_begins_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    a_log(store)
    shutil.rmtree(tmp_path / "store")
    store.put_run(run("r9"))
    assert [each.number for each in store.log()] == [1, 2]
    assert named(store) == []


def test_a_record_that_was_put_back_to_an_older_state_is_named_with_the_entry_of_that_state(store: Store) -> None:
    store.put_run(run("r"))
    before = stored_bytes(store, "runs/r.json") or b""
    store.put_run(replace(run("r"), status=Status.FAILED, message="it failed"))
    overwrite(store, "runs/r.json", before)
    (problem,) = store.verify()
    assert (problem.kind, problem.where) == ("changed", "runs/r.json")
    assert "not those of its last entry in the log (3), and are those of an older one (2)" in problem.message
