"""What may be in a model: which values, which trees, how much of it. Anything else is an error in words."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from relet.archives import archive, stored
from relet.archives.boosters import check_booster
from relet.archives.structure import wrong_trees
from relet.errors import ModelError, SettingError
from relet.training.estimators.boosted import BoostedRegressor
from relet.training.model import load_model

STORED = sorted((Path(__file__).parent / "stored_models").glob("*.skops"))
RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(60, 3))
TARGET, CLASSES = ROWS[:, 0], np.where(ROWS[:, 0] > 0, "yes", "no")
TABLE = pd.DataFrame({"u": RANDOM.choice(list("abcd"), 60), "v": RANDOM.choice(list("ab"), 60)})
WORDS = pd.Series(RANDOM.choice(["big room", "small house"], 60), name="t")
GAPS = pd.concat([TABLE, TABLE.mask(TABLE == "a")], ignore_index=True)
ESTIMATORS = [
    DummyClassifier().fit(ROWS, CLASSES),
    DummyRegressor(strategy="quantile", quantile=0.3).fit(ROWS, TARGET),
    ExtraTreesClassifier(2).fit(ROWS, CLASSES),
    ExtraTreesRegressor(2).fit(ROWS, TARGET),
    RandomForestClassifier(2, class_weight="balanced").fit(ROWS, CLASSES),
    RandomForestRegressor(20, oob_score=True, ccp_alpha=0.01, monotonic_cst=[1, 0, 0], random_state=1).fit(
        ROWS, TARGET
    ),
    TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 2), strip_accents="unicode").fit(WORDS),
    TfidfVectorizer(vocabulary=["room"], stop_words=["a"]).fit(WORDS),
    LinearRegression().fit(ROWS, TARGET),
    LogisticRegression().fit(ROWS, CLASSES),
    Ridge().fit(ROWS, TARGET),
    FeatureUnion([("a", StandardScaler()), ("b", StandardScaler(with_mean=False))]).fit(ROWS),
    Pipeline([("s", StandardScaler()), ("r", Ridge())]).fit(ROWS, TARGET),
    OneHotEncoder(drop="first").fit(TABLE),
    OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist").fit(TABLE),
    OneHotEncoder(drop="if_binary", max_categories=3).fit(TABLE),
    OrdinalEncoder(max_categories=2, dtype=np.int64).fit(TABLE),
    OrdinalEncoder().fit(GAPS),
    TargetEncoder().fit(TABLE, TARGET),
    TargetEncoder().fit(TABLE, RANDOM.integers(0, 3, 60)),
    DecisionTreeClassifier().fit(ROWS, CLASSES),
    DecisionTreeRegressor(max_leaf_nodes=9, ccp_alpha=0.01).fit(np.where(ROWS > 1, np.nan, ROWS), TARGET),
    DecisionTreeRegressor().fit(ROWS, np.column_stack([TARGET, TARGET])),
    ExtraTreeClassifier().fit(ROWS, CLASSES),
    ExtraTreeRegressor().fit(ROWS, TARGET),
    ColumnTransformer([("a", StandardScaler(), slice(0, 2)), ("b", "drop", [2])]).fit(ROWS),
    ColumnTransformer([("a", OneHotEncoder(), ["u"])], remainder=OrdinalEncoder()).fit(TABLE),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_a_trusted_estimator_of_scikit_learn_is_stored_and_made_again(estimator):
    content = archive.dump_estimator(estimator)
    again = archive.load_estimator(content, "again")
    assert archive.dump_estimator(again) == content
    inputs = {"OneHotEncoder": TABLE, "OrdinalEncoder": TABLE, "TargetEncoder": TABLE, "TfidfVectorizer": WORDS}
    rows = inputs.get(type(estimator).__name__, TABLE if hasattr(estimator, "feature_names_in_") else ROWS)
    method = "predict" if hasattr(estimator, "predict") else "transform"
    made = [getattr(each, method)(rows) for each in (estimator, again)]
    first, second = (each.toarray() if hasattr(each, "toarray") else np.asarray(each) for each in made)
    assert (first == second).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_support_vectors_of_a_kernel_that_was_computed_before_are_stored_and_made_again(classes):
    # such a model keeps no vectors, only which rows they were
    kernel = ROWS @ ROWS.T
    fitted = SVC(kernel="precomputed").fit(kernel, np.arange(len(ROWS)) % classes)
    again = archive.load_estimator(archive.dump_estimator(fitted), "again")
    assert (again.predict(kernel) == fitted.predict(kernel)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ccp_alpha", -1.0), ("min_samples_leaf", "two"), ("max_depth", 0), ("min_impurity_decrease", [0.0])],
)
def test_a_bound_of_a_tree_that_scikit_learn_does_not_accept_is_refused(name, value):
    tree = DecisionTreeRegressor().fit(ROWS, TARGET).set_params(**{name: value})
    with pytest.raises(ModelError, match=rf"Regressor\.{name} is .*; only .* in the range .* is loaded"):
        archive.load_estimator(archive.dump_estimator(tree), "tree")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_model_that_an_older_relet_stored_is_loaded_and_stored_again_with_the_same_bytes(path):
    content = path.read_bytes()
    again = archive.dump_estimator(archive.load_estimator(content, path.stem))
    # an address in memory is no longer stored
    assert again == content or b"_stop_words_id" in content
    assert archive.dump_estimator(archive.load_estimator(again, path.stem)) == again


def test_a_model_works_alone_and_in_silence_wherever_it_is_loaded():
    forest = RandomForestRegressor(2, n_jobs=-1).fit(ROWS, TARGET)
    assert archive.load_estimator(archive.dump_estimator(forest), "forest").n_jobs == 1
    loud = archive.load_estimator(archive.dump_estimator(forest.set_params(n_jobs=3, verbose=2)), "forest")
    assert (loud.n_jobs, loud.verbose) == (1, 0)


def test_the_size_of_arrays_is_a_setting(monkeypatch):
    content = archive.dump_estimator(ESTIMATORS[3])
    monkeypatch.setenv("RELET_MODEL_BYTES", "1000")
    with pytest.raises(ModelError, match="more than the 1000 that are allowed; set RELET_MODEL_BYTES"):
        archive.load_estimator(content, "forest")
    monkeypatch.setenv("RELET_MODEL_BYTES", "1000000")
    assert archive.load_estimator(content, "forest").n_estimators == 2
    monkeypatch.setenv("RELET_MODEL_BYTES", "much")
    with pytest.raises(SettingError, match="RELET_MODEL_BYTES must be a number of bytes above 0, got 'much'"):
        stored.expanded_limit()


@st.composite
def branches(draw):
    size = draw(st.integers(1, 9))
    places = st.lists(st.integers(-2, size), min_size=size, max_size=size)
    return np.array(draw(places)), np.array(draw(places))


@settings(max_examples=300)
@given(branches())
def test_what_counts_as_a_tree_is_walked_from_its_root_to_each_node_once(sides):
    left, right = sides
    if wrong_trees(left, right, np.zeros(1, dtype=np.int64)):
        return
    waiting, seen = [0], []
    while waiting:
        seen.append(place := waiting.pop())
        assert len(seen) <= len(left)
        waiting += [each for each in (left[place], right[place]) if each >= 0]
    assert sorted(seen) == list(range(len(left)))


@settings(max_examples=60)
@given(st.data())
def test_a_tree_that_grew_by_splits_counts_as_one(data):
    left, right = [-1], [-1]
    for _ in range(data.draw(st.integers(0, 12))):
        leaf = data.draw(st.sampled_from([place for place, child in enumerate(left) if child < 0]))
        left[leaf], right[leaf] = len(left), len(left) + 1
        left += [-1, -1]
        right += [-1, -1]
    assert wrong_trees(np.array(left), np.array(right), np.zeros(1, dtype=np.int64)) == ""
    assert (
        "deep" in wrong_trees(np.array(left), np.array(right), np.zeros(1, dtype=np.int64), deepest=0)
        or len(left) == 1
    )


@pytest.fixture(scope="module")
def text():
    return BoostedRegressor(n_estimators=3, num_leaves=4).fit(ROWS, np.exp(TARGET)).native


@settings(max_examples=300)
@given(data=st.data())
def test_a_booster_with_any_change_is_refused_in_words_or_still_a_booster(text, data):
    place = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.text("0123456789 .-+e=:[]\n\x00xTree", max_size=6))
    changed = text[:place] + put + text[place + length :]
    assume(changed != text)
    try:
        check_booster(changed, 3)
    except ModelError as error:
        assert str(error)
    else:
        assert len(changed.split("Tree=")) == len(text.split("Tree="))


def test_a_booster_that_splits_off_the_rows_without_a_value_alone_is_loaded():
    """LightGBM writes an infinite threshold for it."""
    drawn = np.random.default_rng(0)
    values = drawn.normal(size=(300, 2))
    values[drawn.random((300, 2)) < 0.4] = np.nan
    target = np.where(np.isnan(values[:, 0]), 5.0, 0.0) + drawn.normal(size=300) / 10
    text = BoostedRegressor(n_estimators=5, min_child_samples=5).fit(values, np.exp(target)).native
    assert "inf " in text
    check_booster(text, 2)
    with pytest.raises(ModelError):
        check_booster(text.replace("inf ", "nan ", 1), 2)


@settings(max_examples=150)
@given(data=st.data())
def test_an_archive_with_any_change_is_refused_in_words_or_loaded(data):
    content = archive.dump_estimator(ESTIMATORS[23])
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[:place] + data.draw(st.binary(max_size=4)) + content[place + data.draw(st.integers(0, 4)) :]
    try:
        assert archive.load_estimator(changed, "changed") is not None
    except ModelError as error:
        assert "changed" in str(error)


def test_the_folder_of_a_model_that_an_older_relet_exported_is_loaded_as_before():
    model = load_model(Path(__file__).parent / "stored_models" / "format_1")
    # its rows had no types of text, and reach the pipeline as they come
    assert model.as_given and model.missing == ["room", "nights", "seen"]
    stored = json.loads((Path(__file__).parent / "stored_models" / "format_1" / "golden.json").read_text())
    rows = pd.DataFrame(stored["rows"], columns=stored["columns"], dtype=object)
    assert model.predict(rows).tolist() == [float.fromhex(each) for each in stored["predictions"]]


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (FunctionTransformer(lambda rows: rows), r"FunctionTransformer\.func is the function .*<lambda>"),
        (CountVectorizer(tokenizer=str.split, token_pattern=None), r"CountVectorizer\.tokenizer is the function"),
        (CountVectorizer(token_pattern="(a+)+b"), r"CountVectorizer\.token_pattern is '\(a\+\)\+b'"),
        (Pipeline([("s", StandardScaler())], memory="/tmp/kept"), r"Pipeline\.memory is '/tmp/kept'"),
        (SVC(kernel=lambda left, right: left @ right.T), r"SVC\.kernel is the function"),
    ],
    ids=["function", "tokenizer", "pattern", "files", "kernel"],
)
def test_what_can_not_be_stored_is_said_with_its_estimator_its_attribute_and_what_to_do(estimator, said):
    with pytest.raises(ModelError, match=f"{said}.*return the model's files as a Path"):
        archive.dump_estimator(estimator)
