"""What stands in the places of a pipeline's templates, from what its columns are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from relet.data.dialect import CsvDialect
from relet.data.schema import ColumnType
from relet.templates.literals import python_list, python_literal, python_tuple, yaml_mapping, yaml_value
from relet.templates.roles import Roles, Task
from relet.templates.typed_file import TypedFile

# The largest file that is checked, as a multiple of the first one.
GROWTH = 100
# From how many rows on a regression gets more rounds of boosting, and larger trees.
MANY_ROWS, VERY_MANY_ROWS = 5_000, 20_000

# How each kind of column enters a model.
_FEATURES = {
    "categories": '("categories", encoder, CATEGORIES),',
    "numbers": '("numbers", Numbers(NUMBERS), NUMBERS),',
    "dates": '*((f"since_{name}", DaysSince(name), [name]) for name in DATES),',
    "texts": '*((f"says_{name}", TextWeights(name, max_features=50), [name]) for name in TEXTS),',
}
_ENCODER = '        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)\n'
_MODELING = {
    Task.REGRESSION: """  max_iter: {rounds}         # rounds of boosting
  learning_rate: 0.05
  max_leaf_nodes: {leaves}
  min_samples_leaf: 10
  l2_regularization: 1.0
  max_features: 0.5     # the share of the features that a split looks at
""",
    Task.CLASSIFICATION: """  max_iter: 150         # rounds of boosting
  learning_rate: 0.06
  max_leaf_nodes: 15
  min_samples_leaf: 10
  l2_regularization: 1.0
  max_features: 0.5     # the share of the features that a split looks at
""",
}
_GATES = {
    Task.REGRESSION: """  min_r2: 0.0           # the least R² on the test rows
  max_worse: 1.02       # the largest MAE, as a multiple of the champion's""",
    Task.CLASSIFICATION: """  min_accuracy: 0.0     # on the test rows
  max_worse: 1.02       # the largest log loss, as a multiple of the champion's
  coverage: 0.9         # of the prediction sets: the share of rows whose class is to be in their set,
  min_coverage: 0.8     # and the least share on the test rows, where chance has its part""",
}
_TASK_TESTS = {
    Task.REGRESSION: "",
    Task.CLASSIFICATION: """

def test_each_class_is_measured_and_the_matrix_is_drawn(store: str) -> None:
    model = relet.load("model:latest", store=store)
    told = {check.name for check in relet.load("evaluation:latest", store=store).checks}
    assert {"accuracy", *(f"{model.target} = {label}" for label in model.classes)} <= told
    assert relet.load("confusion_matrix:latest", store=store).svg
    assert "Which is taken for which" in relet.load("class_report:latest", store=store).html


def test_probabilities_add_up_and_a_set_holds_the_predicted_class(store: str) -> None:
    model = relet.load("model:latest", store=store)
    rows = relet.load("test:latest", store=store)
    assert (model.probabilities(rows).sum(axis=1) - 1).abs().max() < 1e-9
    sets = model.predict_set(rows, 0.8)
    assert all(sets.loc[place, label] for place, label in zip(rows.index, model.predict(rows), strict=True))
    assert 0 <= relet.load("test_metrics:latest", store=store)["test_accuracy"] <= 1
""",
}
_EVALUATION_WORDS = {
    Task.REGRESSION: "",
    Task.CLASSIFICATION: "; the page: `relet artifacts get class_report:latest`",
}
_MODEL_WORDS = {
    Task.REGRESSION: "trains gradient-boosted trees (regression)",
    Task.CLASSIFICATION: "trains gradient-boosted trees (classification)",
}


def pipeline_words(name: str, file: TypedFile, roles: Roles, *, source: str) -> dict[str, str]:
    """The word for each place of the templates; `source` is the file's path as the configuration names it."""
    return {
        "name": name,
        "target": roles.target,
        "target_text": python_literal(roles.target),
        "source": source,
        "source_text": yaml_value(source),
        **_column_words(roles),
        **_model_words(roles),
        **_check_words(roles),
        **_configuration_words(file, roles),
    }


def _column_words(roles: Roles) -> dict[str, str]:
    lines = [f"        {_schema_column(name, type, roles.key)}" for name, type in roles.types.items()]
    comments = [f"# {name}: {reason}" for name, reason in roles.left_out.items()]
    words = [f"- `{name}`: {reason}." for name, reason in roles.left_out.items()]
    values = [
        f"# The values of {roles.target}, in the order of the probabilities.",
        f"CLASSES = {python_tuple(roles.classes)}\n",
    ]
    return {
        "schema_lines": "\n".join(lines),
        "unique_line": f"    unique=({python_literal(roles.key)},),\n" if roles.key else "",
        "classes_lines": "\n".join(values) if roles.task is Task.CLASSIFICATION else "",
        "numbers": python_list(roles.numbers),
        "categories": python_list(roles.categories),
        "dates": python_list(roles.dates),
        "texts": python_list(roles.texts),
        "gaps": python_list(roles.gaps),
        "left_out_comments": "\n".join(comments) or "# none but the target",
        "left_out_words": "\n".join(words) or f"Nothing but `{roles.target}` itself.",
    }


def _schema_column(name: str, type: ColumnType, key: str | None) -> str:
    required = ", nullable=False" if name == key else ""
    return f'Column({python_literal(name)}, "{type}"{required}),'


def _model_words(roles: Roles) -> dict[str, str]:
    held = {"categories": roles.categories, "numbers": roles.numbers, "dates": roles.dates, "texts": roles.texts}
    used = [kind for kind, names in held.items() if names]
    classified = roles.task is Task.CLASSIFICATION
    lines = [f"                {_FEATURES[kind]}" for kind in used]
    numeric = [name for kind, name in (("dates", "DaysSince"), ("numbers", "Numbers")) if kind in used]
    kinds = [kind.upper() for kind in used]
    return {
        "feature_lines": "\n".join(lines),
        "numeric_import": f"from relet.features.numeric import {', '.join(numeric)}\n" if numeric else "",
        "text_import": "from relet.features.text import TextWeights\n" if roles.texts else "",
        "encoder_import": "from sklearn.preprocessing import OrdinalEncoder\n" if roles.categories else "",
        "encoder_line": _ENCODER if roles.categories else "",
        "kind_imports": ", ".join(sorted([*kinds, "INPUTS", "TARGET"] if classified else kinds)),
        "class_import": "CLASSES, " if classified else "",
        "class_reason": ('        f"another {TARGET}": ~sample[TARGET].isin(CLASSES),\n' if classified else ""),
        "model_words": _MODEL_WORDS[roles.task],
        "evaluation_words": _EVALUATION_WORDS[roles.task],
    }


def _check_words(roles: Roles) -> dict[str, str]:
    measured = [name for name in roles.numbers if roles.types[name] in ("int64", "double")]
    missing = list(roles.gaps)
    parts = list(_reference_tests(roles, measured, missing))
    names = {
        "CATEGORIES": roles.categories,
        "GAPS": missing,
        "NUMBERS": measured,
        "ROWS": measured,
        "TARGET": True,
    }
    return {
        "statistics": ", ".join(sorted({statistic for statistic, _ in parts})),
        "reference_imports": ", ".join(name for name, used in names.items() if used),
        "measured_line": (
            'MEASURED = [each.name for each in ROWS.columns if each.name in NUMBERS and each.type != "bool"]\n\n\n'
            if measured
            else "\n"
        ),
        "reference_tests": "\n\n\n".join(text for _, text in parts),
        "key_check": _KEY_CHECK.format(key=python_literal(roles.key)) if roles.key else "",
    }


_KEY_CHECK = '''

def test_keys_are_unique(data: Table, offending: OffendingRows) -> None:
    """No row is there twice."""
    twice = data.group_by({key}).having(data.count() > 1).agg()
    offending(twice, "a key that another row has, too")
'''


def _reference_tests(roles: Roles, measured: Sequence[str], missing: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The statistic and the source of each test that compares with the reference."""
    statistic = "kolmogorov_smirnov" if roles.task is Task.REGRESSION else "chi_square"
    yield (
        statistic,
        f'''def test_target(data: Table, reference: Table, judge: Judge) -> None:
    """The target is distributed as in the reference."""
    judge({statistic}(data[TARGET], reference[TARGET]))''',
    )
    if measured:
        yield (
            "kolmogorov_smirnov",
            '''@pytest.mark.parametrize("name", MEASURED)
def test_numbers(name: str, data: Table, reference: Table, judge: Judge) -> None:
    """Numbers are distributed as in the reference."""
    judge(kolmogorov_smirnov(data[name], reference[name]))''',
        )
    if roles.categories:
        yield (
            "chi_square",
            '''@pytest.mark.parametrize("name", CATEGORIES)
def test_categories(name: str, data: Table, reference: Table, judge: Judge) -> None:
    """Categories have the reference's shares."""
    judge(chi_square(data[name], reference[name]))''',
        )
    if missing:
        yield (
            "missing_share",
            '''@pytest.mark.parametrize("name", GAPS)
def test_missing_values(name: str, data: Table, reference: Table, judge: Judge) -> None:
    """Values are not missing more often than in the reference."""
    judge(missing_share(data[name], reference[name], alternative="greater"))''',
        )


def _configuration_words(file: TypedFile, roles: Roles) -> dict[str, str]:
    columns = {each.name: each.layout for each in file.columns if each.layout is not None}
    regression = roles.task is Task.REGRESSION
    return {
        "dialect_lines": "".join(_dialect_lines(file.dialect)),
        "columns_lines": yaml_mapping(columns, 4),
        "bounds_lines": yaml_mapping({name: list(bounds) for name, bounds in roles.bounds.items()}, 4),
        "min_rows": str(roles.rows // 2),
        "max_rows": str(roles.rows * GROWTH),
        "split_why": _sentence(roles.split.why),
        "method": roles.split.method,
        **{name: yaml_value(getattr(roles.split, name)) for name in ("key", "stratify_by", "group_by", "time_by")},
        "modeling_lines": _modeling_lines(roles),
        "gate_lines": _GATES[roles.task],
        "metric": "mae" if regression else "log_loss",
        "sweep": "modeling.learning_rate=0.03,0.1",
        "task_tests": _TASK_TESTS[roles.task],
        "open_gate": "gate.min_r2=-1000" if regression else "gate.min_coverage=0",
    }


def _modeling_lines(roles: Roles) -> str:
    """The settings of the model, by the number of rows.

    Cross-validation on training rows decided (R², 3 folds): 400 rounds in place of 200 were better on each of four
    files of 6,000 to 12,000 rows, 31 leaves in place of 15 on a file of 43,000 rows.
    """
    if roles.task is Task.CLASSIFICATION:
        return _MODELING[roles.task]
    rounds, leaves = 400 if roles.rows >= MANY_ROWS else 200, 31 if roles.rows >= VERY_MANY_ROWS else 15
    return _MODELING[roles.task].format(rounds=rounds, leaves=leaves)


def _dialect_lines(dialect: CsvDialect) -> Iterator[str]:
    plain = CsvDialect()
    comments: Mapping[str, str] = {
        "separator": "what stands between fields",
        "encoding": "of the file's text",
        "decimal": "the decimal sign",
        "thousands": "the sign between groups of three digits",
        "missing": "words that stand for a missing value",
    }
    for name, comment in comments.items():
        value = getattr(dialect, name)
        if value != getattr(plain, name):
            yield f"  {name}: {yaml_value(value)}   # {comment}\n"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
