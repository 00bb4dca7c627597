"""Which number the next version gets where somebody deleted documents past the store."""

from __future__ import annotations

import pytest

from relet.store import Store
from relet.store.layout import content_path, version_path
from tests.stored import add_file, lose

# As many of the newest pointers are looked at for the largest number that was given.
LOOKED_AT = 8


@pytest.mark.parametrize("later", range(LOOKED_AT))
def test_the_number_of_a_deleted_version_is_not_given_again_while_its_pointer_is_one_of_the_newest(
    store: Store, later: int
) -> None:
    """Each pointer that is lost and written again is newer than that of the deleted version."""
    contents = [bytes([number]) for number in range(LOOKED_AT)]
    versions = [add_file(store, content) for content in contents]
    for content, version in zip(contents[:later], versions[:later], strict=True):
        lose(store, content_path("sample", version.content))
        assert add_file(store, content) == version
    lose(store, version_path("sample", versions[-1].number))
    assert add_file(store, b"other").number == versions[-1].number + 1


def test_the_number_of_a_deleted_version_is_not_given_again_while_an_alias_holds_it(store: Store) -> None:
    add_file(store, b"rows")
    held = add_file(store, b"newest")
    store.set_alias("sample", "prod", held.number, by="test", why="")
    lose(store, content_path("sample", held.content), version_path("sample", held.number))
    assert add_file(store, b"other").number == held.number + 1
