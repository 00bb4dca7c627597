"""Which parameters a key of the configuration feeds: names wire settings as they wire artifacts."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.core.component import Component
from relet.core.parameter import ChosenGroup, Parameter, ParameterGroup
from relet.core.pipeline import Pipeline
from relet.core.wiring import COMPONENT, ROW, Feeding, Wiring, wire
from relet.errors import SettingError, WiringError


def parameter(name: str, kind: type = int) -> Parameter:
    return Parameter(name=name, annotation=kind.__name__, types=(kind,), default=kind())


def group(name: str, *fields: str) -> ParameterGroup:
    return ParameterGroup(
        name=name, module="m", type="G", own=tuple(parameter(f"{name}.{each}") for each in fields)
    )


def component(name: str, *parameters: str, groups: tuple[ParameterGroup, ...] = ()) -> Component:
    flat = [parameter(each) for each in parameters] + [each for found in groups for each in found.parameters]
    return Component(name=name, module=name, path=Path(name), job_type=name, parameters=tuple(flat), groups=groups)


RULE = group("segregation", "method", "seed")
TREE, LINE = group("learner", "depth", "rate"), group("learner", "rate")
FIT = Component(
    name="fit",
    module="fit",
    path=Path("fit"),
    job_type="fit",
    parameters=(
        Parameter(name="family", annotation="str", types=(str,), default="tree", choices=("tree", "line")),
        parameter("seed"),
        *RULE.parameters,
        parameter("columns", dict),
    ),
    groups=(RULE,),
    chosen_groups=(ChosenGroup(name="learner", chosen_by="family", options={"tree": TREE, "line": LINE}),),
)
SPLIT = component("split", "size", groups=(RULE,))


def wired(*components: Component, **table: str) -> Wiring:
    pipeline = Pipeline(components, settings={key.replace("__", "."): feeds for key, feeds in table.items()})
    return wire(pipeline.components, pipeline.rows, own={"store.url"})


def fed(wiring: Wiring, key: str) -> tuple[int, list[str]]:
    reach = wiring.reach(key)
    return reach.level, sorted({each.name for each in reach.fed})


def test_a_key_feeds_every_parameter_and_field_of_its_last_name() -> None:
    assert fed(wired(FIT, SPLIT), "etl.size") == (1, ["split.size"])
    assert fed(wired(FIT, SPLIT), "main.seed") == (
        1,
        ["fit.seed", "fit.segregation.seed", "split.segregation.seed"],
    )
    assert fed(wired(FIT, SPLIT), "modeling.rate") == (1, ["fit.learner.rate"])


def test_a_section_of_a_group_s_name_feeds_that_group_alone() -> None:
    assert fed(wired(FIT, SPLIT), "segregation.seed") == (2, ["fit.segregation.seed", "split.segregation.seed"])
    assert fed(wired(FIT, SPLIT), "etl.segregation.seed")[0] == 2
    assert fed(wired(FIT, SPLIT), "segregation.size") == (1, ["split.size"])


def test_a_section_of_a_component_s_name_feeds_that_one_alone() -> None:
    assert fed(wired(FIT, SPLIT), "fit.seed") == (COMPONENT, ["fit.seed"])
    assert fed(wired(FIT, SPLIT), "split.seed") == (COMPONENT, ["split.segregation.seed"])
    assert fed(wired(FIT, SPLIT), "split.segregation.seed") == (COMPONENT, ["split.segregation.seed"])
    assert fed(wired(FIT, SPLIT), "split.depth") == (COMPONENT, [])


def test_a_name_that_two_groups_of_a_component_have_is_asked_for_in_full() -> None:
    both = component("both", groups=(group("left", "size"), group("right", "size")))
    with pytest.raises(SettingError, match=r"both\.size may be both\.left\.size or both\.right\.size"):
        wired(both).reach("both.size")


def test_a_row_feeds_what_it_says_and_nothing_else() -> None:
    table = wired(FIT, SPLIT, etl__seed="split.seed", rules="segregation", base="seed", model__tree="learner")
    assert fed(table, "etl.seed") == (ROW, ["split.segregation.seed"])
    assert fed(table, "rules.method") == (ROW, ["fit.segregation.method", "split.segregation.method"])
    assert fed(table, "base") == (ROW, ["fit.seed"])
    assert fed(table, "model.tree.depth") == (ROW, ["fit.learner.depth"])
    assert fed(table, "model.tree.size") == (ROW, [])


def test_a_key_in_braces_stands_for_one_key_a_choice_and_feeds_that_choice_s_group() -> None:
    wiring = wired(FIT, **{"model__{fit.family}": "learner"})
    assert [each.option for each in wiring.reach("model.tree.rate").fed] == ["tree"]
    assert [each.option for each in wiring.reach("model.line.rate").fed] == ["line"]
    assert wiring.reach("model.line.depth").fed == ()


def test_with_a_choice_only_the_chosen_group_is_fed() -> None:
    wiring = wired(FIT)
    assert wiring.reach("modeling.depth", {"fit": {"family": "line"}}).fed == ()
    assert len(wiring.reach("modeling.rate", {"fit": {"family": "line"}}).fed) == 1


def test_what_is_relet_s_own_feeds_nothing_by_its_name() -> None:
    assert wire([component("get", "url")], own={"store.url"}).reach("store.url").fed == ()


def test_the_nearest_section_that_takes_a_mapping_is_found() -> None:
    wiring = wired(FIT, more="fit.columns")
    assert wiring.mapping_around("etl.columns.id.format") == "etl.columns"
    assert wiring.mapping_around("fit.columns.id") == "fit.columns"
    assert wiring.mapping_around("more.id") == "more"
    assert wiring.mapping_around("etl.size") is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"a": "fit.sead"}, r"the setting a feeds fit\.sead: did you mean seed\?"),
        ({"a": "fti.seed"}, r"the setting a feeds fti\.seed: did you mean fit\?"),
        ({"a": "colums"}, r"the setting a feeds colums: did you mean columns\?"),
        ({"m.{fit.seed}": "learner"}, r"names fit\.seed, which takes a whole number, not one of a few"),
        ({"m.{fitt.family}": "learner"}, r"names fitt\.family: did you mean fit\?"),
    ],
)
def test_a_row_that_feeds_what_is_not_there_is_refused(table: dict[str, str], said: str) -> None:
    with pytest.raises(WiringError, match=said):
        Pipeline([FIT, SPLIT], settings=table)


NAMES = st.sampled_from(["a", "b", "c"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["a", "b", "x.a", "x.b", "a.b", "one.a", "two.b.a", "one.b.a"]), unique=True),
    st.integers(0, 100),
)
def test_what_a_key_feeds_never_depends_on_the_order_of_components(
    groups: list[tuple[str, str]], keys: list[str], seed: int
) -> None:
    components = [
        component(name, "a", groups=tuple(group(outer, inner) for outer, inner in dict(groups).items()))
        for name in ("one", "two", "three")
    ]
    shuffled = Random(seed).sample(components, len(components))
    for key in keys:
        try:
            wanted = fed(wire(components), key)
        except SettingError:
            with pytest.raises(SettingError):
                wire(shuffled).reach(key)
            continue
        assert fed(wire(shuffled), key) == wanted


KEYS = ["a", "x.a", "y.a", "one.a", "b.a", "x.b.a", "a.b", "two.a.b", "c", "y.c", "own.b"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(KEYS), unique=True, min_size=1), st.integers(0, 100))
def test_what_counts_never_depends_on_the_order_of_keys_and_a_conflict_is_always_told(
    keys: list[str], seed: int
) -> None:
    wiring = wire([component("one", "a", groups=(group("b", "a", "c"),)), component("two", "b", "c")])
    found = Feeding.of(wiring, keys)
    again = Feeding.of(wiring, Random(seed).sample(keys, len(keys)))
    assert (again.keys, again.conflicts, set(again.idle)) == (found.keys, found.conflicts, set(found.idle))
    for name in {each.name for each in wiring.fed}:
        reaching = [wiring.reach(key) for key in keys]
        levels = [reach.level for reach in reaching if name in {each.name for each in reach.fed}]
        assert (name in found.keys) == bool(levels)
        assert (name in found.conflicts) == (bool(levels) and levels.count(max(levels)) > 1)
