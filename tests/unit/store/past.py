"""Stores with a past: pipelines that ran, as their records tell it, without running anything."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, Caveat, CodeState, KeyParts, RunRecord, Status, key_digest
from relet.store import Store
from relet.store.layout import content_path, version_path
from relet.store.manifest import links, step_outputs
from tests.stored import lose, overwrite, stored_bytes, stored_paths


def link(version: Version) -> ArtifactLink:
    return ArtifactLink(version=str(version), type=version.type, content=version.content)


def ran(
    store: Store,
    run: str,
    components: Mapping[str, tuple[Mapping[str, Version], Mapping[str, bytes]]],
    skipped: Mapping[str, str] | None = None,
    source: bytes | None = None,
) -> dict[str, Version]:
    """A run of a pipeline: component → inputs, and outputs as bytes; what it made.

    `skipped` are components → the runs that made what they have; `source` is what the first one read outside.
    """
    code = CodeState(
        commit="c" * 40,
        dirty=True,
        diff=store.put_object(f"diff of {run}".encode()),
        untracked={"pipelines/p/new.py": store.put_object(f"new.py of {run}".encode())},
        repository="https://example.org/p.git",
    )
    surroundings: dict[str, Any] = {
        "pipeline": "p",
        "experiment": "e",
        "status": Status.FINISHED,
        "started": f"2026-01-01T00:00:0{run[3:] if run[3:].isdigit() else 0}",
        "code": code,
        "lock": store.put_object(b"pandas==3\n"),
        "caveats": (Caveat(kind="network", what="example.org"),),
    }
    steps: dict[str, dict[str, Any]] = {}
    made: dict[str, Version] = {}
    for component, maker in (skipped or {}).items():
        had = {name: each.version for name, each in store.run(maker).outputs.items()}
        steps[component] = {"action": "skip", "reason": "same key", "run": maker, "outputs": had}
    for component, (inputs, contents) in components.items():
        own = {"url": {"sha256": store.put_object(source)}} if source and not inputs else {"n": 1}
        taken = {name: version.content for name, version in inputs.items()}
        parts = KeyParts(component=component, parameters={**own, "run": run}, inputs=taken)
        outputs = {name: add(store, name, content, f"{run}-{component}") for name, content in contents.items()}
        record = RunRecord(
            id=f"{run}-{component}",
            parent=run,
            component=component,
            inputs={name: link(version) for name, version in inputs.items()},
            outputs={name: link(version) for name, version in outputs.items()},
            key=key_digest(parts),
            parts=parts,
            **surroundings,
        )
        store.put_run(record)
        store.put_key(key_digest(parts), {name: str(version) for name, version in outputs.items()}, record.id)
        shown = {name: str(version) for name, version in outputs.items()}
        steps[component] = {"action": "run", "reason": "first run", "run": record.id, "outputs": shown}
        made |= outputs
    store.put_run(RunRecord(id=run, steps=steps, **surroundings))
    return made


def add(store: Store, name: str, content: bytes, producer: str | None = None) -> Version:
    sha = store.put_object(content)
    return store.add_version(name=name, type="file", content=sha, files={f"{name}.txt": sha}, producer=producer)


def a_past(store: Store) -> Version:
    """Three runs of one pipeline. The model of the last stands on its own rows, which were compared with the first
    run's, and on nothing of the second; what is scored is none of its ground.
    """
    first = ran(
        store,
        "run1",
        {"get": ({}, {"sample": b"rows 1"}), "clean": ({}, {"clean_sample": b"clean 1", "dropped": b"none"})},
        source=b"a listing\n",
    )
    ran(store, "run2", {"get": ({}, {"sample": b"rows 2"})})
    got = ran(store, "run3", {"get": ({}, {"sample": b"rows 3"})})
    cleaned = ran(
        store, "run4", {"clean": ({"sample": got["sample"]}, {"clean_sample": b"clean 3", "dropped": b"none"})}
    )
    champion = add(store, "model", b"by hand")
    made = {"sample": got["sample"], **cleaned}
    model = ran(
        store,
        "run5",
        {
            "train": (
                {"clean_sample": made["clean_sample"], "reference": first["clean_sample"]},
                {"model": b"weights 3", "metrics": b"mae 3"},
            ),
            "test": ({"champion": champion, "sample": made["sample"]}, {"evaluation": b"better"}),
        },
        skipped={"get": "run3-get", "clean": "run4-clean"},
    )
    return model["model"]


def everything(store: Store) -> dict[str, bytes]:
    """A store's documents and objects by path; aliases aside, which say when they were moved."""
    paths = [path for path in stored_paths(store) if "/aliases/" not in path]
    return {path: stored_bytes(store, path) or b"" for path in paths}


def contents(store: Store) -> set[tuple[str, str]]:
    return {(version.name, version.content) for name in store.names() for version in store.versions(name)}


def consistent(store: Store) -> None:
    """Every link leads to the version that has its content, or to one that was pruned; nothing is broken."""
    assert store.verify() == []
    for record in store.runs():
        for each in links(record):
            version = store.find(each.version)
            assert version is None or (version.content, version.type) == (each.content, each.type), record.id
        makes = {output.version for run in step_runs(store, record) for output in run.outputs.values()}
        assert set(step_outputs(record)) <= makes


def step_runs(store: Store, record: RunRecord) -> list[RunRecord]:
    return [store.run(step["run"]) for step in record.steps.values()]


def manifest_of(path: Path) -> Any:
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]


def forged(path: Path, to: Path, manifest: Any = None, without: str = "") -> Path:
    """A copy of an exported file with another manifest, or without an object."""
    with tarfile.open(path) as tar, tarfile.open(to, "w") as out:
        for member in tar:
            content = tar.extractfile(member).read()  # type: ignore[union-attr]
            if member.name == "manifest.json" and manifest is not None:
                content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
            if not without or without not in member.name:
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))
    return to


def forget(store: Store, version: str) -> None:
    """As prune leaves a version: its number is taken, and its content leads nowhere."""
    gone = store.version(version)
    document = {"pruned": "2026-01-02", "name": gone.name, "number": gone.number, "content": gone.content}
    overwrite(store, version_path(gone.name, gone.number), document)
    lose(store, content_path(gone.name, gone.content))
