"""Settings wire by name: which key feeds what, what counts where several do, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from relet.config import settings
from relet.core.code import FirstPartyCode
from relet.core.pipeline import Pipeline, read_pipeline
from relet.errors import SettingError
from relet.names import PACKAGE

FILES = {
    "steps.py": """
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated, Any
from relet import ChosenBy, Module, component

@dataclass(frozen=True, kw_only=True)
class Bounds:
    west: float = 0.0
    east: float = 1.0

@dataclass(frozen=True, kw_only=True)
class Rule:
    seed: int = 1
    by: str | None = None
    sizes: tuple[int, ...] = (3, 2)

@component(job_type="get")
def get(*, rows: int = 3, seed: int = 2, columns: dict[str, Any] = {}) -> None: ...

@component(job_type="clean")
def clean(*, bounds: Bounds, columns: dict[str, Any] = {}) -> None: ...

@component(job_type="fit")
def fit(
    *,
    family: Annotated[str, Module("families")] = "tree",
    learner: Annotated[Any, ChosenBy("family")],
    rule: Rule = Rule(by="borough"),
    bounds: Bounds,
    seed: int = 3,
    title: str = "none",
) -> None: ...
""",
    "families/tree.py": """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Tree:
    depth: int | None = 5
    rate: float = 0.1
    words: int = 7
""",
    "families/line.py": """
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Line:
    rate: float = 1.0
""",
    "pipeline.py": """
from relet import Pipeline
from steps import clean, fit, get

pipeline = Pipeline(
    [get, clean, fit], settings={"etl.seed": "get.seed", "modeling.{fit.family}": "learner"}
)
""",
    "conf/config.yaml": """
defaults: [{model: tree}, _self_]
main: {seed: 42}
etl: {rows: 10, seed: 5, columns: {}, bounds: {west: 0.25}}
rule: {by: null}
""",
    "conf/model/tree.yaml": """
# @package modeling
family: tree
words: 9
tree: {depth: 8}
""",
    "conf/model/line.yaml": """
# @package modeling
family: line
line: {rate: 2.0}
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def pipeline(project: Path) -> Pipeline:
    return read_pipeline("small", project / "pipeline.py", FirstPartyCode((project, PACKAGE.parent)))


@pytest.fixture
def conf(project: Path) -> Path:
    return project / "conf"


def test_names_in_the_files_feed_parameters_and_fields_of_their_names(pipeline: Pipeline, conf: Path) -> None:
    found = settings(pipeline, conf)
    assert found.parameters["get"] == {"rows": 10, "seed": 5, "columns": {}}
    assert found.parameters["clean"] == {"bounds.west": 0.25, "bounds.east": 1.0, "columns": {}}
    assert found.parameters["fit"] == {
        "family": "tree",
        "rule.seed": 42,
        "rule.by": None,
        "rule.sizes": [3, 2],
        "bounds.west": 0.25,
        "bounds.east": 1.0,
        "seed": 42,
        "title": "none",
        "learner.depth": 8,
        "learner.rate": 0.1,
        "learner.words": 9,
    }
    assert found.origins["fit"] == {
        "family": "modeling.family",
        "learner.depth": "modeling.tree.depth",
        "learner.words": "modeling.words",
        "rule.seed": "main.seed",
        "rule.by": "rule.by",
        "bounds.west": "etl.bounds.west",
        "seed": "main.seed",
    }


# what is typed → what it sets, of which components
TYPED = {
    "get.seed=7": {"get": {"seed": 7}},
    "fit.seed=7": {"fit": {"seed": 7}},
    "etl.seed=7": {"get": {"seed": 7}},
    "main.seed=7": {"fit": {"seed": 7, "rule.seed": 7}},
    "rule.seed=7": {"fit": {"rule.seed": 7}},
    "fit.rule.seed=7": {"fit": {"rule.seed": 7}},
    "fit.sizes=[1]": {"fit": {"rule.sizes": [1]}},
    "etl.bounds.east=2": {"clean": {"bounds.east": 2.0}, "fit": {"bounds.east": 2.0}},
    "bounds.east=2": {"clean": {"bounds.east": 2.0}, "fit": {"bounds.east": 2.0}},
    "clean.east=2": {"clean": {"bounds.east": 2.0}},
    "clean.bounds.west=2": {"clean": {"bounds.west": 2.0}},
    "modeling.tree.rate=0.5": {"fit": {"learner.rate": 0.5}},
    "modeling.tree.depth=null": {"fit": {"learner.depth": None}},
    "fit.rate=0.5": {"fit": {"learner.rate": 0.5}},
    "fit.learner.rate=0.5": {"fit": {"learner.rate": 0.5}},
    "modeling.rate=0.5": {"fit": {"learner.rate": 0.5}},
    "modeling.title=x(1)": {"fit": {"title": "x(1)"}},
    "etl.columns.id=listing": {"get": {"columns": {"id": "listing"}}, "clean": {"columns": {"id": "listing"}}},
    "get.columns.id=listing": {"get": {"columns": {"id": "listing"}}},
    "model=line": {"fit": {"family": "line", "learner.rate": 2.0}},
}


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_typed_feeds_what_it_names_and_nothing_else(pipeline: Pipeline, conf: Path, typed: str) -> None:
    before, after = settings(pipeline, conf).parameters, settings(pipeline, conf, [typed]).parameters
    changed = {
        component: {name: value for name, value in values.items() if before[component].get(name, ...) != value}
        for component, values in after.items()
    }
    assert {component: values for component, values in changed.items() if values} == TYPED[typed]


MISTAKES = {
    "fit.rat=1": r"fit\.rat: fit has no such parameter: did you mean learner\.rate\?",
    "get.words=1": r"get has no such parameter: there are columns, rows, seed",
    "modeling.tree.dept=3": r"no setting '.*dept': did you mean modeling\.tree\.depth\? \(.*tree\.yaml:5\)",
    "modeling.tree.rats=3": r"no setting 'modeling\.tree\.rats': did you mean modeling\.tree\.rate\?",
    "modeling.line.rate=3": r"modeling\.line\.rate is a setting of model=line, which is not chosen",
    "rule.sead=1": r"no setting 'rule\.sead': did you mean rule\.seed\?",
    "etl.bounds.wst=1": r"no setting 'etl\.bounds\.wst': did you mean etl\.bounds\.west\?",
    "bounds=1": r"bounds is a group, not a setting: there are bounds\.west, bounds\.east",
    "etl.bounds=1": r"etl\.bounds is a section, not a setting: there are etl\.bounds\.west",
    "rows=1": r"no setting 'rows': did you mean etl\.rows\?",
    "seed=1": r"no setting 'seed': did you mean main\.seed or etl\.seed\?",
    "etl.family=line": r"no setting 'etl\.family': did you mean modeling\.family\?",
    "fit.learner.depth=x": r"fit\.learner\.depth takes a whole number or null, got 'x'",
    "gett.words=1": r"no setting 'gett\.words': did you mean modeling\.words\?",
    "fitt.title=a": r"no setting 'fitt\.title': did you mean fit\.title\?",
    "zzz.title=a": r"no setting 'zzz\.title'",
    "modeling.tre.rate=3": r"no setting 'modeling\.tre\.rate': did you mean modeling\.tree\.rate\?",
    "etl.bound.east=2": r"no setting 'etl\.bound\.east': did you mean etl\.bounds\.east\?",
    "get=1": r"get is a component, not a setting: there are get\.rows, get\.seed, get\.columns",
    "rule.sizes=3": r"rule\.sizes takes a list, got 3",
    "family=lin": r"(no setting 'family'|family got 'lin')",
    "modeling.family=lin": r"modeling\.family got 'lin': did you mean line\?",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_wrong_name_gets_the_nearest_right_one(pipeline: Pipeline, conf: Path, typed: str) -> None:
    with pytest.raises(SettingError, match=MISTAKES[typed]) as caught:
        settings(pipeline, conf, [typed])
    assert "\n" not in str(caught.value) and "++" not in str(caught.value)


def add(conf: Path, text: str) -> None:
    path = conf / "config.yaml"
    path.write_text(path.read_text() + text)


def test_of_two_keys_that_feed_one_parameter_and_nothing_else_one_is_left_out(
    pipeline: Pipeline, conf: Path
) -> None:
    add(conf, "other: {rows: 3}\n")
    with pytest.raises(
        SettingError, match=r"etl\.rows \(.*:4\) and other\.rows \(.*:6\) both set get\.rows; leave one out"
    ):
        settings(pipeline, conf)
    assert settings(pipeline, conf, ["get.rows=4"]).parameters["get"]["rows"] == 4


def test_of_relet_s_own_seed_and_another_it_is_the_other_that_gets_a_row(pipeline: Pipeline, conf: Path) -> None:
    add(conf, "modeling: {seed: 3}\n")
    with pytest.raises(SettingError, match=r'settings=\{"modeling\.seed": "fit\.(rule\.)?seed"\}'):
        settings(pipeline, conf)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gate: {limit: 3}", r"gate\.limit \(.*:6\) feeds no component"),
        ("gate: {rowz: 3}", r"gate\.rowz \(.*:6\) feeds no component: did you mean etl\.rows\?"),
        ("clean: {rows: 3}", r"clean\.rows \(.*:6\): clean has no such parameter: there are bounds\.east"),
        ("fit: {family: line}", r"modeling\.words is a setting of model=tree, which is not chosen"),
    ],
)
def test_a_key_in_a_file_that_feeds_nothing_is_told(pipeline: Pipeline, conf: Path, line: str, said: str) -> None:
    add(conf, line)
    with pytest.raises(SettingError, match=said):
        settings(pipeline, conf)


def test_an_override_that_another_key_says_more_than_is_told(pipeline: Pipeline, conf: Path) -> None:
    assert settings(pipeline, conf, ["get.rows=1"]).parameters["get"]["rows"] == 1
    with pytest.raises(SettingError, match=r"etl\.rows=9 has no effect: get\.rows is set by get\.rows"):
        settings(pipeline, conf, ["get.rows=1", "etl.rows=9"])


def test_a_key_in_a_file_that_another_one_there_says_more_than_is_told(pipeline: Pipeline, conf: Path) -> None:
    add(conf, "get: {rows: 1}\n")
    told = r"^etl\.rows \(.*:4\) has no effect: get\.rows is set by get\.rows \(.*:6\); leave one out"
    with pytest.raises(SettingError, match=told):
        settings(pipeline, conf)


def test_a_parameter_without_a_default_that_nothing_feeds_is_told(project: Path, conf: Path) -> None:
    path = project / "steps.py"
    path.write_text(path.read_text().replace("rows: int = 3", "rows: int").replace("seed: int = 2", "pages: int"))
    code = FirstPartyCode((project, PACKAGE.parent))
    text = "from relet import Pipeline\nfrom steps import get\npipeline = Pipeline([get])"
    (project / "pipeline.py").write_text(text)
    (conf / "config.yaml").write_text("etl: {rows: 3}\n")
    found = read_pipeline("small", project / "pipeline.py", code)
    with pytest.raises(SettingError, match=r"get needs a value for pages .* write pages: … into .*config\.yaml"):
        settings(found, conf)
    assert settings(found, conf, ["get.pages=2"]).parameters["get"]["pages"] == 2
