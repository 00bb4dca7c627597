"""Exported models: what may be loaded, and what is refused."""

import hashlib
import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from relet.archives import archive
from relet.errors import ModelError
from relet.features.numeric import Numbers
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.model import Model, export_model, load_model


@pytest.fixture(scope="module")
def model():
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=200), "y": random.normal(size=200)})
    parts = [("n", Numbers(["x", "y"])), ("m", BoostedRegressor(n_estimators=5, num_leaves=4, log_target=False))]
    return Model(pipeline=Pipeline(parts).fit(rows, rows["x"] * 3), example=rows.head(3), target="z")


@pytest.fixture
def folder(model, tmp_path):
    export_model(model, tmp_path / "model")
    return tmp_path / "model"


def packed(schema, **members):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("schema.json", json.dumps(schema))
        for name, content in members.items():
            made.writestr(name, content)
    return written.getvalue()


def node(module, name, loader, content=None):
    return {"__module__": module, "__class__": name, "__loader__": loader, "content": content, "protocol": 2}


CRAFTED = {
    "a function of the system": node("os", "system", "FunctionNode"),
    "a function named as a type": node("builtins", "eval", "TypeNode"),
    "a method of a trusted type": node("builtins", "dict", "MethodNode"),
    "a partial function": node("functools", "partial", "PartialNode"),
    "a type of the project": node("pipelines.nyc_rentals.inference", "Thing", "ObjectNode"),
    "a type hidden in a trusted one": node(
        "builtins", "dict", "DictNode", {"key": node("subprocess", "Popen", "ObjectNode")}
    ),
}


@pytest.mark.parametrize("crafted", CRAFTED.values(), ids=CRAFTED)
def test_a_file_that_names_another_type_is_refused(crafted):
    with pytest.raises(ModelError, match="not trusted"):
        archive.load_estimator(packed(crafted), "crafted")


@pytest.mark.parametrize("member", ["../evil.npy", "/etc/evil.npy", "code.py", "a/b.npy"])
def test_a_member_that_has_no_place_in_a_model_is_refused(member):
    with pytest.raises(ModelError, match="no place in a model"):
        archive.load_estimator(packed(node("builtins", "dict", "DictNode", {}), **{member: b""}), "crafted")


def test_an_array_that_is_not_what_its_name_says_is_refused():
    name = f"{hashlib.sha256(b'other').hexdigest()}.npy"
    with pytest.raises(ModelError, match="damaged"):
        archive.load_estimator(packed(node("builtins", "dict", "DictNode", {}), **{name: b"this"}), "crafted")


class Loaded:
    """Says so when a pickle of it is loaded."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_a_pickle_in_disguise_is_refused():
    with pytest.raises(ModelError, match="can't be read"):
        archive.load_estimator(pickle.dumps(Loaded()), "disguised")
    stored = io.BytesIO()
    np.save(stored, np.array([Loaded()], dtype=object), allow_pickle=True)
    name = f"{hashlib.sha256(stored.getvalue()).hexdigest()}.npy"
    array = {**node("numpy", "ndarray", "NdArrayNode"), "type": "numpy", "file": name}
    with pytest.raises(ModelError, match="values of the type object"):
        archive.load_estimator(packed(array, **{name: stored.getvalue()}), "disguised")


def test_a_model_that_no_loader_would_trust_is_not_exported(model, tmp_path):
    parts = [("f", FunctionTransformer(np.fromfile)), *model.pipeline.steps]
    with pytest.raises(ModelError, match=r"FunctionTransformer\.func.*no loader trusts.*as a Path"):
        export_model(Model(pipeline=Pipeline(parts), example=model.example, target="z"), tmp_path)


@pytest.mark.parametrize(
    "file", ["inference.skops", "booster.txt", "golden.json", "relet.json", "input_example.json"]
)
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"{file} is missing"):
        load_model(folder)


@pytest.mark.parametrize("file", ["inference.skops", "booster.txt", "golden.json", "relet.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_refused(folder, file, share):
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError):
        load_model(folder)


def test_a_model_that_predicts_something_else_is_refused_with_the_difference(folder):
    golden = json.loads((folder / "golden.json").read_text())
    golden["predictions"][1] = np.nextafter(float.fromhex(golden["predictions"][1]), 1e9).item().hex()
    (folder / "golden.json").write_text(json.dumps(golden))
    about = json.loads((folder / "relet.json").read_text())
    about["files"]["golden.json"] = hashlib.sha256((folder / "golden.json").read_bytes()).hexdigest()
    (folder / "relet.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match="golden row 1 gives"):
        load_model(folder)


def test_a_model_made_by_other_code_is_refused_with_advice(folder):
    about = json.loads((folder / "relet.json").read_text())
    assert "relet.features.numeric" in about["code"]
    about["code"]["relet.features.numeric"] = "0" * 64
    (folder / "relet.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match=r"another relet\.features\.numeric.*train it again"):
        load_model(folder)


def test_a_model_of_a_newer_relet_is_refused(folder):
    about = json.loads((folder / "relet.json").read_text())
    (folder / "relet.json").write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(ModelError, match="newer relet"):
        load_model(folder)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), leaves=st.integers(2, 8), log=st.booleans())
def test_the_same_model_gives_the_same_bytes_however_often_it_is_stored(seed, leaves, log, tmp_path_factory):
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"x": random.normal(size=80), "y": random.normal(size=80)})
    parts = [
        ("n", Numbers(["x", "y"])),
        ("m", BoostedRegressor(n_estimators=3, num_leaves=leaves, log_target=log)),
    ]
    model = Model(pipeline=Pipeline(parts).fit(rows, rows["x"] ** 2 + 1), example=rows.head(2), target="z")
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    export_model(model, first)
    export_model(load_model(first), second)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }
