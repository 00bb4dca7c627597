"""What a model holds beside its pipeline: the data of intervals, prediction sets and explanations, as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from relet.errors import ModelError, nearest
from relet.training.model_files import (
    COMPARABLES,
    EXPLANATION,
    INTERVAL,
    SETS,
    ModelFiles,
    check_comparables,
    check_rows,
)

if TYPE_CHECKING:
    from relet.training.model import Model


def ground_texts(model: Model) -> Iterator[tuple[str, str]]:
    """The files that hold them and the text of each, which can't contain code; but for the comparable rows, which
    are a table.

    Raises ModelError for a model with prediction sets that gives no probabilities.
    """
    from relet.training import golden

    if model.interval is not None:
        yield INTERVAL, json.dumps(model.interval.to_json(), sort_keys=True) + "\n"
    if model.sets is not None:
        if not model.gives_probabilities:
            raise ModelError("the model has prediction sets, which only a model that gives probabilities can have")
        yield SETS, json.dumps(model.sets.to_json(), sort_keys=True) + "\n"
    if model.background is None:
        return
    held: dict[str, Any] = {"background": golden.rows_to_json(model.background)}
    if model.comparables is not None:
        held["comparables"] = model.comparables.to_json()
    held["columns"] = list(map(str, model.background.columns))
    yield EXPLANATION, json.dumps(held, indent=1, sort_keys=True) + "\n"


def read_grounds(files: ModelFiles, columns: list[str]) -> dict[str, Any]:
    """Read that data as arguments of `Model`, for a model that reads `columns`.

    Empty for a model of an older relet.
    """
    from relet.training.interval import Interval
    from relet.training.prediction_sets import PredictionSets

    found: dict[str, Any] = {}
    if SETS in files.content:
        found["sets"] = PredictionSets.from_json(files.json(SETS))
    if INTERVAL in files.content:
        found["interval"] = Interval.from_json(files.json(INTERVAL))
        for name in found["interval"].by:
            if name not in columns:
                raise ModelError(
                    f"{files.folder.name}: {INTERVAL} is damaged: the model reads no {name!r}; "
                    f"{nearest(name, columns)}"
                )
    return found | (_read_explanation(files, columns) if EXPLANATION in files.content else {})


def _read_explanation(files: ModelFiles, columns: list[str]) -> dict[str, Any]:
    from relet.data.table import read_table
    from relet.training import golden
    from relet.training.comparables import Comparables

    found: dict[str, Any] = {}
    held = files.json(EXPLANATION)
    try:
        if not held["background"] or sorted(held["columns"]) != sorted(columns):
            raise ValueError(f"{len(held['background'])} background rows of the columns {held['columns']}")
        check_rows(held["background"], held["columns"], EXPLANATION)
        found["background"] = golden.rows_from_json(held["background"], held["columns"])
        if "comparables" in held:
            check_comparables(files.content[COMPARABLES])
            rows = read_table(files.folder / COMPARABLES, "pandas")
            found["comparables"] = Comparables.from_json(held["comparables"], rows, files.about["target"])
    except (KeyError, TypeError, ValueError, OSError, OverflowError, ModelError) as error:
        raise ModelError(f"{files.folder.name}: {EXPLANATION} or {COMPARABLES} is damaged: {error}") from error
    return found
