"""A small store in which nothing is false: a pipeline that ran once, its gate's no, and its reproduction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType, Check, Curve, Figure, Verdict, Version
from relet.core.record import ArtifactLink, KeyParts, RunRecord, Status, key_digest
from relet.core.reproduction import Likeness, OutputVerdict, Reproduction, StepVerdict
from relet.engine.values import write_artifact
from relet.reproduction.keeping import keep
from relet.store import Store
from relet.store.contents import files_digest

RUN = "20260102T030405000000-00000000"
GET, CHECK, TRAIN = (f"20260102T03040500000{number}-0000000{number}" for number in (1, 2, 3))
TIMES = {"started": "2026-01-02T03:04:05.000+00:00", "ended": "2026-01-02T03:05:05.000+00:00"}
# The largest price: a number whose bytes stand nowhere else in the file's footer.
LARGEST = 123_456_789
MODEL = {
    "MLmodel": b'{"flavors": {"python_function": {"loader_module": "relet.training.pyfunc"}}}\n',
    "weights": b"1",
}


def honest_store(store: Store, scratch: Path) -> Version:
    """A pipeline that ran once: rows, a verdict that says no, a model, metrics. Made again, it DIVERGED."""
    import pyarrow as pa

    rows = pa.table({"id": [1, 2, 3], "price": pa.array([70, 95, LARGEST], pa.int64())})
    no = Verdict(passed=False, reason="too dear", checks=(Check(name="dear", passed=False),))
    error = Curve(points=[(1, 60.0), (2, 30.0)], x="rounds")
    page = scratch / "page"
    page.mkdir(parents=True)
    (page / "a.html").write_text("a")
    (page / "b.html").write_text("b")
    sample = _written(store, scratch, "sample", ArtifactType.TABLE, rows, GET)
    report = _written(store, scratch, "report", ArtifactType.VERDICT, no, CHECK)
    drawing = _written(store, scratch, "drawing", ArtifactType.FIGURE, Figure(svg="<svg/>"), CHECK)
    scores = _written(store, scratch, "scores", ArtifactType.METRICS, {"mae": 30.0, "error": error}, TRAIN)
    pages = _written(store, scratch, "pages", ArtifactType.FOLDER, page, TRAIN)
    files = {path: store.put_object(content) for path, content in MODEL.items()}
    model = store.add_version(name="model", type="model", content=files_digest(files), files=files, producer=TRAIN)
    _component_record(store, GET, "get", {}, {"sample": sample})
    _component_record(store, CHECK, "check", {"sample": sample}, {"report": report, "drawing": drawing})
    made = {"model": model, "scores": scores, "pages": pages}
    _component_record(store, TRAIN, "train", {"sample": sample}, made, metrics={"mae": 30.0, "error": 30.0})
    steps = {
        store.run(each).component: {
            "action": "run",
            "reason": "first run",
            "run": each,
            "outputs": {name: link.version for name, link in store.run(each).outputs.items()},
        }
        for each in (GET, CHECK, TRAIN)
    }
    store.put_run(_record(RUN, steps=steps, metrics={"mae": 30.0, "error": 30.0}))
    store.set_alias("model", "prod", 1, by="test", why="the first")
    keep(_diverged(model), store)
    return model


def _written(store: Store, scratch: Path, name: str, type_: ArtifactType, value: Any, run: str) -> Version:
    written = write_artifact(name, type_, value, scratch / name)
    return store.add_version(
        name=name,
        type=written.type,
        content=written.content,
        files={path: store.put_object(file) for path, file in written.files.items()},
        metadata=written.metadata,
        producer=run,
    )


def _record(run: str, **facts: Any) -> RunRecord:
    return RunRecord(id=run, pipeline="p", experiment="e", status=Status.FINISHED, **{**TIMES, **facts})


def _component_record(
    store: Store,
    run: str,
    component: str,
    inputs: Mapping[str, Version],
    outputs: Mapping[str, Version],
    **facts: Any,
) -> None:
    parts = KeyParts(component=component, inputs={name: version.content for name, version in inputs.items()})
    record = _record(
        run,
        parent=RUN,
        component=component,
        inputs={name: _link(version) for name, version in inputs.items()},
        outputs={name: _link(version) for name, version in outputs.items()},
        parts=parts,
        key=key_digest(parts),
        **facts,
    )
    store.put_run(record)
    store.put_key(str(record.key), {name: str(version) for name, version in outputs.items()}, run)


def _link(version: Version) -> ArtifactLink:
    return ArtifactLink(version=str(version), type=version.type, content=version.content)


def _diverged(model: Version) -> Reproduction:
    output = OutputVerdict(
        name="model",
        recorded=str(model),
        recorded_content=model.content,
        reproduced_content="0" * 64,
        likeness=Likeness.DIVERGED,
    )
    step = StepVerdict(component="train", run=TRAIN, outputs=(output,))
    return Reproduction(
        target=RUN, run=RUN, likeness=Likeness.DIVERGED, reason="other bytes", when=TIMES["ended"], steps=(step,)
    )
