"""A model that was made elsewhere is tried in a process of its own, which is bounded."""

import shutil

import pytest

from relet.core.artifact import ArtifactType
from relet.errors import ModelError
from relet.evaluation.comparison import compare
from relet.training import quarantine
from relet.training.model import load_model
from relet.training.quarantine import try_model
from tests.hostile.kinds import KINDS
from tests.hostile.models import export_small_models

# A program that does, in place of loading a model, what a library does that a wrong number leads astray.
INSTEAD = """
import sys
from pathlib import Path
from relet.training import confined, model
{code}
model.load_model = lambda folder: act(folder)
confined._main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
"""
ACTS = {
    "crashes": ("def act(folder): import ctypes; ctypes.string_at(0)", "by SIGSEGV"),
    "hangs": ("def act(folder):\n while True: pass", "more than 15 seconds"),
    "takes memory": ("def act(folder): bytearray(2**31)", "more than 1000000000 bytes of memory"),
    "starts a process": (
        "def act(folder): import subprocess; subprocess.run(['true'])",
        "tried what no model needs: subprocess.Popen",
    ),
    "opens a connection": (
        "def act(folder): import socket; socket.create_connection(('127.0.0.1', 9))",
        "tried what no model needs: socket",
    ),
    "writes a file": (
        "def act(folder): (folder / 'new').write_text('x')",
        "tried what no model needs: write",
    ),
    "reads another file": (
        "def act(folder): Path('/etc/passwd').read_bytes()",
        "tried what no model needs: open /etc/passwd",
    ),
    "leaves at once": ("def act(folder): import os; os._exit(0)", "no answer"),
}


@pytest.fixture(scope="module")
def small_models(tmp_path_factory):
    return export_small_models(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("family", ["boosted", "histogram", "linear", "blend", "random_forest", "mlp"])
@pytest.mark.sampled
def test_a_good_model_of_each_family_passes_and_is_loaded(small_models, family):
    model = load_model(small_models[family], trusted=False)
    assert len(model.predict(model.example)) == 3


@pytest.mark.parametrize(("code", "said"), ACTS.values(), ids=ACTS)
@pytest.mark.sampled
def test_what_a_library_does_when_it_is_led_astray_is_refused_in_words(
    small_models, monkeypatch, tmp_path, code, said
):
    program = tmp_path / "program.py"
    program.write_text(INSTEAD.format(code=code))
    monkeypatch.setattr(quarantine, "PROGRAM", (quarantine.sys.executable, "-P", "-B", str(program)))
    with pytest.raises(ModelError, match=said):
        try_model(small_models["mlp"], seconds=15, memory=10**9)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.needs_process], ids=lambda kind: kind.name)
def test_a_model_that_would_take_a_machine_down_is_refused(small_models, tmp_path, kind):
    folder = tmp_path / "model"
    shutil.copytree(small_models[kind.family], folder)
    kind.change(folder)
    with pytest.raises(ModelError) as refused:
        load_model(folder, trusted=False)
    assert "model is not loaded" in str(refused.value)


def test_a_refusal_says_what_loading_says(small_models, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(small_models["random_forest"], folder)
    next(kind for kind in KINDS if kind.name == "vectorizer_that_opens_files").change(folder)
    with pytest.raises(ModelError, match=r"TfidfVectorizer\.input is 'filename'; only 'content' is loaded"):
        load_model(folder, trusted=False)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.needs_process][:1], ids=lambda kind: kind.name)
def test_a_recorded_model_from_elsewhere_is_compared_without_being_loaded_here(small_models, tmp_path, kind):
    folder, good = tmp_path / "model", small_models[kind.family]
    shutil.copytree(good, folder)
    kind.change(folder)
    found = compare(ArtifactType.MODEL, folder, good, tolerance=1e-6, trusted=False)
    assert any("model is not loaded" in each for each in found.differences)
