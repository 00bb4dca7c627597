"""The model artifact: a trained inference pipeline, exported and loaded without pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.code import Code
from relet.errors import BadDataError, ModelError, nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ARCHIVE = "inference.skops"
NATIVE = "booster.txt"
GOLDEN = "golden.json"
ABOUT = "relet.json"
EXAMPLE = "input_example.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Model:
    """An inference pipeline: pre-processing and model as one fitted scikit-learn `Pipeline`.

    `example` holds a few raw input rows with every column that the pipeline reads; `target` is the name of what
    it predicts, in the target's own units; `about` is what a person wants to know of it.
    """

    pipeline: Any
    example: pd.DataFrame
    target: str
    about: dict[str, Any] = field(default_factory=dict)

    def predict(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """One prediction for each row; a row's never depends on the rows beside it.

        Raises BadDataError for a column that is missing or holds something else.
        """
        import numpy as np

        missing = [name for name in self.example.columns if name not in rows.columns]
        if missing:
            raise BadDataError(
                f"the model needs the column {missing[0]!r}, which the rows don't have: "
                f"{nearest(missing[0], map(str, rows.columns))}"
            )
        return np.asarray(self.pipeline.predict(rows), dtype=np.float64)


def export(model: Model, folder: Path) -> None:
    """Write a model as a folder that relet and MLflow load: the same bytes for the same model.

    Golden predictions, on the example and on adversarial rows, are recorded. Raises ModelError for a pipeline
    that holds a type which the loader would not trust.
    """
    from relet.training import archive, golden, packaging

    folder.mkdir(parents=True, exist_ok=True)
    final = model.pipeline[-1]
    if hasattr(final, "attach"):
        _write(folder / NATIVE, final.native)
    (folder / ARCHIVE).write_bytes(archive.dump(model.pipeline))
    rows = golden.rows_from_json(golden.rows_to_json(model.example), list(model.example.columns))
    import pandas as pd

    rows = pd.concat([rows, golden.adversarial(model.example)], ignore_index=True)
    _write_json(folder / GOLDEN, golden.record(rows, model.predict(rows)))
    kinds = {str(name): packaging.kind(model.example[name]) for name in model.example.columns}
    about = {
        "format": FORMAT,
        "target": model.target,
        "about": model.about,
        "columns": kinds,
        "code": dict(_code(model.pipeline)),
        "packages": packaging.versions(),
    }
    _write(folder / EXAMPLE, packaging.input_example(model.example))
    _write_json(folder / ABOUT, {**about, "files": _digests(folder)})
    _write(folder / "MLmodel", packaging.mlmodel(kinds))
    for name, text in packaging.environment_files().items():
        _write(folder / name, text)


def load(folder: Path) -> Model:
    """The model in a folder, once its types are trusted, its code is the same and its golden predictions hold.

    Raises ModelError otherwise.
    """
    from relet.training import archive, golden, packaging

    about = _read_json(folder / ABOUT)
    if about.get("format", 0) > FORMAT:
        raise ModelError(
            f"{folder.name} was written by a newer relet (format {about['format']}); install that one"
        )
    _check_files(folder, about.get("files", {}))
    _check_code(about["code"], folder.name)
    pipeline = archive.load(_read(folder / ARCHIVE), folder.name)
    final = pipeline[-1]
    if hasattr(final, "attach"):
        if NATIVE not in about["files"]:
            raise ModelError(f"{folder.name} is no whole model: {ABOUT} names no {NATIVE}")
        _attach(final, _read(folder / NATIVE).decode(), folder.name)
    stored = _read_json(folder / GOLDEN)
    model = Model(
        pipeline=pipeline,
        example=_example(folder, about.get("columns", {})),
        target=about["target"],
        about=about["about"],
    )
    golden.check(stored, model.predict, exactly=about["packages"] == packaging.versions(), name=folder.name)
    return model


def _attach(estimator: Any, text: str, name: str) -> None:
    try:
        estimator.attach(text)
    except Exception as error:
        raise ModelError(f"{name}: {NATIVE} can't be read as a LightGBM model: {error}") from error


def _example(folder: Path, kinds: dict[str, str]) -> pd.DataFrame:
    """The example rows, each column of the kind that it was exported with."""
    import pandas as pd

    from relet.training import golden

    stored = _read_json(folder / EXAMPLE)
    rows = [dict(zip(stored["columns"], row, strict=True)) for row in stored["data"]]
    example = golden.rows_from_json(rows, stored["columns"])
    for name, kind in kinds.items():
        if kind == "date":
            example[name] = pd.to_datetime(example[name], format="ISO8601")
        elif kind in ("number", "whole"):
            example[name] = pd.to_numeric(example[name])
        elif kind == "boolean":
            example[name] = example[name].astype(bool)
    return example


def _code(pipeline: Any) -> Iterator[tuple[str, str]]:
    """The digests of relet's own modules that a pipeline needs, and of those that they import."""
    code = Code((Path(__file__).parents[2],))
    found: dict[str, str] = {}
    for module in sorted(_modules(pipeline)):
        found |= code.closure(module).modules
    yield from sorted(found.items())


def _modules(value: Any) -> set[str]:
    """The modules of relet that define the estimators in a pipeline, however nested."""
    if isinstance(value, list | tuple):
        return set[str]().union(*map(_modules, value))
    own = {type(value).__module__} if type(value).__module__.startswith("relet.") else set()
    nested = [
        getattr(value, name) for name in ("steps", "transformers_", "transformer_list") if hasattr(value, name)
    ]
    return own.union(*map(_modules, nested))


def _digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that is loaded."""
    present = [folder / name for name in (ARCHIVE, NATIVE, GOLDEN, EXAMPLE) if (folder / name).is_file()]
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in present}


def _check_files(folder: Path, recorded: dict[str, str]) -> None:
    """Before any file is parsed: LightGBM ends the process over a model text that was cut off."""
    for name in (ARCHIVE, GOLDEN, EXAMPLE, *recorded):
        if sha256(_read(folder / name)).hexdigest() != recorded.get(name):
            raise ModelError(f"{folder.name} is damaged: {name} is not what was exported; export it again")


def _check_code(recorded: dict[str, str], name: str) -> None:
    code = Code((Path(__file__).parents[2],))
    for module, digest in recorded.items():
        path = code.find(module)
        if path is None or code.digest(path) != digest:
            raise ModelError(
                f"{name} was made with another {module} than this relet has: its predictions would belong to "
                "neither; install the relet that made it, or train it again"
            )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path.parent.name} is no whole model: {path.name} is missing") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(_read(path))
    except ValueError as error:
        raise ModelError(f"{path.parent.name}: {path.name} is damaged: {error}") from error
    if not isinstance(loaded, dict):
        raise ModelError(f"{path.parent.name}: {path.name} is damaged: an object was expected")
    return loaded
