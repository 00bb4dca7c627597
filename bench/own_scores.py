"""Score a project's model and scikit-learn's default on the same rows; `bench/own.py` runs it in the project.

    python own_scores.py NAME

The model and the rows come from the project's store. The default is HistGradientBoosting as it is: it reads every
column but the target, text as categories, dates as days, and is fitted on the rows of `trainval`. It prints JSON:
for each model R² of a regression, log loss and accuracy of a classification.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from relet.project.importing import set_library_defaults

# As in a run of relet: threads that wait actively make a fit many times slower beside other processes.
set_library_defaults()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: E402
from sklearn.metrics import accuracy_score, log_loss, r2_score  # noqa: E402

import relet  # noqa: E402

# The most categories that the default takes as such; a column with more is numbered.
MOST_CATEGORIES = 255


def as_numbers(rows: pd.DataFrame, kinds: dict[str, str], train: pd.DataFrame) -> pd.DataFrame:
    """The rows as the default reads them; categories are those of `train`."""
    made = {}
    for name, kind in kinds.items():
        if kind == "string":
            values = train[name].dropna().unique().tolist()
            column = pd.Categorical(rows[name], categories=values)
            made[name] = column if len(values) <= MOST_CATEGORIES else column.codes
        elif kind in ("date32", "timestamp[us]"):
            made[name] = (pd.to_datetime(rows[name]) - pd.Timestamp("2000-01-01")).dt.days
        else:
            made[name] = rows[name].astype(float)
    return pd.DataFrame(made, index=rows.index)


def main(name: str) -> None:
    sys.path.insert(0, ".")
    columns: Any = import_module(f"pipelines.{name}.columns")
    train, test = relet.load("trainval:latest"), relet.load("test:latest")
    model, target = relet.load("model:latest"), columns.TARGET
    kinds = {each.name: each.type for each in columns.ROWS.columns if each.name != target}
    features, rows = as_numbers(train, kinds, train), as_numbers(test, kinds, train)
    classes = getattr(columns, "CLASSES", ())
    maker = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    default = maker(categorical_features="from_dtype", random_state=0).fit(features, train[target])
    if not classes:
        ours, other = model.predict(test), default.predict(rows)
        found = {
            key: {"r2": float(r2_score(test[target], each))} for key, each in (("ours", ours), ("other", other))
        }
    else:
        found = {
            "ours": _classified(test[target], model.pipeline.predict_proba(test[columns.INPUTS]), model.pipeline),
            "other": _classified(test[target], default.predict_proba(rows), default),
        }
    print(json.dumps({"rows": len(train) + len(test), **found}))


def _classified(truth: Any, shares: Any, model: Any) -> dict[str, float]:
    labels = np.asarray(model.classes_)
    return {
        "log_loss": float(log_loss(truth, shares, labels=labels)),
        "accuracy": float(accuracy_score(truth, labels[shares.argmax(axis=1)])),
    }


if __name__ == "__main__":
    main(sys.argv[1])
