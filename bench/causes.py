"""Plant causes of difference in a step, one at a time. The check of determinism must name each, and no other.

    python bench/causes.py [NAME ...]

The causes are those of tests/causes.py. The last line counts those that are named rightly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from tests.causes import CAUSES, Cause, after_the_run, is_rightly_named, plant, told  # noqa: E402

RELET = Path(sys.executable).parent / "relet"
# What the planted steps read of the environment.
VARIABLES = {"PLANTED_SECRET": "a word", "LC_ALL": "C.UTF-8"}


def message_of(cause: Cause, root: Path) -> str:
    """What the check says of the step. Raises RuntimeError where the command prints no check."""
    plant(cause, root)
    environment = {**os.environ, **VARIABLES}
    command = [str(RELET), "run", "planted"]
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    after_the_run(cause, root)
    done = subprocess.run(
        [*command, "--check-determinism", "--json"], cwd=root, env=environment, capture_output=True, text=True
    )
    for line in done.stdout.splitlines():
        content = json.loads(line)
        if content["event"] == "checked":
            return str(content["message"])
    raise RuntimeError(f"{cause.name}: no check in {done.stdout}{done.stderr}")


def main(names: list[str]) -> None:
    wanted = [each for each in CAUSES if not names or each.name in names]
    right = 0
    print("| cause | the check names | rightly | seconds |\n|---|---|---|---|", flush=True)
    for cause in wanted:
        with tempfile.TemporaryDirectory(prefix="relet-causes-") as folder:
            began = time.perf_counter()
            message = message_of(cause, Path(folder))
        rightly = is_rightly_named(cause, message)
        right += rightly
        seconds = time.perf_counter() - began
        short = (told(message) or message).replace(folder, "").partition(":")[0]
        print(f"| {cause.name} | {short} | {'yes' if rightly else 'NO'} | {seconds:.0f} |", flush=True)
    print(f"\n{right} of {len(wanted)} causes are named rightly")


if __name__ == "__main__":
    main(sys.argv[1:])
