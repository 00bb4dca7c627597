"""The normal form of code is the same on every Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from relet.core.normal_form import parse_file, tree_digest

FIXTURE = Path(__file__).parents[2] / "unit" / "core" / "normal_form.py.txt"


# Written once by Python 3.11: every other Python must come to the same.
FIXTURE_DIGEST = "2ca2aad30a4d7a01bbb70ddff0c6519f370fc9a4a66cade6de60b15ae09bd53f"


def other_pythons() -> list[str]:
    """Interpreters of the other supported versions, by name or where pyenv keeps them."""
    found = []
    for version in ("3.11", "3.12", "3.13"):
        candidates = [
            shutil.which(f"python{version}"),
            *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"),
        ]
        for candidate in filter(None, map(str, filter(None, candidates))):
            done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
            if done.stdout.startswith(f"Python {version}"):
                found.append(candidate)
                break
    return found


def test_the_form_is_the_same_on_every_python() -> None:
    assert tree_digest(parse_file(FIXTURE)) == FIXTURE_DIGEST
    source = Path(__file__).parents[3] / "src"
    program = (
        "from relet.core.normal_form import parse_file, tree_digest; from pathlib import Path; "
        f"print(tree_digest(parse_file(Path({str(FIXTURE)!r}))))"
    )
    for python in other_pythons():
        done = subprocess.run(
            [python, "-c", program], env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == FIXTURE_DIGEST, python
