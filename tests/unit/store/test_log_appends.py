"""What an append to the log does: its requests, its place in the log, beside other writers and after a kill."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from relet.core.record import Status
from relet.errors import StoreError
from relet.store import Store, log, log_checks, open_store
from relet.store.address import open_bucket
from relet.store.bucket import Bucket
from relet.store.layout import log_path
from tests.stored import add_file, lose, overwrite, stored_bytes
from tests.unit.store.interleaving import Turns, buckets, plain_bucket
from tests.unit.store.logged import a_log, named, run, verdict


class Counting:
    """A store in memory that notes each request, and its path's folder."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        request = getattr(self._store, name)

        def counted(path: str, *arguments: Any, **options: Any) -> Any:
            self.asked.append(f"{name} {path.partition('/')[0]}")
            return request(path, *arguments, **options)

        return counted


def counting_bucket(memory: MemoryStore) -> tuple[Bucket, Counting]:
    counting = Counting(memory)
    return Bucket("memory://counted", lambda _: counting, root=None, remote=True), counting  # type: ignore[arg-type,return-value]


def test_a_record_costs_two_requests_more_and_a_handle_lists_once_only_what_is_after_the_end_of_the_log() -> None:
    memory = MemoryStore()
    for number in range(300):
        log.append(plain_bucket(memory), f"runs/{number}.json", "a" * 64, log.RECORD)
    bucket, counting = counting_bucket(memory)
    Store(bucket).put_run(run("r"))
    in_log = [each.partition(" ")[0] for each in counting.asked if each.endswith(" log")]
    assert {each: in_log.count(each) for each in in_log if each != "head"} == {"list": 1, "get": 1, "put": 1}
    assert plain_bucket(memory).entries("log/", after=log_path(301)) == plain_bucket(memory).entries("log/")[-1:]
    assert in_log.count("head") <= 2 * 9
    counting.asked.clear()
    Store(bucket).put_run(run("r", status=Status.FINISHED))
    assert counting.asked == ["put runs", "put log", "get runs", "list condemned"]


def test_a_client_that_gets_no_answer_and_asks_again_logs_what_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(f"memory://{uuid4()}")
    a_log(store)
    create = Bucket.create

    def unanswered(self: Bucket, path: str, content: bytes) -> bool:
        create(self, path, content)
        return create(self, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "create", unanswered)
        store.set_alias("sample", "other", 1, by="test", why="")
    assert named(store) == []
    assert [each.path for each in store.log()][-1] == "artifacts/sample/aliases/other/1.json"


Act = Callable[[Store], object]
ACTS: tuple[Act, ...] = (
    lambda store: store.put_run(run("shared", message=uuid4().hex)),
    lambda store: store.put_run(run(uuid4().hex)),
    lambda store: verdict(store, "shared"),
    lambda store: verdict(store, uuid4().hex),
    lambda store: store.set_alias("sample", "prod", 1, by=uuid4().hex, why=""),
    lambda store: store.set_alias("sample", "prod", 2, by=uuid4().hex, why=""),
    lambda store: store.prune(2),
)


def orders(workers: int) -> st.SearchStrategy[list[int]]:
    turn = st.tuples(st.integers(0, workers - 1), st.one_of(st.just(1), st.integers(1, 20)))
    return st.lists(turn, max_size=30).map(lambda turns: [who for who, times in turns for _ in range(times)])


works = st.lists(st.integers(0, len(ACTS) - 1), min_size=1, max_size=4)


def worker(bucket: Bucket, work: list[int]) -> Callable[[], None]:
    def act() -> None:
        for number in work:
            ACTS[number](Store(bucket))

    return act


@settings(max_examples=150)
@given(order=orders(3), work=st.tuples(works, works, works), begun=st.booleans())
def test_in_whatever_order_writers_come_the_chain_has_no_gap_and_each_document_its_entry(
    order: list[int], work: tuple[list[int], ...], begun: bool
) -> None:
    memory, turns = MemoryStore(), Turns(order, (None, None, None))
    store = Store(plain_bucket(memory))
    for content in (b"1", b"2"):
        add_file(store, content)
    if begun:
        store.put_run(run("first"))
    bucket = buckets(memory, turns)
    turns.run([worker(next(bucket), each) for each in work])
    assert store.verify() == []
    entries = list(store.log())
    assert [each.number for each in entries] == list(range(1, len(entries) + 1))


@settings(max_examples=150)
@given(
    order=orders(3),
    work=st.tuples(works, works),
    dies_at=st.one_of(st.none(), st.integers(1, 40)),
)
def test_whoever_is_killed_meanwhile_leaves_one_document_at_most_to_enter(
    order: list[int], work: tuple[list[int], ...], dies_at: int | None
) -> None:
    memory, turns = MemoryStore(), Turns(order, (None, dies_at))
    store = Store(plain_bucket(memory))
    for content in (b"1", b"2"):
        add_file(store, content)
    bucket = buckets(memory, turns)
    turns.run([worker(next(bucket), each) for each in work])
    left = store.verify()
    assert len(left) <= (0 if dies_at is None else 1)
    for each in left:
        assert each.kind in ("unlogged", "changed")
        store.enter_in_log(each.where)
    assert store.verify() == []


@settings(max_examples=60)
@given(order=orders(3), work=st.tuples(works, works))
def test_a_check_beside_writers_that_do_not_stop_names_nothing(
    order: list[int], work: tuple[list[int], ...]
) -> None:
    """Each look of the check waits for the writers to take their turns."""
    memory, turns = MemoryStore(), Turns(order, (None, None, None))
    store = Store(plain_bucket(memory))
    for content in (b"1", b"2"):
        add_file(store, content)
    store.put_run(run("first"))
    first, second, third = (each for _, each in zip(range(3), buckets(memory, turns), strict=False))
    found: list[object] = []
    settling, log_checks.SETTLING = log_checks.SETTLING, 20.0
    try:
        turns.run(
            [
                worker(first, work[0]),
                worker(second, work[1]),
                lambda: found.extend(log_checks.log_problems(third)),
            ]
        )
    finally:
        log_checks.SETTLING = settling
    assert found == []


def test_threads_on_a_folder_write_one_chain(tmp_path: Path) -> None:
    url = str(tmp_path / "store")

    def write(me: int) -> None:
        store = Store(open_bucket(url))
        for each in range(15):
            store.put_run(run(f"{me}-{each}"))
            store.put_run(run("shared", message=f"{me} {each}"))

    threads = [threading.Thread(target=write, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store = open_store(url)
    assert store.verify() == []
    assert len({each.path for each in store.log()}) == 1 + 60 + 1


@pytest.mark.parametrize("lost", [1, 3])
def test_a_gap_is_never_filled_and_the_log_goes_on_after_its_last_entry(store: Store, lost: int) -> None:
    a_log(store)
    head = store.log_head()
    assert head is not None
    lose(store, log_path(lost))
    assert store.log_head() == head
    assert store.missing_log_entry() == lost
    other = open_store(store.url)
    other.put_run(run("after", status=Status.FINISHED))
    assert stored_bytes(store, log_path(lost)) is None
    (last,) = store.log(last=1)
    assert (last.number, last.previous, last.path) == (head.number + 1, head.digest, "runs/after.json")
    assert ("log", log_path(lost)) in named(store)
    assert ("log", log_path(last.number)) not in named(store)


def test_a_log_without_a_gap_misses_no_entry(store: Store) -> None:
    assert store.missing_log_entry() is None
    a_log(store)
    assert store.missing_log_entry() is None


def test_an_entry_that_was_planted_far_beyond_the_end_does_not_move_it(store: Store) -> None:
    a_log(store)
    head = store.log_head()
    assert head is not None
    overwrite(store, log_path(10**15), stored_bytes(store, log_path(head.number)) or b"")
    assert store.log_head() == head


def test_an_empty_folder_in_the_place_of_the_next_entry_is_named_and_no_entry_steps_over_it(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "store")
    store.put_run(run("r", status=Status.FINISHED))
    head = store.log_head()
    assert head is not None
    folder = tmp_path / "store" / log_path(head.number + 1)
    folder.mkdir()
    assert named(store) == [("log", f"{log_path(head.number + 1)}/")]
    for handle in (store, open_store(store.url)):
        with pytest.raises(
            StoreError, match=r"log/00000000\d\.json is a folder, where the next entry of the log goes"
        ):
            handle.put_run(run("after", status=Status.FINISHED))
    assert store.log_head() == head
    folder.rmdir()
    assert named(store) == [("unlogged", "runs/after.json")]
    store.put_run(run("after", status=Status.FINISHED))
    assert named(store) == []
