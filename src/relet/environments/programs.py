"""Starts the programs that make environments, and shows what they wrote when they fail."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from relet.environments.cache import EnvironmentFolder
from relet.errors import SetUpError

# Variables that would lead a program to another environment, or pip to another folder, than the given one.
_MISLEADING = {
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON"),
}
_BESIDE_THE_POINT = re.compile(r"WARNING:|ERROR: Ignored the following")
_SHOWN_LINES = 12
_SHOWN_WIDTH = 400


def start(
    site: EnvironmentFolder,
    name: str,
    *command: str | Path,
    failure: str,
    settings: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, in the folder of the environment that it makes, and return what it printed.

    `name` is what a user calls the program. Raises a SetUpError that begins with `failure` and ends with the lines
    in which the program says why.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    try:
        done = subprocess.run(
            command,
            cwd=site.folder,
            env={**inherited, "NO_COLOR": "1", **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            # A program that outlives this process goes on holding the lock.
            pass_fds=[site.held],
        )
    except OSError as error:
        raise SetUpError(f"{failure}: {name} can't be started ({error.strerror})") from error
    if done.returncode:
        said = telling_lines(done.stderr or done.stdout, site) or [f"nothing; it ended with {done.returncode}"]
        raise SetUpError("\n  ".join([f"{failure}; {name} says:", *said]))
    return done.stdout


def telling_lines(output: str, site: EnvironmentFolder) -> list[str]:
    """The lines in which a failed program says why, without paths and addresses of this machine."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and not _BESIDE_THE_POINT.match(line)]
    first = next((n for n, line in enumerate(lines) if re.match(r"\s*(error|fatal|×)", line, re.IGNORECASE)), 0)
    places = [(str(site.lock), "the lock"), (str(site.folder), "…"), (str(Path.home()), "~")]
    return [_anonymized_line(line, places) for line in lines[first:][-_SHOWN_LINES:]]


def _anonymized_line(line: str, places: Sequence[tuple[str, str]]) -> str:
    line = re.sub(r"\b[a-z][a-z0-9+.\-]*://\S+", "…", re.sub(r" \(from versions: .*\)", "", line))
    for place, name in places:
        line = line.replace(place, name)
    return line if len(line) <= _SHOWN_WIDTH else line[: _SHOWN_WIDTH - 1] + "…"
