"""Nothing that somebody forged in a bundle or in a store is believed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from relet.cli import relet
from relet.core.definitions import EXISTS, part_digests
from relet.core.normal_form import source_digest
from relet.engine.workspace import Workspace
from relet.errors import DamagedError, NotFoundError, ReletError, StoreError
from relet.store import Store, open_store
from relet.store.contents import files_digest
from relet.store.layout import log_path
from tests.forged_bundle import ForgedBundle
from tests.forgeries import IN_A_BUNDLE, IN_A_STORE, key_of
from tests.honest_store import TRAIN, honest_store
from tests.log_forgeries import IN_A_LOG
from tests.stored import lose, overwrite, stored_paths


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    store = open_store(f"memory://{uuid4()}")
    honest_store(store, folder)
    store.export_history("model", folder / "model.tar")
    return folder / "model.tar"


@pytest.fixture
def there(tmp_path: Path) -> Store:
    """A store on a disk, in which nothing is false."""
    store = open_store(tmp_path / "store")
    honest_store(store, tmp_path / "scratch")
    return store


def said(store: Store, *words: str) -> str:
    """What a command of relet says of a store; an error in words counts as words."""
    done: Result = CliRunner().invoke(relet, [*words, "--store", store.url])
    assert done.exception is None or isinstance(done.exception, ReletError | SystemExit), done.exception
    return f"{done.output}{done.exception or ''}"


def test_nothing_is_false_in_the_store_that_the_forgeries_start_from(there: Store, bundle: Path) -> None:
    other = open_store(f"memory://{uuid4()}")
    assert there.verify() == []
    assert other.import_bundle(bundle).doubts == ()
    assert other.verify() == []
    for forgery in IN_A_STORE.values():
        assert not forgery.shown or "FALSE" not in said(there, *forgery.shown)


@pytest.mark.parametrize("kind", IN_A_BUNDLE)
def test_a_forged_bundle_is_refused_and_nothing_is_stored(kind: str, bundle: Path, tmp_path: Path) -> None:
    other = open_store(f"memory://{uuid4()}")
    forged = ForgedBundle.of(bundle)
    IN_A_BUNDLE[kind](forged)
    with pytest.raises(StoreError):
        other.import_bundle(forged.write(tmp_path / "forged.tar"))
    assert stored_paths(other) == []


@pytest.mark.parametrize("kind", IN_A_STORE)
def test_a_forgery_in_a_store_is_named_with_what_to_do(kind: str, there: Store) -> None:
    IN_A_STORE[kind].change(there)
    problems = there.verify()
    assert problems
    assert all(each.message for each in problems)


@pytest.mark.parametrize("kind", IN_A_LOG)
def test_a_forgery_that_contradicts_nothing_else_is_named_by_the_log(kind: str, there: Store) -> None:
    forgery = IN_A_LOG[kind]
    head = there.log_head()
    forgery.change(there)
    found = {(each.kind, each.where) for each in there.verify(head if forgery.with_head else None)}
    assert (forgery.kind, forgery.where) in found
    assert {each for each, where in found if not is_pointer(where)} <= {"log", "unlogged", "changed", "gone"}


@pytest.mark.parametrize("kind", [kind for kind, each in IN_A_LOG.items() if each.with_head])
def test_without_a_head_that_was_kept_the_end_of_the_log_proves_nothing(kind: str, there: Store) -> None:
    IN_A_LOG[kind].change(there)
    assert [each for each in there.verify() if not is_pointer(each.where)] == []


def is_pointer(path: str) -> bool:
    """Whether this is the pointer of a content, which the forgeries leave as it was."""
    return "/contents/" in path


@pytest.mark.parametrize("kind", [kind for kind, each in IN_A_STORE.items() if each.shown])
def test_a_forgery_in_a_store_is_shown_as_one(kind: str, there: Store) -> None:
    IN_A_STORE[kind].change(there)
    text = said(there, *IN_A_STORE[kind].shown)
    assert "FALSE" in text or "can't be read" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 2", "says that the code of helper has the digest"),
        (b"x = " + b"-" * 200_000 + b"1", "has the code of helper, whose stored file can't be parsed"),
    ],
    ids=["other", "deep"],
)
def test_a_bundle_whose_code_is_not_what_a_key_says_is_refused_and_nothing_is_stored(
    content: bytes, message: str, bundle: Path, tmp_path: Path
) -> None:
    for file, refused in ((b"x = 1  # as it was", False), (content, True)):
        other = open_store(f"memory://{uuid4()}")
        forged = ForgedBundle.of(bundle)
        forged.give_code(TRAIN, {"helper": source_digest(b"x = 1")}, {"helper.py": file})
        path = forged.write(tmp_path / "forged.tar")
        if refused:
            with pytest.raises(StoreError, match=f"run {TRAIN} {message}.*nothing was stored"):
                other.import_bundle(path)
            assert stored_paths(other) == []
        else:
            other.import_bundle(path)
            assert other.verify() == []


PARTS = b"X = 1\n\ndef f(): return X\n\ndef g(): return 2\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"return 2", b"return 3", None),
        (b"def g", b"def h", "the code of helper has the digest rest"),
        (b"return X", b"return 1", "the code of helper:f has the digest"),
        (b"X = 1", b"X = 2", "the code of helper has the digest rest"),
        (b"def f(", b"def e(", "the code of helper"),
    ],
)
def test_a_key_that_holds_parts_of_a_module_is_compared_with_these_parts(
    old: bytes, new: bytes, told: str | None, bundle: Path, tmp_path: Path
) -> None:
    parts = part_digests(ast.parse(PARTS), {"f", "g"})
    other = open_store(f"memory://{uuid4()}")
    forged = ForgedBundle.of(bundle)
    stored = PARTS.replace(old, new)
    forged.give_code(
        TRAIN, {"helper": parts[""], "helper:f": parts["f"], "helper:g": EXISTS}, {"helper.py": stored}
    )
    path = forged.write(tmp_path / "forged.tar")
    if told is None:
        other.import_bundle(path)
        assert other.verify() == []
    else:
        with pytest.raises(StoreError, match=told):
            other.import_bundle(path)
        assert stored_paths(other) == []


PAGES = "artifacts/pages/versions/1.json"


def test_a_deleted_version_is_named_once_with_the_run_that_names_it_until_it_is_entered_as_gone(
    there: Store,
) -> None:
    lose(there, PAGES)
    (problem,) = (each for each in there.verify() if each.kind == "gone")
    assert problem.where == PAGES
    assert problem.message.startswith(f"run {TRAIN} names pages:v1, and it is gone and was not pruned: ")
    assert problem.message.endswith(f"relet artifacts log --enter {PAGES}")
    there.enter_in_log(PAGES)
    assert there.verify() == []
    with pytest.raises(NotFoundError, match="pages:v1 was pruned"):
        there.version("pages:v1")


def test_a_deleted_verdict_is_named_once(there: Store) -> None:
    lose(there, "artifacts/report/versions/1.json")
    named = [each.where for each in there.verify() if each.kind == "gone"]
    assert named == ["artifacts/report/versions/1.json"]
    there.enter_in_log("artifacts/report/*")
    assert there.verify() == []


def test_a_pruned_version_that_a_record_names_is_not_named_as_gone(there: Store) -> None:
    pages = there.version("pages")
    files = {"c.html": there.put_object(b"c")}
    there.add_version(name="pages", type=pages.type, content=files_digest(files), files=files)
    assert there.prune(keep=1) == ["pages:v1"]
    assert there.verify() == []


@pytest.mark.parametrize("left", ["the pointer of its content", "an alias"])
def test_the_number_of_a_deleted_version_is_not_given_to_another_content(left: str, there: Store) -> None:
    name = "pages" if left == "the pointer of its content" else "model"
    held = there.version(name)
    lose(there, f"artifacts/{name}/versions/1.json")
    if left == "an alias":
        lose(there, f"artifacts/model/contents/{held.content}.json")
    files = {"new": there.put_object(b"new")}
    made = there.add_version(name=name, type=held.type, content=files_digest(files), files=files)
    assert made.number == 2


@pytest.mark.parametrize("number", [999_999_999, 10**9, -5, "2", True])
def test_a_number_that_no_version_can_have_is_not_counted_on(number: object, there: Store) -> None:
    overwrite(there, f"artifacts/pages/contents/{'f' * 64}.json", {"number": number})
    files = {"new": there.put_object(b"new")}
    made = there.add_version(name="pages", type="folder", content=files_digest(files), files=files)
    assert made.number in (2, 3)
    assert there.find("pages:latest") == made


@pytest.mark.parametrize("lost", [1, 3])
def test_the_head_of_a_log_with_a_gap_comes_with_a_warning(lost: int, there: Store) -> None:
    head = str(there.log_head())
    assert said(there, "artifacts", "log", "--head") == f"{head}\n"
    lose(there, log_path(lost))
    warned = said(there, "artifacts", "log", "--head")
    assert set(warned.splitlines()) == {
        head,
        f"entry {lost} of the log is missing; relet artifacts verify says more",
    }
    assert "has no log yet" not in said(there, "artifacts", "verify", "--log-head", head)


def test_what_is_false_is_not_exported(there: Store, tmp_path: Path) -> None:
    IN_A_STORE["version: other rows under the content"].change(there)
    for export in (there.export_history, there.export_version):
        with pytest.raises(DamagedError, match=r"sample:v1 says content = .*; nothing was written"):
            export("sample", tmp_path / "sample.tar")
    assert not (tmp_path / "sample.tar").exists()


@pytest.mark.parametrize("kind", [kind for kind, each in IN_A_STORE.items() if each.key_of])
def test_a_forged_output_lets_no_step_be_skipped(kind: str, there: Store) -> None:
    run = str(IN_A_STORE[kind].key_of)
    key = key_of(run, there)
    assert there.key(key) is not None
    IN_A_STORE[kind].change(there)
    assert there.key(key) is None


@pytest.mark.parametrize("kind", [kind for kind, each in IN_A_STORE.items() if each.loaded])
def test_a_forged_version_is_not_laid_out_for_a_component(kind: str, there: Store, tmp_path: Path) -> None:
    IN_A_STORE[kind].change(there)
    version = there.version(f"{IN_A_STORE[kind].loaded}:v1")
    key = key_of(str(version.producer), there)
    with pytest.raises(DamagedError, match="is not what it claims"):
        Workspace(tmp_path, there).lay_out(version)
    assert there.key(key) is None


@pytest.mark.parametrize(
    "kind",
    [
        "version: a footer that hides rows",
        "version: other rows under the content",
        "version: another MLmodel under the content",
    ],
)
def test_a_run_that_makes_the_content_is_given_a_version_of_its_own_and_is_told(kind: str, there: Store) -> None:
    name = str(IN_A_STORE[kind].shown[-1]).partition(":")[0]
    honest = there.version(name)
    IN_A_STORE[kind].change(there)
    doubts: list[str] = []

    def made() -> str:
        return str(
            there.add_version(
                name=name,
                type=honest.type,
                content=honest.content,
                files=honest.files,
                metadata=honest.metadata,
                doubting=doubts.append,
            )
        )

    assert made() == f"{name}:v2"
    assert len(doubts) == 1
    assert doubts[0].startswith(f"{name}:v1 is not what it claims and was not taken: it says content = ")
    assert (made(), len(doubts)) == (f"{name}:v2", 1)
    assert there.find_content(name, honest.content) == there.version(f"{name}:v2")


def test_what_a_bundle_says_of_where_it_comes_from_is_replaced(bundle: Path, tmp_path: Path) -> None:
    forged = ForgedBundle.of(bundle)
    origin = {"bundle": "trusted", "version": "model:v1", "run": ""}
    forged.version("model")["metadata"]["imported"] = origin
    other = open_store(f"memory://{uuid4()}")
    version = other.import_bundle(forged.write(tmp_path / "forged.tar")).version
    assert version.imported is not None
    assert version.imported["bundle"] != "trusted"
    assert other.version("model").imported == version.imported


def test_metrics_that_no_artifact_of_the_bundle_proves_are_left_out(bundle: Path, tmp_path: Path) -> None:
    forged = ForgedBundle.of(bundle)
    forged.manifest["versions"].remove(forged.version("scores"))
    forged.run(TRAIN)["metrics"] = {"mae": 0.1}
    other = open_store(f"memory://{uuid4()}")
    other.import_bundle(forged.write(tmp_path / "forged.tar"))
    record = other.run(TRAIN)
    assert record.metrics == {}
    assert "without mae, which it can't prove" in str(record.imported)
    assert "mae" not in other.run(str(record.parent)).metrics


def lines_with(text: str, word: str) -> Iterator[str]:
    return (line for line in text.splitlines() if word in line)


def test_what_was_imported_says_so_and_says_it_no_more_elsewhere(bundle: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    other.import_bundle(bundle)
    assert next(lines_with(said(other, "artifacts", "show", "model"), "imported")).startswith(
        "imported  as model:v1 from bundle "
    )
    assert next(lines_with(said(other, "artifacts", "list"), "model:v1")).endswith("(imported)")
    assert "nobody here saw it run" in said(other, "runs", TRAIN)
    other.export_history("model", tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()


def test_a_run_that_makes_what_was_imported_has_a_version_of_its_own(bundle: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    other.import_bundle(bundle)
    came = other.version("model")
    made = [
        other.add_version(
            name="model",
            type=came.type,
            content=came.content,
            files=came.files,
            description="my own",
            producer="r",
        )
        for _ in range(2)
    ]
    assert [str(each) for each in made] == ["model:v2", "model:v2"]
    assert (made[0].imported, made[0].description, made[0].producer) == (None, "my own", "r")
    assert other.import_bundle(bundle).version == made[0]
