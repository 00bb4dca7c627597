"""The flagship's models in other processes: made again, and served."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pandas as pd
import pytest

from pipelines.nyc_rentals.columns import INPUTS
from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.blend import Blend
from pipelines.nyc_rentals.families.boosted import Boosted
from pipelines.nyc_rentals.families.histogram import Histogram
from pipelines.nyc_rentals.families.linear import Linear
from pipelines.nyc_rentals.families.mlp import Network
from pipelines.nyc_rentals.families.random_forest import RandomForest
from pipelines.nyc_rentals.learner import Learner
from relet.training.model import export_model

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


ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def listings():
    rows = get_data(source="generated", rows=4500, seed=5).sample.read_pandas()
    rows["last_review"] = pd.to_datetime(rows["last_review"])
    return rows[rows["price"].between(10, 350)].reset_index(drop=True)


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


@pytest.mark.long
def test_another_process_with_other_hashes_and_threads_makes_the_same_bytes(trained, folder, tmp_path):
    family = trained.model.about["family"]
    code = f"""
import sys; from pathlib import Path; import pandas as pd
from pipelines.nyc_rentals.components.get_data import get_data
from pipelines.nyc_rentals.components.train_model import train_model
from pipelines.nyc_rentals.families.blend import Blend
from pipelines.nyc_rentals.families.boosted import Boosted
from pipelines.nyc_rentals.families.histogram import Histogram
from pipelines.nyc_rentals.families.linear import Linear
from pipelines.nyc_rentals.families.mlp import Network
from pipelines.nyc_rentals.families.random_forest import RandomForest
from relet.training.model import export_model
rows = get_data(source="generated", rows=4500, seed=5).sample.read_pandas()
rows["last_review"] = pd.to_datetime(rows["last_review"])
rows = rows[rows["price"].between(10, 350)].reset_index(drop=True)
made = train_model(rows[:3000], family={family!r}, learner={FAMILIES[family]!r})
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
