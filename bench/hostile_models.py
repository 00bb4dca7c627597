"""Load hostile models of many kinds, each in a process of its own, and count how each ends: one table.

    python bench/hostile_models.py [--only NAME,NAME] [--seconds 10] [--megabytes 1000]

Each kind changes a small real model as an attacker would, who can make all digests fit. Its process has 10 seconds
and 1 GB. What counts is the last line: how many were not refused in words, which must be none.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.hostile.kinds import KINDS, HostileKind  # noqa: E402
from tests.hostile.models import export_small_models  # noqa: E402

REFUSED = "refused in words"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
SAID = "refused: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", default="", help="the kinds to try, separated by commas; all, where none is given"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        _load_bounded(given.load, given.seconds, given.megabytes * 10**6)
        return
    wanted = {name for name in given.only.split(",") if name}
    kinds = [kind for kind in KINDS if not wanted or kind.name in wanted]
    with tempfile.TemporaryDirectory() as folder:
        models = export_small_models(Path(folder) / "small")
        ends = [_end(kind, models[kind.family], Path(folder), given) for kind in kinds]
    _print(kinds, ends)
    sys.exit(any(how != REFUSED for how, _ in ends))


def _print(kinds: list[HostileKind], ends: list[tuple[str, str]]) -> None:
    rows = [(kind.name, how, said[:100]) for kind, (how, said) in zip(kinds, ends, strict=True)]
    width = max(len(kind.name) for kind in kinds)
    for name, how, said in rows:
        print(f"{name:<{width}}  {how:<17} {said}")
    print()
    counted = Counter(how for how, _ in ends)
    print("; ".join(f"{how}: {times}" for how, times in counted.most_common()))
    print(f"not refused in words: {len(kinds) - counted[REFUSED]} of {len(kinds)}")


def _end(kind: HostileKind, model: Path, scratch: Path, given: argparse.Namespace) -> tuple[str, str]:
    """How the process that loads a hostile model of a kind ended, and what it said last."""
    folder = scratch / kind.name / "model"
    shutil.copytree(model, folder)
    kind.change(folder)
    command = [sys.executable, __file__, "--load", str(folder), "--seconds", str(given.seconds)]
    environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    process = subprocess.Popen(
        [*command, "--megabytes", str(given.megabytes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    try:
        # the libraries are imported before the time of the model begins
        output, _ = process.communicate(timeout=given.seconds + 20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return "hung", ""
    finally:
        shutil.rmtree(folder.parent)
    last = output.strip().splitlines()[-1] if output.strip() else ""
    return _how(process.returncode, output), last


def _how(status: int, output: str) -> str:
    if status == -signal.SIGALRM:
        return "hung"
    if status < 0:
        return f"crashed: {signal.Signals(-status).name}"
    if "opened: " in output:
        return "opened something"
    if "MemoryError" in output or "bad_alloc" in output:
        return "too much memory"
    if status == 0 and SAID in output:
        return REFUSED
    return "loaded" if status == 0 else "another error"


def _load_bounded(folder: Path, seconds: float, memory: int) -> None:
    """Load a model in this process, with bounds, and say how that ended."""
    from relet.archives import archive  # noqa: F401
    from relet.errors import ReletError
    from relet.training.model import load_model

    for library in ("lightgbm", "pandas", "pyarrow.parquet", "sklearn.ensemble", "skops.io", "relet.data.table"):
        __import__(library)
    opened: list[str] = []
    known = tuple(map(os.path.realpath, (folder, sys.prefix, sys.base_prefix, *filter(None, sys.path))))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect"):
            opened.append(f"{event} {arguments[:1]}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith((*known, "/proc", "/sys")):
                opened.append(path)

    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # its default action ends the process, whatever a library is doing
    signal.setitimer(signal.ITIMER_REAL, seconds)
    sys.addaudithook(watch)
    try:
        load_model(folder)
        print("loaded")
    except ReletError as error:
        print(SAID + str(error).replace("\n", " "))
    if opened:
        print(f"opened: {opened[0]}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
