"""What the log of a store alone shows: forgeries that contradict nothing else, each planted in an honest store.

Each one is whole: digests hold, and records fit their versions and their keys. Without the log nothing would be
named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relet.core.artifact import Verdict
from relet.core.record import RunRecord, Status
from relet.store import Store
from relet.store.contents import METRICS, VERDICT, files_digest
from relet.store.layout import content_path, log_path, version_path
from relet.store.objects import digest_of
from tests.honest_store import RUN, TIMES, TRAIN
from tests.stored import lose, overwrite, stored_bytes, stored_paths

PROD, LATEST = "artifacts/model/aliases/prod", "artifacts/reproduction/aliases/latest"
REPORT = "artifacts/report/versions"


@dataclass(frozen=True)
class LogForgery:
    """What is forged, the kind of problem and the place that `verify` names, and whether it takes a head.

    The head is that of the honest log, kept elsewhere.
    """

    change: Callable[[Store], object]
    kind: str
    where: str
    with_head: bool = False


def _document(store: Store, path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stored_bytes(store, path) or b"{}")
    return document


def _edited(path: str, **fields: Any) -> Callable[[Store], None]:
    return lambda store: overwrite(store, path, {**_document(store, path), **fields})


def _better_metrics(store: Store) -> None:
    """Another file of metrics in the place of the first one, and each document that speaks of it."""
    metrics = {"mae": 3.0, "error": 3.0}
    files = {METRICS: store.put_object(json.dumps(metrics).encode())}
    content = files_digest(files)
    path = version_path("scores", 1)
    overwrite(
        store,
        path,
        {**_document(store, path), "files": files, "content": content, "metadata": {"metrics": metrics}},
    )
    overwrite(store, content_path("scores", content), {"number": 1})
    record = store.run(TRAIN)
    outputs = {**record.outputs, "scores": replace(record.outputs["scores"], content=content)}
    overwrite(store, f"runs/{TRAIN}.json", replace(record, metrics=metrics, outputs=outputs).to_json())
    overwrite(store, f"runs/{RUN}.json", replace(store.run(RUN), metrics=metrics).to_json())


def _put_back(store: Store) -> None:
    path = f"runs/{RUN}.json"
    before = stored_bytes(store, path) or b""
    store.put_run(replace(store.run(RUN), status=Status.FAILED, message="it was wrong"))
    overwrite(store, path, before)


def _planted_record(store: Store) -> None:
    record = RunRecord(id="planted", pipeline="p", experiment="e", status=Status.FINISHED, **TIMES)
    overwrite(store, "runs/planted.json", record.to_json())


def _lost_move(store: Store) -> None:
    """The move to the version that everybody agreed on is gone, and with it that the alias ever moved."""
    store.add_version(name="model", type="model", content=files_digest(_other(store)), files=_other(store))
    store.set_alias("model", "prod", 2, by="test", why="it is better")
    lose(store, f"{PROD}/2.json")


def _other(store: Store) -> dict[str, str]:
    return {"weights": store.put_object(b"2")}


def _planted_move(store: Store) -> None:
    overwrite(store, f"{PROD}/2.json", {"number": 1, "when": TIMES["ended"], "by": "nobody", "why": ""})


def _yes(store: Store) -> dict[str, Any]:
    """The fields of a version that is a verdict which says yes."""
    verdict = Verdict(passed=True, reason="all is well")
    content = (json.dumps(verdict.to_json(), indent=1, sort_keys=True) + "\n").encode()
    files = {VERDICT: store.put_object(content)}
    metadata = {"passed": True, "reason": "all is well"}
    return {"files": files, "content": files_digest(files), "metadata": metadata}


def _turned_verdict(store: Store) -> None:
    """A gate that said no says yes, and its run says that this is what it made."""
    yes = _yes(store)
    _edited(f"{REPORT}/1.json", **yes)(store)
    for run in store.runs():
        links = {name: link for name, link in run.outputs.items() if link.version == "report:v1"}
        if links:
            turned = {name: replace(link, content=yes["content"]) for name, link in links.items()}
            overwrite(store, f"runs/{run.id}.json", replace(run, outputs={**run.outputs, **turned}).to_json())


def _planted_verdict(store: Store) -> None:
    """A verdict that names no run: it says nothing that a record contradicts."""
    planted = {**_document(store, f"{REPORT}/1.json"), "number": 2, "producer": None, **_yes(store)}
    overwrite(store, f"{REPORT}/2.json", planted)


def _lost_reproduction(store: Store) -> None:
    """A verdict that says DIVERGED is gone, with the alias that led to it."""
    lose(store, "artifacts/reproduction/versions/1.json", f"{LATEST}/1.json")


def _entry_lost(store: Store) -> None:
    lose(store, log_path(4))


def _entries_swapped(store: Store) -> None:
    one, other = (stored_bytes(store, log_path(number)) or b"" for number in (4, 5))
    overwrite(store, log_path(4), other)
    overwrite(store, log_path(5), one)


def _log_follows(store: Store) -> None:
    """A record is changed, and its entry with it."""
    _edited(f"runs/{TRAIN}.json", description="another one")(store)
    digest = digest_of(stored_bytes(store, f"runs/{TRAIN}.json") or b"")
    number = next(each.number for each in store.log() if each.path == f"runs/{TRAIN}.json")
    _edited(log_path(number), sha256=digest)(store)


def _end_cut_off(store: Store) -> None:
    """The last two entries are gone, and the documents that they are about."""
    for entry in list(store.log(last=2)):
        lose(store, entry.path, log_path(entry.number))


def _written_anew(store: Store) -> None:
    """A record is deleted, and a log stands there in which it never was."""
    lose(store, f"runs/{RUN}.json")
    entries = [each for each in store.log() if each.path != f"runs/{RUN}.json"]
    lose(store, *(path for path in stored_paths(store) if path.startswith("log/")))
    previous = ""
    for number, entry in enumerate(entries, 1):
        overwrite(store, log_path(number), replace(entry, number=number, previous=previous).to_json())
        previous = digest_of(stored_bytes(store, log_path(number)) or b"")


def _last_entry_follows(store: Store) -> None:
    """The last document is changed, and its entry, which no other entry holds the digest of, with it."""
    (entry,) = store.log(last=1)
    _edited(entry.path, why="another reason")(store)
    digest = digest_of(stored_bytes(store, entry.path) or b"")
    _edited(log_path(entry.number), sha256=digest)(store)


# What is forged → how, and what names it.
IN_A_LOG: Mapping[str, LogForgery] = {
    "record: whole and consistent, with its metrics": LogForgery(_better_metrics, "changed", f"runs/{TRAIN}.json"),
    "record: deleted": LogForgery(lambda store: lose(store, f"runs/{RUN}.json"), "gone", f"runs/{RUN}.json"),
    "record: put back to an older state": LogForgery(_put_back, "changed", f"runs/{RUN}.json"),
    "record: planted": LogForgery(_planted_record, "unlogged", "runs/planted.json"),
    "alias: a move deleted": LogForgery(_lost_move, "gone", f"{PROD}/2.json"),
    "alias: a move changed": LogForgery(_edited(f"{PROD}/1.json", by="nobody"), "changed", f"{PROD}/1.json"),
    "alias: a move planted": LogForgery(_planted_move, "unlogged", f"{PROD}/2.json"),
    "verdict: another one in its place": LogForgery(_turned_verdict, "changed", f"{REPORT}/1.json"),
    "verdict: planted": LogForgery(_planted_verdict, "unlogged", f"{REPORT}/2.json"),
    "verdict: deleted": LogForgery(_lost_reproduction, "gone", "artifacts/reproduction/versions/1.json"),
    "log: who wrote an entry": LogForgery(
        _edited(log_path(4), who={"user": "nobody", "host": "nowhere"}), "log", log_path(5)
    ),
    "log: a document and its entry": LogForgery(_log_follows, "log", log_path(6)),
    "log: an entry removed": LogForgery(_entry_lost, "log", log_path(4)),
    "log: two entries changed places": LogForgery(_entries_swapped, "log", log_path(4)),
    "log: the last document and its entry": LogForgery(_last_entry_follows, "log", log_path(9), with_head=True),
    "log: the end cut off, with its documents": LogForgery(_end_cut_off, "log", "log/", with_head=True),
    "log: written anew without a record": LogForgery(_written_anew, "log", "log/", with_head=True),
}
