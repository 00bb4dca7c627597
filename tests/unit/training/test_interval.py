"""Conformal intervals: what they promise, what they refuse, and that they come back from text as they were."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import ModelError, SettingError
from relet.training import interval as intervals
from relet.training.interval import Interval, calibrate


def drawn(size: int, seed: int, noise: float = 0.3) -> pd.DataFrame:
    """Rows of two groups, the second with twice the noise, and estimates that are right in the middle."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, size)
    estimate = random.uniform(60, 200, size)
    truth = estimate * np.exp(random.normal(0, noise * (1 + group), size))
    return pd.DataFrame({"room": np.array(["a", "b"])[group], "estimate": estimate, "price": truth})


def estimate(rows: pd.DataFrame) -> np.ndarray:
    return rows["estimate"].to_numpy()


def calibrated(size: int = 400, seed: int = 0, low: float = 1, high: float = 5000) -> Interval:
    return calibrated_by(drawn(4000, 99), drawn(size, seed), low, high)


def calibrated_by(
    learned: pd.DataFrame, held_out: pd.DataFrame, low: float = 1, high: float = 5000, predict=estimate
) -> Interval:
    given = {"target": "price", "by": ["room"], "low": low, "high": high}
    return calibrate(predict, learned, held_out, estimates=estimate(held_out), **given)


def inside(found: Interval, seen: pd.DataFrame, coverage: float) -> np.ndarray:
    lower, _, upper = found.bounds(seen, estimate(seen), coverage)
    return (lower <= seen["price"].to_numpy()) & (seen["price"].to_numpy() <= upper)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.97])
def test_new_rows_lie_inside_as_often_as_was_asked_on_the_average_of_many_calibrations(coverage):
    new = drawn(2000, 1)
    shares = [inside(calibrated(150, seed), new, coverage).mean() for seed in range(2, 62)]
    # the promise is on the average of calibrations: at least the coverage, at most 2 ÷ (n + 1) above it
    error = 4 * np.std(shares) / math.sqrt(len(shares)) + 2 * math.sqrt(0.25 / 2000)
    assert coverage - error <= np.mean(shares) <= coverage + 2 / 151 + error


def test_the_ends_are_the_ranks_that_the_proof_asks_for():
    found = Interval(by=(), widths={}, scores=tuple(map(float, range(1, 100))), size=99, low=1, high=9)
    # of 100 ranks 10 are missed, 3 of them below
    assert found.ends(0.9) == (3.0, 93.0)
    assert found.ends(0.5) == (15.0, 65.0)


def test_a_group_with_more_noise_gets_wider_intervals_and_the_same_coverage():
    found, new = calibrated(2000), drawn(20_000, 5)
    lower, _, upper = found.bounds(new, estimate(new), 0.9)
    noisy = (new["room"] == "b").to_numpy()
    assert (upper - lower)[noisy].mean() > 1.5 * (upper - lower)[~noisy].mean()
    within = inside(found, new, 0.9)
    assert within[noisy].mean() == pytest.approx(0.9, abs=0.03)
    assert within[~noisy].mean() == pytest.approx(0.9, abs=0.03)


def test_an_unknown_group_gets_the_width_of_all():
    found = calibrated()
    rows = pd.DataFrame({"room": ["never seen", None]}, dtype=object)
    lower, _, upper = found.bounds(rows, np.array([100.0, 100.0]), 0.9)
    down, up = found.ends(0.9)
    assert lower.tolist() == [100 * math.exp(down)] * 2
    assert upper.tolist() == [100 * math.exp(up)] * 2


@settings(max_examples=60, deadline=None)
@given(
    guess=st.floats(-100, 1000),
    coverages=st.tuples(st.floats(0.5, 0.99), st.floats(0.5, 0.99)).map(sorted),
    room=st.sampled_from(["a", "b", "c"]),
)
def test_bounds_hold_the_estimate_stay_in_the_range_and_widen_with_the_coverage(guess, coverages, room):
    found = calibrated(1000, low=10, high=350)
    rows = pd.DataFrame({"room": [room]})
    (low, within, high), (lower, _, higher) = (
        [side[0] for side in found.bounds(rows, np.array([guess]), coverage)] for coverage in coverages
    )
    assert 10 <= lower <= low <= within <= high <= higher <= 350
    assert within == min(max(guess, 10), 350)


def test_a_row_s_interval_never_depends_on_the_rows_beside_it():
    found, new = calibrated(), drawn(200, 7)
    together = np.column_stack(found.bounds(new, estimate(new), 0.9))
    for place in range(0, 200, 11):
        row = new[place : place + 1]
        alone = found.bounds(row, estimate(row), 0.9)
        assert np.column_stack(alone).tolist() == [together[place].tolist()]


@pytest.mark.parametrize(("coverage", "said"), [(0.4, "got 0.4"), (1.0, "got 1.0"), (90, "did you mean 0.9")])
def test_a_coverage_that_is_none_is_refused_with_what_was_meant(coverage, said):
    with pytest.raises(SettingError, match=f"between 0.5 and 0.99.*{said}"):
        calibrated().ends(coverage)


def test_too_few_held_out_rows_are_counted_and_val_size_is_named():
    few = calibrated(30)
    assert few.ends(0.5)
    with pytest.raises(SettingError, match=r"needs at least 33 rows.*has 30.*val_size"):
        few.ends(0.9)
    enough = calibrated(33)
    assert enough.ends(0.9) == (enough.scores[0], enough.scores[31])
    with pytest.raises(SettingError, match="val_size"):
        calibrated(32).ends(0.9)


def test_a_range_that_reaches_zero_is_refused():
    with pytest.raises(SettingError, match="range above 0, got 0 to 350"):
        calibrated(low=0, high=350)


def test_it_comes_back_from_text_as_it_was():
    found = calibrated()
    assert Interval.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "change",
    [
        {"scores": []},
        {"scores": [1.0, 2.0, 3.0, 4.0]},
        {"scores": [2.0, 1.0, 3.0]},
        {"size": "many"},
        {"widths": [["a"]]},
        {"low": None},
        {"size": math.inf},
        {"size": 10**18},
        {"size": 3.5},
        {"scores": [1.0, 2.0, math.nan]},
        {"scores": [1.0, 2.0, math.inf]},
        {"low": 0},
        {"low": 3},
        {"high": math.inf},
        {"high": math.nan},
        {"by": "room"},
        {"by": [["room"]]},
        {"widths": [[["a"], 0.0]]},
        {"widths": [[["a"], math.nan]]},
        {"widths": [[["a", "b"], 1.0]]},
        {"widths": [[[3], 1.0]]},
        {"widths": 3},
    ],
)
def test_what_is_no_interval_is_not_read(change):
    stored = {"by": ["room"], "widths": [], "scores": [1.0, 2.0, 3.0], "size": 3, "low": 1, "high": 2}
    assert Interval.from_json(stored).size == 3
    with pytest.raises(ModelError, match="interval can't be read"):
        Interval.from_json({**stored, **change})


def test_numpy_s_numbers_are_coverages_too():
    found = calibrated()
    assert found.ends(np.float32(0.5)) == found.ends(np.float64(0.5)) == found.ends(0.5)
    with pytest.raises(SettingError, match=r"between 0.5 and 0.99.*did you mean 0\.9"):
        found.ends(np.int64(90))
    for none in (True, "0.9", None, math.nan, np.array([0.9])):
        with pytest.raises(SettingError, match=r"between 0\.5 and 0\.99"):
            found.ends(none)


def test_a_group_that_is_known_all_but_by_heart_gets_bounds():
    def almost(rows: pd.DataFrame) -> np.ndarray:
        error = np.where(rows["room"] == "a", 1e-12, 1.0)
        return rows["price"].to_numpy() * np.exp(error * np.resize([0.3, -0.3, 0.2], len(rows)))

    held_out = drawn(4000, 4)
    held_out = held_out.assign(estimate=almost(held_out))
    found = calibrated_by(drawn(40_000, 3), held_out, predict=almost)
    assert all(0.05**2 / 2 < width < 20**2 * 2 for width in found.widths.values())
    assert np.isfinite(np.column_stack(found.bounds(drawn(50, 1), np.full(50, 100.0), 0.9))).all()
    assert Interval.from_json(found.to_json()) == found


def test_an_end_beyond_all_numbers_is_the_end_of_the_range():
    found = replace(calibrated(), widths={("a",): 1e9, ("b",): 1e-9})
    rows = pd.DataFrame({"room": ["a", "b"]})
    lower, _, upper = found.bounds(rows, np.array([100.0, 100.0]), 0.9)
    assert (lower[0], upper[0]) == (1, 5000)
    assert (lower[1], upper[1]) == pytest.approx((100, 100))


def test_many_scores_are_thinned_and_the_interval_only_gets_wider(monkeypatch):
    whole = calibrated(500)
    assert len(whole.scores) == 500
    monkeypatch.setattr(intervals, "KEPT", 51)
    thinned = calibrated(500)
    assert len(thinned.scores) == 51
    for coverage in (0.5, 0.77, 0.9, 0.95):
        (low, high), (lower, higher) = whole.ends(coverage), thinned.ends(coverage)
        assert lower <= low < high <= higher


def test_of_a_large_group_some_rows_are_estimated_and_all_of_a_small_one():
    learned = pd.concat([drawn(9000, 8), drawn(10, 9).assign(room="c")], ignore_index=True)
    asked = []

    def counted(rows: pd.DataFrame) -> np.ndarray:
        asked.append(rows["room"].value_counts().to_dict())
        return estimate(rows)

    calibrated_by(learned, drawn(50, 1), predict=counted)
    assert asked[0] == {"a": 500, "b": 500, "c": 10}


def test_a_model_that_knows_its_rows_by_heart_still_gives_intervals():
    def by_heart(rows: pd.DataFrame) -> np.ndarray:
        return rows["price"].to_numpy()

    found = calibrated_by(drawn(300, 3), drawn(300, 4), predict=by_heart)
    assert inside(found, drawn(4000, 6), 0.9).mean() == pytest.approx(0.9, abs=0.05)


def test_a_small_group_is_taken_to_be_known_better_than_its_errors_say():
    rows = pd.concat([drawn(9000, 8).assign(room="many"), drawn(900, 8).assign(room="few")], ignore_index=True)
    found = calibrated_by(rows, drawn(50, 1))
    even = pd.concat([drawn(900, 8).assign(room=name) for name in ("many", "few")], ignore_index=True)
    plain = calibrated_by(even, drawn(50, 1))
    assert plain.widths["few",] == pytest.approx(plain.widths["many",])
    assert found.widths["few",] > 1.05 * found.widths["many",]


def test_without_a_held_out_row_there_is_no_interval():
    with pytest.raises(SettingError, match="got none; set val_size above 0"):
        calibrated(0)
