"""Ensembles of trees of scikit-learn whose numbers lead its machine code astray."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.hostile.folders import (
    Members,
    Schema,
    add_node,
    attributes,
    edit_archive,
    hostile,
    objects,
    plain,
    sequence,
    set_array,
    set_value,
    stored_array,
)

# Far behind the end of any array.
FAR = 2**30


def _set_trees(folder: Path, change: Callable[[NDArray[Any]], NDArray[Any] | None]) -> None:
    set_array(folder, "TreePredictor", "nodes", change)


def _inner(nodes: NDArray[Any]) -> NDArray[np.int64]:
    return np.flatnonzero(nodes["is_leaf"] == 0)


@hostile("histogram_scikit")
def histogram_nodes_far_away(folder: Path) -> None:
    """A branch leads far behind the nodes."""
    _set_trees(folder, lambda nodes: nodes["left"].__setitem__(0, FAR))


@hostile("histogram_scikit")
def histogram_nodes_in_a_circle(folder: Path) -> None:
    """All branches lead to the first node: a row never reaches a leaf."""

    def circle(nodes: NDArray[Any]) -> None:
        nodes["left"], nodes["right"] = 0, 0

    _set_trees(folder, circle)


@hostile("histogram_scikit")
def histogram_nodes_without_a_leaf(folder: Path) -> None:
    """No node is a leaf."""
    _set_trees(folder, lambda nodes: nodes["is_leaf"].fill(0))


@hostile("histogram_scikit")
def histogram_nodes_of_a_feature_far_away(folder: Path) -> None:
    """A node asks for a feature that no row has."""
    _set_trees(folder, lambda nodes: nodes["feature_idx"].__setitem__(0, FAR))


@hostile("histogram_scikit")
def histogram_nodes_of_a_feature_before_the_first(folder: Path) -> None:
    """A node asks for a feature before the row."""
    _set_trees(folder, lambda nodes: nodes["feature_idx"].__setitem__(0, -FAR))


@hostile("histogram_scikit")
def histogram_nodes_of_categories_far_away(folder: Path) -> None:
    """A node asks for a set of categories far behind the last."""

    def changed(nodes: NDArray[Any]) -> None:
        nodes["is_categorical"][_inner(nodes)] = 1
        nodes["bitset_idx"] = FAR

    _set_trees(folder, changed)


@hostile("histogram_scikit")
def histogram_nodes_of_categories_that_are_numbers(folder: Path) -> None:
    """A node asks for the category of a feature that is a number."""

    def changed(nodes: NDArray[Any]) -> None:
        nodes["is_categorical"][_inner(nodes)], nodes["bitset_idx"] = 1, 0
        nodes["feature_idx"][_inner(nodes)] = 2

    _set_trees(folder, changed)


@hostile("histogram_scikit")
def histogram_categories_of_another_shape(folder: Path) -> None:
    """A set of categories has one word in place of eight."""
    sets = np.zeros((4, 1), dtype=np.uint32)
    set_array(folder, "TreePredictor", "raw_left_cat_bitsets", lambda _: sets)


@hostile("histogram_scikit")
def histogram_categories_far_away(folder: Path) -> None:
    """A category has the number 2³⁰, and a bit is set there."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "_BinMapper"):
            known = [stored_array(np.array([float(FAR)]), members)] * 3
            attributes(node)["bin_thresholds_"] = sequence(known)

    edit_archive(folder, change)


@hostile("histogram_scikit")
def histogram_of_fewer_kinds(folder: Path) -> None:
    """The binner knows of one feature whether it is a category."""
    set_array(folder, "_BinMapper", "is_categorical_", lambda kinds: kinds[:1])


@hostile("histogram_scikit")
def histogram_in_the_middle_of_a_fit(folder: Path) -> None:
    """The estimator says that it is being fitted, so that it takes rows for bins."""
    add_node(folder, "HistGradientBoostingClassifier", "_in_fit", lambda _: plain(True))


@hostile("histogram_scikit")
def histogram_that_drops_its_columns(folder: Path) -> None:
    """What prepares the rows gives fewer columns than the trees read."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "ColumnTransformer"):
            for name in ("transformers_", "transformers"):
                part = attributes(node)[name]["content"][1]
                part["content"][1] = plain("drop")

    edit_archive(folder, change)


@hostile("histogram_scikit")
def histogram_that_encodes_one_column(folder: Path) -> None:
    """What prepares the rows takes no column at all."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "ColumnTransformer"):
            for part in attributes(node)["transformers_"]["content"][:2]:
                part["content"][2] = stored_array(np.zeros(3, dtype=bool), members)

    edit_archive(folder, change)


@hostile("gradient")
def gradient_trees_of_more_columns(folder: Path) -> None:
    """Each step has a hundred trees, and one column to add them to."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "GradientBoostingRegressor"):
            trees = attributes(node)["estimators_"]
            trees["content"] = [sequence(row["content"] * 100) for row in trees["content"]]
            trees["shape"] = sequence([plain(len(trees["content"])), plain(100)], "tuple")

    edit_archive(folder, change)


@hostile("gradient")
def gradient_trees_of_another_number(folder: Path) -> None:
    """The estimator says that a step has no tree."""
    set_value(folder, "GradientBoostingRegressor", "n_trees_per_iteration_", 0)


@hostile("gradient")
def gradient_trees_of_more_features(folder: Path) -> None:
    """The estimator takes one feature, its trees more."""
    set_value(folder, "GradientBoostingRegressor", "n_features_in_", 1)


@hostile("gradient")
def gradient_trees_far_away(folder: Path) -> None:
    """A branch leads behind the nodes."""
    set_array(folder, "Tree", "nodes", lambda nodes: nodes["left_child"].__setitem__(0, FAR))


@hostile("gradient")
def gradient_that_begins_with_many_columns(folder: Path) -> None:
    """What it begins with has two columns, and a step one tree."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "DummyRegressor"):
            attributes(node)["constant_"] = stored_array(np.zeros((1, 2)), members)
            attributes(node)["n_outputs_"] = plain(2)

    edit_archive(folder, change)


@hostile("gradient")
def gradient_that_begins_with_another_estimator(folder: Path) -> None:
    """It begins with a whole model of its own."""

    def change(schema: Schema, members: Members) -> None:
        (tree, *_) = objects(schema, "DecisionTreeRegressor")
        for node in objects(schema, "GradientBoostingRegressor"):
            attributes(node)["init_"] = tree

    edit_archive(folder, change)


@hostile("gradient_classes")
def gradient_that_begins_with_fewer_classes(folder: Path) -> None:
    """What it begins with knows two of three classes."""
    set_array(folder, "DummyClassifier", "class_prior_", lambda shares: shares[:2])


@hostile("isolation")
def isolation_trees_of_more_features(folder: Path) -> None:
    """A tree reads more features than it is given."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "IsolationForest"):
            one = [stored_array(np.zeros(1, dtype=np.int64), members)] * 2
            attributes(node)["estimators_features_"] = sequence(one)
            attributes(node)["_max_features"] = plain(1)

    edit_archive(folder, change)
