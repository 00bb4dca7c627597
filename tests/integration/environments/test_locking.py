"""A lock that is made by uv, or by a program in its place."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from relet.environments import locking
from relet.environments.locking import check_lock, make_lock
from relet.errors import SettingError, SetUpError
from tests.command import relet

HASH = "--hash=sha256:" + "0" * 64
# Writes down what it is asked for, and locks each package at version 1.
UV = """\
import json, sys, tomllib
from pathlib import Path
words = sys.argv[1:]
asked = tomllib.loads(Path(words[-1] if words[-1].endswith("toml") else words[-2]).read_text())["project"]
output = Path(words[words.index("--output-file") + 1])
before = output.exists() and output.read_text()
Path("asked.json").write_text(json.dumps({"words": words, **asked, "before": before}))
if "nowhere" in asked["dependencies"]:
    sys.exit("error: nowhere was not found at https://somebody:secret@host/simple")
place = next(each for each in words if each.endswith("toml"))
names = [each.split("[")[0].split(">")[0] for each in asked["dependencies"]]
output.write_text("".join(f"{name}==1 --hash=sha256:00\\n    # via own ({place})\\n" for name in names))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, on a machine where a program stands for uv."""
    uv = tmp_path / "uv"
    uv.write_text(f"#!{sys.executable}\n{UV}")
    uv.chmod(0o755)
    monkeypatch.setattr(locking, "uv_program", lambda: uv)
    monkeypatch.setattr(locking, "is_without_index", lambda name: False)
    root = tmp_path / "own"
    root.mkdir()
    write(root, "numpy>=1", "polars")
    return root


def write(root: Path, *dependencies: str, more: str = "") -> None:
    text = (
        f'[project]\nname = "own"\nrequires-python = ">=3.12"\ndependencies = {json.dumps(dependencies)}\n{more}'
    )
    (root / "pyproject.toml").write_text(text)


def asked(root: Path) -> Any:
    return json.loads((root / "asked.json").read_text())


def test_the_lock_holds_what_the_project_asks_for_and_no_place_of_this_machine(project: Path) -> None:
    lock = make_lock(project).decode()
    assert lock == (project / "requirements.lock").read_text()
    assert "numpy==1" in lock and "# via own (pyproject.toml)" in lock and str(project.parent) not in lock
    assert asked(project)["requires-python"] == ">=3.12"
    assert {"--generate-hashes", "--universal", "--no-emit-index-url", "--no-emit-find-links"} <= set(
        asked(project)["words"]
    )
    assert check_lock(project) == ()


def test_versions_are_kept_until_others_are_asked_for(project: Path) -> None:
    made = make_lock(project).decode()
    make_lock(project)
    assert asked(project)["before"] == made
    make_lock(project, upgrade=True)
    assert asked(project)["before"] is False and "--upgrade" in asked(project)["words"]


def test_a_lock_begins_with_what_is_installed_and_returns_to_it_on_request(project: Path) -> None:
    here = f"numpy=={metadata.version('numpy')}\n"
    made = make_lock(project).decode()
    assert here in asked(project)["before"]
    make_lock(project)
    assert asked(project)["before"] == made
    make_lock(project, installed=True)
    assert here in asked(project)["before"] and "--upgrade" not in asked(project)["words"]


def test_newest_and_installed_versions_are_not_asked_for_at_once(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pipelines").mkdir()
    monkeypatch.chdir(project)
    assert relet(capsys, "lock", "--installed")[0] == 0
    status, _, err = relet(capsys, "lock", "--installed", "--upgrade")
    assert status == 2 and "choose one" in err
    assert f"numpy=={metadata.version('numpy')}" in asked(project)["before"]


def test_a_relet_that_is_in_no_index_gives_way_to_what_it_needs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {"": ("duckdb>=2",), "tune": ("duckdb>=2", "optuna>=5")}
    monkeypatch.setattr(locking, "relet_needs", lambda extras: needs[",".join(extras)])
    write(project, "relet[tune]>=0.1", "relet-extras")
    make_lock(project)
    assert asked(project)["dependencies"] == ["relet[tune]>=0.1", "relet-extras"]
    monkeypatch.setattr(locking, "is_without_index", lambda name: True)
    make_lock(project)
    assert asked(project)["dependencies"] == ["duckdb>=2", "optuna>=5", "relet-extras"]


def test_a_lock_that_can_not_be_made_leaves_the_old_one_and_says_why_without_addresses(project: Path) -> None:
    before = make_lock(project)
    write(project, "nowhere")
    with pytest.raises(
        SetUpError, match="no lock can be made; uv says:\n  error: nowhere was not found at …"
    ) as told:
        make_lock(project)
    assert "host" not in str(told.value)
    assert (project / "requirements.lock").read_bytes() == before
    assert check_lock(project) == ("it does not hold nowhere, which pyproject.toml asks for",)


def test_an_extra_is_locked_where_it_is_asked_for(project: Path) -> None:
    write(project, "numpy", more='[project.optional-dependencies]\ndev = ["ruff"]\n')
    make_lock(project, extras=["dev"])
    assert asked(project)["dependencies"] == ["numpy", "ruff"]
    with pytest.raises(SettingError, match=r"pyproject\.toml has no extra 'test'; it has: dev"):
        make_lock(project, extras=["test"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "can't be read"),
        ("[project", "can't be read"),
        ("[project]\nname = 'own'\n", "declares no dependencies; write"),
        ("[project]\ndependencies = [1]\n", "declares no dependencies; write"),
    ],
)
def test_a_project_that_asks_for_nothing_is_told_what_to_write(project: Path, text: str | None, said: str) -> None:
    path = project / "pyproject.toml"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(SettingError, match=said):
        make_lock(project)


def test_a_project_without_a_lock_is_told_the_command(project: Path) -> None:
    with pytest.raises(SetUpError, match=r"has no requirements.lock; make it with: relet lock"):
        check_lock(project)


def test_a_uv_that_does_not_answer_is_an_error_in_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "uv_program", lambda: project / "no-uv")
    with pytest.raises(SetUpError, match="no lock can be made: uv did not answer"):
        make_lock(project)


def test_a_package_of_a_file_is_told_from_one_of_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    class Installed:
        def __init__(self, text: str | None) -> None:
            self.text = text

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return self.text

    monkeypatch.setattr(locking, "distribution", lambda name: Installed('{"url": "…"}'))
    assert locking.is_without_index("relet")
    monkeypatch.setattr(locking, "distribution", lambda name: Installed(None))
    assert not locking.is_without_index("relet")

    def missing(name: str) -> Installed:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(locking, "distribution", missing)
    assert locking.is_without_index("relet")
