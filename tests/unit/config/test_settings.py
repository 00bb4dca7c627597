"""Settings become typed values at the door."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as options
from hypothesis import strategies as st

from relet.config import settings
from relet.core.pipeline import Pipeline
from relet.errors import SettingError


def test_the_files_alone_give_every_parameter_a_typed_value(pipeline: Pipeline, conf: Path) -> None:
    found = settings(pipeline, conf)
    assert (found.experiment, found.seed, found.evaluate) == ("trial", 42, False)
    assert (found.store_url, found.tracking) == (".relet", ("mlflow",))
    assert found.parameters["get_data"] == {"source": "generated", "rows": 20000, "note": None}
    assert found.parameters["train_model"] == {
        "family": "boosted",
        "parameters": {"learning_rate": 0.1, "num_leaves": 31, "monotone": None},
        "seed": 42,
        "own": 5,
    }


def test_a_whole_number_becomes_a_float_where_a_float_is_asked_for(pipeline: Pipeline, conf: Path) -> None:
    found = settings(pipeline, conf, ["etl.min_price=12", "modeling.boosted.learning_rate=1"])
    assert repr(found.parameters["basic_cleaning"]["min_price"]) == "12.0"
    assert repr(found.parameters["train_model"]["parameters"]["learning_rate"]) == "1.0"


def test_one_setting_feeds_every_parameter_it_names(pipeline: Pipeline, conf: Path) -> None:
    found = settings(pipeline, conf, ["etl.min_price=25"])
    assert {found.parameters[name]["min_price"] for name in ("basic_cleaning", "data_check")} == {25.0}
    assert found.origins["data_check"] == {"min_price": "etl.min_price"}


def test_a_group_option_brings_its_own_mapping(pipeline: Pipeline, conf: Path) -> None:
    found = settings(pipeline, conf, ["model=random_forest", "main.seed=7"]).parameters["train_model"]
    assert (found["family"], found["seed"]) == ("random_forest", 7)
    assert found["parameters"]["max_depth"] == 15


def test_a_comment_in_the_file_is_a_comment(pipeline: Pipeline, conf: Path) -> None:
    with pytest.raises(SettingError, match=r"modeling\.random_forest\.max_features takes a number, got 'sqrt'"):
        settings(pipeline, conf, ["model=random_forest", "modeling.random_forest.max_features=sqrt"])


def test_a_component_s_section_feeds_that_one_alone_written_in_a_file_or_not(
    pipeline: Pipeline, conf: Path
) -> None:
    found = settings(pipeline, conf, ["basic_cleaning.min_price=3"])
    assert found.parameters["basic_cleaning"]["min_price"] == 3.0
    assert found.parameters["data_check"]["min_price"] == 10.0
    assert found.origins["basic_cleaning"] == {"min_price": "basic_cleaning.min_price"}


def test_a_setting_that_is_taken_away_leaves_the_signature_s_default(pipeline: Pipeline, conf: Path) -> None:
    assert settings(pipeline, conf, ["~etl.rows"]).parameters["get_data"]["rows"] == 7


@pytest.mark.parametrize(
    ("override", "trackers"),
    [
        ("tracking=wandb", ("wandb",)),
        ("tracking=[mlflow,wandb]", ("mlflow", "wandb")),
        ("tracking=[]", ()),
        ("tracking=null", ()),
    ],
)
def test_tracking_takes_one_name_a_list_or_none(
    pipeline: Pipeline, conf: Path, override: str, trackers: tuple[str, ...]
) -> None:
    assert settings(pipeline, conf, [override]).tracking == trackers


@pytest.mark.parametrize(
    "path",
    [
        "/data/new york.csv",
        "./x.csv",
        "../a/b.csv",
        "~/data/x.csv",
        "data/x(1).csv",
        "a=b.csv",
        "a&b#c.csv",
        "été.csv",
        "https://example.org:80/a.csv?x=1&y=2",
        "C:\\data\\x(1)\\",
        'say "hi"(1).csv',
    ],
)
def test_a_source_is_taken_as_it_is_typed(pipeline: Pipeline, conf: Path, path: str) -> None:
    assert settings(pipeline, conf, [f"etl.source={path}"]).parameters["get_data"]["source"] == path


# What Hydra's grammar gives a meaning of its own: lists, interpolation, quotes, other types, a sweep's commas.
GRAMMAR = set(",[]{}$'\"\\ \t\n\r:")


@options(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=GRAMMAR), min_size=1))
@example("(")
@example("~")
@example("#")
def test_no_path_is_refused_for_its_letters(pipeline: Pipeline, conf: Path, name: str) -> None:
    source = f"/x/{name}.csv"
    assert settings(pipeline, conf, [f"etl.source={source}"]).parameters["get_data"]["source"] == source


def test_hydra_s_quotes_count_where_hydra_reads_them(pipeline: Pipeline, conf: Path) -> None:
    assert settings(pipeline, conf, ["etl.source='a,b.csv'"]).parameters["get_data"]["source"] == "a,b.csv"


def test_two_settings_for_one_parameter_are_refused(pipeline: Pipeline, conf: Path) -> None:
    (conf / "config.yaml").write_text(
        "defaults: [{model: boosted}, _self_]\nmain: {seed: 1}\nmodeling: {random_forest: {max_depth: 1}}\n"
    )
    with pytest.raises(SettingError, match=r"modeling\.boosted .*and modeling\.random_forest .*both set"):
        settings(pipeline, conf)


def test_an_empty_file_leaves_every_signature_s_default(pipeline: Pipeline, conf: Path) -> None:
    (conf / "config.yaml").write_text("")
    found = settings(pipeline, conf)
    assert (found.experiment, found.seed, found.store_url) == ("small", 42, ".relet")
    assert found.parameters["get_data"]["rows"] == 7


def test_a_program_s_own_hydra_is_left_as_it_was(pipeline: Pipeline, conf: Path) -> None:
    import hydra
    from hydra.core.config_store import ConfigStore

    before = ConfigStore.instance().load("hydra/config.yaml").node
    with hydra.initialize_config_dir(str(conf), version_base="1.3"):
        settings(pipeline, conf)
        assert hydra.compose("config").etl.rows == 20000
    assert ConfigStore.instance().load("hydra/config.yaml").node == before
