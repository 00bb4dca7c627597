"""Predictions that a model made when it was exported, and has to make again when it is loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from relet.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# With other versions of the libraries the last bits may differ; more than this, relatively, is another model.
TOLERANCE = 1e-6


def rows_to_json(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: dates as ISO 8601, missing values as null."""
    loaded: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", date_format="iso", date_unit="s"))
    return loaded


def rows_from_json(stored: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """The rows again, every column as Python objects, which is how they come from outside."""
    import pandas as pd

    return pd.DataFrame(stored, columns=columns, dtype=object)


def adversarial(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that pre-processing could trip over: all missing one by one, unknown and strange text, extremes."""
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


def record(rows: pd.DataFrame, predicted: NDArray[np.float64]) -> dict[str, Any]:
    """Rows and exact predictions as JSON: floats as hexadecimal."""
    return {
        "columns": list(rows.columns),
        "rows": rows_to_json(rows),
        "predictions": [float(value).hex() for value in predicted],
    }


def check(stored: dict[str, Any], predict: Any, *, exactly: bool, name: str) -> None:
    """Predict the recorded rows again; ModelError names the largest difference."""
    rows = rows_from_json(stored["rows"], stored["columns"])
    expected = np.asarray([float.fromhex(value) for value in stored["predictions"]])
    got = np.asarray(predict(rows), dtype=np.float64)
    difference = np.abs(got - expected)
    allowed = 0.0 if exactly else TOLERANCE * np.abs(expected)
    # written so that a NaN, which is never within anything, is refused
    if not (difference <= allowed).all():
        worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        raise ModelError(
            f"{name} no longer predicts what it predicted at export: golden row {worst} gives {got[worst]!r}, "
            f"not {expected[worst]!r}; train it again"
        )
