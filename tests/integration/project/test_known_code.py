"""What is kept of modules between processes: it saves time, and changes nothing that comes out."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from relet.core import code
from relet.project import known_code
from tests.tiny_project import Tiny

KEPT = Path(".relet") / known_code.NAME


@pytest.fixture(autouse=True)
def another_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Forget what this process knows, as another one would not know it."""

    def forget() -> None:
        monkeypatch.setattr(known_code, "_known", {})
        monkeypatch.setattr(known_code, "_recalled", set())

    forget()
    return forget


@pytest.fixture(autouse=True)
def users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "cache"
    monkeypatch.setenv("RELET_CACHE", str(folder))
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules whose digest was worked out from their tree."""
    found: list[str] = []
    digest = code.tree_digest

    def seen(tree: Any) -> str:
        found.append(digest(tree))
        return found[-1]

    monkeypatch.setattr(code, "tree_digest", seen)
    return found


def test_another_process_parses_only_what_was_edited(tiny: Tiny, another_process: Any, parsed: list[str]) -> None:
    assert tiny.ran() == ["get", "clean", "check", "train"]
    assert len(parsed) > 4
    another_process()
    parsed.clear()
    assert tiny.ran() == []
    assert parsed == []
    tiny.edit("helper.py", "return", "assert True\n    return")
    another_process()
    assert tiny.ran() == ["train"]
    assert len(parsed) == 1


@pytest.mark.parametrize("damage", [b"", b"no seal", b"{}\n{}", b"\xff\n\xff"])
@pytest.mark.sampled
def test_a_damaged_file_is_as_good_as_none(
    tiny: Tiny, another_process: Any, parsed: list[str], damage: bytes
) -> None:
    tiny.ran()
    many, whole = len(parsed), KEPT.read_bytes()
    for stored in (damage, whole[:-1], whole.replace(b'["', b'["0', 1)):
        KEPT.write_bytes(stored)
        another_process()
        parsed.clear()
        assert tiny.ran() == []
        assert len(parsed) == many
        assert KEPT.read_bytes() == whole


def test_what_another_python_or_another_reading_of_trees_left_is_not_taken(
    tiny: Tiny, another_process: Any, parsed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.ran()
    for patch in ("version", "reader"):
        another_process()
        parsed.clear()
        with monkeypatch.context() as other:
            if patch == "version":
                other.setattr(sys, "version", f"{sys.version} another")
            else:
                changed = tmp_path / "other" / "code.py"
                changed.parent.mkdir()
                changed.write_bytes(Path(code.__file__).read_bytes() + b"\n")
                other.setattr(code, "__file__", str(changed))
            assert tiny.ran() == []
            assert parsed


def test_the_first_run_in_a_project_knows_relets_own_modules(
    tiny: Tiny, another_process: Any, parsed: list[str], users_cache: Path
) -> None:
    helper = tiny.path("helper.py")
    helper.write_text(f"from relet.evaluation.metrics import regression\n{helper.read_text()}")
    tiny.ran()
    kept = KEPT.read_bytes()
    many = len(parsed)
    for cached, own_alone in (((users_cache / known_code.NAME).read_bytes(), True), (b"damaged", False)):
        (users_cache / known_code.NAME).write_bytes(cached)
        KEPT.unlink()
        another_process()
        parsed.clear()
        assert tiny.ran() == []
        assert (len(parsed) < many) is own_alone and len(parsed) > 4
        held = json.loads((users_cache / known_code.NAME).read_bytes().partition(b"\n")[2])
        assert {key.partition(" ")[2].partition(".")[0] for key in held["modules"]} == {"relet"}
        assert len(KEPT.read_bytes()) >= len(kept)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", [known_code.NAME, known_code.SECRET])
def test_a_pipe_in_the_cache_stops_nothing(tiny: Tiny, users_cache: Path, name: str) -> None:
    users_cache.mkdir(parents=True)
    os.mkfifo(users_cache / name)
    assert tiny.ran() == ["get", "clean", "check", "train"]


def _with_false_digests(held: Any) -> bytes:
    """What a file holds, with another digest for each module and each part of one."""
    return re.sub(r'"[0-9a-f]{64}"', f'"{"0" * 64}"', json.dumps(held)).encode()


def test_it_is_taken_and_not_worked_out_again(tiny: Tiny, another_process: Any, users_cache: Path) -> None:
    """Seen by what would go wrong, were a sealed file to lie."""
    tiny.ran()
    held = json.loads(KEPT.read_bytes().partition(b"\n")[2])
    lying = _with_false_digests(held)
    secret = (users_cache / known_code.SECRET).read_bytes()
    KEPT.write_bytes(known_code._modules_seal(lying, secret) + b"\n" + lying)
    another_process()
    assert tiny.ran() == ["get", "clean", "check", "train"]


def test_what_was_not_asked_for_lately_goes_first(
    tiny: Tiny, another_process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_code, "LIMIT", 2)
    tiny.ran()
    held = json.loads(KEPT.read_bytes().partition(b"\n")[2])
    assert list(held["modules"]) == list(known_code._known)[-2:]


def test_a_folder_that_can_not_be_written_to_stops_nothing(
    tiny: Tiny, another_process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.ran()
    KEPT.unlink()
    another_process()

    replace = Path.replace

    def refuse(self: Path, to: Path) -> Path:
        if to.name == KEPT.name:
            raise PermissionError(13, "as if it were so")
        return replace(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        assert tiny.run("modeling.factor=3.0").results
    assert [path.name for path in KEPT.parent.glob("*code.json*")] == []


def test_looking_keeps_nothing(tiny: Tiny) -> None:
    from relet.project.order import read_order
    from relet.project.request import prepare

    prepare(read_order("tiny", []))
    assert not KEPT.parent.exists()


def _all_modules_parsed(tiny: Tiny, another_process: Any, parsed: list[str]) -> bool:
    another_process()
    parsed.clear()
    assert tiny.ran() == []
    return len(parsed) > 4


def test_a_file_that_another_user_sealed_counts_for_nothing(
    tiny: Tiny, another_process: Any, parsed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.ran()
    assert not _all_modules_parsed(tiny, another_process, parsed)
    monkeypatch.setenv("RELET_CACHE", str(tmp_path / "of another"))
    assert _all_modules_parsed(tiny, another_process, parsed)
    assert not _all_modules_parsed(tiny, another_process, parsed)


def test_the_secret_is_the_users_alone(
    tiny: Tiny, another_process: Any, parsed: list[str], users_cache: Path
) -> None:
    tiny.ran()
    secret = users_cache / known_code.SECRET
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert [path.name for path in users_cache.iterdir()] == [secret.name]
    secret.chmod(0o644)
    assert _all_modules_parsed(tiny, another_process, parsed)
    secret.chmod(0o600)
    assert not _all_modules_parsed(tiny, another_process, parsed)
    secret.write_bytes(b"short")
    assert _all_modules_parsed(tiny, another_process, parsed)


def test_without_a_home_nothing_is_kept_and_nothing_believed(
    tiny: Tiny, another_process: Any, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.ran()
    kept = KEPT.read_bytes()
    monkeypatch.setenv("RELET_CACHE", "/proc/nowhere")
    assert _all_modules_parsed(tiny, another_process, parsed)
    assert KEPT.read_bytes() == kept
    monkeypatch.delenv("RELET_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert _all_modules_parsed(tiny, another_process, parsed)
    assert KEPT.read_bytes() == kept


def test_verify_names_a_digest_of_code_that_is_not_that_of_the_stored_code(
    tiny: Tiny, another_process: Any, users_cache: Path
) -> None:
    """The record came of a file that lied and was sealed all the same."""
    tiny.ran()
    assert tiny.store.verify() == []
    held = json.loads(KEPT.read_bytes().partition(b"\n")[2])
    lying = _with_false_digests(held)
    secret = (users_cache / known_code.SECRET).read_bytes()
    KEPT.write_bytes(known_code._modules_seal(lying, secret) + b"\n" + lying)
    another_process()
    tiny.ran("modeling.factor=3", steps=["train"])
    record = next(each for each in tiny.store.runs() if each.component == "train")
    claims = [each for each in tiny.store.verify() if each.where == f"run {record.id}"]
    assert {each.kind for each in claims} == {"false"}
    assert any("the code of pipelines.tiny.helper:mean has the digest 0000" in each.message for each in claims)
    assert any("pipelines.tiny.helper" in each for each in tiny.store.false_record_claims(record))
