"""The flagship's models, from raw listings to an exported folder and back; made again elsewhere, and served."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.nyc_rentals.columns import INPUTS
from pipelines.nyc_rentals.components.test_model import test_model as measure_model
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.blend import Blend
from pipelines.nyc_rentals.families.boosted import Boosted
from pipelines.nyc_rentals.families.histogram import Histogram
from pipelines.nyc_rentals.families.linear import Linear
from pipelines.nyc_rentals.families.mlp import Network
from pipelines.nyc_rentals.families.random_forest import RandomForest
from pipelines.nyc_rentals.learner import Learner
from relet.errors import BadDataError, SettingError
from relet.project.order import read_order
from relet.project.request import prepare
from relet.training.model import export_model, load_model
from tests.listings import kept_listings

TREES = Boosted(objectives=("l1",), n_estimators=30, num_leaves=15, learning_rate=0.2)
HISTOGRAM = Histogram(max_iter=20, max_leaf_nodes=15, learning_rate=0.2)
FAMILIES: dict[str, Learner] = {
    "blend": Blend(boosted=TREES, histogram=HISTOGRAM, weights={"boosted": 2.0}),
    "boosted": TREES,
    "histogram": HISTOGRAM,
    "linear": Linear(),
    "mlp": Network(hidden=(16, 8), epochs=8, learning_rate=0.01),
    "random_forest": RandomForest(n_estimators=8, max_depth=8, max_features=0.5),
}
# So many are generated; the first 3,000 that are kept are learned from.
LISTINGS = 4500
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def listings():
    return kept_listings(LISTINGS)


@pytest.fixture(scope="module", params=FAMILIES)
def trained(request, listings):
    if request.param == "mlp":
        pytest.importorskip("torch", reason="to fit it takes PyTorch: pip install 'relet[torch]'")
    return train_model(listings[:3000], family=request.param, learner=FAMILIES[request.param])


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    export_model(trained.model, folder)
    return folder


def test_every_family_is_tested():
    assert sorted(FAMILIES) == sorted(path.stem for path in (ROOT / "pipelines/nyc_rentals/families").glob("*.py"))


@pytest.mark.sampled
def test_a_rows_prediction_never_depends_on_the_rows_beside_it(trained, listings):
    rows = listings[3000:3200]
    together = trained.model.predict(rows)
    shuffled = rows.sample(frac=1, random_state=3)
    assert (trained.model.predict(shuffled) == together[rows.index.get_indexer(shuffled.index)]).all()
    assert (trained.model.predict(rows[::-1])[::-1] == together).all()
    for place in range(0, 200, 7):
        assert trained.model.predict(rows[place : place + 1])[0] == together[place]
    # LightGBM and relet take another way for more rows
    many = pd.concat([rows] * 8)
    assert (trained.model.predict(many)[:200] == together).all()


def test_a_listing_in_a_file_gets_the_price_it_gets_alone(trained, listings, tmp_path):
    rows = listings[3000:3200]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    read = pd.read_csv(tmp_path / "rows.csv")
    assert (trained.model.predict(read) == trained.model.predict(rows)).all()


def test_a_model_beats_the_median_by_borough_and_room_type(trained):
    assert trained.training_metrics["mae"] < trained.training_metrics["baseline_mae"]
    assert {"mae", "rmse", "r2"} <= set(trained.training_metrics)


def test_a_family_that_learns_in_rounds_tells_its_error_after_each_so_many(trained):
    in_rounds = trained.model.about["family"] in {"boosted", "histogram"}
    assert ("mae_by_rounds" in trained.training_metrics) == in_rounds
    if in_rounds:
        curve = trained.training_metrics["mae_by_rounds"]
        assert curve.x == "rounds"
        assert curve.points[0][1] > curve.last == pytest.approx(trained.training_metrics["mae"], rel=1e-9)


@pytest.mark.sampled
def test_the_figure_is_the_same_each_time_and_names_the_features(trained, listings):
    family = trained.model.about["family"]
    again = train_model(listings[:3000], family=family, learner=FAMILIES[family])
    assert again.feature_importance.svg == trained.feature_importance.svg
    assert "neighbourhood" in trained.feature_importance.svg


@pytest.mark.sampled
def test_a_loaded_model_predicts_the_same_bits(trained, folder, listings):
    assert (load_model(folder).predict(listings) == trained.model.predict(listings)).all()


@pytest.mark.sampled
def test_a_loaded_model_is_exported_to_the_same_bytes(folder, tmp_path):
    export_model(load_model(folder), tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("column", INPUTS)
@pytest.mark.sampled
def test_a_missing_value_anywhere_still_gets_a_price(trained, listings, column):
    row = listings[:1].astype(object)
    row[column] = None
    assert np.isfinite(trained.model.predict(row)).all()


def test_unknown_places_and_integers_with_gaps_get_a_price(trained, listings):
    rows = listings[:3].copy()
    rows[["neighbourhood", "room_type", "neighbourhood_group"]] = "Atlantis"
    rows["minimum_nights"] = pd.array([1, None, 3], dtype="Int64")
    rows["host_id"] = [1.0, np.nan, 3.0]
    assert np.isfinite(trained.model.predict(rows)).all()


@pytest.mark.sampled
def test_dates_may_be_strings_or_dates(trained, listings):
    rows = listings[:20].copy()
    strings = rows.assign(last_review=rows["last_review"].dt.strftime("%Y-%m-%d").astype(object))
    days = rows.assign(last_review=rows["last_review"].dt.date)
    assert (trained.model.predict(strings) == trained.model.predict(rows)).all()
    assert (trained.model.predict(days) == trained.model.predict(rows)).all()


def test_a_missing_column_is_named_with_the_nearest(trained, listings):
    with pytest.raises(BadDataError, match=r"'room_type'.*did you mean room_typ"):
        trained.model.predict(listings.rename(columns={"room_type": "room_typ"}))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("modeling.family=bosted", r"modeling\.family got 'bosted': did you mean boosted\?"),
        ("modeling.boosted.num_leafs=3", r"no setting .*num_leafs': did you mean modeling\.boosted\.num_leaves\?"),
        ("modeling.boosted.num_leaves=1", r"modeling\.boosted\.num_leaves must be at least 2 and .* got 1"),
        ("modeling.boosted.objectives=[]", r"modeling\.boosted\.objectives must be a list of LightGBM's"),
        ("modeling.max_tfidf_features=7", r"is a setting of model=random_forest, which is not chosen"),
    ],
)
@pytest.mark.sampled
def test_a_wrong_family_or_setting_of_one_is_named_before_anything_runs(word, told):
    with pytest.raises(SettingError, match=told):
        prepare(read_order("nyc_rentals", [word, "tracking=[]", "store.url=memory://"]), start=ROOT)


def test_the_boosted_models_trees_are_the_same_on_one_thread_and_two(listings):
    from relet.training.estimators.boosted import BoostedRegressor

    features = listings[["latitude", "longitude", "minimum_nights", "availability_365"]].to_numpy(dtype=float)
    texts = []
    for threads in (1, 2):
        model = BoostedRegressor(n_estimators=5)
        own = model._parameters()
        model._parameters = lambda own=own, threads=threads: {**own, "num_threads": threads}
        texts.append(model.fit(features, listings["price"]).native)
    assert texts[0] == texts[1]


@pytest.mark.sampled
def test_a_model_is_judged_on_test_rows_beside_the_champion(trained, listings):
    test = listings[3000:]
    tested = measure_model(trained.model, test, trained.model)
    assert tested.evaluation.passed
    assert tested.test_metrics["test_mae"] == tested.test_metrics["champion_mae"]
    names = [check.name for check in tested.evaluation.checks]
    assert "champion" in names
    assert "room_type = Private room" in names
    assert not measure_model(trained.model, test, min_r2=0.999).evaluation.passed


@pytest.mark.sampled
def test_mlflow_loads_the_folder_and_takes_dates_as_text_and_as_dates(trained, folder, listings):
    mlflow = pytest.importorskip("mlflow")
    served = mlflow.pyfunc.load_model(str(folder))
    rows = listings[3000:3020][INPUTS]
    expected = trained.model.predict(rows)
    assert (served.predict(rows) == expected).all()
    text = rows.assign(last_review=rows["last_review"].dt.strftime("%Y-%m-%d").astype(object))
    assert (served.predict(text) == expected).all()
    gap = rows.assign(minimum_nights=np.nan)
    assert np.isfinite(served.predict(gap)).all()


@pytest.mark.long
def test_another_process_with_other_hashes_and_threads_makes_the_same_bytes(trained, folder, tmp_path):
    family = trained.model.about["family"]
    code = f"""
from pathlib import Path
from pipelines.nyc_rentals.components.train_model import train_model
from relet.training.model import export_model
from tests.integration.nyc_rentals.test_models import FAMILIES, LISTINGS
from tests.listings import kept_listings
made = train_model(kept_listings(LISTINGS)[:3000], family={family!r}, learner=FAMILIES[{family!r}])
export_model(made.model, Path({str(tmp_path)!r}))
"""
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.long
def test_mlflow_serves_the_folder(trained, folder, listings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "-p", str(port)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    server = subprocess.Popen([*words, "--env-manager", "local"], env=environment, start_new_session=True)
    rows = listings[3000:3005][INPUTS]
    records = json.loads(rows.to_json(orient="records", date_format="iso"))
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps({"dataframe_records": records}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        answer = _answer(request, server)
    finally:
        os.killpg(server.pid, 15)
        server.wait()
    assert answer["predictions"] == trained.model.predict(rows).tolist()


def _answer(request, server):
    for _ in range(960):
        assert server.poll() is None
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the server never answered")
