"""Run the data tests on a batch, and say whether it may be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pipelines.nyc_rentals.bounds import Bounds, Prices
from relet import Stored, Verdict, component
from relet.checks import run_suite
from relet.checks.family import FamilyRules

SUITE = Path(__file__).parents[1] / "checks"


class Checked(NamedTuple):
    check_report: Verdict


@component(job_type="data_check", resources=("checks",), judges=("clean_sample",), tolerance=1e-9)
def data_check(
    clean_sample: Path,
    reference: Annotated[Path, Stored("clean_sample:reference", initially="clean_sample")],
    *,
    judging: FamilyRules = FamilyRules(),
    kl_threshold: float = 0.2,
    min_rows: int = 15000,
    max_rows: int = 1000000,
    prices: Prices = Prices(),
    bounds: Bounds = Bounds(),
    columns: dict[str, Any] = {},  # noqa: B006
) -> Checked:
    """Run the pytest suite in `checks/` on the batch; its verdict gates what is trained on it.

    Its non-deterministic tests are one family, judged as `judging` says: `alpha` is the probability of any false
    alarm, kept to by the `correction`, and an effect below `min_effect` (D, a rank-biserial correlation or
    Cramér's V) is let pass. A test of a column that `columns` (as get_data reads it) leaves out is skipped, and so
    is one of the city's groups where `bounds` names none.
    """
    fields = {name: value for group in (judging, prices, bounds) for name, value in vars(group).items()}
    options = {
        **fields,
        "kl_threshold": kl_threshold,
        "min_rows": min_rows,
        "max_rows": max_rows,
        "columns": columns,
    }
    return Checked(run_suite(SUITE, data=clean_sample, reference=reference, options=options))
