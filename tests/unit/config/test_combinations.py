"""A sweep's overrides in Hydra's grammar."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.config.combinations import combinations
from relet.errors import SettingError

# A conf folder without groups of options.
NOWHERE = Path("nowhere")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for group, options in {"model": ("boosted", "linear", "forest"), "split": ("keyed", "random")}.items():
        (tmp_path / group).mkdir()
        for option in options:
            (tmp_path / group / f"{option}.yaml").write_text("a: 1\n")
    return tmp_path


VALUES = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, max_size=4).map(lambda each: ",".join(map(str, each))),
    st.lists(st.sampled_from(["0.1", "null", "true", "some_text", "'a, b'", "[1,2]", "{x: 1}"]), min_size=2).map(
        ",".join
    ),
    st.tuples(st.integers(0, 3), st.integers(4, 9), st.integers(1, 3)).map(
        lambda each: f"range({each[0]},{each[1]},{each[2]})"
    ),
    st.just("choice(a, b, c)"),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_the_trials_are_hydras_own_in_hydras_order(values: list[str]) -> None:
    words = [f"section.k{number}={value}" for number, value in enumerate(values)]
    theirs = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(words), None)[0]
    found = combinations(words, NOWHERE)
    ours = [{*found.fixed, *each} for each in found.trials]
    # Hydra writes a value that is one anew; relet hands it on as it was written
    fixed = {f"{each.key_or_group}={each.get_value_element_as_str()}": each.input_line for each in parsed(words)}
    assert ours == [{str(fixed.get(each, each)) for each in trial} for trial in theirs]


def parsed(words: list[str]) -> list:  # type: ignore[type-arg]
    every = OverridesParser.create().parse_overrides(words)
    return [each for each in every if not each.is_sweep_override()]


def test_the_last_one_changes_fastest_and_what_has_one_value_is_fixed(conf: Path) -> None:
    found = combinations(["a=1,2", "model=linear", "b=x,y"], conf)
    assert found.fixed == ("model=linear",)
    assert found.trials == (("a=1", "b=x"), ("a=1", "b=y"), ("a=2", "b=x"), ("a=2", "b=y"))


def test_glob_chooses_among_the_options_of_a_group(conf: Path) -> None:
    assert combinations(["model=glob(*)"], conf).trials == (
        ("model=boosted",),
        ("model=forest",),
        ("model=linear",),
    )
    assert combinations(["model=glob([b*,f*],exclude=f*)"], conf).trials == (("model=boosted",),)


def test_a_comma_in_quotes_belongs_to_the_text() -> None:
    assert combinations(["a='x, y',z"], NOWHERE).trials == (("a='x, y'",), ("a=z",))
    assert combinations(["a='x, y'"], NOWHERE).fixed == ("a='x, y'",)


def test_what_takes_text_may_hold_what_hydra_can_not_read() -> None:
    assert combinations(["etl.source=~/x(1).csv"], NOWHERE, {"etl.source"}.__contains__).fixed == (
        'etl.source="~/x(1).csv"',
    )


def test_one_combination_is_there_where_nothing_has_several_values() -> None:
    assert combinations(["a=1"], NOWHERE).trials == ((),)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a=interval(0,1)"], r"an interval has more values than can be tried; .*relet tune PIPELINE 'a=interval"),
        (["a=range(3,3)"], "names no value"),
        (["model=glob(x*)"], "names no value"),
        (["modle=glob(*)"], r"glob chooses among the options of a group: did you mean model\?"),
        (["a=1", "a=2,3"], "'a=1' and 'a=2,3' both set a; leave one out"),
        (["a=2,3", "a=1"], "'a=2,3' and 'a=1' both set a; leave one out"),
        (["a=1,2", "a=2,3"], "both set a; leave one out"),
        (["a=(1,2"], "can't be read as an override"),
        (["b"], "is no override"),
        (["store.url=a,b"], "all trials of a sweep have the same store; give it one value"),
        (["tracking=mlflow,wandb"], "all trials of a sweep have the same tracking"),
        (["search.metric=mae,r2"], "all trials of a sweep have the same search"),
        (["main.experiment_name=a,b"], "have the same main.experiment_name"),
    ],
)
def test_what_is_no_sweep_is_refused_with_what_to_write(conf: Path, words: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        combinations(words, conf)


def test_a_setting_that_only_begins_like_a_shared_one_is_swept() -> None:
    assert len(combinations(["storey.height=1,2"], NOWHERE).trials) == 2
