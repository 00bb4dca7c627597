"""Packages are imported ahead of the calls, unless code of the project may set variables that they read."""

from __future__ import annotations

from typing import Any

import pytest

from relet.engine import own_interpreter
from tests.sums_project import Sums
from tests.tiny_project import Tiny


@pytest.mark.parametrize(
    ("file", "content", "ahead"),
    [
        ("pyproject.toml", "[tool.environs]\n", True),
        ("pipelines/tiny/notes.txt", "os.environ\n", True),
        ("pipelines/tiny/helper.py", "import os\n\nos.environ['X'] = '1'\n", False),
    ],
)
@pytest.mark.sampled
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


def test_no_package_is_there_for_steps_that_do_not_import_it(sums: Sums) -> None:
    # The first step imports one of each kind, so the process imports ahead what it may.
    sums.edit("draw.py", "import random\n", "import markupsafe\nimport random\nimport time\nimport yaml\n")
    sums.edit("draw.py", "    path = ", "    time.sleep(1)\n    path = ")
    sums.edit("add.py", "float(os.environ.get('OMP_NUDGE', 0))", "0.0")
    loaded = "float('markupsafe' in sys.modules) + 2 * float('yaml' in sys.modules)"
    sums.path("helper.py").write_text(f"import sys\n\ndef total(path):\n    return {loaded}\n")
    own_interpreter.end()
    assert sums.run().metrics["total"] == 0
