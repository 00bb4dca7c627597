"""Golden predictions: a model records them when it is exported and has to repeat them when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from relet.errors import ModelError, SettingError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.interval import Interval
    from relet.training.model import Model
    from relet.training.prediction_sets import PredictionSets

# The largest allowed relative difference. Other versions of the libraries may change the last bits.
TOLERANCE = 1e-6
# From here on not every whole number is a float.
WHOLE = 2**53
# The longest reason that is given for a row which an estimator refuses.
REASON = 300
# The coverages whose intervals are recorded, where enough rows were held out.
COVERAGES = (0.5, 0.9)


def rows_to_json(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: dates as ISO 8601, missing values as null."""
    loaded: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", date_format="iso", date_unit="s"))
    return loaded


def rows_from_json(stored: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Rows from their JSON form. Every column holds Python objects, as rows from outside do."""
    import pandas as pd

    return pd.DataFrame(stored, columns=columns, dtype=object)


def string_columns(rows: pd.DataFrame) -> list[str]:
    """The columns whose type is pandas' own type of text, in which a missing value is NaN."""
    return [str(name) for name in rows.columns if str(rows[name].dtype) == "str"]


def typed_rows(rows: pd.DataFrame, example: pd.DataFrame) -> pd.DataFrame:
    """Rows whose columns of Python objects have the types of `example`, where their values have these types.

    Rows from JSON come as objects, with None for a missing value, which scikit-learn takes for a value.
    """
    changed = {}
    for name in example.columns:
        if rows[name].dtype == object and (kind := _common_type(rows[name], example[name].dtype)):
            changed[name] = rows[name].astype(cast(Any, kind))
    return rows.assign(**changed) if changed else rows


def _common_type(values: pd.Series[Any], wanted: Any) -> str:
    """The type of `wanted` as far as objects can have it; empty where they stay what they are."""
    from pandas.api.types import infer_dtype

    held = infer_dtype(values, skipna=True)
    gaps = bool(values.isna().any())
    if str(wanted) == "str":
        return "str" if held in ("string", "empty") else ""
    if wanted.kind == "b":
        return "bool" if held == "boolean" and not gaps else ""
    if wanted.kind not in "fiu" or held not in ("empty", "floating", "integer", "mixed-integer-float"):
        return ""
    # a larger whole number is no float
    if held == "integer" and max(map(abs, values.dropna())) >= WHOLE:
        return ""
    return "float64" if gaps or held != "integer" or wanted.kind == "f" else "int64"


def adversarial_rows(rows: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """Rows that are hard for pre-processing: unknown and strange text, extremes, columns without a value.

    Only the columns in `missing` are left without one: each of them in turn, then all of them.
    """
    import pandas as pd

    first = rows_to_json(rows.head(1))[0]
    texts = [name for name, value in first.items() if isinstance(value, str)]
    numbers = [name for name, value in first.items() if isinstance(value, int | float)]
    dates = [name for name in rows.columns if pd.api.types.is_datetime64_any_dtype(rows[name])]
    made = [{**first, name: None} for name in first if name in missing]
    made += [
        {**first, name: text} for name in texts if name not in dates for text in ("", "Ünknown 家 🏠", "x" * 300)
    ]
    made += [{**first, name: number} for name in numbers for number in (0, -1, 10**6)]
    if missing:
        made.append({**first, **{name: None for name in first if name in missing}})
    return rows_from_json(made, list(rows.columns))


def recorded(model: Model) -> dict[str, Any]:
    """Golden rows with the exact predictions, probabilities and bounds of a model, as JSON: floats as hexadecimal.

    A hard row that the model does not predict is left out, and `left_out` says why. Raises ModelError for a model
    that does not predict its own example.
    """
    import pandas as pd

    columns = list(model.example.columns)
    rows = rows_from_json(rows_to_json(model.example), columns)
    if isinstance(reason := _predictions_or_reason(model, rows), str):
        raise ModelError(f"the model does not predict the rows of its own example: {reason}")
    hard = adversarial_rows(model.example, _missing_columns(model))
    rows = pd.concat([rows, hard], ignore_index=True)
    left_out: list[str] = []
    if isinstance(predicted := _predictions_or_reason(model, rows), str):
        kept, left_out = _predicted_rows(model, rows)
        rows = rows.iloc[kept].reset_index(drop=True)
        predicted = model.predict(rows)
    found = {"columns": columns, "rows": rows_to_json(rows), "predictions": _plain_predictions(predicted)}
    if left_out:
        found["left_out"] = left_out
    if model.is_classifier:
        found["classes"] = model.classes
    if model.gives_probabilities:
        found["probabilities"] = _floats_as_hex(model.probabilities(rows).to_numpy())
    if model.sets is not None:
        found["sets"] = _recorded_thresholds(model.sets)
    if model.interval is not None:
        found["intervals"] = _recorded_bounds(model.interval, rows, predicted)
    return found


def output_count(stored: Mapping[str, Any]) -> int:
    """How many columns the recorded predictions have; 0 where a prediction is one value."""
    first = stored["predictions"][0]
    return len(first) if isinstance(first, list) else 0


def _missing_columns(model: Model) -> list[str]:
    """The columns in which training rows had missing values, as far as the model knows."""
    if model.missing is not None:
        return list(model.missing)
    known = [model.example] if model.background is None else [model.example, model.background]
    return [
        name for name in model.example.columns if any(each[name].isna().any() for each in known if name in each)
    ]


def _predictions_or_reason(model: Model, rows: pd.DataFrame) -> NDArray[Any] | str:
    """The predictions of rows, or in words why there are none."""
    try:
        found = model.predict(rows)
        numbers = [model.probabilities(rows).to_numpy()] if model.gives_probabilities else []
    except Exception as error:
        # an estimator refuses a value in its own way
        return f"{type(error).__name__}: {error}"[:REASON]
    if not all(np.isfinite(each).all() for each in (found, *numbers) if each.dtype.kind == "f"):
        return "a prediction or a probability is no finite number"
    return found


def _predicted_rows(model: Model, rows: pd.DataFrame) -> tuple[list[int], list[str]]:
    """The places of the rows that a model predicts, and for each other row why it does not."""
    kept, reasons = [], []
    for place in range(len(rows)):
        row = rows.iloc[[place]]
        if not isinstance(reason := _predictions_or_reason(model, row), str):
            kept.append(place)
            continue
        gaps = [str(name) for name in row.columns if row[name].isna().all()]
        reasons.append(f"a row without {', '.join(gaps)}: {reason}" if gaps else reason)
    return kept, list(dict.fromkeys(reasons))


def _recorded_bounds(
    interval: Interval, rows: pd.DataFrame, predicted: NDArray[np.float64]
) -> list[dict[str, Any]]:
    intervals = []
    for coverage in COVERAGES:
        try:
            lower, _, upper = interval.bounds(rows, predicted, coverage)
        except SettingError:
            continue
        intervals.append({"coverage": coverage, "lower": _floats_as_hex(lower), "upper": _floats_as_hex(upper)})
    return intervals


def _recorded_thresholds(sets: PredictionSets) -> list[dict[str, Any]]:
    found = sets.thresholds(COVERAGES)
    return [{"coverage": coverage, "threshold": float(each).hex()} for coverage, each in found.items()]


def recorded_predictions(stored: Mapping[str, Any]) -> NDArray[Any]:
    """What a model predicted at export: its probabilities where it gave any, else numbers or labels.

    Raises ValueError or TypeError for what is none of these.
    """
    if "probabilities" in stored:
        return _floats_from_hex(stored["probabilities"])
    found = stored["predictions"]
    return np.asarray(found, dtype=object) if "classes" in stored else _floats_from_hex(found)


def check_predictions(stored: Mapping[str, Any], model: Model, *, exactly: bool, name: str) -> None:
    """Predict the recorded rows again. Raises ModelError with the largest difference."""
    rows = rows_from_json(stored["rows"], stored["columns"])
    again = model.predict(rows)
    if not model.is_classifier:
        _compare_with_recorded("", stored["predictions"], again, exactly=exactly, name=name)
        return
    if stored.get("classes") != model.classes:
        raise ModelError(f"{name} no longer has the classes that it had at export; train it again")
    sure = np.ones(len(rows), dtype=bool)
    if model.gives_probabilities:
        found = model.probabilities(rows).to_numpy()
        _compare_with_recorded("a probability of ", stored["probabilities"], found, exactly=exactly, name=name)
        best = np.sort(found, axis=1)[:, -2:]
        # another processor may decide between two classes that are equally probable
        sure = (best[:, -1] - best[:, 0] > TOLERANCE) | exactly
    labels, wanted = (
        np.asarray(_plain_predictions(again), dtype=object),
        np.asarray(stored["predictions"], dtype=object),
    )
    if labels.shape != wanted.shape or (labels[sure] != wanted[sure]).any():
        raise ModelError(f"{name} no longer predicts the labels that it predicted at export; train it again")


def check_intervals(stored: dict[str, Any], predict_interval: Any, *, exactly: bool, name: str) -> None:
    """Compute the intervals of the recorded rows again. Raises ModelError with the largest difference."""
    rows = rows_from_json(stored["rows"], stored["columns"])
    for each in stored.get("intervals", ()):
        found = predict_interval(rows, each["coverage"])
        for side in ("lower", "upper"):
            what = f"the {side} bound of the {each['coverage']:.0%} interval of "
            _compare_with_recorded(what, each[side], found[side], exactly=exactly, name=name)


def check_sets(stored: Mapping[str, Any], sets: PredictionSets, *, name: str) -> None:
    """Compute the thresholds of prediction sets again. Raises ModelError for another one."""
    for each in stored.get("sets", ()):
        found = sets.threshold(each["coverage"])
        if found != float.fromhex(each["threshold"]):
            raise ModelError(
                f"{name} no longer gives the {each['coverage']:.0%} sets that it gave at export; train it again"
            )


def _plain_predictions(values: NDArray[Any]) -> list[Any]:
    """Numbers as hexadecimal text, labels as they are."""
    if values.dtype.kind == "f":
        return _floats_as_hex(values)
    found: list[Any] = values.tolist()
    return found


def _floats_as_hex(values: Any) -> list[Any]:
    """Hexadecimal numbers; of a table a list for each row."""
    held = np.asarray(values, dtype=np.float64)
    return [float(each).hex() for each in held] if held.ndim == 1 else [_floats_as_hex(each) for each in held]


def _floats_from_hex(recorded: Sequence[Any]) -> NDArray[np.float64]:
    return np.asarray(
        [_floats_from_hex(each) if isinstance(each, list) else float.fromhex(each) for each in recorded],
        dtype=np.float64,
    )


def _compare_with_recorded(what: str, recorded: Sequence[Any], again: Any, *, exactly: bool, name: str) -> None:
    expected = _floats_from_hex(recorded)
    got = np.asarray(again, dtype=np.float64)
    if got.shape != expected.shape:
        raise ModelError(f"{name} no longer predicts as many values as it predicted at export; train it again")
    difference = np.abs(got - expected)
    # a number near 0 may be the difference of two that are not
    usual = np.median(np.abs(expected), axis=0) if len(expected) else 0.0
    allowed = 0.0 if exactly else TOLERANCE * np.maximum(np.abs(expected), usual)
    # written so that NaN is refused
    if not (difference <= allowed).all():
        worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference))) // (got[0].size or 1)
        raise ModelError(
            f"{name} no longer predicts what it predicted at export: {what}golden row {worst} gives "
            f"{got[worst]!r}, not {expected[worst]!r}; train it again"
        )
