"""Rows of a table as JSON for a verdict, and as text for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]


def rows_as_json(rows: pd.DataFrame) -> list[Row]:
    """Rows as JSON can hold them: missing values as None; dates, and other values without a JSON form, as text.

    >>> import pandas as pd
    >>> rows_as_json(pd.DataFrame({"rent": [900.0, None], "since": pd.to_datetime(["2019-07-08", "2019-07-09"])}))
    [{'rent': 900.0, 'since': '2019-07-08'}, {'rent': None, 'since': '2019-07-09'}]
    """
    return [{str(name): _cell_for_json(value) for name, value in row.items()} for row in rows.to_dict("records")]


def rows_as_text(rows: Sequence[Row]) -> str:
    """One line a row, each value with its column's name.

    >>> print(rows_as_text([{"id": 7, "name": "Loft\\nwith a view"}]))
      id=7 name='Loft\\nwith a view'
    """
    return "\n".join("  " + " ".join(f"{name}={value!r}" for name, value in row.items()) for row in rows)


def _cell_for_json(value: Any) -> Any:
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else str(value)
