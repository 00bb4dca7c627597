"""Draw how the time of a fit grows with the rows that a model learns from: what more listings would cost."""

from __future__ import annotations

import time
from typing import Annotated, NamedTuple

import pandas as pd

from pipelines.nyc_rentals.inference import fitted_pipeline
from pipelines.nyc_rentals.learner import Learner
from pipelines.nyc_rentals.subsets import subsets
from relet import ChosenBy, Curve, Figure, Metrics, Module, component
from relet.report.charts.lines import line_chart


class Timed(NamedTuple):
    cost_curve: Figure
    cost_metrics: Metrics


@component(job_type="cost_curve")
def cost_curve(
    trainval: pd.DataFrame,
    *,
    family: Annotated[str, Module("pipelines.nyc_rentals.families")] = "boosted",
    learner: Annotated[Learner, ChosenBy("family")],
    seed: int = 42,
) -> Timed:
    """Time the fit, features included, on a 32nd of the rows, on twice as many, and so on to all of them.

    Seconds on this machine, as busy as it is. They come out otherwise each time, so this is a component of its
    own: made again it differs, while the learning curve beside it does not. What is stored is the one reading.
    """
    points = []
    parts = list(subsets(trainval, seed))
    # the first fit imports what the others find loaded
    for place, rows in enumerate([parts[0], *parts]):
        began = time.perf_counter()
        fitted_pipeline(rows, learner, seed=seed)
        if place:
            points.append((len(rows), time.perf_counter() - began))
    drawn = line_chart({"seconds": points}, title=f"Time of a fit of {family}", x="training rows", unit="seconds")
    return Timed(Figure(svg=drawn), {"fit_seconds_by_rows": Curve(points=points, x="rows")})
