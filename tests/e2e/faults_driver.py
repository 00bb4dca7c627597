"""Runs a pipeline again and again in forks of one process that has imported everything, ending it at a write.

    python faults_driver.py PROJECT_ROOT PIPELINE SCRATCH before|after FIRST STEP

It ends it at the write FIRST, then STEP further, and so on, and prints one JSON object: how many writes a run has,
and for each of them what was wrong afterwards.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FLAGSHIP = "nyc_rentals"
PIPELINE = sys.argv[2] if len(sys.argv) > 2 else FLAGSHIP
# 2,000 rows, and a model that is quick to fit: what is tested is the writing.
SMALL = ("etl.rows=2000", "data_check.min_rows=1000", "modeling.boosted.n_estimators=5")
OVERRIDES = ("main.evaluate=true", *(SMALL if PIPELINE == FLAGSHIP else ()))
WRITES = ("create", "put", "delete", "move")
ENDED = 9


def main() -> None:
    project, scratch, when = Path(sys.argv[1]), Path(sys.argv[3]), sys.argv[4]
    first, step = map(int, sys.argv[5:])
    sys.path.insert(0, str(project))
    if PIPELINE == FLAGSHIP:
        _import_everything()
        _parse_everything(project)
    whole = _fresh(project, scratch)
    writes = _forked(lambda: _run(whole, None, when))["writes"]
    wrong = {}
    for write in range(first, writes + 1, step):
        root = _fresh(project, scratch)
        _forked(lambda root=root, write=write: _run(root, write, when), ended=True)
        found = _forked(lambda root=root: _go_on(root))
        if found["problems"] or found["again"] or found["status"] != "finished":
            wrong[write] = found
    print(json.dumps({"writes": writes, "wrong": wrong}))


def _import_everything() -> None:
    import ibis.backends.duckdb.converter
    import lightgbm
    import pyarrow.parquet
    import pytest
    import scipy.stats
    import sqlglot.dialects.duckdb

    from pipelines.nyc_rentals.components import (
        basic_cleaning,
        data_check,
        data_split,
        get_data,
        report_batch,
        test_model,
        train_model,
    )
    from pipelines.nyc_rentals.families import boosted
    from relet.archives import archive
    from relet.training import comparables, explanation, golden, interval, packaging

    del boosted, archive, comparables, explanation, golden, interval, packaging
    del lightgbm, pytest, basic_cleaning, data_check, data_split, get_data, test_model, train_model
    del ibis, pyarrow, scipy, sqlglot, report_batch


def _parse_everything(project: Path) -> None:
    """The code is the same in every fork: it is digested once, here. No store is opened: its threads end here."""
    import relet
    from relet.core.code import FirstPartyCode

    code = FirstPartyCode((project, Path(relet.__file__).parents[1]))
    for component in (project / "pipelines" / "nyc_rentals" / "components").glob("*.py"):
        code.closure(f"pipelines.nyc_rentals.components.{component.stem}")
    code.closure("pipelines.nyc_rentals.families.boosted")


def _fresh(project: Path, scratch: Path) -> Path:
    root = Path(tempfile.mkdtemp(dir=scratch))
    for name in ("pipelines", "requirements.lock"):
        (root / name).symlink_to(project / name)
    return root


def _forked(act: Callable[[], dict[str, Any]], *, ended: bool = False) -> dict[str, Any]:
    """What `act` returns in a fork of this process; with `ended` the fork has to end at its write."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        os.close(readable)
        try:
            answer = json.dumps(act())
        except BaseException as error:
            answer = json.dumps({"problems": [repr(error)], "again": [], "status": "raised"})
        os.write(writable, answer.encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended:
        assert status == ENDED, f"the run was to end at its write, and ended with {status}: {text}"
        return {}
    return dict(json.loads(text))


def _run(root: Path, end_at: int | None, when: str) -> dict[str, Any]:
    """Run the pipeline; end the process before or after the write number `end_at`."""
    import relet
    from relet.store.bucket import Bucket
    from relet.tracking import courier

    count = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            here = count
            if here == end_at and when == "before":
                os._exit(ENDED)
            result = write(*arguments, **named)
            if here == end_at and when == "after":
                os._exit(ENDED)
            return result

        return counting

    for name in WRITES:
        setattr(Bucket, name, counted(getattr(Bucket, name)))
    # what goes to the outbox counts; nobody empties it here
    courier.start = lambda *_: SimpleNamespace(finish=lambda _: ())  # type: ignore[assignment,misc]
    os.chdir(root)
    outcome = relet.run(PIPELINE, *OVERRIDES)
    return {"writes": count, "status": str(outcome.status), "ran": [r.component for r in outcome.results if r.new]}


def _go_on(root: Path) -> dict[str, Any]:
    """Look for what is broken, run again, and look whether a step ran that was finished."""
    from relet.core.record import Status
    from relet.store import log_checks, open_store

    log_checks.SETTLING = 0.0
    store = open_store(root / ".relet")
    # All that a process that was ended leaves to name: one document without its entry in the log.
    left = [problem for problem in store.verify() if problem.kind in ("unlogged", "changed")]
    for problem in left[:1]:
        store.enter_in_log(problem.where)
    problems = [str(problem) for problem in store.verify()]
    finished = {
        record.component
        for record in store.runs()
        if record.key and record.status is Status.FINISHED and store.key(record.key)
    }
    import relet
    from relet.tracking import courier

    courier.start = lambda *_: SimpleNamespace(finish=lambda _: ())  # type: ignore[assignment,misc]
    os.chdir(root)
    outcome = relet.run(PIPELINE, *OVERRIDES)
    problems += [str(problem) for problem in store.verify()]
    again = sorted(
        each.component for each in outcome.results if each.action == "run" and each.component in finished
    )
    return {"problems": problems, "again": again, "status": str(outcome.status)}


if __name__ == "__main__":
    main()
