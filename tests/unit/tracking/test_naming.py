"""How trackers name models, and which alias of a model they mirror."""

from __future__ import annotations

from relet.core.record import RunRecord, Status
from relet.store import Store, open_store
from relet.store.contents import files_digest
from relet.tracking.naming import model_aliases


def model(store: Store, name: str, content: bytes, pipeline: str | None) -> int:
    """The number of a version of a model that a run of a pipeline made; None for one that nobody recorded."""
    if pipeline:
        store.put_run(
            RunRecord(
                id=f"run-of-{pipeline}",
                pipeline=pipeline,
                experiment="e",
                status=Status.RUNNING,
                started="2026-01-01",
            )
        )
    files = {"trees": store.put_object(content)}
    producer = f"run-of-{pipeline}" if pipeline else None
    made = store.add_version(name=name, type="model", content=files_digest(files), files=files, producer=producer)
    store.set_alias(name, "prod", made.number, by="test", why="")
    return made.number


def mirrored(store: Store) -> list[tuple[str, str, str]]:
    return [(name, alias, str(version)) for name, alias, version in model_aliases(store)]


def test_models_of_two_pipelines_are_registered_apart() -> None:
    store = open_store("memory://")
    model(store, "sales/model", b"one", "sales")
    model(store, "promo/model", b"two", "promo")
    assert mirrored(store) == [
        ("promo_model", "prod", "promo/model:v1"),
        ("sales_model", "prod", "sales/model:v1"),
    ]


def test_an_alias_of_an_older_relet_is_mirrored_until_the_pipeline_has_its_own() -> None:
    store = open_store("memory://")
    model(store, "model", b"one", "sales")
    assert mirrored(store) == [("sales_model", "prod", "model:v1")]
    model(store, "sales/model", b"two", "sales")
    assert mirrored(store) == [("sales_model", "prod", "sales/model:v2")]


def test_an_alias_that_a_pipeline_inherits_is_mirrored_once() -> None:
    store = open_store("memory://")
    model(store, "model", b"one", "sales")
    files = {"trees": store.put_object(b"two")}
    store.add_version(name="sales/model", type="model", content=files_digest(files), files=files)
    assert mirrored(store) == [("sales_model", "prod", "model:v1")]


def test_a_model_that_nobody_recorded_is_not_mirrored() -> None:
    store = open_store("memory://")
    model(store, "model", b"one", None)
    assert mirrored(store) == []
