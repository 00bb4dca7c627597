"""The journal of a search, wherever the store lies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from relet.errors import DamagedError, StoreError
from relet.store import Store, open_store
from tests.stored import overwrite, stored_paths

LOGS = [{"op_code": 4, "worker_id": "a", "trial": 0}, {"op_code": 5, "value": 0.1 + 0.2, "name": "räte"}]


def test_what_was_appended_is_read_in_the_order_of_the_numbers(store: Store) -> None:
    journal = store.journal("abc")
    assert journal.pieces() == []
    for number in (2, 1, 3):
        assert journal.append(number, 8, [*LOGS, {"number": number}])
    found = store.journal("abc").pieces()
    assert [(each.number, each.size) for each in found] == [(1, 8), (2, 8), (3, 8)]
    assert [list(each.logs) for each in found] == [[*LOGS, {"number": number}] for number in (1, 2, 3)]


def test_of_two_that_write_one_piece_the_first_is_right(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        wrote = list(pool.map(lambda n: store.journal("abc").append(1, 8, [{"by": n}]), range(8)))
    assert wrote.count(True) == 1
    assert store.journal("abc").pieces()[0].logs == ({"by": wrote.index(True)},)


def test_a_piece_that_was_cut_short_gives_way_to_the_whole_one(store: Store) -> None:
    journal = store.journal("abc")
    journal.append(1, 3, LOGS)
    journal.append(1, 10, [*LOGS, *LOGS])
    journal.append(1, 8, LOGS)
    assert [(each.size, len(each.logs)) for each in journal.pieces()] == [(10, 4)]


def test_what_comes_after_a_gap_does_not_count(store: Store) -> None:
    journal = store.journal("abc")
    for number in (1, 3, 4):
        journal.append(number, 8, LOGS)
    assert [each.number for each in journal.pieces()] == [1]


def test_searches_are_kept_apart_and_say_what_they_are_about(store: Store) -> None:
    store.journal("abc").describe({"metric": "mae"})
    store.journal("abc").describe({"metric": "r2"})
    store.journal("def").append(1, 1, LOGS)
    assert store.journal("abc").about() == {"metric": "mae"}
    assert store.journal("def").about() is None
    assert store.journal("abc").pieces() == []
    assert store.searches() == ["abc", "def"]


def test_who_joins_learns_who_was_there_before(store: Store) -> None:
    journal = store.journal("abc")
    assert journal.join("run-1") == []
    assert journal.join("run-2") == ["run-1"]
    assert store.journal("abc").join("run-3") == ["run-1", "run-2"]
    assert journal.pieces() == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"logs": 3}', b'{"logs": [1]}', b"{}"])
def test_a_piece_that_is_damaged_is_named_with_the_way_out(store: Store, content: bytes) -> None:
    store.journal("abc").append(1, 8, LOGS)
    overwrite(store, "searches/abc/1-8.json", content)
    with pytest.raises(DamagedError, match=r"searches/abc/1-8.json.*delete it"):
        store.journal("abc").pieces()


def test_a_damaged_piece_is_found_by_verify(store: Store) -> None:
    store.journal("abc").append(1, 8, LOGS)
    piece = "searches/abc/1-8.json"
    assert [each for each in store.verify() if each.where == piece] == []
    overwrite(store, piece, b"{")
    assert [each.kind for each in store.verify() if each.where == piece] == ["unreadable"]


def test_a_search_s_id_cannot_lead_elsewhere(store: Store) -> None:
    for name in ("../runs", "a/b", ""):
        with pytest.raises(StoreError, match="the id of a search"):
            store.journal(name)


def test_looking_for_searches_makes_no_store(url: str) -> None:
    store = open_store(url)
    assert store.searches() == [] and store.journal("abc").pieces() == []
    assert stored_paths(store) == []
