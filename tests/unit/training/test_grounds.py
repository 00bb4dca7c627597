"""What a model says beside its estimate: intervals, contributions and comparable rows, exported and loaded."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from relet.core.artifact import ArtifactType
from relet.errors import ModelError, SettingError
from relet.evaluation.comparison import compare
from relet.features.numeric import Numbers
from relet.training.comparables import comparables
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.explanation import background_rows, contributions
from relet.training.interval import calibrate
from relet.training.model import Model, export_model, load_model
from relet.training.model_files import ABOUT, COMPARABLES, EXPLANATION, GOLDEN, INTERVAL
from relet.training.pyfunc import ServedModel
from tests.unit.training.houses import COLUMNS, houses


@pytest.fixture(scope="module")
def model():
    learned, held_out = houses(800, 1), houses(120, 2)
    trees = BoostedRegressor(n_estimators=15, num_leaves=8, feature_fraction=1.0)
    pipeline = Pipeline([("n", Numbers(["size", "nights"])), ("m", trees)]).fit(learned, learned["price"])
    estimates = pipeline.predict(held_out)
    given = {"target": "price", "by": ["place"], "low": 10, "high": 350, "estimates": estimates}
    return Model(
        pipeline=pipeline,
        example=learned[COLUMNS].head(3),
        target="price",
        interval=calibrate(pipeline.predict, learned, held_out, **given),
        background=background_rows(held_out[COLUMNS], estimates),
        comparables=comparables(
            learned, id="id", same=["place"], scales={"size": 10.0, "nights": 3.0}, target="price"
        ),
    )


@pytest.fixture
def folder(model, tmp_path):
    export_model(model, tmp_path / "model")
    return tmp_path / "model"


def amended(folder, name, change, *, known=True):
    """Change a JSON file of a model; with `known` the digest that is looked at is changed with it."""
    stored = json.loads((folder / name).read_text())
    change(stored)
    (folder / name).write_text(json.dumps(stored))
    about = json.loads((folder / ABOUT).read_text())
    if known:
        about["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / ABOUT).write_text(json.dumps(about))


def test_a_loaded_model_gives_the_same_intervals_and_the_same_grounds(model, folder):
    again, rows = load_model(folder), houses(40, 3)
    pd.testing.assert_frame_equal(again.predict_interval(rows, 0.8), model.predict_interval(rows, 0.8))
    assert again.explain(rows[:6]) == model.explain(rows[:6])


def test_a_loaded_model_is_exported_to_the_same_bytes(folder, tmp_path):
    export_model(load_model(folder), tmp_path / "again")
    assert {path.name for path in folder.iterdir()} >= {INTERVAL, EXPLANATION, COMPARABLES}
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_estimate_in_an_interval_is_the_one_that_predict_gives(model):
    rows = houses(40, 4)
    found = model.predict_interval(rows)
    assert (found["estimate"] == model.predict(rows)).all()
    assert list(found.columns) == ["lower", "estimate", "upper"]
    assert (found.index == rows.index).all()


def test_a_model_folder_of_an_older_relet_loads_and_says_how_to_get_intervals(model, folder):
    rows = houses(5, 5)
    # as it was written before there were intervals: three files less, no bounds among the golden predictions
    for name in (INTERVAL, EXPLANATION, COMPARABLES):
        (folder / name).unlink()
    about = json.loads((folder / ABOUT).read_text())
    about["files"] = {
        name: digest for name, digest in about["files"].items() if name not in (INTERVAL, EXPLANATION, COMPARABLES)
    }
    (folder / ABOUT).write_text(json.dumps(about))
    amended(folder, GOLDEN, lambda golden: golden.pop("intervals"))
    old = load_model(folder)
    assert (old.predict(rows) == model.predict(rows)).all()
    with pytest.raises(ModelError, match=r"no intervals.*train it again.*val_size"):
        old.predict_interval(rows)
    with pytest.raises(ModelError, match=r"explains nothing.*train it again"):
        old.explain(rows)
    assert old.interval is None


@pytest.mark.parametrize("name", [INTERVAL, EXPLANATION, COMPARABLES])
def test_grounds_that_are_damaged_or_gone_are_refused_by_name(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-3])
    with pytest.raises(ModelError, match=f"damaged: {name}"):
        load_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load_model(folder)


def test_an_interval_that_is_no_longer_what_it_was_at_export_is_refused(folder):
    def shift(stored):
        stored["scores"] = [score + 0.01 for score in stored["scores"]]

    amended(folder, INTERVAL, shift)
    with pytest.raises(ModelError, match=r"lower bound of the 50% interval of golden row"):
        load_model(folder)


def test_grounds_of_a_crafted_folder_raise_nothing_but_a_model_error(folder):
    amended(folder, EXPLANATION, lambda stored: stored.pop("columns"))
    with pytest.raises(ModelError, match=f"{EXPLANATION}.*damaged"):
        load_model(folder)


def test_models_with_other_intervals_are_not_equal_though_they_predict_the_same(model, folder, tmp_path):
    other = tmp_path / "other"
    wider = {**model.interval.to_json(), "widths": [[["north"], 2.0], [["south"], 1.0]]}
    fields = {name: getattr(model, name) for name in ("pipeline", "example", "target", "background")}
    export_model(Model(**fields, interval=type(model.interval).from_json(wider)), other)
    found = compare(ArtifactType.MODEL, folder, other, tolerance=1e-6)
    assert not found.within
    assert "90% intervals of golden rows" in " ".join(found.differences)
    none = tmp_path / "none"
    export_model(Model(**fields), none)
    said = compare(ArtifactType.MODEL, folder, none, tolerance=1e-6)
    assert not said.within
    assert said.differences[0] == "only the recorded model gives intervals"
    shutil.copytree(folder, tmp_path / "same")
    assert compare(ArtifactType.MODEL, folder, tmp_path / "same", tolerance=None).within


# --- contributions


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(10, 10_000))
def test_contributions_add_up_and_an_ignored_column_has_none(model, seed):
    rows = houses(3, seed)
    for each, estimate in zip(model.explain(rows), model.predict(rows), strict=True):
        assert each.estimate == estimate
        assert sum(each.contributions.values()) == pytest.approx(each.estimate - each.base, abs=1e-9)
        assert each.contributions["ignored"] == 0.0
        assert each.contributions["place"] == 0.0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(10, 10_000), order=st.permutations(range(10)))
def test_a_row_is_explained_alike_whatever_rows_are_beside_it(model, seed, order):
    rows = houses(10, seed)
    together = model.explain(rows)
    assert model.explain(rows.iloc[order]) == [together[place] for place in order]
    assert model.explain(rows[4:5]) == [together[4]]


def test_where_a_column_stands_has_no_say(model):
    rows = houses(4, 8)
    estimates = model.predict(rows)
    base, found = contributions(model.predict, rows, estimates, model.background)
    turned = model.background[COLUMNS[::-1]]
    base_turned, found_turned = contributions(model.predict, rows, estimates, turned)
    assert base_turned == base
    assert (found_turned[:, ::-1] == found).all()


def test_contributions_of_a_sum_are_how_far_each_column_lies_from_the_mean():
    rows = houses(300, 9)[["size", "nights"]].astype(float)
    line = LinearRegression().fit(rows, 2 * rows["size"] - 3 * rows["nights"])
    others = background_rows(rows, line.predict(rows))
    base, found = contributions(line.predict, rows[:5], line.predict(rows[:5]), others)
    away = rows[:5] - others.astype(float).mean()
    assert found == pytest.approx(np.column_stack([2 * away["size"], -3 * away["nights"]]))
    assert base == pytest.approx(line.predict(others).mean())


def test_background_rows_are_spread_over_the_estimates():
    rows = houses(1000, 10)
    chosen = background_rows(rows[COLUMNS], rows["size"].to_numpy())
    assert len(chosen) == 128
    assert chosen["size"].astype(float).mean() == pytest.approx(rows["size"].mean(), rel=0.01)
    assert len(background_rows(rows[COLUMNS][:7], rows["size"].to_numpy()[:7])) == 7


def test_comparable_rows_show_real_prices_and_none_but_the_columns_that_are_kept(model):
    learned = houses(800, 1).set_index("id")
    for each in model.explain(houses(5, 6)):
        assert len(each.comparables) == 5
        for row in each.comparables:
            assert row["price"] == learned.loc[row["id"], "price"]
            assert set(row) == {"id", "place", "size", "nights", "price"}


# --- what MLflow calls


def test_a_request_that_asks_for_nothing_gets_estimates_as_ever(model):
    rows = houses(6, 7)
    for params in (None, {}, {"coverage": None, "explain": False}):
        assert (ServedModel(model).predict(rows, params) == model.predict(rows)).all()


def test_mlflow_hands_on_a_coverage_and_the_wish_for_an_explanation(model, folder):
    mlflow = pytest.importorskip("mlflow")
    served, rows = mlflow.pyfunc.load_model(str(folder)), houses(6, 7)
    assert (served.predict(rows) == model.predict(rows)).all()
    narrow = served.predict(rows, params={"coverage": 0.5})
    pd.testing.assert_frame_equal(narrow, model.predict_interval(rows, 0.5))
    assert (served.predict(rows, params={"coverage": 0.8})["upper"] > narrow["upper"]).all()
    alone = served.predict(rows, params={"explain": True})
    assert list(alone.columns) == ["estimate", "base", "contributions", "comparables", "explained"]
    both = served.predict(rows, params={"explain": True, "coverage": 0.9})
    assert list(both.columns) == ["lower", "estimate", "upper", *alone.columns[1:]]
    first = both.iloc[0]
    assert sum(first["contributions"].values()) == pytest.approx(first["explained"] - first["base"])
    assert len(first["comparables"]) == 5
    json.dumps(both.to_dict(orient="records"))


def test_an_estimate_outside_the_range_is_beside_the_one_that_the_contributions_add_up_to(model):
    low = replace(model, interval=replace(model.interval, high=60.0))
    rows = houses(12, 7)
    answer = ServedModel(low).predict(rows, {"coverage": 0.9, "explain": True})
    assert (answer["estimate"] == low.predict_interval(rows)["estimate"]).all()
    assert (answer["explained"] == low.predict(rows)).all()
    assert (answer["explained"] > answer["estimate"]).any()
    sums = [sum(each.values()) for each in answer["contributions"]]
    assert sums == pytest.approx((answer["explained"] - answer["base"]).tolist())


def test_of_no_rows_there_are_no_intervals_and_no_explanations(model):
    none = houses(3, 7).head(0)
    assert model.predict(none).shape == (0,)
    assert model.predict_interval(none).shape == (0, 3)
    assert model.explain(none) == []
    # scikit-learn's own refuse an empty table
    line = Pipeline([("n", Numbers(["size"])), ("m", LinearRegression())]).fit(houses(9, 1), houses(9, 1)["price"])
    assert replace(model, pipeline=line).predict_interval(none).shape == (0, 3)
    for params in (None, {"coverage": 0.9}, {"explain": True}, {"coverage": 0.9, "explain": True}):
        assert len(ServedModel(model).predict(none, params)) == 0
    with pytest.raises(SettingError, match="coverage must lie"):
        model.predict_interval(none, 2)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (INTERVAL, {"by": ["palce"]}, "'palce'.*did you mean place"),
        (EXPLANATION, {"scales": [["size", 0.0], ["nights", 3.0]]}, "scale of 'size'.*got 0"),
        (EXPLANATION, {"scales": [["size", float("nan")]]}, "scale of 'size'.*got nan"),
        (EXPLANATION, {"scales": [["sise", 1.0]]}, "'sise' is missing"),
        (EXPLANATION, {"same": ["palce"]}, "'palce' is missing.*did you mean place"),
        (EXPLANATION, {"id": "idd"}, "'idd' is missing.*did you mean id"),
        (EXPLANATION, {"same": 3}, "damaged"),
        (EXPLANATION, {"scales": [["size", 10**400]]}, "damaged"),
    ],
)
def test_grounds_that_were_crafted_are_refused_when_they_are_loaded(folder, name, change, said):
    amended(folder, name, lambda stored: (stored["comparables"] if name == EXPLANATION else stored).update(change))
    with pytest.raises(ModelError, match=said):
        load_model(folder)


@pytest.mark.parametrize("columns", [["size", "nights", "ignored"], [*COLUMNS, "other"], [*COLUMNS, "size"], [1]])
def test_background_rows_of_other_columns_than_the_model_s_are_refused(folder, columns):
    amended(folder, EXPLANATION, lambda stored: stored.update(columns=columns))
    with pytest.raises(ModelError, match=f"{EXPLANATION}.*damaged"):
        load_model(folder)


def test_an_explanation_without_a_background_row_is_refused(folder):
    amended(folder, EXPLANATION, lambda stored: stored.update(background=[]))
    with pytest.raises(ModelError, match=f"{EXPLANATION}.*damaged"):
        load_model(folder)


@pytest.mark.parametrize("given", [[*COLUMNS, "id"], COLUMNS])
def test_through_mlflow_no_listing_is_its_own_first_comparable(model, folder, given):
    mlflow = pytest.importorskip("mlflow")
    served, learned = mlflow.pyfunc.load_model(str(folder)), houses(800, 1).head(6)
    found = served.predict(learned[given], params={"explain": True})
    for own, alike in zip(learned["id"], found["comparables"], strict=True):
        assert len(alike) == 5
        assert own not in [each["id"] for each in alike]
    assert (served.predict(learned[given]) == model.predict(learned)).all()


def test_through_mlflow_an_id_may_be_text(folder):
    mlflow = pytest.importorskip("mlflow")
    served, learned = mlflow.pyfunc.load_model(str(folder)), houses(800, 1).head(2)
    # moved, so that nothing but the id tells that it is the row itself
    moved = learned.assign(size=learned["size"] + 0.001, id=learned["id"].astype(str))
    found = served.predict(moved, params={"explain": True})
    for own, alike in zip(learned["id"], found["comparables"], strict=True):
        assert own not in [each["id"] for each in alike]


def test_a_coverage_that_can_not_be_given_is_refused_through_mlflow_too(folder):
    mlflow = pytest.importorskip("mlflow")
    with pytest.raises(Exception, match=r"did you mean 0\.9"):
        mlflow.pyfunc.load_model(str(folder)).predict(houses(2, 7), params={"coverage": 90.0})
