"""Golden predictions: a model records them when it is exported and has to repeat them when it is loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.errors import ModelError, SettingError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.interval import Interval

# The largest allowed relative difference. Other versions of the libraries may change the last bits.
TOLERANCE = 1e-6
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


def adversarial_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that are hard for pre-processing: each column missing in turn, unknown and strange text, extremes."""
    import pandas as pd

    first = rows_to_json(rows.head(1))[0]
    texts = [name for name, value in first.items() if isinstance(value, str)]
    numbers = [name for name, value in first.items() if isinstance(value, int | float)]
    dates = [name for name in rows.columns if pd.api.types.is_datetime64_any_dtype(rows[name])]
    made = [{**first, name: None} for name in first]
    made += [
        {**first, name: text} for name in texts if name not in dates for text in ("", "Ünknown 家 🏠", "x" * 300)
    ]
    made += [{**first, name: number} for name in numbers for number in (0, -1, 10**6)]
    made.append(dict.fromkeys(first))
    return rows_from_json(made, list(rows.columns))


def record_predictions(
    rows: pd.DataFrame, predicted: NDArray[np.float64], interval: Interval | None = None
) -> dict[str, Any]:
    """Rows, exact predictions and bounds as JSON: floats as hexadecimal."""
    recorded = {
        "columns": list(rows.columns),
        "rows": rows_to_json(rows),
        "predictions": _floats_as_hex(predicted),
    }
    if interval is None:
        return recorded
    intervals = []
    for coverage in COVERAGES:
        try:
            lower, _, upper = interval.bounds(rows, predicted, coverage)
        except SettingError:
            continue
        intervals.append({"coverage": coverage, "lower": _floats_as_hex(lower), "upper": _floats_as_hex(upper)})
    return {**recorded, "intervals": intervals}


def check_predictions(stored: dict[str, Any], predict: Any, *, exactly: bool, name: str) -> None:
    """Predict the recorded rows again. Raises ModelError with the largest difference."""
    rows = rows_from_json(stored["rows"], stored["columns"])
    _compare_with_recorded("", stored["predictions"], predict(rows), exactly=exactly, name=name)


def check_intervals(stored: dict[str, Any], predict_interval: Any, *, exactly: bool, name: str) -> None:
    """Compute the intervals of the recorded rows again. Raises ModelError with the largest difference."""
    rows = rows_from_json(stored["rows"], stored["columns"])
    for each in stored.get("intervals", ()):
        found = predict_interval(rows, each["coverage"])
        for side in ("lower", "upper"):
            what = f"the {side} bound of the {each['coverage']:.0%} interval of "
            _compare_with_recorded(what, each[side], found[side], exactly=exactly, name=name)


def _floats_as_hex(values: NDArray[np.float64]) -> list[str]:
    return [float(value).hex() for value in values]


def _compare_with_recorded(what: str, recorded: list[str], again: Any, *, exactly: bool, name: str) -> None:
    expected = np.asarray([float.fromhex(value) for value in recorded])
    got = np.asarray(again, dtype=np.float64)
    difference = np.abs(got - expected)
    allowed = 0.0 if exactly else TOLERANCE * np.abs(expected)
    # written so that NaN is refused
    if not (difference <= allowed).all():
        worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        raise ModelError(
            f"{name} no longer predicts what it predicted at export: {what}golden row {worst} gives "
            f"{got[worst]!r}, not {expected[worst]!r}; train it again"
        )
