"""Which number the next version gets where somebody deleted documents past the store."""

from __future__ import annotations

import pytest

from relet.core.artifact import Version
from relet.store import Store
from relet.store.layout import content_path, version_path
from tests.stored import lose

# As many of the newest pointers are looked at for the largest number that was given.
LOOKED_AT = 8


def add(store: Store, content: str) -> Version:
    sha = store.put_object(content.encode())
    return store.add_version(name="sample", type="file", content=sha, files={"data.csv": sha})


@pytest.mark.parametrize("later", range(LOOKED_AT))
def test_the_number_of_a_deleted_version_is_not_given_again_while_its_pointer_is_one_of_the_newest(
    store: Store, later: int
) -> None:
    """Each pointer that is lost and written again is newer than that of the deleted version."""
    earlier = [add(store, f"rows {number}") for number in range(LOOKED_AT - 1)]
    newest = add(store, "rows of the newest")
    for version in earlier[:later]:
        lose(store, content_path("sample", version.content))
        assert add(store, f"rows {version.number - 1}") == version
    lose(store, version_path("sample", newest.number))
    assert add(store, "other rows").number == newest.number + 1


def test_the_number_of_a_deleted_version_is_not_given_again_while_an_alias_holds_it(store: Store) -> None:
    add(store, "rows")
    held = add(store, "rows of the newest")
    store.set_alias("sample", "prod", held.number, by="test", why="")
    lose(store, content_path("sample", held.content), version_path("sample", held.number))
    assert add(store, "other rows").number == held.number + 1
