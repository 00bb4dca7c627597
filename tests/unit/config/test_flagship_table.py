"""The flagship's table of names, held against the components' signatures and the files in `conf/`."""

from collections import Counter
from pathlib import Path

import pytest

from relet.config import settings
from relet.config.binding import OWN
from relet.config.diagnosis import groups, places
from relet.core.pipeline import Pipeline
from relet.project.folder import open_project

ROOT = Path(__file__).parents[3]
CONF = ROOT / "pipelines" / "nyc_rentals" / "conf"
MODELS = groups(CONF)["model"]


@pytest.fixture(scope="module")
def flagship() -> Pipeline:
    return open_project("nyc_rentals", ROOT).pipeline


def test_every_hyperparameter_is_fed_by_one_setting(flagship: Pipeline) -> None:
    fed = Counter(feed for feeds in flagship.settings.values() for feed in feeds)
    wanted = {f"{each.name}.{parameter.name}": 1 for each in flagship.components for parameter in each.parameters}
    # Each model family has a mapping of its own, of which a run has one.
    wanted |= {name: len(MODELS) for name in wanted if name.endswith(".parameters")}
    assert fed == wanted


def test_every_key_in_the_files_feeds_something_and_every_setting_stands_in_one(flagship: Pipeline) -> None:
    stand = set(places(CONF))
    leaves = {key for key in stand if not any(other.startswith(f"{key}.") for other in stand)}
    mappings = {key for key, feeds in flagship.settings.items() if "train_model.parameters" in feeds}
    inside = {key for key in leaves if key.startswith(("search.space.", *(f"{each}." for each in mappings)))}
    assert (leaves - inside) | mappings | {"search.space"} == {*flagship.settings, *OWN}


def test_the_files_say_what_the_signatures_say(flagship: Pipeline) -> None:
    found = settings(flagship, CONF).parameters
    for each in flagship.components:
        configured = {name: value for name, value in found[each.name].items() if name != "parameters"}
        assert configured == {name: value for name, value in each.defaults.items() if name != "parameters"}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_s_file_names_its_family_and_holds_that_family_s_parameters(
    flagship: Pipeline, model: str
) -> None:
    found = settings(flagship, CONF, [f"model={model}"])
    assert found.parameters["train_model"]["family"] == model
    assert found.origins["train_model"]["parameters"] == f"modeling.{model}"
    assert found.parameters["train_model"]["parameters"]


@pytest.mark.parametrize("option", groups(CONF)["segregation"])
def test_a_segregation_takes_the_run_s_seed(flagship: Pipeline, option: str) -> None:
    found = settings(flagship, CONF, [f"segregation={option}", "main.seed=7"]).parameters["data_split"]
    assert found["seed"] == 7
    assert found["method"] == {"by_host": "by_group"}.get(option, option)


@pytest.mark.parametrize("option", groups(CONF)["segregation"])
def test_validation_and_test_are_told_apart_by_the_same_method(flagship: Pipeline, option: str) -> None:
    found = settings(flagship, CONF, [f"segregation={option}"]).parameters
    assert found["train_model"]["val_method"] == found["data_split"]["method"]


def test_a_mapping_that_is_empty_in_the_file_takes_the_keys_that_an_override_gives_it(flagship: Pipeline) -> None:
    together = ["etl.columns={id: listing_id, last_review: {format: '%m/%d/%Y'}, licence: null}"]
    alone = ["etl.columns.id=listing_id", "etl.columns.last_review.format='%m/%d/%Y'", "etl.columns.licence=null"]
    columns = {"id": "listing_id", "last_review": {"format": "%m/%d/%Y"}, "licence": None}
    for overrides in (together, alone):
        found = settings(flagship, CONF, overrides).parameters
        assert found["get_data"]["columns"] == found["basic_cleaning"]["columns"] == columns
