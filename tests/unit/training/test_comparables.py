"""Comparable rows: which ones are the nearest, and which one is the row itself."""

import numpy as np
import pandas as pd
import pytest

from relet.errors import BadDataError
from relet.training.comparables import comparables
from tests.unit.training.houses import houses


def test_the_same_place_comes_first_then_the_nearest_then_the_lower_id():
    known = pd.DataFrame(
        {
            "id": [4, 3, 2, 1, 5],
            "place": ["north", "south", "north", "north", None],
            "size": [50.0, 41.0, 30.0, 50.0, 40.0],
            "price": [1, 2, 3, 4, 5],
        }
    )
    held = comparables(known, id="id", same=["place"], scales={"size": 10.0}, target="price")
    rows = pd.DataFrame({"place": ["north"], "size": [40.0]})
    (found,) = held.nearest(rows)
    # 1, 2 and 4 are all one scale away in the same place; 5 is nearest of the others
    assert [each["id"] for each in found] == [1, 2, 4, 5, 3]
    assert found[0] == {"id": 1, "place": "north", "size": 50.0, "price": 4}
    assert found[3]["place"] is None
    (without,) = held.nearest(rows.assign(id=1), count=2)
    assert [each["id"] for each in without] == [2, 4]


@pytest.mark.parametrize("own", ["7", 7, 7.0, np.int64(7)])
def test_a_row_is_known_by_its_id_however_that_came(own):
    known = pd.DataFrame({"id": [6, 7, 8], "size": [40.0, 40.5, 41.0], "price": [1, 2, 3]})
    held = comparables(known, id="id", same=[], scales={"size": 10.0}, target="price")
    (found,) = held.nearest(pd.DataFrame({"id": [own], "size": [40.4]}))
    assert [each["id"] for each in found] == [6, 8]


def test_without_an_id_a_row_that_agrees_in_all_that_is_compared_is_the_row_itself():
    known = pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "place": ["north", "north", "south", None],
            "size": [40.0, None, 40.0, None],
            "price": [1, 2, 3, 4],
        }
    )
    held = comparables(known, id="id", same=["place"], scales={"size": 10.0}, target="price")
    asked = pd.DataFrame({"place": ["north", "north", None], "size": [40.0, None, None]}, dtype=object)
    assert [sorted(each["id"] for each in found) for found in held.nearest(asked)] == [
        [2, 3, 4],
        [1, 3, 4],
        [1, 2, 3],
    ]
    # pandas writes ten digits after the point
    known = known.assign(size=[1 / 3, None, 1 / 3, None])
    rounded = comparables(known, id="id", same=["place"], scales={"size": 10.0}, target="price").nearest(
        pd.DataFrame({"place": ["north"], "size": [0.3333333333]})
    )
    assert [each["id"] for each in rounded[0]] == [2, 3, 4]
    # one with an id of its own, beside one without: only the second is looked for by what it says
    mixed = held.nearest(asked[:2].assign(id=[9, None]))
    assert [[each["id"] for each in found] for found in mixed] == [[1, 2, 3, 4], [1, 3, 4]]


def test_a_missing_value_counts_as_one_scale():
    known = pd.DataFrame({"id": [1, 2, 3], "size": [None, 49.0, 51.0], "price": [1, 2, 3]})
    held = comparables(known, id="id", same=[], scales={"size": 10.0}, target="price")
    (found,) = held.nearest(pd.DataFrame({"size": [40.0]}))
    assert [each["id"] for each in found] == [2, 1, 3]
    assert found[1]["size"] is None


def test_a_column_to_compare_by_that_is_missing_is_named():
    with pytest.raises(BadDataError, match=r"'sise' is missing.*did you mean size"):
        comparables(houses(3, 1), id="id", same=[], scales={"sise": 1.0}, target="price")
