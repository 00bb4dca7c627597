"""A check of the whole store while another process writes names nothing of what that one is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relet.store import Store, aliases, objects, runs, verification, versions
from tests.unit.store.past import a_past, add, ran

# Every listing, and what lies between them.
MOMENTS = [
    (runs, "newest_first"),
    (versions, "names"),
    (versions, "living_versions"),
    (aliases, "current_numbers"),
    (objects, "pieces"),
    (verification, "false_record_claims"),
]


@pytest.mark.parametrize(("module", "name"), MOMENTS, ids=[name for _, name in MOMENTS])
@pytest.mark.parametrize("after", [False, True])
def test_what_is_written_at_any_moment_of_a_check_is_no_problem(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after: bool
) -> None:
    a_past(store)
    honest: Callable[..., Any] = getattr(module, name)
    left = [1]

    def writing(*words: Any, **more: Any) -> Any:
        found = honest(*words, **more) if after else None
        if left:
            left.pop()
            ran(store, "run9", {"get": ({}, {"sample": b"id,price\n9,9\n"})})
            other = add(store, "sample", b"id,price\n10,10\n")
            store.set_alias("sample", "newest", other.number, by="somebody", why="")
        return found if after else honest(*words, **more)

    monkeypatch.setattr(module, name, writing)
    assert store.verify() == []
    assert not left
