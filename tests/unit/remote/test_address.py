"""The address of a repository, as a person writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import SettingError
from relet.remote.address import RepositoryAddress, read_address

NAMES = st.text("abcxyz019-_.", min_size=1, max_size=8).filter(lambda name: name.strip(".") and ".git" not in name)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
REVISIONS = st.none() | st.lists(st.text("abv019-_.", min_size=1), min_size=1, max_size=2).map("/".join)
USERS = st.sampled_from(["", "ana@", "ana:p@ss:w@rd@", "ana:x%40y@"])


def spelled(url: str, revision: str | None) -> str:
    return url if revision is None else f"{url}@{revision}"


@given(scheme=st.sampled_from(["https", "ssh", "git", "file"]), user=USERS, path=PATHS, revision=REVISIONS)
def test_what_follows_a_url_s_path_is_the_revision(
    scheme: str, user: str, path: str, revision: str | None
) -> None:
    for url in (f"{scheme}://{user}host:22/{path}", f"{scheme}://{user}host/@{path}.git"):
        found = read_address(spelled(url, revision))
        assert found == RepositoryAddress(url=url, revision=revision)
        assert "@host" not in found.shown and "p@ss" not in str(found)


@given(start=st.sampled_from(["git@host:", "git@[::1]:", "/", "./", "../", "~/"]), path=PATHS, revision=REVISIONS)
def test_short_addresses_and_folders_take_a_revision_too(start: str, path: str, revision: str | None) -> None:
    for url in (start + path, f"{start}{path}.git", f"{start}a@b/{path}.git" if revision else start + path):
        assert read_address(spelled(url, revision)) == RepositoryAddress(url=url, revision=revision)


@given(NAMES, NAMES)
def test_the_name_of_a_pipeline_or_a_step_is_no_address(pipeline: str, step: str) -> None:
    assert read_address(f"{pipeline.strip('.')}.{step}") is None


@pytest.mark.parametrize(
    ("text", "said"), [("htps://host/x.git", "did you mean https"), ("../x.git@", "nothing follows the @ of ../x")]
)
def test_a_wrong_address_is_named(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        read_address(text)
