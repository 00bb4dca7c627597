"""A search that several machines share, each with the bucket as its store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from relet.core.record import Status
from relet.store import open_store
from relet.trials.search.study import candidates
from tests.search_project import Hills


@pytest.mark.long
def test_two_machines_with_one_bucket_share_a_search_and_find_the_same(hills: Hills, s3_bucket: str) -> None:
    url = f"{s3_bucket}/{uuid4()}"
    environment = {**os.environ, "RELET_STORE": url, "HILLS_SLOW": "0.3"}
    command = (sys.executable, "-m", "relet", "tune", "hills", "trials=6", "search.folds=2", "workers=1", "--json")
    machines = [
        subprocess.Popen(
            [*command, "--as", f"machine{number}"],
            cwd=hills.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    said = [each.communicate(timeout=110) for each in machines]
    assert [each.returncode for each in machines] == [0, 0], said
    last = [json.loads(out.splitlines()[-1]) for out, _ in said]
    assert last[0]["winner"]["values"] == last[1]["winner"]["values"]
    question = hills.question("search.folds=2")
    store = open_store(url)
    pieces = store.journal(question.id).pieces()
    assert [each.size for each in pieces] == [4, 2]
    found = candidates(question, [entry for piece in pieces for entry in piece.logs])
    imagined = hills.imagine(question, 6).trials
    assert [(each.values, each.folds, each.outcome) for each in found] == [
        (each.values, each.folds, each.outcome) for each in imagined
    ]
    measured = [each for each in store.runs() if each.component == "measure" and each.status is Status.FINISHED]
    assert len({each.key for each in measured}) == len(measured), "a fold was measured twice"
    files = [hills.path(f"conf/model/machine{number}.yaml") for number in (1, 2)]
    assert files[0].read_bytes() == files[1].read_bytes()
