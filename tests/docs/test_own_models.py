"""The example of PyTorch in docs/models.md runs, and its model is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import relet
from relet.archives.own_code import OwnCode
from tests.tiny_project import Tiny
from tests.written_project import write_files

PAGE = Path(__file__).parents[2] / "docs/models.md"
BLOCK = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONFIGURATION = "main: {experiment_name: waves, seed: 42}\nstore: {url: .relet}\ntracking: []\n"


@pytest.fixture
def written(tiny: Tiny) -> dict[str, str]:
    found = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    write_files(
        tiny.root, found | {"pipelines/waves/conf/config.yaml": CONFIGURATION, "src/mylib/__init__.py": ""}
    )
    return found


def test_the_page_declares_what_its_example_needs(written: dict[str, str], tiny: Tiny) -> None:
    own = OwnCode.of(tiny.root)
    assert [own.trusts(name) and own.defines(name) for name in ("mylib.nets.Net", "mylib.nets.NetRegressor")] == [
        True,
        True,
    ]


@pytest.mark.long
def test_the_example_runs_and_its_model_is_loaded(written: dict[str, str]) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'relet[torch]'")
    outcome = relet.run("waves")
    assert outcome.error is None
    model = relet.load("model:latest")
    assert model.predict(model.example).shape == (5,)
    assert relet.load("training_metrics:latest")["mae"] < 0.1
