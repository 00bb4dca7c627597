"""What every store keeps to where artifacts belong to pipelines: they are apart, and may be inherited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.core.artifact import ArtifactType, Reference, Version
from relet.core.record import RunRecord, Status
from relet.errors import NotFoundError, StoreError
from relet.store import Store, open_store
from tests.stored import lose, stored_paths

FreshUrl = Callable[[], str]
fewer = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def add(store: Store, name: str, content: bytes = b"rows", producer: str | None = None) -> Version:
    sha = store.put_object(content)
    return store.add_version(
        name=name, type=ArtifactType.FILE, content=sha, files={"data.csv": sha}, producer=producer
    )


def ran(store: Store, pipeline: str) -> str:
    """The id of a run of a pipeline that has a record."""
    record = RunRecord(
        id=f"run-of-{pipeline}", pipeline=pipeline, experiment="e", status=Status.RUNNING, started="2026-01-01"
    )
    store.put_run(record)
    return record.id


def name_it(store: Store, version: Version, alias: str, name: str = "") -> None:
    store.set_alias(name or version.name, alias, version.number, by="test", why="")


@pytest.fixture
def older(store: Store) -> list[Version]:
    """Three versions that an older relet stored: of sales, of promo, and of a run whose record is gone."""
    made = [
        add(store, "raw", b"one", ran(store, "sales")),
        add(store, "raw", b"two", ran(store, "promo")),
        add(store, "raw", b"three", "a-run-that-is-gone"),
    ]
    name_it(store, made[0], "prod")
    name_it(store, made[1], "latest")
    return made


def test_artifacts_of_two_pipelines_have_numbers_and_aliases_of_their_own(store: Store) -> None:
    one, other = add(store, "sales/raw", b"one"), add(store, "promo/raw", b"two")
    assert (str(one), str(other)) == ("sales/raw:v1", "promo/raw:v1")
    name_it(store, one, "prod")
    assert store.names() == ["promo/raw", "sales/raw"]
    assert store.find("sales/raw:prod") == store.version("sales/raw") == one
    assert store.find("promo/raw:prod") is None
    assert (store.aliases("sales/raw"), store.aliases("promo/raw")) == ({"prod": 1}, {})
    assert store.find_content("promo/raw", one.content) is None
    assert store.verify() == []


def test_equal_contents_of_two_pipelines_are_a_version_of_each(store: Store) -> None:
    assert [str(add(store, f"{each}/raw")) for each in ("sales", "promo", "sales")] == [
        "sales/raw:v1",
        "promo/raw:v1",
        "sales/raw:v1",
    ]


@fewer
@given(writes=st.lists(st.tuples(st.sampled_from(["raw", "a/raw", "b/raw"]), st.binary(min_size=1, max_size=2))))
def test_a_version_is_found_by_its_name_whatever_the_others_have(
    fresh_url: FreshUrl, writes: list[tuple[str, bytes]]
) -> None:
    store = open_store(fresh_url())
    for name, content in writes:
        made = add(store, name, content)
        assert store.version(Reference.parse(str(made))) == made
        assert store.read_object(made.files["data.csv"]) == content
    assert store.verify() == []


def test_a_short_name_means_the_artifact_of_the_one_pipeline_that_has_it(store: Store) -> None:
    made = add(store, "sales/raw")
    name_it(store, made, "prod")
    assert [store.version(each) for each in ("raw", "raw:v1", "raw:prod")] == [made] * 3
    assert str(store.full_reference("raw:prod")) == "sales/raw:prod"
    with pytest.raises(NotFoundError, match="no artifact 'rwa': did you mean raw"):
        store.version("rwa")


def test_a_name_as_text_is_what_a_person_means_and_a_reference_is_exact(store: Store) -> None:
    own = add(store, "sales/raw", b"one")
    store.set_alias("raw", "prod", 1, by="test", why="")
    assert store.aliases("raw") == store.aliases("sales/raw") == {"prod": 1}
    assert store.versions("raw") == [own]
    assert store.alias_history("raw", "prod")[0].number == 1
    assert (store.versions(Reference("raw")), store.aliases(Reference("raw"))) == ([], {})
    assert (store.find(Reference("raw")), store.find("raw")) == (None, own)


def test_an_alias_is_set_to_the_version_of_the_very_name_that_came_from_elsewhere(store: Store) -> None:
    own = add(store, "sales/raw", b"one")
    other = add(store, "raw", b"two")
    store.set_alias(other.name, "prod", other.number, by="test", why="")
    assert store.aliases(Reference("raw")) == {"prod": 1}
    assert store.version("raw:v1") == other
    assert store.version("raw:latest") == own
    assert store.aliases_of(own) == []


def test_a_short_name_that_two_pipelines_have_is_refused_with_both(store: Store) -> None:
    made = {name: add(store, name, name.encode()) for name in ("sales/raw", "promo/raw")}
    for act in (store.version, store.find, store.full_reference):
        with pytest.raises(
            NotFoundError, match=r"raw:latest is not clear: 2 pipelines .* promo/raw:latest or sales/raw:latest"
        ):
            act("raw")
    later = add(store, "promo/raw", b"only promo has a second one")
    assert store.version("raw:v2") == later
    assert {str(store.version(name)) for name in made} == {"sales/raw:v1", "promo/raw:v2"}


def test_a_pipeline_takes_what_it_made_when_an_older_relet_gave_it_a_short_name(
    store: Store, older: list[Version]
) -> None:
    assert store.find("sales/raw:v1") == older[0]
    assert store.find("sales/raw:prod") == older[0]
    assert store.find("sales/raw:latest") == older[2], (
        "the latest is another pipeline's, so the newest that is its"
    )
    assert store.find("promo/raw:latest") == older[1]
    assert store.find("sales/raw:v2") is None
    assert store.versions("sales/raw") == [older[0], older[2]]
    assert (store.aliases("sales/raw"), store.aliases("promo/raw")) == ({"prod": 1}, {"latest": 2})
    assert store.alias_history("sales/raw", "prod")[0].number == 1


def test_numbers_go_on_after_those_of_an_older_relet_and_its_versions_keep_their_names(
    store: Store, older: list[Version]
) -> None:
    made = add(store, "sales/raw", b"four")
    assert str(made) == "sales/raw:v4"
    assert [str(each) for each in store.versions("sales/raw")] == ["raw:v1", "raw:v3", "sales/raw:v4"]
    assert store.version("raw:v1") == older[0]
    assert store.version("raw:v2") == older[1]
    assert store.version("raw:v4") == store.version("raw:latest") == made
    assert store.find("sales/raw:prod") == older[0]
    assert str(add(store, "promo/raw", b"five")) == "promo/raw:v4"


def test_equal_content_is_the_version_that_an_older_relet_stored(store: Store, older: list[Version]) -> None:
    assert add(store, "sales/raw", b"one") == older[0]
    made = add(store, "sales/raw", b"two")
    assert str(made) == "sales/raw:v4", "that content is another pipeline's"
    assert add(store, "sales/raw", b"three") == older[2]
    assert add(store, "sales/raw", b"two") == made


def test_a_pipelines_own_alias_goes_before_the_one_that_it_inherits(store: Store, older: list[Version]) -> None:
    made = add(store, "sales/raw", b"four")
    name_it(store, made, "prod")
    name_it(store, older[0], "latest", "sales/raw")
    assert store.find("sales/raw:prod") == made
    assert store.find("sales/raw:latest") == older[0]
    assert store.aliases("sales/raw") == {"latest": 1, "prod": 4}
    assert store.aliases_of(older[0]) == ["latest"]
    assert store.aliases_of(made) == ["prod"]
    assert store.verify() == []


def test_an_alias_is_not_set_to_what_another_pipeline_made(store: Store, older: list[Version]) -> None:
    with pytest.raises(NotFoundError):
        name_it(store, older[1], "prod", "sales/raw")
    assert store.aliases("sales/raw") == {"prod": 1}


def test_what_is_added_under_a_short_name_later_is_not_inherited(store: Store) -> None:
    own = add(store, "sales/raw", b"one")
    later = add(store, "raw", b"two", ran(store, "sales"))
    assert (str(own), str(later)) == ("sales/raw:v1", "raw:v1")
    assert store.find("sales/raw:v1") == own
    assert store.versions("sales/raw") == [own]
    assert str(add(store, "sales/raw", b"two")) == "sales/raw:v2"


def test_an_inherited_version_that_an_alias_of_its_pipeline_names_is_not_pruned(
    store: Store, older: list[Version]
) -> None:
    made = add(store, "sales/raw", b"four")
    name_it(store, older[0], "kept", "sales/raw")
    lose(store, "artifacts/raw/aliases/prod/1.json", "artifacts/raw/aliases/latest/1.json")
    assert store.prune(keep=1) == ["raw:v2"]
    store.gc(timedelta(0))
    assert store.find("sales/raw:kept") == older[0]
    assert store.read_object(older[0].files["data.csv"]) == b"one"
    assert store.find("sales/raw:v4") == made


def test_an_alias_of_a_pipeline_that_names_nothing_any_more_is_named(store: Store, older: list[Version]) -> None:
    name_it(store, older[0], "kept", "sales/raw")
    assert store.verify() == []
    lose(store, "artifacts/raw/versions/1.json")
    assert ("dangling", "sales/raw:kept") in {(each.kind, each.where) for each in store.verify()}


def test_a_version_of_a_pipeline_goes_to_another_store_under_its_full_name(
    store: Store, fresh_url: FreshUrl, tmp_path: Path
) -> None:
    made = add(store, "sales/raw")
    store.export_version("sales/raw", tmp_path / "raw.tar")
    other = open_store(fresh_url())
    add(other, "promo/raw", b"another")
    arrived = other.import_version(tmp_path / "raw.tar")
    assert (str(arrived), arrived.content) == ("sales/raw:v1", made.content)
    assert str(other.version("promo/raw:latest")) == "promo/raw:v1"


def test_the_folder_of_a_full_name_is_one_that_an_older_relet_spares_and_passes_over(store: Store) -> None:
    add(store, "sales/raw")
    assert "artifacts/sales.raw/versions/1.json" in stored_paths(store)


@pytest.mark.parametrize(
    "name", ["sales/Raw", "sales/raw/x", "/raw", "../raw", "sales/..", ".sales/raw", "a b/raw"]
)
def test_a_full_name_that_could_be_another_path_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="can't be an artifact's name"):
        add(store, name)
    with pytest.raises(NotFoundError, match="is no reference"):
        store.version(f"{name}:v1")


@pytest.mark.parametrize("content", [b"new", b"one"], ids=["another content", "that of an older version"])
@pytest.mark.sampled
def test_an_import_does_not_move_what_a_pipeline_inherits_as_its_latest(
    store: Store, fresh_url: FreshUrl, tmp_path: Path, content: bytes
) -> None:
    add(store, "raw", b"one", ran(store, "sales"))
    newest = add(store, "raw", b"two", ran(store, "sales"))
    there = open_store(fresh_url())
    add(there, "sales/raw", content)
    there.export_version("sales/raw", tmp_path / "raw.tar")
    store.import_version(tmp_path / "raw.tar")
    assert store.version("sales/raw:latest") == newest


def test_what_came_with_a_bundle_and_nobodys_record_is_no_pipelines_own(
    store: Store, fresh_url: FreshUrl, tmp_path: Path
) -> None:
    own = add(store, "raw", b"one", ran(store, "sales"))
    there = open_store(fresh_url())
    add(there, "raw", b"of another", "a-run-of-promo")
    there.export_version("raw", tmp_path / "raw.tar")
    arrived = store.import_version(tmp_path / "raw.tar")
    assert store.version(Reference("raw", f"v{arrived.number}")) == arrived
    assert store.version("sales/raw:latest") == own
    assert store.find(Reference("promo/raw")) is None


def test_of_a_short_name_the_newest_of_each_pipeline_are_kept(store: Store) -> None:
    made = add(store, "raw", b"one", ran(store, "sales"))
    for content in (b"two", b"three"):
        add(store, "raw", content, ran(store, "promo"))
    assert store.prune(keep=1) == ["raw:v2"]
    assert store.version("sales/raw") == made
