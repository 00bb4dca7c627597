"""`--cfg`: the composed configuration, each line with where its value comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from relet.config.provenance import configured_text
from relet.core.pipeline import Pipeline
from relet.errors import SettingError


def origins(text: str) -> dict[str, str]:
    """The last name of each line → what stands behind it, files by their names."""
    lines = (line.partition("  # ") for line in text.splitlines())
    return {line.strip().partition(":")[0]: origin.rpartition("/conf/")[2] for line, _, origin in lines}


def test_each_value_has_its_file_and_line_its_override_or_its_default(pipeline: Pipeline, conf: Path) -> None:
    text = configured_text(pipeline, conf, ["get_data.rows=6", "modeling.boosted={num_leaves: 7}"])
    found = origins(text)
    assert found["source"] == "config.yaml:8"
    assert found["min_price"] == "config.yaml:10"
    assert found["learning_rate"] == "model/boosted.yaml:5"
    assert found["num_leaves"] == "override"
    assert found["own"] == "default of train_model.own"
    assert yaml.safe_load(text)["get_data"] == {"rows": 6}
    assert yaml.safe_load(text)["modeling"]["seed"] == 42


def test_only_the_chosen_option_s_file_is_an_origin(pipeline: Pipeline, conf: Path) -> None:
    found = origins(configured_text(pipeline, conf, ["model=random_forest"]))
    assert found["family"] == "model/random_forest.yaml:2"
    assert "num_leaves" not in found


def test_of_two_files_that_set_a_key_the_later_one_is_the_origin(pipeline: Pipeline, conf: Path) -> None:
    path = conf / "config.yaml"
    path.write_text(path.read_text() + "modeling: {seed: 5}\n")
    assert origins(configured_text(pipeline, conf, package="modeling"))["seed"] == "config.yaml:12"
    text = path.read_text()
    path.write_text(text.replace("  - model: boosted\n  - _self_\n", "  - _self_\n  - model: boosted\n"))
    assert origins(configured_text(pipeline, conf, package="modeling"))["seed"] == "model/boosted.yaml:3"


def test_a_package_is_shown_alone_and_one_that_is_not_there_is_told(pipeline: Pipeline, conf: Path) -> None:
    text = configured_text(pipeline, conf, package="etl")
    assert text.startswith("# @package etl\nsource: generated  # ")
    assert list(yaml.safe_load(text)) == ["source", "rows", "min_price", "note"]
    with pytest.raises(SettingError, match=r"there is no section 'etll': did you mean etl\?"):
        configured_text(pipeline, conf, package="etll")
