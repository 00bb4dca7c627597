"""Store a verdict on a run beside what it judged, and hand it to the trackers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.artifact import ArtifactType, Version
from relet.core.reproduction import ARTIFACT, Reproduction
from relet.engine.values import write_artifact
from relet.errors import DamagedError, NotFoundError
from relet.store.contents import REPORT, reproduction_metadata

if TYPE_CHECKING:
    from relet.store import Store


def keep(found: Reproduction, store: Store, trackers: Iterable[str] = ()) -> Version:
    """Store a verdict as a version of the artifact `reproduction`, and note for the trackers which runs it judged.

    `verdict.json` is the verdict, as of any gate; `reproduction.json` has all findings.
    """
    with tempfile.TemporaryDirectory(prefix="relet-verdict-") as scratch:
        written = write_artifact(ARTIFACT, ArtifactType.VERDICT, found.verdict(), Path(scratch) / "outputs")
        report = json.dumps(found.to_json(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (written.folder / REPORT).write_text(report, encoding="utf-8")
        digest = store.put_object(written.folder / REPORT)
        version = store.add_version(
            name=ARTIFACT,
            type=written.type,
            content=digest,
            files={path: store.put_object(file) for path, file in written.files.items()},
            description=f"Whether {found.target} can be made again.",
            metadata={
                **written.metadata,
                **reproduction_metadata(found),
            },
        )
        store.set_alias(ARTIFACT, "latest", version.number, by="relet reproduce", why=found.target)
    for tracker in trackers:
        for run_id in _known_runs(found, store):
            store.put_pending(tracker, run_id)
    return version


def _known_runs(found: Reproduction, store: Store) -> list[str]:
    """The runs that the verdict judged and whose records the store has."""
    known = []
    for run_id in dict.fromkeys([found.run, *(step.run for step in found.steps)]):
        with suppress(NotFoundError, DamagedError):
            if run_id:
                known.append(store.run(run_id).id)
    return known
