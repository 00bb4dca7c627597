"""The order of the names in a mapping is in no key and no record: a component gets them sorted."""

from __future__ import annotations

from tests.sums_project import Sums


def test_another_order_of_names_gives_the_same_result(sums: Sums) -> None:
    sums.edit("add.py", "*, scale: float = 1.0", "*, weights: dict[str, float], scale: float = 1.0")
    sums.edit("add.py", "value = scale * total(drawn)", "value = next(iter(weights.values()))")
    config = sums.path("conf/config.yaml")
    before = config.read_text()
    totals = []
    for number, weights in enumerate(("{b: 1.0, a: 2.0}", "{a: 2.0, b: 1.0}")):
        config.write_text(f"{before}weights: {weights}\n")
        totals.append(sums.run(f"store.url=.relet{number}").metrics["total"])
    assert totals == [2.0, 2.0]
