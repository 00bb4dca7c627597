"""A setting that several options of a group have is told with each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.config import settings
from relet.core.pipeline import Pipeline
from relet.errors import SettingError


def test_a_setting_of_two_options_that_are_not_chosen_names_both(pipeline: Pipeline, conf: Path) -> None:
    forest = conf / "model" / "random_forest.yaml"
    (conf / "model" / "wide_forest.yaml").write_text(forest.read_text())
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf, ["modeling.random_forest.max_depth=3"])
    assert str(caught.value).endswith(
        "is a setting of model=random_forest or model=wide_forest, which is not chosen"
    )
