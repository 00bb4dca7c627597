"""Ways to forge something in an honest store (`tests.honest_store`), or in a bundle of it.

A forgery is what somebody who can write files would do: each one is consistent as far as it can be, so that
digests of objects hold and documents can be read, unless that is what is forged.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relet.core.artifact import Verdict
from relet.core.record import KeyParts, key_digest
from relet.store import Store
from relet.store.contents import files_digest
from tests.forged_bundle import ForgedBundle
from tests.honest_store import CHECK, GET, LARGEST, RUN, TRAIN
from tests.stored import lose, overwrite, stored_bytes, stored_paths

EVIL = b'{"flavors": {"python_function": {"loader_module": "evil"}}}\n'


def other_rows(rows: int = 3) -> bytes:
    """A table that relet wrote, of other rows."""
    import tempfile

    import pyarrow as pa

    from relet.data.table import write_table

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write_table(pa.table({"id": list(range(rows)), "price": [1] * rows}), path)
        return path.read_bytes()


def hidden_rows(table: bytes) -> bytes:
    """The same rows under a footer that says that no price is above 5."""
    (length,) = struct.unpack("<I", table[-8:-4])
    start = len(table) - 8 - length
    footer = table[start:].replace(struct.pack("<q", LARGEST), struct.pack("<q", 5))
    assert footer != table[start:]
    return table[:start] + footer


def yes(reason: str = "too dear") -> bytes:
    """The file of a verdict that says yes."""
    return (json.dumps(Verdict(passed=True, reason=reason).to_json(), indent=1, sort_keys=True) + "\n").encode()


BundleChange = Callable[[ForgedBundle], object]


def _says(name: str, **metadata: Any) -> BundleChange:
    return lambda bundle: bundle.version(name)["metadata"].update(metadata)


def _record_says(of: str, **fields: Any) -> BundleChange:
    return lambda bundle: bundle.run(of).update(fields)


def _holds(name: str, path: str, content: bytes) -> BundleChange:
    return lambda bundle: bundle.put(name, path, content)


def _swap_pages(bundle: ForgedBundle) -> None:
    files = bundle.version("pages")["files"]
    files["a.html"], files["b.html"] = files["b.html"], files["a.html"]


def _number_as_text(bundle: ForgedBundle) -> None:
    bundle.put("scores", "metrics.json", b'{"mae": "low"}')
    bundle.version("scores")["content"] = files_digest(bundle.version("scores")["files"])
    for run in bundle.manifest["runs"]:
        for link in run["outputs"].values():
            if link["version"].startswith("scores:"):
                link["content"] = bundle.version("scores")["content"]


def _other_input(bundle: ForgedBundle) -> None:
    """The record names another input than its key was made of, in all places that speak of it."""
    bundle.run(TRAIN)["parts"]["inputs"]["sample"] = "0" * 64
    bundle.run(TRAIN)["key"] = key_digest(KeyParts(**bundle.run(TRAIN)["parts"]))


def _other_pipeline(name: object) -> BundleChange:
    """The key is one of another pipeline than the record's, in all places that speak of it."""

    def change(bundle: ForgedBundle) -> None:
        bundle.run(TRAIN)["parts"]["pipeline"] = name
        bundle.run(TRAIN)["key"] = key_digest(KeyParts(**bundle.run(TRAIN)["parts"]))

    return change


# What is forged in a bundle → how. The import refuses each and stores nothing.
IN_A_BUNDLE: Mapping[str, BundleChange] = {
    "table: other rows under the content": _holds("sample", "table.parquet", other_rows()),
    "table: the number of rows": _says("sample", rows=3000),
    "table: the names of columns": _says("sample", columns=["id", "rent"]),
    "table: a footer that hides rows": lambda b: b.put(
        "sample", "table.parquet", hidden_rows(b.file("sample", "table.parquet"))
    ),
    "table: bytes that are no Parquet": _holds("sample", "table.parquet", b"PAR1 no table PAR1"),
    "table: a second file": _holds("sample", "evil.py", b"import os\n"),
    "verdict: passed": _says("report", passed=True),
    "verdict: the reason": _says("report", reason="all is well"),
    "verdict: another file under the content": _holds("report", "verdict.json", yes()),
    "verdict: passed as text": _says("report", passed="yes"),
    "metrics: a number": _says("scores", metrics={"mae": 3.0, "error": 30.0}),
    "metrics: another file under the content": _holds("scores", "metrics.json", b'{"mae": 3.0}'),
    "metrics: a curve that is none": _says("scores", curves=["error", "mae"]),
    "metrics: text in the place of a number": _number_as_text,
    "model: another MLmodel under the content": _holds("model", "MLmodel", EVIL),
    "model: a file beside": _holds("model", "evil.py", b"import os\n"),
    "model: a file left out": lambda bundle: bundle.version("model")["files"].pop("weights"),
    "figure: another drawing": _holds("drawing", "figure.svg", b"<svg>evil</svg>"),
    "folder: two files changed places": _swap_pages,
    "record: a metric": _record_says(TRAIN, metrics={"mae": 3.0, "error": 30.0}),
    "record: a metric that no artifact has": _record_says(TRAIN, metrics={"mae": 30.0, "r2": 1.0}),
    "record of the pipeline: a metric": _record_says(RUN, metrics={"mae": 3.0}),
    "record: the key": _record_says(TRAIN, key="0" * 64),
    "record: a parameter in its key": lambda bundle: bundle.run(TRAIN)["parts"]["parameters"].update(depth=9),
    "record: an input in its key": _other_input,
    "record: the pipeline in its key": _other_pipeline("another"),
    "record: a pipeline in its key that is no text": _other_pipeline(["another"]),
    "record: the content of an output": lambda bundle: bundle.run(TRAIN)["outputs"]["model"].update(
        content="0" * 64
    ),
    "record: ended before it started": _record_says(TRAIN, ended="2020-01-01T00:00:00.000+00:00"),
    "record: a time that is none": _record_says(TRAIN, started="soon"),
}

StoreChange = Callable[[Store], object]


@dataclass(frozen=True)
class StoreForgery:
    """What is forged in a store, and who meets it.

    `shown` is the command that shows it, `key_of` the run whose key leads to it, `loaded` the artifact that a
    component would be given.
    """

    change: StoreChange
    shown: tuple[str, ...] = ()
    key_of: str | None = None
    loaded: str | None = None


def _edit(path: str, change: Callable[[dict[str, Any]], object]) -> StoreChange:
    def edit(store: Store) -> None:
        document = json.loads(stored_bytes(store, path) or b"{}")
        change(document)
        overwrite(store, path, document)

    return edit


def _version_says(name: str, **metadata: Any) -> StoreChange:
    return _edit(f"artifacts/{name}/versions/1.json", lambda held: held["metadata"].update(metadata))


def _version_holds(name: str, path: str, content: bytes) -> StoreChange:
    def change(store: Store) -> None:
        digest = store.put_object(content)
        _edit(f"artifacts/{name}/versions/1.json", lambda held: held["files"].update({path: digest}))(store)

    return change


def _run_says(of: str, **fields: Any) -> StoreChange:
    return _edit(f"runs/{of}.json", lambda held: held.update(fields))


def _key_leads(of: str, **fields: Any) -> StoreChange:
    return lambda store: _edit(f"keys/{store.run(of).key}.json", lambda held: held.update(fields))(store)


def _hide_rows(store: Store) -> None:
    honest = store.read_object(store.version("sample").files["table.parquet"])
    _version_holds("sample", "table.parquet", hidden_rows(honest))(store)


def _evil_model(store: Store) -> None:
    """A whole model of somebody else's, to which the key of the honest step leads."""
    files = {"MLmodel": store.put_object(EVIL)}
    store.add_version(name="model", type="model", content=files_digest(files), files=files)
    outputs = {"model": "model:v2", "scores": "scores:v1", "pages": "pages:v1"}
    _key_leads(TRAIN, outputs=outputs)(store)


def _planted_version(store: Store) -> None:
    """A second model, whole, which says that the run that made the first one made it."""
    files = {"MLmodel": store.put_object(EVIL)}
    held = json.loads(stored_bytes(store, "artifacts/model/versions/1.json") or b"{}")
    overwrite(
        store,
        "artifacts/model/versions/2.json",
        {**held, "number": 2, "content": files_digest(files), "files": files},
    )


def _lost_pages(store: Store) -> None:
    """Nothing but the records say that there ever were pages, which no alias names."""
    lose(store, *(path for path in stored_paths(store) if path.startswith("artifacts/pages/")))
    lose(store, f"keys/{key_of(TRAIN, store)}.json")


def _key_without_a_run(store: Store) -> None:
    """The key names no run, as an older relet wrote it, and its model says that another run made it."""
    _key_leads(TRAIN, run=None)(store)
    _edit("artifacts/model/versions/1.json", lambda held: held.update(producer=GET))(store)


def _turned_report(store: Store) -> None:
    """A verdict that says yes, and metadata that say so too, beside a report that says DIVERGED."""
    reason = "IDENTICAL: every digest is equal"
    _version_holds("reproduction", "verdict.json", yes(reason))(store)
    _version_says("reproduction", passed=True, reason=reason)(store)


def _invented_key(store: Store) -> None:
    store.put_key("f" * 64, {"model": "model:v1"})


def _shown_version(name: str) -> tuple[str, ...]:
    return ("artifacts", "show", f"{name}:v1")


# What is forged in a store → how. The check of the store names each.
IN_A_STORE: Mapping[str, StoreForgery] = {
    "version: another MLmodel under the content": StoreForgery(
        _version_holds("model", "MLmodel", EVIL), _shown_version("model"), TRAIN, "model"
    ),
    "version: passed": StoreForgery(_version_says("report", passed=True), _shown_version("report"), CHECK),
    "version: another verdict under the content": StoreForgery(
        _version_holds("report", "verdict.json", yes()), _shown_version("report"), CHECK, "report"
    ),
    "version: other rows under the content": StoreForgery(
        _version_holds("sample", "table.parquet", other_rows()), _shown_version("sample"), loaded="sample"
    ),
    "version: a footer that hides rows": StoreForgery(_hide_rows, _shown_version("sample"), loaded="sample"),
    "version: the number of rows": StoreForgery(_version_says("sample", rows=3000), _shown_version("sample")),
    "version: a metric": StoreForgery(
        _version_says("scores", metrics={"mae": 3.0, "error": 30.0}), _shown_version("scores"), TRAIN
    ),
    "version: a time that is none": StoreForgery(
        _edit("artifacts/model/versions/1.json", lambda held: held.update(created="soon")),
        _shown_version("model"),
        TRAIN,
    ),
    "version: planted beside what its run made": StoreForgery(_planted_version),
    "version: the run that made it": StoreForgery(
        _edit("artifacts/model/versions/1.json", lambda held: held.update(producer=GET))
    ),
    "version: made by a run of a pipeline": StoreForgery(
        _edit("artifacts/model/versions/1.json", lambda held: held.update(producer=RUN))
    ),
    "key: names no run, and another run is said to have made its model": StoreForgery(
        _key_without_a_run, key_of=TRAIN
    ),
    "version: deleted": StoreForgery(lambda store: lose(store, "artifacts/model/versions/1.json")),
    "version: deleted, with all that leads to it": StoreForgery(_lost_pages),
    "reproduction: its word": StoreForgery(
        _version_says("reproduction", verdict="IDENTICAL"), _shown_version("reproduction")
    ),
    "reproduction: the word on a model": StoreForgery(
        _version_says("reproduction", judged={"model:v1": "IDENTICAL"}), _shown_version("reproduction")
    ),
    "reproduction: another verdict beside its report": StoreForgery(
        _version_holds("reproduction", "verdict.json", yes("IDENTICAL: every digest is equal")),
        _shown_version("reproduction"),
    ),
    "reproduction: all but its report": StoreForgery(_turned_report, _shown_version("reproduction")),
    "record: a metric": StoreForgery(_run_says(TRAIN, metrics={"mae": 3.0, "error": 30.0}), ("runs", TRAIN)),
    "record of the pipeline: a metric": StoreForgery(_run_says(RUN, metrics={"mae": 3.0}), ("runs", RUN)),
    "record: its key": StoreForgery(_run_says(TRAIN, key="0" * 64), ("runs", TRAIN), TRAIN),
    "record: a time that is none": StoreForgery(_run_says(TRAIN, started="soon"), ("runs", TRAIN)),
    "record: the content of an input": StoreForgery(
        _edit(f"runs/{TRAIN}.json", lambda held: held["inputs"]["sample"].update(content="0" * 64)),
        ("runs", TRAIN),
    ),
    "key: leads to another model": StoreForgery(_evil_model, (), TRAIN),
    "key: leads to another run": StoreForgery(_key_leads(TRAIN, run=GET), (), TRAIN),
    "key: invented": StoreForgery(_invented_key),
    "alias: a time that is none": StoreForgery(
        _edit("artifacts/model/aliases/prod/1.json", lambda held: held.update(when="soon")), ("artifacts", "list")
    ),
}


def key_of(run: str, store: Store) -> str:
    """The key that the honest run had."""
    record = store.run(run)
    assert record.parts is not None
    return key_digest(replace(record.parts))
