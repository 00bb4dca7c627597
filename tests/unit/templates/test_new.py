"""What `relet new` writes, and what it refuses to write."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relet.errors import BadDataError, NotFoundError, SettingError
from relet.project.folder import open_project
from relet.templates.filling import FILES, filled, write_files
from relet.templates.kept import KEPT
from relet.templates.literals import python_literal, yaml_mapping
from relet.templates.parts import new_check, new_component, with_component
from relet.templates.project import new_pipeline, new_project
from tests.ugly_files import UGLY


@pytest.fixture
def rents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the pipeline `rents`, whose folder is the current one."""
    monkeypatch.chdir(tmp_path)
    made = new_project("rents", into=tmp_path)
    monkeypatch.chdir(made.root)
    return made.root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_project_has_everything_that_it_needs(rents: Path) -> None:
    wanted = {
        "pyproject.toml",
        "README.md",
        "AGENTS.md",
        ".gitignore",
        ".github/workflows/ci.yml",
        "pipelines/rents/pipeline.py",
        "pipelines/rents/conf/config.yaml",
        "tests/test_rents.py",
        "data/rents.csv",
    }
    assert wanted <= contents(rents).keys()
    assert open_project("rents").pipeline.names[0] == "get_data"


def test_no_place_of_a_template_stays_open(rents: Path) -> None:
    for name, content in contents(rents).items():
        assert b"{{ " not in content.replace(b"${{ ", b""), name
        if name.endswith(".py"):
            ast.parse(content, feature_version=(3, 11))


@pytest.mark.parametrize("name", ["", "2nd", "Rents", "a-b", "a b", "class", "../x", "a" * 41, "naïve"])
def test_what_no_module_can_be_called_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="is no name for a project"):
        new_project(name, into=tmp_path)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["relet", "pandas", "scikit_learn"])
def test_a_project_has_no_name_of_a_package_that_it_needs(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="it is a package that the project needs"):
        new_project(name, into=tmp_path)
    assert contents(tmp_path) == {}


def test_a_name_that_nearly_is_one_is_told_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"did you mean my_rents\?"):
        new_project("My-Rents", into=tmp_path)


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "rents").mkdir()
    (tmp_path / "rents" / "README.md").write_text("mine")
    with pytest.raises(SettingError, match="is there and not empty"):
        new_project("rents", into=tmp_path)
    assert contents(tmp_path) == {"rents/README.md": b"mine"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "rents").mkdir()
    assert new_project("rents", into=tmp_path).root == tmp_path / "rents"


def test_a_project_within_a_project_is_refused(rents: Path) -> None:
    with pytest.raises(SettingError, match="write relet new pipeline flats"):
        new_project("flats", into=rents / "data")


@pytest.mark.parametrize("kind", UGLY)
def test_an_ugly_file_becomes_a_pipeline_that_relet_reads(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.csv"
    target = UGLY[kind](path)
    made = new_project("ugly", into=tmp_path, file=path, target=target)
    pipeline = open_project("ugly", made.root).pipeline
    assert "train_model" in pipeline.names
    settings = yaml.safe_load((made.root / "pipelines/ugly/conf/config.yaml").read_text(encoding="utf-8"))
    assert set(settings["etl"]["bounds"]) <= set(made.roles.types)
    assert (made.root / "data/ugly.csv").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("target", "counts"), [("price", {"no": 300, "yes": 100}), ("sold", {"no": 200, "yes": 100})]
)
def test_the_tests_of_a_pipeline_have_rows_of_its_file_of_each_class_as_many(
    tmp_path: Path, target: str, counts: dict[str, int]
) -> None:
    rows = [f"{place % 97},{place % 13},{'no' if place % 10 else 'yes'},{place}" for place in range(1000)]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["price,rooms,sold,number", *rows, ""]))
    made = new_project("flats", into=tmp_path, file=path, target=target)
    header, *kept = (made.root / "tests/flats.csv").read_text().splitlines()
    assert header == "price,rooms,sold,number"
    # as the file has them, in its order
    assert kept == [each for each in rows if each in set(kept)]
    assert Counter(each.split(",")[2] for each in kept) == counts


def test_a_large_file_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv"
    target = UGLY["sensors"](path)
    monkeypatch.setattr("relet.templates.project.COPIED_BYTES", 10)
    made = new_project("large", into=tmp_path, file=path, target=target)
    settings = yaml.safe_load((made.root / "pipelines/large/conf/config.yaml").read_text(encoding="utf-8"))
    assert (made.copied, settings["etl"]["source"]) == (None, str(path))


def test_a_file_needs_a_target_and_a_target_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    UGLY["sensors"](path)
    with pytest.raises(SettingError, match="add --target with one of: timestamp, Temperature °C"):
        new_project("x", into=tmp_path, file=path)
    with pytest.raises(SettingError, match="add --from-csv FILE"):
        new_project("x", into=tmp_path, target="power_kW")
    with pytest.raises(BadDataError, match="no such file"):
        new_project("x", into=tmp_path, file=tmp_path / "none.csv", target="y")
    assert [each.name for each in tmp_path.iterdir()] == ["file.csv"]


def test_a_classifier_is_evaluated_by_its_classes(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    made = new_project("late", into=tmp_path, file=path, target=UGLY["orders"](path))
    evaluate = open_project("late", made.root).pipeline.component("evaluate_model")
    outputs = [each.name for each in evaluate.outputs]
    assert outputs == ["evaluation", "test_metrics", "confusion_matrix", "class_report"]
    assert {"min_accuracy", "max_worse", "coverage", "min_coverage"} <= set(evaluate.defaults)
    settings = yaml.safe_load((made.root / "pipelines/late/conf/config.yaml").read_text(encoding="utf-8"))
    assert settings["search"]["metric"] == "log_loss"
    assert "class_report" in (made.root / "README.md").read_text(encoding="utf-8")


def test_several_targets_are_several_pipelines(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    UGLY["sensors"](path)
    with pytest.raises(BadDataError, match="made for one target, got 2: take --target power_kW, and make"):
        new_project("x", into=tmp_path, file=path, target="power_kW,humidity")
    with pytest.raises(BadDataError, match="no column 'power_kW,other'"):
        new_project("x", into=tmp_path, file=path, target="power_kW,other")


def test_one_more_pipeline_stands_beside_the_first(rents: Path) -> None:
    before = contents(rents)
    new_pipeline("flats")
    after = contents(rents)
    # what is kept for an update names the new pipeline, too
    assert [name for name in before if after[name] != before[name]] == [KEPT]
    assert "train_model" in open_project("flats").pipeline.names
    with pytest.raises(SettingError, match="there is a pipeline flats"):
        new_pipeline("flats")


def test_a_component_is_listed_and_its_test_stands_beside_it(rents: Path) -> None:
    new_component("count_rooms")
    component = open_project("rents").pipeline.component("count_rooms")
    assert [each.name for each in component.inputs] == ["clean_sample"]
    assert "pipelines.rents.components.count_rooms" in (rents / "tests/test_rents_count_rooms.py").read_text()
    before = contents(rents)
    with pytest.raises(SettingError, match="has a component count_rooms already"):
        new_component("count_rooms")
    assert contents(rents) == before


def test_a_component_of_a_pipeline_without_a_table_takes_none(rents: Path) -> None:
    home = rents / "pipelines" / "small"
    home.mkdir()
    (home / "say.py").write_text(
        "from typing import NamedTuple\nfrom relet import Metrics, component\n\n"
        "class Said(NamedTuple):\n    said: Metrics\n\n@component(job_type='say')\ndef say() -> Said: ...\n"
    )
    listing = "from pipelines.small.say import say\nfrom relet import Pipeline\n\npipeline = Pipeline([say])\n"
    (home / "pipeline.py").write_text(listing)
    new_component("small.ask")
    assert open_project("small").pipeline.component("ask").inputs == ()
    with pytest.raises(SettingError, match="which pipeline is ask for"):
        new_component("ask")


def test_a_check_stands_where_its_component_looks(rents: Path) -> None:
    (_, advice) = new_check("test_no_row_twice")
    assert "def test_no_row_twice(" in (rents / "pipelines/rents/checks/test_no_row_twice.py").read_text()
    assert advice == "go on with: relet run rents steps=check_data"
    with pytest.raises(SettingError, match="is there already"):
        new_check("no_row_twice")


def test_a_check_without_a_component_that_runs_it_is_refused(rents: Path) -> None:
    path = rents / "pipelines/rents/components/check_data.py"
    path.write_text(path.read_text().replace('resources=("checks",), ', ""))
    with pytest.raises(SettingError, match="no component of rents runs the data tests"):
        new_check("no_row_twice")


@pytest.mark.parametrize("part", [new_component, new_check])
def test_a_part_needs_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: object) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="or begin one: relet new NAME"):
        part("count_rooms")  # type: ignore[operator]


@pytest.mark.parametrize(
    "listing",
    [
        "pipeline = Pipeline([a])",
        "pipeline = Pipeline(\n    [a],\n)",
        "pipeline = Pipeline(\n    [\n        a\n    ]\n)",
        "pipeline = Pipeline(\n    [\n        a,  # the first\n    ],\n    on_request=[a],\n)",
        "pipeline = Pipeline(components=[a, a])",
        "pipeline = relet.Pipeline([ä, a])",
    ],
)
def test_a_list_of_components_keeps_its_form(listing: str) -> None:
    source = f"from p.a import a\nfrom relet import Pipeline\n\n{listing}\n"
    after = with_component(source.encode(), "p.b", "b").decode()
    value = ast.parse(after).body[-1].value  # type: ignore[attr-defined]
    components = value.args[0] if value.args else value.keywords[0].value
    assert [ast.unparse(each) for each in components.elts][-1] == "b"
    assert after.splitlines()[:2] == ["from p.a import a", "from p.b import b"]
    removed = [line for line in source.splitlines() if line not in after.splitlines()]
    assert len(removed) <= 1


def test_a_pipeline_that_is_put_together_elsewhere_is_told_what_to_write() -> None:
    with pytest.raises(SettingError, match=r"write there: from p\.b import b, and b among the components"):
        with_component(b"pipeline = make()\n", "p.b", "b")


def test_all_files_are_written_or_none(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(SettingError, match="can't be written"):
        write_files(tmp_path, {"a.txt": "a", "folder/b.txt": "b"})
    assert contents(tmp_path) == {"folder": b"a file"}


def test_a_word_that_nobody_gives_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled("project/README.md", {})


def test_every_template_is_used(rents: Path) -> None:
    new_component("count_rooms")
    new_check("rents_are_round")
    names = {path.name.removesuffix(".template") for path in FILES.rglob("*.template")}
    named = {"gitignore": ".gitignore", "component.py": "count_rooms.py", "check.py": "test_rents_are_round.py"}
    named |= {"test_component.py": "test_rents_count_rooms.py", "test_pipeline.py": "test_rents.py"}
    written = {path.name for path in rents.rglob("*")}
    assert {named.get(name, name) for name in names} <= written


@given(st.text(max_size=20))
def test_a_text_is_the_same_as_source(text: str) -> None:
    assert ast.literal_eval(python_literal(text)) == text


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8), st.floats(0, 9))
)
def test_a_mapping_is_the_same_as_yaml(values: dict[str, float]) -> None:
    found = yaml.safe_load("a:" + yaml_mapping(values, 2))["a"]
    assert found == {name.replace("${", "\\${"): value for name, value in values.items()}


def test_a_regression_of_many_rows_gets_more_rounds_and_larger_trees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.csv"
    target = UGLY["sensors"](path)

    def settings(name: str) -> dict[str, float]:
        made = new_project(name, into=tmp_path, file=path, target=target)
        text = (made.root / f"pipelines/{name}/conf/config.yaml").read_text(encoding="utf-8")
        return {each: yaml.safe_load(text)["modeling"][each] for each in ("max_iter", "max_leaf_nodes")}

    assert settings("few") == {"max_iter": 200, "max_leaf_nodes": 15}
    monkeypatch.setattr("relet.templates.words.MANY_ROWS", 10)
    assert settings("many") == {"max_iter": 400, "max_leaf_nodes": 15}
    monkeypatch.setattr("relet.templates.words.VERY_MANY_ROWS", 10)
    assert settings("very_many") == {"max_iter": 400, "max_leaf_nodes": 31}
