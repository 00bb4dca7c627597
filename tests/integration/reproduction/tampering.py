"""What somebody does to a store or a project between a run and its being made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relet.project.job import RunOutcome
from relet.store import Store
from tests.sums_project import Sums

ALL = {"draw": "IDENTICAL", "add": "IDENTICAL"}


def edit_record(
    sums: Sums, run_id: str | None, change: Callable[[dict[str, Any]], None], *, store: str = ".relet"
) -> str:
    """Write something else into a run's record, as somebody might."""
    path = sums.root / store / "runs" / f"{run_id}.json"
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    return str(run_id)


def collected(sums: Sums, digest: str | None) -> None:
    """Lose an object, as a garbage collection that knew nothing of it would."""
    assert digest
    (sums.root / ".relet" / "objects" / digest[:2] / digest).unlink()


def damaged(sums: Sums, digest: str | None) -> None:
    assert digest
    path = sums.root / ".relet" / "objects" / digest[:2] / digest
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def tampered(store: Store, folder: Path, reference: str, content: bytes) -> None:
    """Let a version hold other bytes under the same digest of its content, all of it consistent."""
    version = store.version(reference)
    path = folder / "artifacts" / version.name.replace("/", ".") / "versions" / f"{version.number}.json"
    manifest = json.loads(path.read_text())
    (file,) = manifest["files"]
    manifest["files"][file] = store.put_object(content)
    path.write_text(json.dumps(manifest))


# Only a process that makes a run again lives there.
AGAIN = "'relet-reproduce-' in os.environ['HOME']"


def does_again(sums: Sums, code: str) -> RunOutcome:
    """Run, with a helper that does something when it is made again."""
    body = "".join(f"\n        {line}" for line in code.splitlines())
    sums.edit("helper.py", "    return", f"    import os\n    if {AGAIN}:{body}\n    return")
    return sums.run()


def remote(sums: Sums, folder: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Push what is committed to a remote, which git finds under a public address."""
    url = "https://example.org/sums.git"
    sums.git("clone", "-q", "--bare", str(sums.root), str(folder / "sums.git"))
    sums.git("remote", "add", "origin", url)
    settings(monkeypatch, **values, **{f"url.{folder.as_uri()}/.insteadOf": "https://example.org/"})
    return url


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """The user's own configuration of git."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(values)))
    for number, (name, value) in enumerate(values.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", name)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)


def without_tree(sums: Sums, run_id: str | None) -> str:
    """Take the code tree out of a run's record: an older relet recorded the commit and what git did not hold."""
    return edit_record(sums, run_id, lambda record: record["code"].update(tree=None))


def lies_again(sums: Sums, change: str) -> RunOutcome:
    """Run, with a helper that makes a lower sum when it is made again, and changes what relet says of the outputs.

    `change` is an expression: the fields of `written` that are replaced.
    """
    code = f"""
import dataclasses
from relet.engine import calling
honest = calling.write_artifacts
def lie(*words):
    return {{name: dataclasses.replace(written, **({change})) for name, written in honest(*words).items()}}
calling.write_artifacts = lie
return 0.0"""
    return does_again(sums, code.strip())
