"""Models of the project's own transformers and estimators: what is trusted, and what is refused."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from relet.archives.own_code import OwnCode, own_code_in_effect
from relet.errors import ModelError, SettingError
from relet.training.model import load_model
from tests.hostile.folders import (
    add_node,
    attributes,
    edit_archive,
    edit_json,
    objects,
    plain,
    sequence,
    set_array,
    set_node,
    stored_array,
)
from tests.own_project import export_own_model, flats, own_pipeline, write_own_project

ROWS = flats()[["part", "whole"]]


@pytest.fixture
def root(tmp_path):
    return write_own_project(tmp_path / "here")


@pytest.fixture
def own(root):
    return OwnCode.of(root)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model of each kind, from a project that lies elsewhere."""
    place = tmp_path_factory.mktemp("exported")
    own = OwnCode.of(write_own_project(place / "there"))
    for last in ("Nearest", "Grove"):
        export_own_model(own, place / last, last=last)
    return place


@pytest.fixture
def folder(exported, tmp_path):
    return Path(shutil.copytree(exported / "Nearest", tmp_path / "model"))


@pytest.fixture
def grove(exported, tmp_path):
    return Path(shutil.copytree(exported / "Grove", tmp_path / "grove"))


def load_there(folder, root):
    with own_code_in_effect(OwnCode.of(root)):
        return load_model(folder)


def refusal(folder, root):
    with pytest.raises(ModelError) as refused:
        load_there(folder, root)
    assert len(str(refused.value)) < 700
    return str(refused.value)


def edit(root, name, old, new):
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))


def test_a_model_of_own_classes_is_loaded_where_the_code_is_the_same(own, folder, tmp_path):
    expected = own_pipeline(own).predict(ROWS)
    assert np.array_equal(load_there(folder, write_own_project(tmp_path / "elsewhere")).predict(ROWS), expected)


def test_a_comment_is_no_other_code(folder, root):
    edit(root, "src/mylib/words.py", "FACTOR = 2.0", "FACTOR = 2.0  # how much a share weighs")
    assert len(load_there(folder, root).predict(ROWS)) == len(ROWS)


@pytest.mark.parametrize("name", ["blocks", "words", "late"])
def test_other_code_is_refused_with_the_module_and_both_digests(folder, root, name):
    recorded = json.loads((folder / "relet.json").read_text())["code"][f"mylib.{name}"]
    with (root / f"src/mylib/{name}.py").open("a") as file:
        file.write("\nMORE = 1\n")
    here = OwnCode.of(root).code.digest(f"mylib.{name}")
    said = refusal(folder, root)
    assert f"the mylib.{name} of the digest {recorded[:12]}" in said
    assert f"the mylib.{name} of the digest {here[:12]}" in said


def test_a_missing_module_is_named(folder, root):
    (root / "src/mylib/blocks.py").unlink()
    assert f"and {root} has no mylib.blocks" in refusal(folder, root)


def test_without_a_project_the_message_says_where_to_load(folder):
    with (
        own_code_in_effect(None),
        pytest.raises(ModelError, match=r"code of a project: load it within that project"),
    ):
        load_model(folder)


def test_the_project_that_the_variable_names_counts(folder, root, monkeypatch):
    monkeypatch.setenv("RELET_PROJECT", str(root))
    assert len(load_model(folder).predict(ROWS)) == len(ROWS)


def test_the_source_lies_beside_the_model(folder, root):
    held = json.loads((folder / "code.json").read_text())
    assert sorted(held) == ["mylib", "mylib.blocks", "mylib.late", "mylib.words"]
    assert held["mylib.blocks"] == (root / "src/mylib/blocks.py").read_text()


def test_what_is_not_trusted_is_refused_at_export_with_what_to_write_where(root, own, tmp_path):
    edit(root, "pyproject.toml", '"mylib.blocks.*"', '"mylib.blocks.Nearest"')
    pipeline = own_pipeline(own)
    with pytest.raises(ModelError) as refused:
        export_own_model(OwnCode.of(root), tmp_path / "model", pipeline)
    said = f"write into {root / 'pyproject.toml'}, under [tool.relet]: trust = "
    assert f'{said}["mylib.blocks.Nearest", "mylib.blocks.*"]' in str(refused.value)


def test_trust_that_was_taken_back_is_no_longer_there(folder, root):
    edit(root, "pyproject.toml", '"mylib.blocks.*"', "")
    assert "mylib.blocks.Nearest is of this project" in refusal(folder, root)


@pytest.mark.parametrize("named", ['"*"', '".*"', '"mylib"', '"mylib.*.Ratio"', '"mylib/blocks.*"', "1"])
def test_a_list_that_names_no_classes_is_an_error(folder, root, named):
    edit(root, "pyproject.toml", '"mylib.blocks.*"', named)
    with pytest.raises((SettingError, ModelError), match=r"trust in .* must be a list of classes"):
        load_there(folder, root)


def test_what_an_own_class_extends_is_checked_as_that(grove, root):
    assert len(load_there(grove, root).predict(ROWS)) == len(ROWS)
    edit_archive(
        grove,
        lambda schema, members: attributes(next(objects(schema, "Grove"))).update(n_features_in_=plain(7)),
    )
    assert "its trees differ from it in n_features_in_" in refusal(grove, root)


def test_a_local_class_is_told_where_to_go(own, tmp_path):
    pipeline = own_pipeline(own)
    pipeline.steps[0][1].seen_ = own.imported("mylib.blocks").make()
    with pytest.raises(
        ModelError, match=r"Ratio.seen_ is an object of mylib.blocks.make.<locals>.Inner, which no load"
    ):
        export_own_model(own, tmp_path / "model", pipeline)


def test_an_own_class_that_is_a_container_is_told_at_export(own, tmp_path):
    pipeline = own_pipeline(own)
    pipeline.steps[0][1].seen_ = {1, 2}
    with pytest.raises(
        ModelError, match=r"Ratio.seen_ is a builtins.set, which no archive holds; keep a sorted list of its"
    ):
        export_own_model(own, tmp_path / "model", pipeline)


def test_a_function_of_the_project_is_loaded_as_a_class_is(own, folder, tmp_path, root):
    weighed = own.imported("mylib.words").weighed
    pipeline = Pipeline([("weighed", FunctionTransformer(weighed)), ("model", Ridge())]).fit(
        ROWS, flats()["price"]
    )
    with pytest.raises(
        ModelError, match=r"func is a function that is not trusted: mylib.words.weighed is of this pro"
    ):
        export_own_model(own, tmp_path / "functions", pipeline)
    edit(root, "pyproject.toml", '"mylib.blocks.*"', '"mylib.words.weighed"')
    export_own_model(OwnCode.of(root), tmp_path / "functions", pipeline)
    assert np.array_equal(load_there(tmp_path / "functions", root).predict(ROWS), pipeline.predict(ROWS))
    name_function(tmp_path / "functions", "mylib.words.FACTOR")
    assert "mylib.words.FACTOR" in refusal(tmp_path / "functions", root)
    edit(root, "pyproject.toml", '"mylib.words.weighed"', '"mylib.*"')
    for name in (
        "mylib.words.FACTOR",
        "mylib.blocks.Popen",
        "mylib.blocks.Ratio",
        "os.system",
        "mylib.blocks.weighed",
    ):
        name_function(tmp_path / "functions", name)
        assert name in refusal(tmp_path / "functions", root)
    with (root / "src/mylib/words.py").open("a") as file:
        file.write("\nMORE = 1\n")
    name_function(tmp_path / "functions", "mylib.words.weighed")
    assert "the mylib.words of the digest" in refusal(tmp_path / "functions", root)


def name_function(folder, name):
    """Let a transformer call another function."""
    module, _, label = name.rpartition(".")
    node = {"__class__": label, "__module__": module, "__loader__": "TypeNode"}
    set_node(folder, "FunctionTransformer", "func", lambda members: node)


def rename(folder, old, new):
    """Let an object claim to be of another type."""
    module, _, label = new.rpartition(".")

    def change(schema, members):
        for node in list(objects(schema, old)):
            node.update(__class__=label, __module__=module)

    edit_archive(folder, change)


@pytest.mark.parametrize(
    "name",
    [
        "mylib.blocks.Popen",
        "mylib.blocks.Other",
        "mylib.blocks.os",
        "mylib.blocks.LIMIT",
        "mylib.blocks.make",
        "mylib.blocks.BaseEstimator",
        "mylib.blocks.Nothing",
        "mylib.blocks.Words",
        "mylib.blocks.os.system",
        "mylib.blocks..Ratio",
        "mylib.blocks.Ratio.fit",
        "mylib.blocks.Ratio.__class__",
        "mylib.untrusted.Shift",
        "mylib.words.weighed",
        "mylib.Ratio",
        "blocks.Ratio",
        "src.mylib.blocks.Ratio",
        "subprocess.Popen",
        "builtins.eval",
        "__main__.Ratio",
        ".mylib.blocks.Ratio",
        "mylib.blocks.*",
    ],
)
def test_a_file_that_names_another_thing_of_a_trusted_module_is_refused(folder, root, name):
    rename(folder, "Ratio", name)
    assert "model" in refusal(folder, root)


def test_no_module_is_imported_for_a_name_that_it_does_not_define(folder, root):
    edit(root, "pyproject.toml", '"mylib.blocks.*"', '"mylib.*"')
    (root / "src/mylib/loud.py").write_text("raise SystemExit('imported')\n")
    rename(folder, "Ratio", "mylib.loud.Ratio")
    assert "mylib.loud.Ratio" in refusal(folder, root)


def test_a_module_of_the_same_name_outside_of_the_project_is_no_module_of_it(folder, tmp_path, monkeypatch):
    installed = write_own_project(tmp_path / "installed")
    other = tmp_path / "other"
    (other / "mylib").mkdir(parents=True)
    (other / "mylib/__init__.py").write_text("")
    (other / "pyproject.toml").write_text('[tool.relet]\ntrust = ["mylib.blocks.*"]\n')
    (installed / "src/mylib/blocks.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(installed / "src")
    for name in ("mylib", "mylib.blocks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert f"and {other} has no mylib.blocks" in refusal(folder, other)


def test_a_loaded_module_of_the_same_name_is_not_taken(folder, root, monkeypatch):
    class Loud:
        def __getattr__(self, name):
            raise AssertionError("the wrong module was asked")

    monkeypatch.setitem(sys.modules, "mylib", Loud())
    monkeypatch.setitem(sys.modules, "mylib.blocks", Loud())
    assert len(load_there(folder, root).predict(ROWS)) == len(ROWS)
    assert isinstance(sys.modules["mylib.blocks"], Loud)


def test_a_file_can_not_say_that_its_code_is_not_needed(folder, root):
    with (root / "src/mylib/words.py").open("a") as file:
        file.write("\nMORE = 1\n")
    edit_json(folder, "relet.json", lambda about: about["code"].pop("mylib.words"))
    assert "it was made with no mylib.words" in refusal(folder, root)


def test_a_file_can_not_say_that_no_code_is_needed(folder, root):
    edit_json(folder, "relet.json", lambda about: about["code"].clear())
    assert "it was made with no mylib, and" in refusal(folder, root)


def _call(name, arguments):
    def change(schema, members):
        node = next(objects(schema, name))
        node.update(__loader__="TreeNode", __reduce__={"args": sequence(arguments, "tuple")})

    return change


def test_an_own_class_is_never_called(folder, root):
    edit_archive(folder, _call("Ratio", [plain("part")]))
    assert "mylib.blocks.Ratio by TreeNode" in refusal(folder, root)


@pytest.mark.parametrize("name", ["transform", "fit", "__class__", "__dict__", "__setstate__", "a b"])
def test_no_value_replaces_a_method(folder, root, name):
    add_node(folder, "Ratio", name, lambda members: plain(1))
    assert f"Ratio.{name} is " in refusal(folder, root)


@pytest.mark.parametrize("name", ["sklearn.pipeline.Pipeline", "mylib.blocks.Nearest", "numpy.ndarray"])
def test_no_own_object_holds_a_type(folder, root, name):
    module, _, label = name.rpartition(".")
    node = {"__class__": label, "__module__": module, "__loader__": "TypeNode"}
    set_node(folder, "Ratio", "seen_", lambda members: sequence([node]))
    assert name in (said := refusal(folder, root)) or "Ratio" in said


def test_no_own_object_stands_in_an_inner_place_of_a_library(grove, root):
    tree = {"__class__": "Tree", "__module__": "mylib.blocks", "__loader__": "ObjectNode"}
    content = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}
    content["key_types"] = sequence([])
    set_node(grove, "DecisionTreeRegressor", "tree_", lambda members: {**tree, "content": content})
    assert "only Tree is loaded" in refusal(grove, root)


def test_a_name_that_machine_code_alone_knows_is_refused(grove, root):
    add_node(grove, "Grove", "_in_fit", lambda members: plain(True))
    assert "Grove._in_fit is an attribute that neither its class" in refusal(grove, root)


def test_what_the_base_may_hold_bounds_what_an_own_class_holds(grove, root):
    edit_archive(
        grove,
        lambda schema, members: attributes(next(objects(schema, "Grove"))).update(n_jobs=plain(10_000)),
    )
    assert "Grove.n_jobs is not what its base may hold" in refusal(grove, root)


def test_damaged_numbers_of_an_own_class_are_caught_by_golden_predictions(folder, root):
    set_array(folder, "Nearest", "answers_", lambda answers: answers * 2)
    assert "no longer predicts what it predicted at export" in refusal(folder, root)


def test_an_array_of_records_is_no_value(folder, root):
    records = np.zeros(2, dtype=[("a", "i8")])
    set_node(folder, "Ratio", "seen_", lambda members: stored_array(records, members))
    assert "model" in refusal(folder, root)
