"""`relet.run`, as a notebook calls it."""

from __future__ import annotations

import os

import pytest

from relet.engine import notebook
from tests.sums_project import Sums


@pytest.mark.parametrize("options", [{}, {"debug": False}, {"debug": True}], ids=str)
def test_steps_are_called_in_a_process_beside_the_notebook_unless_one_is_debugged(
    sums: Sums, options: dict[str, bool]
) -> None:
    sums.path("helper.py").write_text("import os\n\n\ndef total(path):\n    return float(os.getpid())\n")
    called_here = notebook.run("sums", **options).metrics["total"] == os.getpid()
    assert called_here is options.get("debug", False)
