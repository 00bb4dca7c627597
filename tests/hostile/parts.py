"""Parts whose attributes do harm: they open files, start processes, never end, or lead out of an array."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.hostile.folders import (
    Members,
    Schema,
    attributes,
    edit_archive,
    edit_json,
    hostile,
    objects,
    plain,
    sequence,
    set_array,
    set_node,
    set_value,
    stored_array,
)

VECTORIZER = "TfidfVectorizer"


def _type_node(module: str, name: str) -> Schema:
    return {"__class__": name, "__module__": module, "__loader__": "TypeNode"}


@hostile("random_forest")
def vectorizer_that_opens_files(folder: Path) -> None:
    """Texts are names of files, and a golden row names one."""
    set_value(folder, VECTORIZER, "input", "filename")
    (folder.parent / "opened.txt").write_text("sunny loft")

    def named(golden: dict[str, list[dict[str, str]]]) -> None:
        golden["rows"][0]["title"] = str(folder.parent / "opened.txt")

    edit_json(folder, "golden.json", named)


@hostile("random_forest")
def vectorizer_that_reads_files(folder: Path) -> None:
    """Texts are open files."""
    set_value(folder, VECTORIZER, "input", "file")


@hostile("random_forest", needs_process=True)
def vectorizer_with_a_pattern_without_end(folder: Path) -> None:
    """The pattern of words takes a time that doubles with every letter."""
    set_value(folder, VECTORIZER, "token_pattern", r"(x+x+)+y")


@hostile("random_forest")
def vectorizer_with_many_ngrams(folder: Path) -> None:
    """Every run of up to a million words is a feature."""
    set_value(folder, VECTORIZER, "analyzer", "char")
    set_node(folder, VECTORIZER, "ngram_range", lambda _: sequence([plain(1), plain(10**6)], "tuple"))


@hostile("random_forest")
def vectorizer_with_another_analyzer(folder: Path) -> None:
    """The analyzer is a type, which is called."""
    set_node(folder, VECTORIZER, "analyzer", lambda _: _type_node("builtins", "list"))


@hostile("random_forest")
def vectorizer_with_a_tokenizer(folder: Path) -> None:
    """The tokenizer is an estimator's type, which is called with each text."""
    set_node(folder, VECTORIZER, "tokenizer", lambda _: _type_node("sklearn.pipeline", "Pipeline"))


@hostile("random_forest")
def vectorizer_with_a_preprocessor(folder: Path) -> None:
    """The preprocessor is a type, which is called with each text."""
    set_node(folder, VECTORIZER, "preprocessor", lambda _: _type_node("builtins", "str"))


@hostile("random_forest")
def vectorizer_with_another_codec(folder: Path) -> None:
    """The encoding names another module of Python."""
    set_value(folder, VECTORIZER, "encoding", "zlib_codec")


@hostile("random_forest")
def vectorizer_with_unknown_stop_words(folder: Path) -> None:
    """The stop words are a name that nobody knows."""
    set_value(folder, VECTORIZER, "stop_words", "/etc/passwd")


@hostile("random_forest")
def vectorizer_that_counts_in_texts(folder: Path) -> None:
    """The type of weights is text."""
    set_node(folder, VECTORIZER, "dtype", lambda _: _type_node("builtins", "str"))


def _set_places(folder: Path, place: int) -> None:
    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, VECTORIZER):
            words = attributes(node)["vocabulary_"]["content"]
            words[next(iter(words))] = plain(place)

    edit_archive(folder, change)


@hostile("random_forest")
def vectorizer_word_far_away(folder: Path) -> None:
    """A word has a place behind the row, and SciPy writes there."""
    _set_places(folder, 2**30)


@hostile("random_forest")
def vectorizer_word_before_the_row(folder: Path) -> None:
    """A word has a place before the row."""
    _set_places(folder, -(2**30))


@hostile("random_forest")
def vectorizer_two_words_at_one_place(folder: Path) -> None:
    """Two words share a place."""
    _set_places(folder, 1)


@hostile("random_forest")
def vectorizer_with_few_weights(folder: Path) -> None:
    """There are fewer weights than words."""
    set_array(folder, "TfidfTransformer", "idf_", lambda weights: weights[:1])


@hostile("random_forest")
def indicators_of_fewer_columns(folder: Path) -> None:
    """An encoder says that it gives one column, and SciPy writes behind it."""
    set_node(folder, "OneHotEncoder", "_n_features_outs", lambda _: sequence([plain(1)]))


@hostile("random_forest")
def indicators_of_many_columns(folder: Path) -> None:
    """An encoder says that it gives a thousand million columns."""
    set_node(folder, "OneHotEncoder", "_n_features_outs", lambda _: sequence([plain(10**9)]))


def _add_attributes(folder: Path, of: str, **made: object) -> None:
    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, of):
            for name, value in made.items():
                if name not in attributes(node):
                    node["content"]["key_types"]["content"].append(_type_node("builtins", "str"))
                attributes(node)[name] = value(members) if callable(value) else plain(value)

    edit_archive(folder, change)


@hostile("random_forest")
def indicators_that_drop_what_is_not_there(folder: Path) -> None:
    """An encoder drops a category behind its last one."""
    _add_attributes(
        folder, "OneHotEncoder", _drop_idx_after_grouping=lambda members: stored_array(np.array([99]), members)
    )


@hostile("random_forest")
def indicators_of_rare_categories_far_away(folder: Path) -> None:
    """The rare categories have a place behind the row."""
    _add_attributes(
        folder,
        "OneHotEncoder",
        _infrequent_enabled=True,
        _default_to_infrequent_mappings=lambda members: sequence([stored_array(np.array([0, 1, 10**6]), members)]),
    )


@hostile("random_forest")
def forest_with_many_threads(folder: Path) -> None:
    """A forest asks for 24 threads or processes."""
    set_value(folder, "RandomForestRegressor", "n_jobs", 24)


@hostile("random_forest")
def forest_that_talks(folder: Path) -> None:
    """A forest prints what it does."""
    set_value(folder, "RandomForestRegressor", "verbose", 10)


@hostile("random_forest")
def columns_with_many_processes(folder: Path) -> None:
    """A transformer of columns starts processes."""
    set_value(folder, "ColumnTransformer", "n_jobs", 8)


@hostile("random_forest")
def pipeline_with_a_cache(folder: Path) -> None:
    """A pipeline keeps pickles in a folder."""
    set_value(folder, "Pipeline", "memory", "/tmp/cache-of-a-model")


@hostile("random_forest")
def pipeline_with_an_attribute_of_its_own(folder: Path) -> None:
    """An attribute takes the place of a method."""
    _add_attributes(folder, "Pipeline", predict="nothing")


@hostile("random_forest")
def columns_chosen_by_a_type(folder: Path) -> None:
    """The columns of a part are a type, which is called."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "ColumnTransformer"):
            attributes(node)["transformers_"]["content"][0]["content"][2] = _type_node("builtins", "list")

    edit_archive(folder, change)


@hostile("random_forest")
def estimator_of_a_plain_type(folder: Path) -> None:
    """A part is an object of the type of texts."""
    text = {**plain("x"), "__loader__": "ObjectNode", "content": plain("x")}
    text.pop("is_json")

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "ColumnTransformer"):
            attributes(node)["transformers_"]["content"][0]["content"][1] = text

    edit_archive(folder, change)


@hostile("linear")
def pipeline_of_many_steps(folder: Path) -> None:
    """A pipeline has three thousand steps."""

    def change(schema: Schema, members: Members) -> None:
        step = sequence([plain("scaled"), next(objects(schema, "Scaled"))], "tuple")
        attributes(next(objects(schema, "Pipeline")))["steps"]["content"][1:1] = [step] * 3000

    edit_archive(folder, change)


@hostile("linear")
def line_with_few_weights(folder: Path) -> None:
    """A line has one weight of many."""
    set_array(folder, "LinearRegressor", "weights_", lambda weights: weights[:1])


@hostile("linear")
def line_with_a_weight_that_is_no_number(folder: Path) -> None:
    """A weight is NaN."""
    set_array(folder, "LinearRegressor", "weights_", lambda weights: weights.fill(np.nan))


@hostile("linear")
def scaler_with_gaps_far_away(folder: Path) -> None:
    """A scaler marks gaps of a feature that is not there."""
    set_array(folder, "Scaled", "gaps_", lambda gaps: np.array([10**9]))


@hostile("linear")
def score_with_few_weights(folder: Path) -> None:
    """There are fewer weights than words."""
    set_array(folder, "CrossFittedScore", "weights_", lambda weights: weights[:1])


@hostile("linear")
def means_of_fewer_values(folder: Path) -> None:
    """There are fewer means than categories."""
    set_array(folder, "CrossFittedTargetEncoder", "means_", lambda means: means[:1])


@hostile("linear")
def pattern_that_is_a_book(folder: Path) -> None:
    """A pattern has a million letters."""

    def change(schema: Schema, members: Members) -> None:
        for node in objects(schema, "PatternFeatures"):
            attributes(node)["patterns"]["content"]["big"] = plain("(a|b)?" * 200_000)

    edit_archive(folder, change)


@hostile("linear")
def date_that_is_none(folder: Path) -> None:
    """The newest date is the name of a file."""
    set_value(folder, "DaysSince", "newest_", "/etc/hostname")


@hostile("blend")
def blend_with_a_weight_that_is_a_text(folder: Path) -> None:
    """A member's weight is a text."""
    weights = {**plain(None), "__class__": "dict", "__loader__": "DictNode", "content": {"line": plain("much")}}
    weights.pop("is_json")
    weights["key_types"] = sequence([_type_node("builtins", "str")])
    set_node(folder, "BlendRegressor", "weights", lambda _: weights)


@hostile("blend")
def blend_of_what_is_no_pipeline(folder: Path) -> None:
    """A member is a number."""
    pair = sequence([plain("line"), plain(3)], "tuple")
    set_node(folder, "BlendRegressor", "members_", lambda _: sequence([pair]))


@hostile("mlp")
def network_whose_layers_do_not_fit(folder: Path) -> None:
    """A layer gives three numbers, and the next one takes two."""
    set_node(
        folder,
        "NetworkRegressor",
        "weights_",
        lambda members: sequence([stored_array(np.ones((2, 2)), members)] * 2),
    )


@hostile("mlp")
def network_with_an_infinite_weight(folder: Path) -> None:
    """A bias is infinite."""
    set_node(
        folder,
        "NetworkRegressor",
        "biases_",
        lambda members: sequence([stored_array(np.full(3, np.inf), members), stored_array(np.zeros(1), members)]),
    )


@hostile("mlp")
def network_with_a_scale_that_is_no_number(folder: Path) -> None:
    """The scale of predictions is NaN."""
    set_value(folder, "NetworkRegressor", "scale_", float("nan"))
