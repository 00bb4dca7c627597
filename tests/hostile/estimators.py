"""Estimators of scikit-learn whose numbers lead its machine code astray, or make it work without an end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
    set_node,
    set_value,
    stored_array,
)

# Far behind the end of any array.
FAR = 2**30


def _name(name: str, kind: str = "TypeNode") -> Schema:
    module, _, label = name.rpartition(".")
    return {"__class__": label, "__module__": module, "__loader__": kind}


@hostile("support")
def support_vectors_of_fewer_features(folder: Path) -> None:
    """Each support vector has one number: libsvm reads behind it."""
    set_array(folder, "SVC", "support_vectors_", lambda vectors: np.ascontiguousarray(vectors[:, :1]))


@hostile("support")
def support_vectors_cut_off(folder: Path) -> None:
    """There are fewer support vectors than their counts say."""
    set_array(folder, "SVC", "support_vectors_", lambda vectors: vectors[:2])


@hostile("support")
def support_counts_far_away(folder: Path) -> None:
    """A class has more support vectors than there are: their sum wraps around to the right one."""
    set_array(folder, "SVC", "_n_support", lambda counts: counts + np.array([FAR, 0, -FAR], dtype=np.int32))


@hostile("support")
def support_of_more_classes(folder: Path) -> None:
    """The counts are those of a thousand classes."""
    set_array(folder, "SVC", "_n_support", lambda counts: np.zeros(1000, dtype=np.int32))


@hostile("support")
def support_weights_of_one_class(folder: Path) -> None:
    """There are weights for one class of three."""
    set_array(folder, "SVC", "_dual_coef_", lambda weights: np.ascontiguousarray(weights[:1]))


@hostile("support")
def support_without_intercepts(folder: Path) -> None:
    """No pair of classes has an intercept."""
    set_array(folder, "SVC", "_intercept_", lambda intercepts: intercepts[:0])


@hostile("support")
def support_with_half_a_probability(folder: Path) -> None:
    """There are probabilities for one pair of classes."""
    set_array(folder, "SVC", "_probA", lambda values: np.zeros(2))


@hostile("support")
def support_vector_that_is_no_number(folder: Path) -> None:
    """A support vector is NaN."""
    set_array(folder, "SVC", "support_vectors_", lambda vectors: vectors.fill(np.nan))


@hostile("support")
def support_of_a_kernel_that_was_computed(folder: Path) -> None:
    """The kernel counts as computed before, and the places of its vectors are far away."""
    set_value(folder, "SVC", "kernel", "precomputed")
    set_array(folder, "SVC", "support_", lambda places: np.full_like(places, FAR))


@hostile("support")
def support_of_a_power_without_end(folder: Path) -> None:
    """The kernel is a polynomial of the degree 2³⁰."""
    set_value(folder, "SVC", "kernel", "poly")
    set_value(folder, "SVC", "degree", FAR)


@hostile("support")
def support_that_says_it_is_sparse(folder: Path) -> None:
    """The support vectors count as sparse, and are not."""
    set_value(folder, "SVC", "_sparse", True)


@hostile("support_sparse")
def sparse_vectors_with_places_far_away(folder: Path) -> None:
    """The places of values lie behind the row."""
    set_array(folder, "csr_matrix", "indices", lambda places: np.full_like(places, FAR))


@hostile("support_sparse")
def sparse_vectors_with_lines_far_away(folder: Path) -> None:
    """A line of a sparse matrix ends far behind its values."""
    set_array(folder, "csr_matrix", "indptr", lambda starts: starts.__setitem__(-1, FAR))


@hostile("support_sparse")
def sparse_vectors_with_lines_backwards(folder: Path) -> None:
    """A line of a sparse matrix ends before it begins."""
    set_array(folder, "csr_matrix", "indptr", lambda starts: starts.__setitem__(1, -5))


@hostile("support_sparse")
def sparse_vectors_of_another_kind(folder: Path) -> None:
    """The kernel counts as computed before, so that values are places."""
    set_value(folder, "SVC", "kernel", "precomputed")


@hostile("support_sparse")
def sparse_matrix_without_end(folder: Path) -> None:
    """A sparse matrix says that it has 2³⁰ lines."""
    shape = sequence([plain(FAR), plain(FAR)], "tuple")
    set_node(folder, "csr_matrix", "shape", lambda _: shape)


@hostile("neighbours")
def neighbours_of_other_columns(folder: Path) -> None:
    """The rows that neighbours are looked for among have one column."""
    set_array(folder, "KNeighborsClassifier", "_fit_X", lambda rows: np.ascontiguousarray(rows[:, :1]))


@hostile("neighbours")
def search_tree_of_other_columns(folder: Path) -> None:
    """The search tree has one column, the rows more."""
    set_array(folder, "KDTree", "data", lambda rows: np.ascontiguousarray(rows[:, :1]))


@hostile("neighbours")
def search_tree_without_points(folder: Path) -> None:
    """A search tree has no points."""
    set_array(folder, "KDTree", "data", lambda rows: rows[:0])


@hostile("neighbours")
def search_tree_of_what_is_no_number(folder: Path) -> None:
    """The points of a search tree are NaN."""
    set_array(folder, "KDTree", "data", lambda rows: rows.fill(np.nan))


@hostile("neighbours")
def search_tree_of_a_metric_that_is_none(folder: Path) -> None:
    """The distance is a function of Python."""
    set_value(folder, "KDTree", "metric", "pyfunc")


@hostile("neighbours")
def search_tree_with_leaves_of_nothing(folder: Path) -> None:
    """A leaf of a search tree holds no point."""
    set_value(folder, "KDTree", "leaf_size", 0)


@hostile("neighbours")
def search_tree_as_its_library_keeps_it(folder: Path) -> None:
    """A search tree brings its own nodes, which lead far away."""
    add_node(folder, "KDTree", "idx_array", lambda members: stored_array(np.full(9, FAR), members))


@hostile("neighbours_brute")
def neighbours_of_a_class_far_away(folder: Path) -> None:
    """The class of a row is the thousand millionth: a count is written there."""
    set_array(folder, "KNeighborsClassifier", "_y", lambda places: np.full_like(places, FAR))


@hostile("neighbours_brute")
def neighbours_of_a_class_before_the_first(folder: Path) -> None:
    """The class of a row lies before the first."""
    set_array(folder, "KNeighborsClassifier", "_y", lambda places: np.full_like(places, -FAR))


@hostile("neighbours_brute")
def neighbours_more_than_rows(folder: Path) -> None:
    """A thousand neighbours are looked for among fewer rows."""
    set_value(folder, "KNeighborsClassifier", "n_neighbors", 1000)


@hostile("neighbours_brute")
def neighbours_that_miscount_their_rows(folder: Path) -> None:
    """There are as many neighbours as the estimator says that it has rows, and fewer rows."""
    set_value(folder, "KNeighborsClassifier", "n_neighbors", 1000)
    set_value(folder, "KNeighborsClassifier", "n_samples_fit_", 100_000)


@hostile("centres")
def centres_of_fewer_features(folder: Path) -> None:
    """Each centre has one number."""
    set_array(folder, "KMeans", "cluster_centers_", lambda centres: np.ascontiguousarray(centres[:, :1]))


@hostile("centres")
def centres_on_many_threads(folder: Path) -> None:
    """A thousand million threads look for the nearest centre."""
    set_value(folder, "KMeans", "_n_threads", FAR)


@hostile("neighbours_brute")
def neighbours_with_lengths_of_their_own(folder: Path) -> None:
    """The distance is given the lengths of the rows, and one number for them."""
    held = {**_name("builtins.dict", "DictNode"), "key_types": sequence([_name("builtins.str")])}

    def made(members: Members) -> Schema:
        return {**held, "content": {"Y_norm_squared": stored_array(np.zeros(1), members)}}

    set_node(folder, "KNeighborsClassifier", "effective_metric_params_", made)


@hostile("halves")
def halves_of_fewer_features(folder: Path) -> None:
    """The centre of each half has one number."""
    set_array(folder, "_BisectingTree", "center", lambda centre: centre[:1])


@hostile("splines")
def spline_without_coefficients(folder: Path) -> None:
    """A spline has fewer coefficients than its knots say."""
    set_array(folder, "BSpline", "c", lambda values: values[:1])


@hostile("splines")
def spline_of_a_degree_without_end(folder: Path) -> None:
    """A spline has the degree 2³⁰."""
    set_value(folder, "BSpline", "k", FAR)


@hostile("splines")
def spline_whose_knots_go_back(folder: Path) -> None:
    """The knots of a spline are not in order."""
    set_array(folder, "BSpline", "t", lambda knots: knots[::-1].copy())


@hostile("powers")
def powers_without_end(folder: Path) -> None:
    """The powers go up to the millionth."""
    set_value(folder, "PolynomialFeatures", "degree", 1_000_000)


@hostile("powers")
def powers_of_many_columns(folder: Path) -> None:
    """There are 2³⁰ columns of powers."""
    set_value(folder, "PolynomialFeatures", "_n_out_full", FAR)
    set_value(folder, "PolynomialFeatures", "n_output_features_", FAR)


@hostile("groups")
def groups_far_away(folder: Path) -> None:
    """A feature belongs to the thousand millionth group: so many columns are made."""
    set_array(folder, "FeatureAgglomeration", "labels_", lambda labels: np.full_like(labels, FAR))


@hostile("dropped")
def generator_that_reads_behind_its_state(folder: Path) -> None:
    """A generator of random numbers goes on far behind its numbers."""
    set_value(folder, "RandomState", "pos", FAR)


@hostile("dropped")
def generator_of_a_few_numbers(folder: Path) -> None:
    """A generator of random numbers has three numbers."""
    set_array(folder, "RandomState", "key", lambda key: key[:3])


@hostile("rounded")
def function_of_the_system(folder: Path) -> None:
    """The function is one that starts a program."""
    set_node(folder, "FunctionTransformer", "func", lambda _: _name("os.system"))


@hostile("rounded")
def function_of_numpy_that_reads_files(folder: Path) -> None:
    """The function is numpy's, and reads files."""
    set_node(folder, "FunctionTransformer", "func", lambda _: _name("numpy.fromfile"))


@hostile("rounded")
def function_with_arguments_of_its_own(folder: Path) -> None:
    """The function is given an array to write to."""
    given = {"out": plain(1)}
    node = {**_name("builtins.dict", "DictNode"), "content": given, "key_types": sequence([_name("builtins.str")])}
    set_node(folder, "FunctionTransformer", "kw_args", lambda _: node)


@hostile("rounded")
def pipeline_that_keeps_files(folder: Path) -> None:
    """A pipeline keeps its results in a folder of the attacker's."""
    set_value(folder, "Pipeline", "memory", "/tmp/elsewhere")


@hostile("rounded")
def attribute_that_hides_a_method(folder: Path) -> None:
    """An attribute has the name of a method."""
    add_node(folder, "Ridge", "predict", lambda _: plain("x"))


@hostile("rounded")
def estimators_in_each_other(folder: Path) -> None:
    """An estimator is its own member a hundred times over."""

    def change(schema: Schema, members: Members) -> None:
        (ridge,) = objects(schema, "Ridge")
        node = ridge
        for _ in range(100):
            inner = {"estimator": node}
            keys = sequence([_name("builtins.str")])
            held = {**_name("builtins.dict", "DictNode"), "content": inner, "key_types": keys}
            node = {**_name("sklearn.frozen._frozen.FrozenEstimator", "ObjectNode"), "content": held}
        steps = attributes(next(objects(schema, "Pipeline")))["steps"]["content"]
        steps[-1]["content"][1] = node

    edit_archive(folder, change)


@hostile("gradient")
def array_of_objects_of_another_shape(folder: Path) -> None:
    """An array of trees says that it has a million rows."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "GradientBoostingRegressor"):
            attributes(node)["estimators_"]["shape"] = sequence([plain(1_000_000), plain(1_000_000)], "tuple")

    edit_archive(folder, change)


@hostile("gradient")
def array_of_objects_of_another_kind(folder: Path) -> None:
    """An array of trees holds numbers."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "GradientBoostingRegressor"):
            trees = attributes(node)["estimators_"]
            trees["content"] = [sequence([plain(7)]) for _ in trees["content"]]

    edit_archive(folder, change)
