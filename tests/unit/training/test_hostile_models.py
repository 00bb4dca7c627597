"""Hostile models are refused in words, in this process, before anything of theirs can do harm."""

import shutil

import pytest

from relet.errors import ModelError
from relet.training.model import load_model
from tests.hostile.kinds import KINDS
from tests.hostile.models import export_small_models


@pytest.fixture(scope="session")
def small_models(tmp_path_factory):
    return export_small_models(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("family", ["boosted", "histogram", "linear", "blend", "random_forest", "mlp"])
def test_the_models_that_attackers_begin_with_are_loaded(small_models, family):
    model = load_model(small_models[family])
    assert len(model.predict(model.example)) == 3


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.needs_process], ids=lambda kind: kind.name)
def test_a_hostile_model_is_refused_in_words(small_models, tmp_path, kind):
    folder = tmp_path / "model"
    shutil.copytree(small_models[kind.family], folder)
    kind.change(folder)
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    assert len(str(refused.value)) < 500
    assert "model" in str(refused.value)
