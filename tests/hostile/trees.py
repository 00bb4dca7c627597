"""Trees that are no trees: of scikit-learn's forests, and of histogram boosting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.hostile.folders import (
    Members,
    Schema,
    array_of,
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

# Far behind the end of any array, and still a page that is not there.
FAR = 2**40


def _set_nodes(folder: Path, change: Callable[[NDArray[Any]], NDArray[Any] | None]) -> None:
    set_array(folder, "Tree", "nodes", change)


def _inner(nodes: NDArray[Any]) -> NDArray[np.int64]:
    return np.flatnonzero(nodes["left_child"] >= 0)


@hostile("random_forest")
def forest_child_far_away(folder: Path) -> None:
    """A branch of a forest leads far behind the nodes: the process ends."""
    _set_nodes(folder, lambda nodes: nodes["left_child"].__setitem__(0, FAR))


@hostile("random_forest")
def forest_child_behind_the_last(folder: Path) -> None:
    """A branch leads to the first place behind the nodes."""
    _set_nodes(folder, lambda nodes: nodes["right_child"].__setitem__(0, len(nodes)))


@hostile("random_forest")
def forest_child_negative(folder: Path) -> None:
    """A branch leads before the nodes."""
    _set_nodes(folder, lambda nodes: nodes["left_child"].__setitem__(0, -FAR))


@hostile("random_forest")
def forest_child_is_itself(folder: Path) -> None:
    """A node is its own child: a row never reaches a leaf."""
    _set_nodes(folder, lambda nodes: nodes[["left_child", "right_child"]].__setitem__(0, (0, 0)))


@hostile("random_forest")
def forest_branches_in_a_circle(folder: Path) -> None:
    """The last branch leads back to the first node."""

    def circle(nodes: NDArray[Any]) -> None:
        nodes["left_child"][_inner(nodes)[-1]] = 0
        nodes["right_child"][_inner(nodes)[-1]] = 0

    _set_nodes(folder, circle)


@hostile("random_forest")
def forest_two_branches_to_one_node(folder: Path) -> None:
    """Both sides of a node lead to one child: no tree."""
    _set_nodes(folder, lambda nodes: nodes["left_child"].__setitem__(0, nodes["right_child"][0]))


@hostile("random_forest")
def forest_node_with_one_child(folder: Path) -> None:
    """A node has a left child and no right one."""
    _set_nodes(folder, lambda nodes: nodes["right_child"].__setitem__(0, -1))


@hostile("random_forest")
def forest_feature_far_away(folder: Path) -> None:
    """A node asks for a feature far behind the row: the process ends."""
    _set_nodes(folder, lambda nodes: nodes["feature"].__setitem__(0, FAR))


@hostile("random_forest")
def forest_feature_negative(folder: Path) -> None:
    """A node asks for a feature before the row."""
    _set_nodes(folder, lambda nodes: nodes["feature"].__setitem__(0, -5000))


@hostile("random_forest")
def forest_threshold_nan(folder: Path) -> None:
    """A threshold is no number."""
    _set_nodes(folder, lambda nodes: nodes["threshold"].__setitem__(0, np.nan))


@hostile("random_forest")
def forest_no_training_rows(folder: Path) -> None:
    """A node says that no training row reached it."""
    _set_nodes(folder, lambda nodes: nodes["n_node_samples"].__setitem__(0, 0))


@hostile("random_forest")
def forest_training_rows_from_nowhere(folder: Path) -> None:
    """A node has more training rows than its children."""
    _set_nodes(folder, lambda nodes: nodes["n_node_samples"].__setitem__(0, 10**9))


@hostile("random_forest")
def forest_nodes_of_another_type(folder: Path) -> None:
    """The nodes are plain numbers."""
    _set_nodes(folder, lambda nodes: np.zeros((len(nodes), 8)))


@hostile("random_forest")
def forest_without_nodes(folder: Path) -> None:
    """A tree has no nodes."""
    _set_nodes(folder, lambda nodes: nodes[:0])


@hostile("random_forest")
def forest_nodes_cut_off(folder: Path) -> None:
    """A tree has fewer nodes than it says, and its children lead behind them."""
    _set_nodes(folder, lambda nodes: nodes[:3])


@hostile("random_forest")
def forest_node_count_too_large(folder: Path) -> None:
    """A tree says that it has more nodes than it has."""
    set_value(folder, "Tree", "node_count", 10**9)


@hostile("random_forest")
def forest_values_of_another_shape(folder: Path) -> None:
    """A tree has two values for each node, and one output."""
    set_array(folder, "Tree", "values", lambda values: np.concatenate([values, values], axis=1))


@hostile("random_forest")
def forest_value_nan(folder: Path) -> None:
    """A leaf predicts what is no number."""
    set_array(folder, "Tree", "values", lambda values: values.fill(np.nan))


@hostile("random_forest")
def forest_as_deep_as_it_has_nodes(folder: Path) -> None:
    """Each tree is one path of 50,000 branches."""

    def change(schema: Schema, members: Members) -> None:
        for tree in objects(schema, "Tree"):
            nodes = array_of(attributes(tree)["nodes"], members)
            deep = np.repeat(nodes[:1], 100_001)
            deep["left_child"], deep["right_child"], deep["feature"] = -1, -1, 0
            inner = np.arange(0, 100_000, 2)
            deep["left_child"][inner], deep["right_child"][inner] = inner + 1, inner + 2
            deep["n_node_samples"] = 1
            deep["n_node_samples"][inner] = np.arange(50_001, 1, -1)
            attributes(tree)["nodes"] = stored_array(deep, members)
            attributes(tree)["values"] = stored_array(np.ones((len(deep), 1, 1)), members)
            attributes(tree)["node_count"] = plain(len(deep))

    edit_archive(folder, change)


def _set_arguments(folder: Path, made: Callable[[Members], list[Schema]]) -> None:
    def change(schema: Schema, members: Members) -> None:
        for tree in objects(schema, "Tree"):
            tree["__reduce__"]["args"] = sequence(made(members), "tuple")

    edit_archive(folder, change)


@hostile("random_forest")
def forest_tree_made_with_many_outputs(folder: Path) -> None:
    """A tree is made for a thousand million outputs: it takes memory, and reads behind an array."""
    _set_arguments(folder, lambda members: [plain(10), stored_array(np.array([1]), members), plain(10**9)])


@hostile("random_forest")
def forest_tree_made_without_classes(folder: Path) -> None:
    """A tree is made of no class."""
    _set_arguments(folder, lambda members: [plain(10), stored_array(np.array([], dtype=int), members), plain(1)])


@hostile("random_forest")
def forest_tree_made_with_too_few_arguments(folder: Path) -> None:
    """A tree is made with one argument."""
    _set_arguments(folder, lambda members: [plain(10)])


@hostile("random_forest")
def forest_tree_of_more_features(folder: Path) -> None:
    """A tree reads more features than its forest is given."""
    _set_arguments(folder, lambda members: [plain(10**6), stored_array(np.array([1]), members), plain(1)])


@hostile("random_forest")
def forest_of_other_features(folder: Path) -> None:
    """The forest takes one feature, its trees more: they read behind each row."""
    set_value(folder, "RandomForestRegressor", "n_features_in_", 1)


@hostile("random_forest")
def forest_trees_of_other_features(folder: Path) -> None:
    """Each tree says that it takes one feature."""
    set_value(folder, "DecisionTreeRegressor", "n_features_in_", 1)


@hostile("random_forest")
def forest_that_does_not_say_its_features(folder: Path) -> None:
    """Nobody says how many features are taken, so nobody compares."""

    def change(schema: Schema, members: Members) -> None:
        for name in ("RandomForestRegressor", "DecisionTreeRegressor"):
            for node in objects(schema, name):
                for attribute in ("n_features_in_", "feature_names_in_"):
                    attributes(node).pop(attribute, None)
                node["content"]["key_types"]["content"] = [
                    {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}
                ] * len(attributes(node))
        for tree in objects(schema, "Tree"):
            nodes = array_of(attributes(tree)["nodes"], members)
            nodes["feature"][0] = FAR
            attributes(tree)["nodes"] = stored_array(nodes, members)

    edit_archive(folder, change)


@hostile("random_forest")
def forest_without_trees(folder: Path) -> None:
    """A forest has no trees."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "RandomForestRegressor"):
            attributes(node)["estimators_"] = sequence([])

    edit_archive(folder, change)


def _set_histogram(folder: Path, name: str, change: Callable[[NDArray[Any]], NDArray[Any] | None]) -> None:
    set_array(folder, "HistogramRegressor", name, change)


@hostile("histogram")
def histogram_child_far_away(folder: Path) -> None:
    """A branch leads behind the nodes."""
    _set_histogram(folder, "left_", lambda left: left.__setitem__(0, FAR))


@hostile("histogram")
def histogram_branches_in_a_circle(folder: Path) -> None:
    """Every branch leads back to the first node: the walk has no end."""
    _set_histogram(folder, "left_", lambda left: np.where(left >= 0, 0, left))


@hostile("histogram")
def histogram_child_in_another_tree(folder: Path) -> None:
    """A branch of the first tree leads into the last one."""
    _set_histogram(folder, "right_", lambda right: right.__setitem__(0, len(right) - 1))


@hostile("histogram")
def histogram_node_with_one_child(folder: Path) -> None:
    """A node has no right child."""
    _set_histogram(folder, "right_", lambda right: right.__setitem__(0, -1))


@hostile("histogram")
def histogram_feature_far_away(folder: Path) -> None:
    """A node asks for a feature that no row has."""
    _set_histogram(folder, "feature_", lambda feature: feature.__setitem__(0, FAR))


@hostile("histogram")
def histogram_threshold_nan(folder: Path) -> None:
    """A threshold is no number."""
    _set_histogram(folder, "threshold_", lambda threshold: threshold.fill(np.nan))


@hostile("histogram")
def histogram_value_infinite(folder: Path) -> None:
    """A leaf predicts infinity."""
    _set_histogram(folder, "value_", lambda value: value.fill(np.inf))


@hostile("histogram")
def histogram_root_far_away(folder: Path) -> None:
    """A tree begins behind the nodes."""
    _set_histogram(folder, "roots_", lambda roots: roots.__setitem__(-1, FAR))


@hostile("histogram")
def histogram_roots_without_end(folder: Path) -> None:
    """Millions of trees begin at one node: each row takes that much memory."""
    _set_histogram(folder, "roots_", lambda roots: np.zeros(3_000_000, dtype=np.int64))


@hostile("histogram")
def histogram_arrays_of_other_lengths(folder: Path) -> None:
    """Not every node has a threshold."""
    _set_histogram(folder, "threshold_", lambda threshold: threshold[:2])


@hostile("histogram")
def histogram_as_deep_as_it_has_nodes(folder: Path) -> None:
    """One tree is a path of 500,000 branches, a step of the walk each."""
    size = 1_000_001
    inner = np.arange(0, size - 1, 2)
    left, right = np.full(size, -1), np.full(size, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    for name, array in (("left_", left), ("right_", right), ("roots_", np.zeros(1, dtype=np.int64))):
        _set_histogram(folder, name, lambda _, array=array: array)
    for name, kind in (
        ("feature_", np.int64),
        ("threshold_", np.float64),
        ("value_", np.float64),
        ("missing_left_", bool),
    ):
        _set_histogram(folder, name, lambda _, kind=kind: np.zeros(size, dtype=kind))
