"""Compare models by their predictions. Their files may differ."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.data.table import read_table
from relet.errors import BadDataError, ModelError, SettingError
from relet.evaluation.comparison.files import differing_files
from relet.evaluation.comparison.numbers import gap_words, is_within, relative_gaps
from relet.evaluation.comparison.outcome import Difference, cut_text, remark

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from relet.training.model import Model

# On how many evenly spaced rows of each table both models predict.
MOST_ROWS = 20_000


def compare_models(
    recorded: Path, reproduced: Path, tolerance: float | None, rows: Sequence[Path], *, trusted: bool
) -> Iterator[Difference]:
    """Compare models by their predictions, on the tables in `rows` and on the golden rows of both.

    With `trusted` false the recorded model is tried in a process of its own before it is loaded.

    Where a model can't be loaded here, the golden predictions recorded at export are compared instead: other code
    or libraries made it, which is no fault. A model with damaged files is a difference.
    """
    from relet.training.model import load_model

    sides = {"recorded": recorded, "reproduced": reproduced}
    try:
        golden = [_read_golden(folder, side) for side, folder in sides.items()]
        old, new = load_model(recorded, trusted=trusted), load_model(reproduced)
        yield from _compare_loaded_models(old, new, golden, tolerance, rows)
    except BadDataError as error:
        yield Difference(str(error))
    except ModelError as error:
        yield from _compare_recorded_predictions(golden[0], golden[1], tolerance)
        yield remark(f"only the golden predictions recorded at export are compared: {error}")
    yield from map(remark, differing_files(recorded, reproduced))


def _read_golden(folder: Path, side: str) -> dict[str, Any]:
    """The golden rows and predictions of a model.

    Raises BadDataError where its files are not those that were exported.
    """
    from relet.training.golden import recorded_predictions
    from relet.training.model_files import GOLDEN, check_rows, read_model_files

    try:
        golden = read_model_files(folder).json(GOLDEN)
        check_rows(golden["rows"], golden["columns"], GOLDEN)
        predictions = recorded_predictions(golden)
        return {"columns": list(golden["columns"]), "rows": list(golden["rows"]), "predictions": predictions}
    except (ModelError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDataError(f"the {side} model is damaged: {error}") from error


def _compare_recorded_predictions(
    old: dict[str, Any], new: dict[str, Any], tolerance: float | None
) -> Iterator[Difference]:
    if (old["columns"], old["rows"]) != (new["columns"], new["rows"]):
        yield Difference("the golden rows differ, so that their predictions can't be compared")
        return
    yield from _compare_predictions("golden rows", old["predictions"], new["predictions"], tolerance)


def _compare_loaded_models(
    old: Model, new: Model, golden: list[dict[str, Any]], tolerance: float | None, rows: Sequence[Path]
) -> Iterator[Difference]:
    needed = list(old.example.columns)
    others = set(needed) ^ set(new.example.columns)
    if others:
        names = ", ".join(map(repr, sorted(map(str, others))))
        yield Difference(f"only one of the models needs the column{'s' * (len(others) > 1)} {names}")
        return
    if (old.interval is None) != (new.interval is None):
        yield Difference(f"only the {'reproduced' if old.interval is None else 'recorded'} model gives intervals")
    yield from _compare_sets(old, new, tolerance)
    for what, table in _prediction_tables(needed, golden, rows):
        yield from _compare_on_table(what, old, new, table, tolerance)


def _prediction_tables(
    needed: list[str], golden: list[dict[str, Any]], rows: Sequence[Path]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables on which both models predict, by name: those that have all columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from relet.training.golden import rows_from_json

    for side, stored in zip(("recorded", "reproduced"), golden, strict=True):
        yield f"golden rows of the {side} model", rows_from_json(stored["rows"], stored["columns"])
    for path in rows:
        try:
            if set(needed) <= set(pq.read_schema(path).names):
                yield (
                    f"rows of {'/'.join(path.parts[-2:])}",
                    _evenly_spread_rows(read_table(path, "pandas"))[needed],
                )
        except (pa.ArrowException, OSError) as error:
            raise BadDataError(f"{path} can't be read, to predict on its rows: {error}") from error


def _evenly_spread_rows(table: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST_ROWS` rows, evenly spaced."""
    import numpy as np

    if len(table) <= MOST_ROWS:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, MOST_ROWS).astype(np.int64)].reset_index(drop=True)


def _compare_on_table(
    what: str, old: Model, new: Model, table: pd.DataFrame, tolerance: float | None
) -> Iterator[Difference]:
    before, after = _predictions_or_reason(old, table), _predictions_or_reason(new, table)
    if isinstance(before, str) and isinstance(after, str):
        yield remark(f"{what}: neither model predicts on them: {before}")
    elif isinstance(before, str) or isinstance(after, str):
        side, reason = ("recorded", before) if isinstance(before, str) else ("reproduced", after)
        yield Difference(f"{what}: the {side} model does not predict on them: {reason}")
    else:
        yield from _compare_predictions(what, before, after, tolerance)
        yield from _compare_bounds(what, old, new, table, before, after, tolerance)


def _compare_bounds(
    what: str,
    old: Model,
    new: Model,
    table: pd.DataFrame,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    tolerance: float | None,
) -> Iterator[Difference]:
    """The intervals of the same rows, where both models give any."""
    import numpy as np

    from relet.training.golden import COVERAGES

    if old.interval is None or new.interval is None:
        return
    for coverage in COVERAGES:
        sides = []
        for interval, estimates in ((old.interval, before), (new.interval, after)):
            try:
                lower, _, upper = interval.bounds(table, estimates, coverage)
                sides.append(np.concatenate([lower, upper]))
            except SettingError:
                sides.append(np.empty(0))
        said = f"{coverage:.0%} intervals of {what}, lower then upper"
        yield from _compare_predictions(said, sides[0], sides[1], tolerance)


def _compare_sets(old: Model, new: Model, tolerance: float | None) -> Iterator[Difference]:
    """The prediction sets, by the scores up to which a class is in a set."""
    import numpy as np

    from relet.training.golden import COVERAGES

    if old.sets is None or new.sets is None:
        if old.sets is not new.sets:
            side = "reproduced" if old.sets is None else "recorded"
            yield Difference(f"only the {side} model gives prediction sets")
        return
    before, after = (np.array(list(each.thresholds(COVERAGES).values())) for each in (old.sets, new.sets))
    yield from _compare_predictions("the largest scores in prediction sets", before, after, tolerance)


def _predictions_or_reason(model: Model, rows: pd.DataFrame) -> NDArray[Any] | str:
    """The predictions, of a classifier its probabilities where it gives any, or why there are none."""
    try:
        return model.probabilities(rows).to_numpy() if model.gives_probabilities else model.predict(rows)
    except Exception as error:
        # a model may fail in any way on rows that were not made for it
        return cut_text(f"{type(error).__name__}: {error}", 200)


def _compare_predictions(
    what: str, old: NDArray[Any], new: NDArray[Any], tolerance: float | None
) -> Iterator[Difference]:
    import numpy as np

    if old.shape != new.shape:
        yield Difference(f"{what}: {len(new):,} predictions instead of {len(old):,}")
        return
    if old.dtype.kind != "f" or new.dtype.kind != "f":
        if others := int((old != new).sum()):
            yield Difference(f"{what}: {others:,} of {old.size:,} labels differ")
        return
    apart = relative_gaps(old, new)
    if apart.any():
        worst = np.unravel_index(apart.argmax(), apart.shape)
        size, row = float(apart[worst]), int(worst[0])
        yield Difference(
            f"{what}: {(apart > 0).sum():,} of {len(old):,} predictions differ, most of all in row {row:,}: "
            f"{float(old[worst])!r} → {float(new[worst])!r} ({gap_words(size)})",
            size,
            is_within(size, tolerance),
        )
