"""A project's modules of PyTorch: made again by their constructor, with weights that are flat arrays."""

import shutil

import numpy as np
import pytest

from relet.archives.own_code import OwnCode, own_code_in_effect
from relet.errors import ModelError
from relet.training.model import load_model
from tests.hostile.folders import attributes, edit_archive, objects, plain
from tests.own_project import export_own_model, flats, own_pipeline, write_own_project

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'relet[torch]'")

NETS = """
import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin


class Net(torch.nn.Module):
    def __init__(self, inputs, hidden=4):
        super().__init__()
        self.inputs, self.hidden = inputs, hidden
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(inputs, hidden), torch.nn.BatchNorm1d(hidden), torch.nn.Linear(hidden, 1)
        )

    def forward(self, rows):
        return self.layers(rows)[:, 0]


class Forgetful(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)


class NetRegressor(RegressorMixin, BaseEstimator):
    def __init__(self, steps=20, seed=1):
        self.steps, self.seed = steps, seed

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        rows = torch.tensor(np.asarray(X), dtype=torch.float32)
        wanted = torch.tensor(np.asarray(y), dtype=torch.float32)
        self.net_ = Net(rows.shape[1])
        optimizer = torch.optim.Adam(self.net_.parameters(), lr=0.05)
        for _ in range(self.steps):
            optimizer.zero_grad()
            torch.nn.functional.l1_loss(self.net_(rows), wanted).backward()
            optimizer.step()
        self.net_.eval()
        return self

    def predict(self, X):
        with torch.no_grad():
            return self.net_(torch.tensor(np.asarray(X), dtype=torch.float32)).numpy()
"""
ROWS = flats()[["part", "whole"]]


@pytest.fixture
def own(tmp_path):
    root = write_own_project(tmp_path / "here")
    with (root / "src/mylib/blocks.py").open("a") as file:
        file.write(NETS)
    return OwnCode.of(root)


@pytest.fixture
def folder(own, tmp_path):
    export_own_model(own, tmp_path / "model", last="NetRegressor")
    return tmp_path / "model"


def load_there(own, folder):
    with own_code_in_effect(OwnCode.of(own.root)):
        return load_model(folder)


def test_a_module_predicts_the_same_after_it_was_loaded(own, folder):
    expected = own_pipeline(own, "NetRegressor").predict(ROWS)
    loaded = load_there(own, folder)
    assert np.array_equal(loaded.predict(ROWS), expected)
    assert not loaded.pipeline[-1].net_.training
    assert "torch==" in (folder / "requirements.txt").read_text()


def test_a_module_that_forgets_what_it_was_made_with_is_told_so(own, tmp_path):
    pipeline = own_pipeline(own, "NetRegressor")
    pipeline[-1].net_ = own.class_of("mylib.blocks.Forgetful")(3)
    with pytest.raises(ModelError, match=r"takes width; let it set self.width = width"):
        export_own_model(own, tmp_path / "model", pipeline)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear; hold it within a class of the project"),
        (torch.zeros(2), "is a torch.Tensor, which no archive holds; keep its values, by numpy()"),
    ],
)
def test_what_is_pytorchs_own_is_told_where_to_go(own, tmp_path, held, said):
    pipeline = own_pipeline(own, "NetRegressor")
    pipeline[-1].net_ = held
    with pytest.raises(ModelError) as refused:
        export_own_model(own, tmp_path / "model", pipeline)
    assert said in str(refused.value)


def _change(part, name, value):
    def change(schema, members):
        held = attributes(next(objects(schema, "Net")))[part]
        if name not in held["content"]:
            held["key_types"]["content"].append(held["key_types"]["content"][0])
        held["content"][name] = value

    return change


HOSTILE = {
    "other width": _change("arguments", "hidden", plain(5)),
    "other argument": _change("arguments", "out", plain(5)),
    "argument is a text": _change("arguments", "hidden", plain("5")),
    "argument is negative": _change("arguments", "hidden", plain(-5)),
    "weight is a number": _change("weights", "layers.0.bias", plain(5)),
    "another weight": _change("weights", "layers.9.bias", plain(5)),
    "no weights": lambda schema, members: attributes(next(objects(schema, "Net"))).update(weights=plain(None)),
    "argument is a type": _change(
        "arguments", "hidden", {"__class__": "Net", "__module__": "mylib.blocks", "__loader__": "TypeNode"}
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_wrong_module_is_refused_in_words(own, folder, name):
    edit_archive(folder, HOSTILE[name])
    with pytest.raises(ModelError, match="model"):
        load_there(own, folder)


def test_a_module_that_is_not_trusted_is_refused(own, folder, tmp_path):
    root = shutil.copytree(own.root, tmp_path / "other")
    (root / "pyproject.toml").write_text(
        '[tool.relet]\ntrust = ["mylib.blocks.Ratio", "mylib.blocks.NetRegressor"]\n'
    )
    with pytest.raises(ModelError, match=r"mylib.blocks.Net is of this project"):
        load_there(OwnCode.of(root), folder)
