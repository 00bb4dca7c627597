"""Run the data tests on a batch, and say whether it may be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from relet import Stored, Verdict, component
from relet.checks import run_suite

SUITE = Path(__file__).parents[1] / "checks"


class Checked(NamedTuple):
    check_report: Verdict


@component(job_type="data_check", resources=("checks",), judges=("clean_sample",), tolerance=1e-9)
def data_check(
    clean_sample: Path,
    reference: Annotated[Path, Stored("clean_sample:reference", initially="clean_sample")],
    *,
    alpha: float = 0.05,
    correction: str = "holm",
    min_effect: float = 0.03,
    kl_threshold: float = 0.2,
    min_rows: int = 15000,
    max_rows: int = 1000000,
    min_price: float = 10,
    max_price: float = 350,
    west: float = -74.25,
    east: float = -73.5,
    south: float = 40.5,
    north: float = 41.2,
) -> Checked:
    """Run the pytest suite in `checks/` on the batch; its verdict gates what is trained on it.

    Its non-deterministic tests are one family: `alpha` is the probability of any false alarm, kept to by the
    `correction`, and an effect below `min_effect` (D, a rank-biserial correlation or Cramér's V) is let pass.
    """
    options = {
        "alpha": alpha,
        "correction": correction,
        "min_effect": min_effect,
        "kl_threshold": kl_threshold,
        "min_rows": min_rows,
        "max_rows": max_rows,
        "min_price": min_price,
        "max_price": max_price,
        "west": west,
        "east": east,
        "south": south,
        "north": north,
    }
    return Checked(run_suite(SUITE, data=clean_sample, reference=reference, options=options))
