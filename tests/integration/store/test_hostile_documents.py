"""Whatever stands in a document of a store, and whatever lies beside it: words, and never a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relet.cli import relet
from relet.core.artifact import Reference
from relet.errors import ReletError, StoreError
from relet.store import Store, open_store
from tests.forged_bundle import ForgedBundle
from tests.honest_store import RUN, TRAIN, honest_store
from tests.stored import overwrite, stored_bytes, stored_paths

DEEP = b'{"a":' * 100_000
COMMANDS = (
    ("artifacts", "list"),
    ("artifacts", "list", "model"),
    ("artifacts", "show", "model"),
    ("artifacts", "show", "report:v1"),
    ("artifacts", "show", "reproduction"),
    ("artifacts", "alias", "model:prod"),
    ("artifacts", "gc"),
    ("artifacts", "verify"),
    ("artifacts", "log"),
    ("artifacts", "log", "--json"),
    ("artifacts", "log", "--head"),
    ("artifacts", "prune", "--keep", "5"),
    ("runs",),
    ("runs", RUN),
    ("runs", TRAIN),
)
# One document of each kind.
DOCUMENTS = (
    "artifacts/model/versions/1.json",
    "artifacts/report/versions/1.json",
    "artifacts/reproduction/versions/1.json",
    "artifacts/model/aliases/prod/1.json",
    f"runs/{RUN}.json",
    f"runs/{TRAIN}.json",
    "log/000000001.json",
    "log/000000004.json",
    "KEY",
    "CONTENT",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["model:v1", "model:v99999999999999999999", "2026-01-01", "0" * 64, "../x", "x" * 5000, "\ud800"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def call(store: Store, *words: str) -> str:
    """What a command says; it ends well, or with an error of relet's own."""
    done = CliRunner().invoke(relet, [*words, "--store", store.url])
    if done.exception is not None and not isinstance(done.exception, ReletError | SystemExit):
        raise done.exception
    return f"{done.output}{done.exception or ''}"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(f"memory://{uuid4()}")
    honest_store(store, tmp_path_factory.mktemp("honest"))
    return store


def path_of(kind: str, store: Store) -> str:
    if kind == "KEY":
        return f"keys/{store.run(TRAIN).key}.json"
    return f"artifacts/model/contents/{store.version('model:v1').content}.json" if kind == "CONTENT" else kind


def places(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a document, its own among them."""
    yield above
    held = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for name, value in held:
        yield from places(value, (*above, name))


def with_value(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = json.loads(json.dumps(document))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return copy


def met_by_everyone(store: Store) -> None:
    for words in COMMANDS:
        call(store, *words)
    for reference in ("model:prod", "report:v1", "sample"):
        try:
            store.find(Reference.parse(reference))
        except StoreError:
            continue
    list(store.runs())


@pytest.mark.parametrize("kind", DOCUMENTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.sampled
def test_any_value_in_any_field_of_a_document_is_met_with_words(
    kind: str, data: st.DataObject, honest: Store
) -> None:
    path = path_of(kind, honest)
    before = stored_bytes(honest, path)
    assert before is not None
    document = json.loads(before)
    place = data.draw(st.sampled_from(list(places(document))))
    changed = with_value(document, place, data.draw(values))
    overwrite(honest, path, json.dumps(changed).encode())
    try:
        met_by_everyone(honest)
    finally:
        overwrite(honest, path, before)


@pytest.mark.parametrize(
    "content", [DEEP, b"", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"format": ' + b"9" * 5000 + b"}"]
)
@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.sampled
def test_bytes_that_are_no_document_are_met_with_words_and_named(kind: str, content: bytes, honest: Store) -> None:
    path = path_of(kind, honest)
    before = stored_bytes(honest, path)
    assert before is not None
    overwrite(honest, path, content)
    try:
        met_by_everyone(honest)
        assert path in {each.where for each in honest.verify()}
        assert "sample:v1" in call(honest, "artifacts", "list")
        assert kind == f"runs/{RUN}.json" or RUN in call(honest, "runs")
    finally:
        overwrite(honest, path, before)


STRAY = (
    "artifacts/My Stuff/versions/1.json",
    "artifacts/Thumbs.db",
    "artifacts/model/versions/x/1.json",
    "artifacts/model/versions/notes.txt",
    "artifacts/model/versions/99999999999999999999999999.json",
    "artifacts/model/aliases/v3/1.json",
    "artifacts/model/aliases/prod/x/7.json",
    "artifacts/model/aliases/a b/1.json",
    "artifacts/model/contents/x.json",
    "runs/a b.json",
    "runs/folder/20260101.json",
    "runs/notes.txt",
    "keys/x/y.json",
    "objects/zz/zz",
    "searches/a b/1.json",
    "outbox/mlflow/x",
    "log/notes.txt",
    "log/000000007.json/x",
    "log/000000500.json",
    "log/999999999999999999999.json",
)


@pytest.mark.parametrize("path", STRAY)
@pytest.mark.sampled
def test_a_file_that_relet_never_wrote_hides_nothing(path: str, tmp_path: Path) -> None:
    store = open_store(f"memory://{uuid4()}")
    honest_store(store, tmp_path)
    listed = {words: call(store, *words) for words in COMMANDS[:6]}
    overwrite(store, path, b"not json")
    met_by_everyone(store)
    assert {words: call(store, *words) for words in COMMANDS[:6]} == listed
    assert store.add_version(name="model", type="file", content="c", files={}).number == 2
    store.set_alias("model", "prod", 2, by="test", why="")
    assert store.aliases("model")["prod"] == 2


def test_a_name_that_is_no_utf_8_hides_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    honest_store(store, tmp_path / "scratch")
    for folder in ("runs", "artifacts/model/versions", "artifacts", "keys"):
        Path(os.fsdecode(os.fsencode(tmp_path / "store" / folder) + b"/\xff.json")).write_bytes(b"{}")
    met_by_everyone(store)
    assert "model:v1" in call(store, "artifacts", "list")
    assert RUN in call(store, "runs")


@pytest.mark.parametrize(
    "reference", ["model:v" + "9" * 5000, "x" * 5000, "model:" + "x" * 5000, "model:v01", "Model:v1"]
)
def test_a_reference_that_can_be_none_is_an_error_in_words(reference: str, honest: Store) -> None:
    assert (
        "holds no" in (said := call(honest, "artifacts", "show", reference))
        or "can't be" in said
        or "no reference" in said
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_field_of_a_bundle_is_taken_whole_or_refused_whole(
    data: st.DataObject, honest: Store, tmp_path: Path
) -> None:
    path = tmp_path / "honest.tar"
    if not path.exists():
        honest.export_history("model", path)
    bundle = ForgedBundle.of(path)
    place = data.draw(st.sampled_from(list(places(bundle.manifest))))
    manifest = with_value(bundle.manifest, place, data.draw(values))
    other = open_store(f"memory://{uuid4()}")
    try:
        other.import_bundle(written(bundle, manifest, tmp_path / "forged.tar"))
    except StoreError:
        assert stored_paths(other) == []
    else:
        assert other.verify() == []
    met_by_everyone(other)


def written(bundle: ForgedBundle, manifest: Any, to: Path) -> Path:
    import io
    import tarfile

    with tarfile.open(to, "w") as tar:
        members = {f"objects/{digest}": content for digest, content in bundle.objects.items()}
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return to
