"""The model artifact: a trained inference pipeline, exported and loaded without pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.archives.boosters import check_boosters
from relet.archives.own_code import needed_own_code, own_code, own_code_in_effect
from relet.archives.stored import expanded_limit
from relet.errors import BadDataError, ModelError, nearest
from relet.training.grounds import ground_texts, read_grounds
from relet.training.inner import check_code, code_digests, extra_packages, is_steady, native_estimators
from relet.training.model_files import (
    ABOUT,
    ARCHIVE,
    CODE,
    COMPARABLES,
    EXAMPLE,
    FORMAT,
    GOLDEN,
    LOADED,
    NATIVE,
    ModelFiles,
    check_about,
    check_rows,
    is_target,
    read_model_files,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.comparables import Comparables
    from relet.training.explanation import Explanation
    from relet.training.interval import Interval
    from relet.training.prediction_sets import PredictionSets

# The longest message about an error of a library, which may show what a file holds.
MESSAGE = 400
# Separates the texts of two estimators in one native file.
_NEXT = "\x1d\n"


@dataclass(frozen=True, kw_only=True)
class Model:
    """An inference pipeline: pre-processing and model as one fitted scikit-learn `Pipeline`.

    `example` holds a few raw input rows with every column that the pipeline reads; `target` is the name of the
    predicted column, or a list of the names of several; predictions have the target's unit, or are its labels.
    `about` holds facts for a person. With `interval` the model gives intervals, with `sets` a classifier gives
    sets of labels; with `background` (rows that stand for all others) and `comparables` it explains its estimates.
    `missing` names the columns in which training rows had missing values, which the golden rows then have too;
    None stands for those in which `example` or `background` has any.
    """

    pipeline: Any
    example: pd.DataFrame
    target: str | list[str]
    about: dict[str, Any] = field(default_factory=dict)
    interval: Interval | None = None
    sets: PredictionSets | None = None
    background: pd.DataFrame | None = None
    comparables: Comparables | None = None
    missing: Sequence[str] | None = None
    # of a model that an older relet stored: rows reach its pipeline with the types in which they came
    as_given: bool = False

    def __post_init__(self) -> None:
        """Raises ModelError for a target that is neither a name nor a list of names."""
        if not is_target(self.target):
            raise ModelError(f"a model's target is a column's name, or a list of names: got {self.target!r:.60}")

    def predict(self, rows: pd.DataFrame) -> NDArray[Any]:
        """One prediction for each row, independent of the other rows.

        A number of 64 bits, or the label of a class, as it stood in the training rows; of a model with several
        targets one column for each. Raises BadDataError for a column that is missing or has another type.
        """
        import numpy as np

        rows = self._taken_rows(rows)
        kind = None if self.is_classifier else np.float64
        if not len(rows):
            # some estimators refuse a table without rows
            return np.empty(0, dtype=kind or object)
        return np.asarray(self.pipeline.predict(rows), dtype=kind)

    @property
    def is_classifier(self) -> bool:
        """Whether predictions are the labels of classes."""
        from sklearn.base import is_classifier

        return bool(is_classifier(self.pipeline))

    @property
    def classes(self) -> list[Any]:
        """The labels of a classifier of one target, in the order of its probabilities; empty for others."""
        found: Any = getattr(self.pipeline, "classes_", None) if self.is_classifier else None
        return list(found.tolist()) if hasattr(found, "tolist") else []

    @property
    def gives_probabilities(self) -> bool:
        """Whether the model is a classifier of one target that gives the probability of each class."""
        return bool(self.classes) and hasattr(self.pipeline, "predict_proba")

    def probabilities(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The probability of each class for each row: one column for each label, in the order of `classes`.

        The probabilities of a row add up to 1. Raises what `predict` raises, and ModelError for a model that gives
        no probabilities.
        """
        import numpy as np
        import pandas as pd

        if not self.gives_probabilities:
            raise ModelError(
                "the model gives no probabilities: its estimator predicts "
                + ("labels alone; calibrate it with CalibratedClassifierCV" if self.is_classifier else "numbers")
            )
        rows = self._taken_rows(rows)
        found = self.pipeline.predict_proba(rows) if len(rows) else np.empty((0, len(self.classes)))
        return pd.DataFrame(np.asarray(found, dtype=np.float64), columns=self.classes, index=rows.index)

    def _taken_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with the types that the pipeline learned from, as far as they came from outside without any."""
        from relet.training.golden import typed_rows

        missing = [name for name in self.example.columns if name not in rows.columns]
        if missing:
            raise BadDataError(
                f"the model needs the column {missing[0]!r}, which the rows don't have: "
                f"{nearest(missing[0], map(str, rows.columns))}"
            )
        return rows if self.as_given else typed_rows(rows, self.example)

    def predict_interval(self, rows: pd.DataFrame, coverage: float = 0.9) -> pd.DataFrame:
        """The columns `lower`, `estimate` and `upper`, in the target's unit, within the interval's declared range.

        The true value of a new row lies inside with at least the probability `coverage`, from 0.5 to 0.99, if the
        row comes from the distribution of the calibration rows. This holds over all rows, not for each kind of
        row, and less up to about 0.4 per cent, since the same rows corrected the widths of the groups. Where the
        calibration rows were held out by time, new rows have another distribution, and nothing more is promised.
        Raises what `predict` raises, SettingError for a coverage that can't be given, and ModelError for a model
        without intervals.
        """
        import pandas as pd

        if self.interval is None:
            raise ModelError(
                "the model gives no intervals: none were calibrated when it was trained; train it again, with a "
                "val_size above 0 and a range of the target above 0"
            )
        estimates = _of_one_target(self.predict(rows), "gives intervals of")
        lower, estimate, upper = self.interval.bounds(rows, estimates, coverage)
        return pd.DataFrame({"lower": lower, "estimate": estimate, "upper": upper}, index=rows.index)

    def predict_set(self, rows: pd.DataFrame, coverage: float = 0.9) -> pd.DataFrame:
        """The set of labels that each row may have: a column of truth values for each label, as `probabilities`.

        The true label of a new row is in its set with at least the probability `coverage`, from 0.5 to 0.99, if
        the row comes from the distribution of the calibration rows. This holds over all rows, not for each class.
        The most probable label is always in the set. Raises what `probabilities` raises, SettingError for a
        coverage that can't be given, and ModelError for a model without sets.
        """
        import pandas as pd

        if self.sets is None:
            raise ModelError(
                "the model gives no prediction sets: none were calibrated when it was trained; train it again, "
                "with Model(sets=calibrated_sets(…)) of rows that were held out (relet.training.prediction_sets)"
            )
        found = self.probabilities(rows)
        return pd.DataFrame(self.sets.members(found.to_numpy(), coverage), columns=found.columns, index=rows.index)

    def explain(self, rows: pd.DataFrame, comparables: int = 5, *, label: Any = None) -> list[Explanation]:
        """Explain each row's estimate: the contribution of each column, and the nearest training rows.

        The contributions add up to the estimate minus the base, in the target's unit. The estimate is that of
        `predict`; the estimate of an interval is the same, clipped to the declared range. Of a classifier it is
        the probability of `label`, by default of the second of two classes. `relet.training.explanation` says how
        contributions are computed, `relet.training.comparables` what nearest means. The row itself is never among
        the nearest rows. Raises what `predict` raises, and ModelError for a model without background rows, with
        several targets, or without that label.
        """
        from relet.training.explanation import Explanation, contributions, explained_predict

        if self.background is None:
            raise ModelError(
                "the model explains nothing: no background rows were kept when it was trained; train it again"
            )
        predict = explained_predict(self, label)
        estimates = _of_one_target(predict(rows), "explains")
        base, found = contributions(predict, rows, estimates, self.background)
        alike = self.comparables.nearest(rows, comparables) if self.comparables else [[]] * len(rows)
        names = [str(name) for name in self.background.columns]
        return [
            Explanation(
                estimate=float(estimate),
                base=base,
                contributions=dict(zip(names, each.tolist(), strict=True)),
                comparables=tuple(like),
            )
            for estimate, each, like in zip(estimates, found, alike, strict=True)
        ]


def _of_one_target(estimates: NDArray[Any], does: str) -> NDArray[Any]:
    """The estimates. Raises ModelError for those of several targets."""
    if estimates.ndim > 1:
        raise ModelError(
            f"the model predicts {estimates.shape[1]} targets, and {does} one alone: train a model for each target"
        )
    return estimates


def export_model(model: Model, folder: Path) -> None:
    """Write a model as a folder that relet and MLflow load.

    Equal models have equal bytes. Golden predictions on the example and on adversarial rows are recorded. Raises
    ModelError for a pipeline that holds a type which the loader would not trust.
    """
    with own_code_in_effect(own_code()):
        _export_model(model, folder)


def _export_model(model: Model, folder: Path) -> None:
    from relet.archives import archive
    from relet.data.table import write_table
    from relet.training import golden, packaging

    folder.mkdir(parents=True, exist_ok=True)
    content = archive.dump_estimator(model.pipeline)
    (folder / ARCHIVE).write_bytes(content)
    if natives := list(native_estimators(model.pipeline)):
        for each in natives:
            check_boosters(each.native, each.n_features_in_, len(each.objectives))
        _write_text(folder / NATIVE, _NEXT.join(each.native for each in natives))
    recorded = golden.recorded(model)
    check_rows(recorded["rows"], recorded["columns"], GOLDEN)
    _write_json(folder / GOLDEN, recorded)
    for name, text in ground_texts(model):
        _write_text(folder / name, text)
    if model.background is not None and model.comparables is not None:
        write_table(model.comparables.rows, folder / COMPARABLES)
    kinds = {str(name): packaging.column_kind(model.example[name]) for name in model.example.columns}
    ours = archive.own_modules(content)
    code = dict(code_digests(model.pipeline, ours))
    versions = packaging.needed_versions(extra_packages(model.pipeline, ours))
    if ours:
        _write_json(folder / CODE, needed_own_code(min(ours)).sources(code))
    about = {
        "format": FORMAT,
        "target": model.target,
        "about": model.about,
        "columns": kinds,
        "strings": golden.string_columns(model.example),
        "code": code,
        "packages": versions,
    }
    _write_text(folder / EXAMPLE, packaging.input_example(model.example))
    _write_json(folder / ABOUT, {**about, "files": _loaded_file_digests(folder)})
    _write_text(
        folder / "MLmodel",
        packaging.mlmodel(
            kinds,
            params=model.interval is not None or model.background is not None,
            labels=model.classes if model.is_classifier else None,
            probabilities=model.gives_probabilities,
            sets=model.sets is not None,
            outputs=golden.output_count(recorded),
            id=model.comparables.id if model.comparables is not None else None,
        ),
    )
    for name, text in packaging.environment_files(versions).items():
        _write_text(folder / name, text)


def load_model(folder: Path, *, trusted: bool = True) -> Model:
    """Load the model in a folder.

    With `trusted` false, for a model that was made elsewhere, it is tried in a process of its own beforehand
    (`relet.training.quarantine`). Raises ModelError, whatever the folder holds, unless its files are those of a
    model, its types and values are trusted, its parts fit together, its code is unchanged and its golden
    predictions hold. Raises SettingError where `RELET_MODEL_BYTES` is no number.
    """
    with own_code_in_effect(own_code()):
        return _load_model(folder, trusted=trusted)


def _load_model(folder: Path, *, trusted: bool) -> Model:
    if not trusted:
        from relet.training.quarantine import try_model

        try_model(folder)
    expanded_limit()
    try:
        return _loaded_model(read_model_files(folder))
    except ModelError as error:
        raise ModelError(str(error) if folder.name in str(error) else f"{folder.name}: {error}") from error
    except Exception as error:
        # whatever error a crafted folder causes in a library, it holds no model
        raise ModelError(f"{folder.name} can't be loaded: {type(error).__name__}: {error}"[:MESSAGE]) from error


def _loaded_model(files: ModelFiles) -> Model:
    from relet.archives import archive
    from relet.training import golden, packaging

    about, name = files.about, files.folder.name
    check_about(about, name)
    check_code(about["code"], name)
    pipeline = archive.load_estimator(files.content[ARCHIVE], name, about["code"])
    _attach_natives(pipeline, files)
    example = _read_example(files)
    stored = files.json(GOLDEN)
    check_rows(stored["rows"], stored["columns"], f"{name}: {GOLDEN}")
    model = Model(
        pipeline=pipeline,
        example=example,
        target=about["target"],
        about=about["about"],
        missing=[each for each in example.columns if any(row.get(each) is None for row in stored["rows"])],
        as_given="strings" not in about,
        **read_grounds(files, [str(name) for name in example.columns]),
    )
    exactly = is_steady(pipeline) and packaging.are_installed(about["packages"])
    golden.check_predictions(stored, model, exactly=exactly, name=name)
    if model.interval is not None:
        golden.check_intervals(stored, model.predict_interval, exactly=exactly, name=name)
    if model.sets is not None:
        if not model.gives_probabilities:
            raise ModelError(f"{name} is no whole model: it has prediction sets and gives no probabilities")
        golden.check_sets(stored, model.sets, name=name)
    return model


def _attach_natives(pipeline: Any, files: ModelFiles) -> None:
    """Give each estimator the text that it stores beside the archive, once that was checked."""
    natives = list(native_estimators(pipeline))
    if not natives:
        return
    name = files.folder.name
    if NATIVE not in files.content:
        raise ModelError(f"{name} is no whole model: {ABOUT} names no {NATIVE}")
    texts = files.content[NATIVE].decode().split(_NEXT)
    if len(texts) != len(natives):
        raise ModelError(f"{name} is no whole model: {NATIVE} holds {len(texts)} of {len(natives)}")
    for each, text in zip(natives, texts, strict=True):
        try:
            check_boosters(text, each.n_features_in_, len(each.objectives))
            each.attach(text)
        except Exception as error:
            raise ModelError(f"{name}: {NATIVE} can't be read as a LightGBM model: {error}") from error


def _read_example(files: ModelFiles) -> pd.DataFrame:
    """The example rows, each column with its exported type."""
    import pandas as pd

    from relet.training import golden

    stored = files.json(EXAMPLE)
    check_rows(stored["data"], stored["columns"], f"{files.folder.name}: {EXAMPLE}")
    rows = [dict(zip(stored["columns"], row, strict=True)) for row in stored["data"]]
    example = golden.rows_from_json(rows, stored["columns"])
    for name, kind in files.about.get("columns", {}).items():
        if kind == "date":
            example[name] = pd.to_datetime(example[name], format="ISO8601")
        elif kind in ("number", "whole"):
            example[name] = pd.to_numeric(example[name])
        elif kind == "boolean":
            example[name] = example[name].astype(bool)
        elif name in files.about.get("strings", ()):
            example[name] = example[name].astype("str")
    return example


def _loaded_file_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that loading reads."""
    present = [folder / name for name in LOADED if (folder / name).is_file()]
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in present}


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_json(path: Path, value: Any) -> None:
    _write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")
