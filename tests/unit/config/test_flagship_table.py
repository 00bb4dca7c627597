"""The flagship's table of names, held against the components' signatures and the files in `conf/`."""

import inspect
from pathlib import Path

import pytest

from pipelines.nyc_rentals.bounds import BOROUGHS, Bounds
from pipelines.nyc_rentals.components.get_data import get_data
from relet.config import settings
from relet.config.diagnosis import groups
from relet.config.feeds import file_settings, setting_feeds
from relet.config.own import OWN, wiring_of
from relet.core.pipeline import Pipeline
from relet.project.folder import open_project

ROOT = Path(__file__).parents[3]
CONF = ROOT / "pipelines" / "nyc_rentals" / "conf"
MODELS = groups(CONF)["model"]


@pytest.fixture(scope="module")
def flagship() -> Pipeline:
    return open_project("nyc_rentals", ROOT).pipeline


def test_the_table_holds_only_what_differs(flagship: Pipeline) -> None:
    rows = {row.key for row in flagship.rows}
    assert rows == {"etl.seed", *(f"modeling.{family}" for family in MODELS)}
    for each in flagship.components:
        grouped = [name for name in each.defaults if "." in name]
        assert len(each.defaults) - len(grouped) + len(each.groups) + len(each.chosen_groups) <= 7


def test_every_key_in_the_files_feeds_something_or_is_relet_s_own(flagship: Pipeline) -> None:
    wiring = wiring_of(flagship)
    feeds = setting_feeds(flagship, CONF)
    keys = set(file_settings(CONF, wiring))
    assert keys - {*OWN} == {*feeds} - {*OWN}
    assert {*OWN} <= keys | {"search.space"}


def test_every_hyperparameter_but_the_salt_has_a_key_in_the_files(flagship: Pipeline) -> None:
    fed = {name for names in setting_feeds(flagship, CONF).values() for name in names}
    known = {each.name for each in wiring_of(flagship).fed}
    unfed = {name for name in known - fed if ".learner." not in name}
    assert {name.rpartition(".")[2] for name in unfed} == {"salt"}


@pytest.mark.parametrize("model", MODELS)
def test_the_files_say_what_the_signatures_say(flagship: Pipeline, model: str) -> None:
    found = settings(flagship, CONF, [f"model={model}"]).parameters
    for each in flagship.components:
        configured = {
            name: value for name, value in found[each.name].items() if name not in ("family", "val_size")
        }
        declared = {parameter.name: parameter.default for parameter in each.parameters_with(found[each.name])}
        declared["learner.weights"] = configured.get("learner.weights")
        assert configured == {name: declared[name] for name in configured}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_s_file_names_its_family_and_holds_that_family_s_settings(flagship: Pipeline, model: str) -> None:
    found = settings(flagship, CONF, [f"model={model}"])
    assert found.parameters["train_model"]["family"] == model
    origins = {key for name, key in found.origins["train_model"].items() if name.startswith("learner.")}
    assert any(key.startswith(f"modeling.{model}.") for key in origins)
    assert origins <= {key for key in setting_feeds(flagship, CONF) if key.startswith("modeling.")}


@pytest.mark.parametrize("option", groups(CONF)["segregation"])
def test_a_segregation_takes_the_run_s_seed(flagship: Pipeline, option: str) -> None:
    found = settings(flagship, CONF, [f"segregation={option}", "main.seed=7"]).parameters["data_split"]
    assert found["segregation.seed"] == 7
    assert found["segregation.method"] == {"by_host": "by_group"}.get(option, option)


@pytest.mark.parametrize("option", groups(CONF)["segregation"])
def test_validation_and_test_are_told_apart_by_the_same_method(flagship: Pipeline, option: str) -> None:
    found = settings(flagship, CONF, [f"segregation={option}"]).parameters
    for component in ("train_model", "validate_model", "learning_curve"):
        rule = {name: value for name, value in found[component].items() if name.startswith("segregation.")}
        assert rule == {name: found["data_split"][name] for name in rule}


def test_a_city_s_file_says_all_that_a_city_decides(flagship: Pipeline) -> None:
    cities = groups(CONF)["city"]
    assert {"new_york", "elsewhere"} <= {*cities}
    fed = {
        city: {
            (component, name)
            for component, keys in settings(flagship, CONF, [f"city={city}"]).origins.items()
            for name, key in keys.items()
        }
        for city in cities
    }
    assert all(each == fed["new_york"] for each in fed.values())
    for city in cities:
        found = settings(flagship, CONF, [f"city={city}"]).parameters
        assert found["get_data"]["groups"] == found["data_check"]["bounds.groups"]
        assert found["data_check"]["min_rows"] >= 50
    assert settings(flagship, CONF).parameters == settings(flagship, CONF, ["city=new_york"]).parameters


def test_elsewhere_takes_any_place_and_any_price(flagship: Pipeline) -> None:
    found = settings(flagship, CONF, ["city=elsewhere", "etl.max_price=900"]).parameters["basic_cleaning"]
    assert Bounds(**{name: found[f"bounds.{name}"] for name in ("west", "east", "south", "north")}).whole_earth
    assert (found["bounds.groups"], found["prices.min_price"], found["prices.max_price"]) == ([], 1, 900)


def test_the_groups_that_get_data_knows_are_the_city_s() -> None:
    assert inspect.signature(get_data).parameters["groups"].default == BOROUGHS == Bounds().groups


def test_a_mapping_that_is_empty_in_the_file_takes_the_keys_that_an_override_gives_it(flagship: Pipeline) -> None:
    together = ["etl.columns={id: listing_id, last_review: {format: '%m/%d/%Y'}, licence: null}"]
    alone = ["etl.columns.id=listing_id", "etl.columns.last_review.format='%m/%d/%Y'", "etl.columns.licence=null"]
    columns = {"id": "listing_id", "last_review": {"format": "%m/%d/%Y"}, "licence": None}
    for overrides in (together, alone):
        found = settings(flagship, CONF, overrides).parameters
        assert found["get_data"]["columns"] == found["basic_cleaning"]["columns"] == columns
