"""`relet mlproject` in a project that lacks what the files are made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.errors import SetUpError
from relet.mlproject import pins
from tests.command import relet
from tests.tiny_project import Tiny

LOCK = "pandas==3.0.0\n    # via relet\nrelet==0.1.0\n    # via tiny (pyproject.toml)\n"
PROJECT = '[project]\nname = "tiny"\ndependencies = ["relet>=0.1"]\n'


def project_with(folder: Path, *, lock: str | bytes | None = LOCK, project: str | None = PROJECT) -> Path:
    for name, text in (("requirements.lock", lock), ("pyproject.toml", project)):
        if text is not None:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_the_pins_are_what_the_dependencies_need(tmp_path: Path) -> None:
    assert pins(project_with(tmp_path)) == ["pandas==3.0.0", "relet==0.1.0"]


PROJECT_OF_EXTRAS = """[project]
dependencies = []
[project.optional-dependencies]
more = ["relet"]
[tool.relet]
extras = ['more']
"""


def test_the_pins_are_those_of_the_extras_as_well_that_the_project_names(tmp_path: Path) -> None:
    assert pins(project_with(tmp_path, project=PROJECT_OF_EXTRAS)) == ["pandas==3.0.0", "relet==0.1.0"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"lock": None}, r"requirements\.lock: there is no such file; .*uv pip compile pyproject\.toml"),
        ({"lock": b"\xff\xfe"}, r"requirements\.lock: it can't be read"),
        (
            {"lock": "pandas==3.0.0\n"},
            r"requirements\.lock pins no version of relet, which pyproject\.toml depends on",
        ),
        ({"project": None}, r"pyproject\.toml: there is no such file; .*write \[project\]"),
        ({"project": "[project"}, r"pyproject\.toml can't be read as TOML"),
        ({"project": "[tool]\n"}, r"pyproject\.toml declares no dependencies; write \[project\]"),
        ({"project": "[project]\ndependencies = 3\n"}, r"pyproject\.toml declares no dependencies"),
        ({"project": "project = 3\n"}, r"pyproject\.toml declares no dependencies"),
        ({"project": PROJECT_OF_EXTRAS.replace("['more']", "'more'")}, "write .* extras as names of extras"),
        ({"project": PROJECT_OF_EXTRAS.replace("['more']", "['less']")}, "names less, which is no extra"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(tmp_path: Path, files: dict[str, str | None], said: str) -> None:
    with pytest.raises(SetUpError, match=said):
        pins(project_with(tmp_path, **files))


def test_the_command_ends_with_one_line_and_writes_nothing(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tiny.root.rglob("*"))
    status, out, err = relet(capsys, "mlproject", "tiny")
    assert (status, out) == (2, "")
    assert err.startswith("relet: ")
    assert err.count("\n") == 1
    assert sorted(tiny.root.rglob("*")) == before
