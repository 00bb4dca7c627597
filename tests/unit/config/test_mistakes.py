"""A mistake in a setting says what is wrong, what was got, and what was probably meant."""

import re
from pathlib import Path

import pytest

from relet.config import settings
from relet.core.pipeline import Pipeline
from relet.errors import SettingError

MISTAKES = {
    # unknown keys
    "etl.min_prise=3": r"no setting 'etl.min_prise': did you mean etl.min_price\? \(.*config.yaml:10\)",
    "min_price=3": r"no setting 'min_price': did you mean etl.min_price\?",
    "+x=1": r"no setting 'x': there are",
    "++etl.foo=3": r"no setting 'etl.foo': (there are|did you mean)",
    "~etl.foo": r"no setting 'etl.foo'",
    "mdel=boosted": r"no setting 'mdel': did you mean model\?",
    "etl=3": r"etl is a section, not a setting: there are etl.source",
    "basic_cleaning.min_prise=3": r"basic_cleaning has no such parameter: did you mean min_price\?",
    "+etl.rows=3": r"etl.rows is there already \(.*config.yaml:9\)",
    "modeling.boosted.num_leaf=3": r"did you mean modeling.boosted.num_leaves\? \(.*boosted.yaml:6\)",
    "++modeling.boosted.num_leaf=3": r"did you mean modeling.boosted.num_leaves\?",
    "modeling.random_forest.max_depth=3": r"is a setting of model=random_forest, which is not chosen",
    # wrong types
    "etl.rows=abc": r"etl.rows takes a whole number, got 'abc'",
    "etl.rows=1.5": r"etl.rows takes a whole number, got 1.5",
    "etl.min_price=dear": r"etl.min_price takes a number, got 'dear'",
    "main.evaluate=1": r"main.evaluate takes true or false, got 1",
    "main.seed=null": r"main.seed takes a whole number, got None",
    "main.experiment_name=2024": r"main.experiment_name takes text, got 2024; text that looks like this is quoted",
    "etl.min_price=nan": r"etl.min_price takes a finite number, got nan: write a number$",
    "etl.min_price=inf": r"etl.min_price takes a finite number, got inf: write a number; a parameter takes inf",
    "etl.min_price=1e999": r"etl.min_price takes a finite number, got inf",
    "main.download_timeout=inf": r"main.download_timeout takes a finite number, got inf",
    "modeling.boosted.learning_rate=nan": r"modeling.boosted.learning_rate takes a finite number, got nan",
    "tracking=": r"tracking has an empty name; write tracking=\[mlflow\], or tracking=\[\] for none",
    "store.url=": r"store.url is empty; write a folder such as .relet, or s3://bucket/prefix",
    "tracking=[1]": r"tracking takes names of trackers, got 1",
    "modeling.boosted.num_leaves=abc": r"modeling.boosted.num_leaves takes a whole number, got 'abc'",
    "modeling.boosted=3": r"modeling.boosted takes .*, got 3",
    # options of a group
    "model=random_forrest": r"model has no option 'random_forrest': did you mean random_forest\?",
    "model=null": r"model has no option None",
    # what Hydra can't read
    f"etl.rows={'9' * 5000}": r"'etl.rows=9{70}9*…' can't be read: its number has too many digits$",
    "etl.source=\udcff.csv": r"^etl.source=\\udcff.csv: its bytes are no UTF-8, which no record can hold",
    "etl.rows=(": r"can't be read as an override .* quote it: 'etl.rows=\"\(\"'",
    "--json": r"'--json' is no override; write name=value",
    "etl.source": r"'etl.source' is no override; write name=value",
    "etl.rows=1,2": r"names several values, which only a sweep takes",
    "hydra.run.dir=x": r"Hydra's own settings have no effect here",
    "hydra/launcher=joblib": r"Hydra's own settings have no effect here",
    "etl.source=${foo.bar}": r"etl.source is \$\{foo.bar\}, and there is no setting 'foo.bar'",
    "etl.source=???": r"etl\.source has no value in .*config\.yaml",
}


@pytest.mark.parametrize("override", MISTAKES)
def test_a_mistake_is_named_with_what_was_meant(pipeline: Pipeline, conf: Path, override: str) -> None:
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf, [override])
    message = str(caught.value)
    assert re.search(MISTAKES[override], message), message
    assert not re.search(r"Traceback|HYDRA_FULL_ERROR|full_key|object_type|struct", message), message
    assert "\n" not in message


def test_a_right_override_beside_a_wrong_one_is_not_blamed(pipeline: Pipeline, conf: Path) -> None:
    with pytest.raises(SettingError, match=r"no setting 'etl\.rose'"):
        settings(pipeline, conf, ["model=random_forest", "modeling.random_forest.max_depth=3", "etl.rose=3"])


def test_a_missing_folder_says_what_should_stand_there(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"there is no config\.yaml in .*nowhere"):
        settings(pipeline, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("etl: {rows: 1\nmain: [", r"can't be composed: .*config\.yaml.*line 2"),
        ("defaults: [{model: missing}, _self_]", r"can't be composed: .*model/missing.*boosted"),
        ("etl:\n  rows: ${main.sed}", r"etl\.rows \(.*config\.yaml:2\) is .*there is no setting 'main\.sed'"),
        ("etl: {min_price: .nan}", r"etl\.min_price takes a finite number, got nan: write a number$"),
        ("etl: {min_price: -.inf}", r"etl\.min_price takes a finite number, got -inf: write a number"),
        ("etl: {min_price: 1e999}", r"etl\.min_price takes a finite number, got inf: write a number"),
        (f"etl: {{rows: {'9' * 5000}}}", r"can't be composed: Exceeds the limit"),
        ("store: {url: ''}", r"store\.url is empty; write a folder such as \.relet, or s3://bucket/prefix"),
        ("etl: {rowz: 1}", r"etl\.rowz \(.*config\.yaml:1\) feeds no component: did you mean etl\.rows\?"),
        ("etl: {rows: many}", r"etl\.rows takes a whole number, got 'many'"),
        ("- a\n- b", r"can't be composed"),
    ],
)
def test_a_mistake_in_the_file_is_named(pipeline: Pipeline, conf: Path, text: str, message: str) -> None:
    (conf / "config.yaml").write_text(text)
    with pytest.raises(SettingError) as caught:
        settings(pipeline, conf)
    assert re.search(message, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)
