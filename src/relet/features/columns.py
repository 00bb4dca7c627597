"""Raw rows as arrays: one column at a time, checked, missing values kept as missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from relet.errors import BadDataError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

DAY = "datetime64[D]"


def column(rows: pd.DataFrame, name: str) -> pd.Series[Any]:
    """One column of raw rows. Raises BadDataError with the nearest name where the column is missing."""
    if not hasattr(rows, "columns"):
        raise BadDataError(f"column {name!r}: rows must be a table with named columns, got {type(rows).__name__}")
    if name not in rows.columns:
        raise BadDataError(f"column {name!r} is missing; {nearest(name, map(str, rows.columns))}")
    return rows[name]


def numbers(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as floats, NaN where a value is missing; an integer column may hold missing values.

    >>> import pandas as pd
    >>> numbers(pd.DataFrame({"nights": [1, None]}, dtype=object), "nights")
    array([ 1., nan])
    """
    import pandas as pd

    values = column(rows, name)
    try:
        numeric = pd.to_numeric(values)
        return np.asarray(numeric.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise BadDataError(f"column {name!r} must hold numbers: {error}") from None


def keys(rows: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """A column of whole numbers that identify something, such as ids; -1 where a value is missing."""
    values = column(rows, name)
    if values.dtype.kind == "i":
        return values.to_numpy(dtype=np.int64)
    floats = numbers(rows, name)
    return np.where(np.isfinite(floats), floats, -1.0).astype(np.int64)


def texts(rows: pd.DataFrame, name: str) -> pa.Array:
    """A column as an Arrow array of strings, null where a value is missing.

    >>> import pandas as pd
    >>> texts(pd.DataFrame({"name": ["Sunny", None]}), "name").to_pylist()
    ['Sunny', None]
    """
    import pyarrow as pa

    values = column(rows, name)
    if values.isna().all():
        return pa.nulls(len(values), pa.string())
    try:
        found = pa.array(values, type=pa.string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BadDataError(f"column {name!r} must hold text: {error}") from None
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def days(rows: pd.DataFrame, name: str) -> NDArray[np.datetime64]:
    """A column as days, NaT where a value is missing; dates, datetimes and ISO 8601 strings are read.

    >>> import pandas as pd
    >>> days(pd.DataFrame({"seen": ["2019-07-08", None]}), "seen")
    array(['2019-07-08',        'NaT'], dtype='datetime64[D]')
    """
    import pandas as pd

    values = column(rows, name)
    if values.dtype.kind in "iuf" and not values.isna().all():
        raise BadDataError(f"column {name!r} must hold dates, got numbers such as {values.dropna().iloc[0]}")
    try:
        return np.asarray(pd.to_datetime(values, format="ISO8601").to_numpy().astype(DAY))
    except (TypeError, ValueError) as error:
        raise BadDataError(f"column {name!r} must hold dates: {error}") from None
