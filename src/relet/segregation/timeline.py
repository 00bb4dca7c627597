"""Parts by time: the newest rows are the test part."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import re
from collections.abc import Mapping
from math import fsum
from typing import TYPE_CHECKING, Any

from relet.errors import SettingError
from relet.segregation.columns import codes_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Bytes = np.ndarray[Any, np.dtype[np.int8]]

# Text whose order is the order of the times it stands for.
_SORTS = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?)?)?")


def parts_by_time(column: pa.ChunkedArray, shares: Mapping[str, float], *, name: str) -> Bytes:
    """The number of each row's part: the newest rows are in the last part, rows without a time in the first.

    Parts end between two different times, where the shares are closest to the requested ones. Each part has a time
    as long as there are enough. Raises SettingError for a column that holds no times, and for too few different
    times.
    """
    import numpy as np

    codes, times = codes_of(column)
    if times and times[-1] is None:
        times = times[:-1]
    _check_times(column, times, name)
    if len(times) < len(shares):
        raise SettingError(
            f"segregation: {name} has {len(times)} different times, too few for {len(shares)} parts; "
            "set another time_by or method"
        )
    rows = np.bincount(codes, minlength=len(times))[: len(times)]
    newest = np.cumsum(rows[::-1])  # the k newest times begin at k - 1
    values = list(shares.values())
    found = np.zeros(len(codes), dtype=np.int8)
    taken = 0
    oldest = {}
    for place in range(len(values) - 1, 0, -1):
        room = newest[taken : len(times) - place]
        taken += int(np.abs(room - len(codes) * fsum(values[place:])).argmin()) + 1
        oldest[place] = len(times) - taken
    for place in sorted(oldest):
        found[(codes >= oldest[place]) & (codes < len(times))] = place
    return found


def _check_times(column: pa.ChunkedArray, times: list[Any], name: str) -> None:
    import pyarrow as pa

    type = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(type) or pa.types.is_large_string(type):
        wrong = next((text for text in times if not _SORTS.fullmatch(text)), None)
        if wrong is not None:
            raise SettingError(
                f"segregation: {name} holds the text {wrong!r}, whose place in time is not known; "
                "read it as dates, write dates as 2019-07-31, or set another time_by"
            )
        separators = {text[10] for text in times if len(text) > 10}
        if len(separators) > 1:
            raise SettingError(
                f"segregation: {name} holds times with a T and times with a blank before the hour, which do not "
                "sort together; read it as times, write them alike, or set another time_by"
            )
    elif not (pa.types.is_temporal(type) or pa.types.is_integer(type)):
        raise SettingError(
            f"segregation: rows are put in time by dates, times or the numbers of batches, and {name} holds "
            f"{type}; set another time_by"
        )
