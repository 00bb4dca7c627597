"""Which distributions a module comes from, and by what content they are known."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.code import FirstPartyCode
from relet.core.installed import Distributions, has_unknown_content, is_direct_reference, recorded_digests


def install(site: Path, name: str, files: Mapping[str, str], *, needs: str = "", reference: object = None) -> Path:
    """Install a distribution 1.0 with these files below `site`; `reference` is what PEP 610 says of it."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\n" + (f"Requires-Dist: {needs}\n" if needs else "") + "\n")
    lines = []
    for path, content in files.items():
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        digest = urlsafe_b64encode(sha256(content.encode()).digest()).decode().rstrip("=")
        lines.append(f"{path},sha256={digest},{len(content)}")
    (info / "RECORD").write_text("\n".join([*lines, f"{info.name}/RECORD,,", ""]))
    if reference is not None:
        (info / "direct_url.json").write_text(json.dumps(reference))
    return info


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def versions(*modules: str) -> dict[str, str]:
    return Distributions.installed().closure(modules)


def test_distributions_are_found_by_the_modules_they_bring() -> None:
    found = versions("sklearn", "yaml")
    assert {"scikit-learn", "numpy", "scipy", "pyyaml"} <= found.keys()
    assert "pytest" not in found


def test_a_module_that_no_distribution_brings_has_no_version() -> None:
    assert versions("no_such_module_anywhere", "no_such.module.anywhere") == {}
    assert versions() == {}


@pytest.mark.parametrize(
    "file",
    [
        "_fast.cpython-311-x86_64-linux-gnu.so",
        "_fast.abi3.so",
        "_fast.so",
        "_fast.cp311-win_amd64.pyd",
        "_fast.py",
    ],
)
def test_a_module_without_a_folder_has_an_owner(site: Path, file: str) -> None:
    install(site, "quick", {file: ""})
    assert versions("_fast") == {"quick": "1.0"}


@pytest.mark.parametrize("file", ["_fast_er.so", "_fast.pyi", "_fast.txt", "below/_fast.so", "_fastso"])
def test_a_file_that_only_resembles_a_module_makes_no_owner(site: Path, file: str) -> None:
    install(site, "quick", {file: ""})
    assert versions("_fast") == {}


def test_a_compiled_package_has_an_owner(site: Path) -> None:
    install(site, "quick", {"fast/__init__.cpython-311-darwin.so": ""})
    assert versions("fast", "fast.inner") == {"quick": "1.0"}


@pytest.fixture
def google(site: Path) -> Path:
    install(site, "protobuf", {"google/protobuf/__init__.py": "", "google/protobuf/message.py": ""})
    install(site, "google-cloud-storage", {"google/cloud/storage/__init__.py": ""}, needs="google-auth >= 1")
    install(site, "google-cloud-query", {"google/cloud/query/__init__.py": ""})
    install(site, "google-auth", {"google/auth.py": ""})
    return site


@pytest.mark.usefixtures("google")
@pytest.mark.parametrize(
    ("source", "owners"),
    [
        ("import google.protobuf", ["protobuf"]),
        ("from google import protobuf", ["protobuf"]),
        ("from google.protobuf.message import Message", ["protobuf"]),
        ("import google\nimport google.protobuf", ["protobuf"]),
        ("from google import auth", ["google-auth"]),
        ("from google.cloud import storage", ["google-auth", "google-cloud-storage"]),
        ("import google.cloud", ["google-auth", "google-cloud-query", "google-cloud-storage"]),
        ("import google", ["google-auth", "google-cloud-query", "google-cloud-storage", "protobuf"]),
        ("import goog", []),
    ],
)
def test_a_namespace_s_module_belongs_to_the_distribution_that_brings_it(
    tmp_path: Path, source: str, owners: list[str]
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "step.py").write_text(source)
    names = FirstPartyCode((tmp_path / "code",)).closure("step").third_party
    assert list(versions(*names)) == owners


def test_a_distribution_that_has_the_name_of_a_namespace_does_not_own_all_of_it(site: Path) -> None:
    install(site, "space", {"space/core/__init__.py": ""})
    install(site, "space-tools", {"space/tools/__init__.py": ""})
    assert versions("space", "space.tools") == {"space-tools": "1.0"}


@pytest.mark.parametrize("sign", ["pkgutil.extend_path(__path__, __name__)", "declare_namespace(__name__)"])
def test_a_namespace_may_have_an_init_in_each_distribution(site: Path, sign: str) -> None:
    for name in ("a", "b"):
        install(site, f"shared-{name}", {"shared/__init__.py": sign, f"shared/{name}.py": ""})
    assert versions("shared", "shared.b") == {"shared-b": "1.0"}
    assert list(versions("shared")) == ["shared-a", "shared-b"]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_no_name_is_owned_where_nothing_is_installed(parts: list[str]) -> None:
    assert Distributions({}).owners(".".join(parts)) == ()


REPOSITORY = {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "0" * 40}}


def test_what_no_index_gave_is_known_by_its_content(site: Path) -> None:
    info = install(site, "mine", {"mine/__init__.py": "x = 1"}, reference=REPOSITORY)
    first = versions("mine")["mine"]
    assert first.startswith("1.0 with content ") and is_direct_reference(first) and not has_unknown_content(first)
    assert versions("mine")["mine"] == first
    record = (info / "RECORD").read_text()
    (info / "RECORD").write_text(record.replace("sha256=", "sha256=A"))
    assert versions("mine")["mine"] != first


def test_where_it_was_installed_from_is_no_content(site: Path) -> None:
    info = install(site, "mine", {"mine/__init__.py": "x = 1"}, reference=REPOSITORY)
    first = versions("mine")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///another/mine.whl", "archive_info": {}}))
    assert versions("mine") == first


def test_what_is_edited_in_place_is_known_by_its_source(site: Path, tmp_path: Path) -> None:
    source = tmp_path / "source of mine"
    (source / "mine").mkdir(parents=True)
    (source / "mine" / "__init__.py").write_text("x = 1")
    install(site, "mine", {}, reference={"url": source.as_uri(), "dir_info": {"editable": True}})
    first = versions("mine")["mine"]
    assert first.startswith("1.0 with content ") and not has_unknown_content(first)
    (source / "notes.txt").write_text("not code")
    (source / ".venv").mkdir()
    (source / ".venv" / "other.py").write_text("x = 1")
    (source / "env").mkdir()
    (source / "env" / "pyvenv.cfg").touch()
    (source / "env" / "other.py").touch()
    (source / "gone.py").symlink_to("nowhere")
    assert versions("mine")["mine"] == first
    (source / "mine" / "__init__.py").write_text("x = 2")
    assert versions("mine")["mine"] != first


@pytest.mark.parametrize(
    "reference",
    [{"url": "file:///no/such/folder", "dir_info": {"editable": True}}, {"url": "file:///x"}, [], "mine"],
)
def test_content_that_can_t_be_read_is_said_to_be_unknown(site: Path, reference: object) -> None:
    install(site, "mine", {}, reference=reference)
    assert versions("mine")["mine"] == "1.0 with content unknown"
    assert has_unknown_content(versions("mine")["mine"])


def test_the_recorded_files_are_those_with_a_digest(site: Path) -> None:
    info = install(site, "mine", {"mine/__init__.py": ""})
    more = '"mine/a,b.txt",sha256=00,1\nmine/old.py,md5=00,1\nhalf\n\n'
    (info / "RECORD").write_text((info / "RECORD").read_text() + more)
    assert list(recorded_digests(info)) == ["mine/__init__.py", "mine/a,b.txt"]
    (info / "RECORD").unlink()
    assert recorded_digests(info) == {}
