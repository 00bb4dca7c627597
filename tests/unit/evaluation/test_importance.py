"""Which settings decided how well trials did."""

from __future__ import annotations

import math
import random

from relet.evaluation.importance import FEWEST, importance


def trials(count: int = 40) -> tuple[dict[str, list[object]], list[float | None]]:
    """Trials whose result is mostly their depth's doing, a little their kind's, and not at all their seed's."""
    drawn = random.Random(3)
    depth = [drawn.randrange(1, 20) for _ in range(count)]
    kind = [drawn.choice(["wide", "narrow", None]) for _ in range(count)]
    seed = [drawn.random() for _ in range(count)]
    result = [abs(d - 8) + (k == "wide") * 2.0 for d, k in zip(depth, kind, strict=True)]
    return {"depth": list(depth), "kind": list(kind), "seed": list(seed)}, list(result)


def test_what_decides_the_result_has_the_largest_share() -> None:
    found = importance(*trials())
    assert found is not None
    assert list(found.shares) == ["depth", "kind", "seed"]
    assert found.shares["depth"] > 0.7 and found.shares["seed"] < 0.1
    assert math.isclose(sum(found.shares.values()), 1.0)
    assert found.explained > 0.5 and found.trials == 40


def test_the_same_trials_in_another_order_give_the_same_shares() -> None:
    settings, result = trials(20)
    order = list(range(20))
    random.Random(1).shuffle(order)
    again = {name: [values[place] for place in order] for name, values in reversed(settings.items())}
    assert importance(again, [result[place] for place in order]) == importance(settings, result)


def test_noise_explains_nothing() -> None:
    settings, _ = trials()
    drawn = random.Random(5)
    found = importance(settings, [drawn.random() for _ in range(40)])
    assert found is not None and found.explained < 0.1


def test_too_few_trials_with_a_result_decide_nothing() -> None:
    settings, result = trials(FEWEST)
    assert importance(settings, result) is not None
    assert importance(settings, [*result[:-1], math.nan]) is None
    assert importance(settings, [*result[:-1], None]) is None
    assert importance({}, result) is None


def test_where_all_did_equally_well_nothing_has_a_share() -> None:
    settings, result = trials()
    found = importance(settings, [1.0] * len(result))
    assert found is not None and set(found.shares.values()) == {0.0}
