"""What the page of a notebook reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.report.notebooks import notebook


def test_neither_the_users_settings_nor_the_projects_are_read(tmp_path: Path) -> None:
    path = notebook(tmp_path, "show(): mo.md('## One')")
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\n")
    program = f"""
from pathlib import Path
from relet.engine.observing import watch_process
from relet.report.notebook import notebook_page
with watch_process() as touched:
    notebook_page(Path({str(path)!r}), {{}})
print(*(each for each in touched.files if each.endswith((".toml", "tour.py"))))
"""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {str(path)}
    assert not (tmp_path / "config").exists()
