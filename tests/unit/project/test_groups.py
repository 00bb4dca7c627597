"""A group is an instance of its class when a component is called, and the class is heard before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.errors import SettingError, SignatureError
from relet.project import groups, known_code
from relet.project.folder import open_project
from relet.project.groups import check_groups, instance, with_groups
from relet.project.importing import FirstPartyFinder, import_code, importing
from relet.project.order import Order, read_order
from relet.project.request import prepare
from relet.trials.search.question import read_question
from relet.trials.sweep import prepare_sweep

FILES = {
    "pipelines/hats/pipeline.py": """
from relet import Pipeline
from pipelines.hats.fit import fit, measure

pipeline = Pipeline([fit, measure], by_name=[measure], settings={"model.{fit.family}": "learner"})
""",
    "pipelines/hats/fit.py": """
from __future__ import annotations
from typing import Annotated, NamedTuple
from relet import ChosenBy, Metrics, Module, component
from pipelines.hats.rule import Rule

class Fitted(NamedTuple):
    metrics: Metrics

class Measured(NamedTuple):
    validation_metrics: Metrics

@component(job_type="fit")
def fit(
    *,
    family: Annotated[str, Module("pipelines.hats.families")] = "tree",
    learner: Annotated[object, ChosenBy("family")],
    rule: Rule = Rule(parts=(2, 1)),
) -> Fitted:
    return Fitted({"depth": float(learner.depth), "parts": float(len(rule.parts)), "told": float(rule.told())})

@component(job_type="measure")
def measure(
    *,
    fold: int = 1,
    folds: int = 3,
    family: Annotated[str, Module("pipelines.hats.families")] = "tree",
    learner: Annotated[object, ChosenBy("family")],
) -> Measured:
    return Measured({"loss": float(learner.depth)})
""",
    "pipelines/hats/rule.py": """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Share:
    size: float = 0.2

    def __post_init__(self):
        if not 0 < self.size < 1:
            raise ValueError(f"size must lie between 0 and 1, got {self.size}")

@dataclass(frozen=True, kw_only=True)
class Rule:
    method: str = "keyed"
    parts: tuple[int, ...] = (1,)
    test: Share = Share(size=0.3)

    def __post_init__(self):
        if self.method not in ("keyed", "random"):
            raise ValueError(f"there is no method {self.method!r}")

    def told(self):
        return 1
""",
    "pipelines/hats/families/tree.py": """
from dataclasses import dataclass
from relet.errors import SettingError

@dataclass(frozen=True, kw_only=True)
class Tree:
    depth: int = 3

    def __post_init__(self):
        if self.depth < 1:
            raise SettingError(f"depth must be at least 1, got {self.depth}")
""",
    "pipelines/hats/conf/config.yaml": """
main: {seed: 42}
tracking: []
store: {url: memory://hats}
rule: {method: keyed, test: {size: 0.25}}
model: {tree: {depth: 4}}
search: {metric: loss, trials: 2, batch: 1, folds: 2, fold: 1}
""",
    "requirements.lock": f"pandas==3 --hash=sha256:{'0' * 64}\n",
}


@pytest.fixture
def hats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    monkeypatch.chdir(tmp_path)
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "pipelines"}
    monkeypatch.setattr(sys, "path", [each for each in sys.path if not (Path(each) / "pipelines").is_dir()])
    monkeypatch.setattr(known_code, "_accepted", {})
    yield tmp_path / "pipelines" / "hats"
    for name in [name for name in sys.modules if name.split(".")[0] == "pipelines"]:
        del sys.modules[name]
    sys.modules.update(hidden)


def order(*words: str, target: str = "hats") -> Order:
    return read_order(target, words)


REFUSED = {
    "rule.method=foo": r"rule\.method: there is no method 'foo'",
    "fit.rule.method=foo": r"fit\.rule\.method: there is no method 'foo'",
    "rule.test.size=2": r"rule\.test\.size must lie between 0 and 1, got 2\.0",
    "model.tree.depth=0": r"model\.tree\.depth must be at least 1, got 0",
    "fit.depth=0": r"fit\.depth must be at least 1, got 0",
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_value_that_a_class_refuses_is_told_before_anything_runs_by_its_setting(hats: Path, word: str) -> None:
    with pytest.raises(SettingError, match=f"^{REFUSED[word]}"):
        prepare(order(word))


def test_of_two_nested_fields_of_one_name_a_refusal_has_the_setting_of_the_one_that_it_names(hats: Path) -> None:
    path = hats / "rule.py"
    text = path.read_text().replace("size=0.3)\n", "size=0.3)\n    train: Share = Share(size=0.5)\n")
    path.write_text(
        text.replace(
            'raise ValueError(f"there is no method {self.method!r}")',
            'raise ValueError(f"there is no method {self.method!r}")\n'
            "        if self.test.size >= self.train.size:\n"
            '            raise ValueError("test.size must lie below train.size")',
        )
    )
    with pytest.raises(SettingError, match=r"^rule\.test\.size must lie below train\.size"):
        prepare(order("rule.test.size=0.6"))


def test_of_a_component_alone_a_refused_value_has_the_component_s_name(hats: Path) -> None:
    with pytest.raises(SettingError, match=r"^fit\.rule\.method: there is no method 'foo'"):
        prepare(order("method=foo", target="hats.fit"))
    with pytest.raises(SettingError, match=r"^fit\.learner\.depth must be at least 1"):
        prepare(order("learner={depth: 0}", target="hats.fit"))


def test_a_component_alone_takes_a_field_by_its_name_and_a_group_whole(hats: Path) -> None:
    job = prepare(order("method=random", "learner={depth: 7}", "rule.parts=[3]", target="hats.fit"))
    found = job.parameters["fit"]
    assert (found["rule.method"], found["learner.depth"], found["rule.parts"]) == ("random", 7, [3])
    assert found["rule.test.size"] == 0.25
    with pytest.raises(SettingError, match=r"fit takes no 'metod': did you mean rule\.method\?"):
        prepare(order("metod=random", target="hats.fit"))
    with pytest.raises(SettingError, match=r"fit\.rule takes a mapping, got 3"):
        prepare(order("rule=3", target="hats.fit"))


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("Literal['auto'] | int", "5", 5),
        ("Literal['auto'] | float", "5", 5.0),
        ("Literal['auto'] | float", "auto", "auto"),
        ("str", "5", "5"),
        ("str", "null", None),
        ("str | dict[str, int]", "{a: 1}", {"a": 1}),
        ("list[tuple[int, float]]", "[[1, 2]]", [[1, 2.0]]),
    ],
)
def test_a_component_alone_takes_text_as_its_annotation_says(
    hats: Path, annotation: str, text: str, value: Any
) -> None:
    path = hats / "fit.py"
    source = path.read_text().replace("import Annotated, NamedTuple", "import Annotated, Literal, NamedTuple")
    path.write_text(source.replace("rule: Rule =", f"told: {annotation} | None = None,\n    rule: Rule ="))
    assert repr(prepare(order(f"told={text}", target="hats.fit")).parameters["fit"]["told"]) == repr(value)


def test_a_sweep_hears_every_trial_before_the_first_one_runs(hats: Path) -> None:
    with pytest.raises(SettingError, match=r"trial 2 of 2 \(rule\.method=foo\): rule\.method: there is no method"):
        prepare_sweep(order("rule.method=random,foo"))


def test_a_search_hears_the_ends_of_its_space(hats: Path) -> None:
    with pytest.raises(SettingError, match=r"search's space, model\.tree\.depth: 0 to 3: .*at least 1, got 0"):
        read_question("hats", ["model.tree.depth=int(interval(0,3))"])


def test_a_search_may_vary_what_no_file_has(hats: Path) -> None:
    question, _ = read_question("hats", ["measure.depth=int(interval(1,3))"])
    assert question.defaults == {"measure.depth": 4}


def test_a_search_asks_which_of_two_parameters_of_different_values_is_meant(hats: Path) -> None:
    path = hats / "conf" / "config.yaml"
    path.write_text(path.read_text().replace("model: {tree: {depth: 4}}", "fit: {depth: 4}"))
    said = r"^depth may be fit\.learner\.depth \(4\) or measure\.learner\.depth \(3\); write the one that is meant"
    with pytest.raises(SettingError, match=said):
        read_question("hats", ["depth=int(interval(1,3))"])
    question, _ = read_question("hats", ["measure.depth=int(interval(1,3))"])
    assert question.defaults == {"measure.depth": 3}


def test_values_that_were_accepted_are_not_asked_again(hats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    import_them = groups.import_code
    monkeypatch.setattr(groups, "import_code", lambda names: imported.extend(names) or import_them(names))
    prepare(order())
    imported.clear()
    prepare(order())
    assert imported == []
    prepare(order("rule.method=random"))
    assert "pipelines.hats.rule" in imported and "pipelines.hats.fit" not in imported
    # what was imported to ask it is not left behind
    assert not [name for name in sys.modules if name.startswith("pipelines.hats")]


def test_an_edited_class_is_heard_again(hats: Path) -> None:
    prepare(order())
    path = hats / "rule.py"
    path.write_text(path.read_text().replace('("keyed", "random")', '("random",)'))
    with pytest.raises(SettingError, match="there is no method 'keyed'"):
        prepare(order())


def test_a_class_that_can_not_be_imported_here_is_left_for_the_call(hats: Path) -> None:
    path = hats / "families" / "tree.py"
    path.write_text("import no_such_library\n" + path.read_text())
    assert prepare(order("fit.depth=0")).parameters["fit"]["learner.depth"] == 0


RAISED = {
    "raise ValueError('boom')": "ValueError: boom",
    "import json; json.loads('x')": "JSONDecodeError: Expecting value",
    "raise SystemExit(7)": "SystemExit: 7",
}


@pytest.mark.parametrize("line", RAISED)
def test_a_module_that_raises_when_it_is_imported_is_an_error_with_its_line(hats: Path, line: str) -> None:
    path = hats / "families" / "tree.py"
    path.write_text(f"import sys\n{line}\n{path.read_text()}")
    said = rf"^{path}, line 2: pipelines\.hats\.families\.tree can't be imported for its Tree: {RAISED[line]}"
    with pytest.raises(SignatureError, match=said):
        prepare(order())


@pytest.mark.parametrize("raised", ["raise SystemExit('depth')", "sys.exit(3)"])
def test_a_class_that_ends_the_program_refuses_its_values(hats: Path, raised: str) -> None:
    path = hats / "families" / "tree.py"
    text = path.read_text().replace('raise SettingError(f"depth must be at least 1, got {self.depth}")', raised)
    path.write_text(f"import sys\n{text}")
    with pytest.raises(SettingError, match=r"^fit\.(learner|depth): Tree raises SystemExit: (depth|3)"):
        prepare(order("fit.depth=0"))


VALUES = st.fixed_dictionaries(
    {
        "rule.method": st.sampled_from(["keyed", "random"]),
        "rule.parts": st.lists(st.integers(), max_size=3),
        "rule.test.size": st.floats(0.01, 0.99),
        "learner.depth": st.integers(1, 9),
    }
)


@pytest.fixture
def fit(hats: Path) -> Iterator[Any]:
    project = open_project("hats")
    found = project.pipeline.component("fit")
    closures = [project.code.closure(name) for name in (found.module, *found.modules({}))]
    code = {name: digest for closure in closures for name, digest in closure.modules.items()}
    with importing(FirstPartyFinder(*groups.planned_code(project, code), code)):
        import_code([*found.modules({}), found.module])
        yield found


def test_flat_values_come_back_from_the_groups_they_make(fit: Any) -> None:
    @settings(max_examples=100, deadline=None)
    @given(VALUES)
    def holds(given_values: dict[str, Any]) -> None:
        flat = fit.check({"family": "tree", **given_values})
        called = with_groups(fit, flat)
        again = {"family": called["family"]}
        for group in fit.groups_with(flat):
            again |= dict(group.flat(asdict(called[group.name])))
        assert fit.check(again) == flat
        assert isinstance(called["rule"].parts, tuple)

    holds()


def test_what_is_called_has_the_defaults_of_the_signature(fit: Any) -> None:
    (rule,) = fit.groups
    assert asdict(instance(rule, fit.check({}))) == {"method": "keyed", "parts": (2, 1), "test": {"size": 0.3}}


def test_a_class_is_named_where_it_says_nothing_of_its_fields(hats: Path) -> None:
    path = hats / "families" / "tree.py"
    path.write_text(path.read_text().replace('raise SettingError(f"depth must', 'raise SettingError(f"it must'))
    project = open_project("hats")
    component = project.pipeline.component("fit")
    with pytest.raises(SettingError, match=r"^fit\.learner: it must be at least 1"):
        check_groups(project, component, component.check({"learner.depth": 0}), {})
