"""What a cross-fitted score is where nobody sets its penalty or its smoothing."""

import numpy as np
import pandas as pd

from relet.features.encoding import CrossFittedScore

RANDOM = np.random.default_rng(3)
ROWS = pd.DataFrame(
    {
        "name": RANDOM.choice(["sunny loft", "cozy studio", "big house"], 60),
        "host": RANDOM.integers(1, 9, 60),
    }
)
TARGET = RANDOM.normal(size=60)


def score(**options: float) -> CrossFittedScore:
    return CrossFittedScore("name", group="host", min_count=1, **options)


def test_the_penalty_and_the_smoothing_are_one_where_nobody_sets_them() -> None:
    usual = score().fit_transform(ROWS, TARGET)
    assert (usual == score(alpha=1.0, group_smoothing=1.0).fit_transform(ROWS, TARGET)).all()
    assert not np.array_equal(usual[:, 0], score(alpha=2.0).fit_transform(ROWS, TARGET)[:, 0])


def test_a_group_lies_above_the_score_by_its_residuals_over_its_rows_and_the_smoothing() -> None:
    fitted = score(group_smoothing=3.0)
    residuals = TARGET - fitted.fit_transform(ROWS, TARGET)[:, 0]
    for host, own in pd.Series(residuals).groupby(ROWS["host"]):
        one = ROWS[ROWS["host"] == host].head(1)
        assert np.isclose(fitted.transform(one)[0, 1], own.sum() / (len(own) + 3.0))
