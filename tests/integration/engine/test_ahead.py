"""Packages are imported ahead of the calls, unless code of the project may set variables that they read."""

from __future__ import annotations

from typing import Any

import pytest

from relet.engine import own_interpreter
from tests.tiny_project import Tiny


@pytest.mark.parametrize(
    ("file", "content", "ahead"),
    [
        ("pyproject.toml", "[tool.environs]\n", True),
        ("pipelines/tiny/notes.txt", "os.environ\n", True),
        ("pipelines/tiny/helper.py", "import os\n\nos.environ['X'] = '1'\n", False),
    ],
)
def test_only_python_of_the_project_can_set_variables(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, file: str, content: str, ahead: bool
) -> None:
    path = tiny.root / file
    path.write_text(content + (path.read_text() if path.exists() else ""))
    honest, asked = own_interpreter.start, []

    def start(*words: Any, ahead: bool) -> None:
        asked.append(ahead)
        honest(*words, ahead=ahead)

    monkeypatch.setattr(own_interpreter, "start", start)
    tiny.run()
    assert set(asked) == {ahead}
