"""Write the files that make a model folder an MLflow model, without mlflow, times or ids."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from relet.names import __version__

if TYPE_CHECKING:
    import pandas as pd

# The packages that a model needs to load and predict, beside relet itself.
NEEDED = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
# The oldest Python that the lock resolves for.
PYTHON = "3.11"


def needed_versions(extra: Sequence[str] = ()) -> dict[str, str]:
    """The installed version of each package that every model needs, and of those in `extra`."""
    return {name: version(name) for name in sorted({*NEEDED, *extra})}


def are_installed(versions: Mapping[str, str]) -> bool:
    """Whether these versions of packages are what is installed here."""
    try:
        return all(version(name) == number for name, number in versions.items())
    except (PackageNotFoundError, ValueError):
        return False


def environment_files(versions: Mapping[str, str]) -> dict[str, str]:
    """requirements.txt, python_env.yaml and conda.yaml, with the versions of packages pinned."""
    pins = [f"{name}=={number}" for name, number in versions.items()]
    pins.append(f"relet=={__version__}")
    listed = "".join(f"    - {pin}\n" for pin in pins)
    return {
        "requirements.txt": "".join(f"{pin}\n" for pin in pins),
        "python_env.yaml": (
            f'python: "{PYTHON}"\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n'
        ),
        "conda.yaml": (
            f"name: model\nchannels:\n- conda-forge\ndependencies:\n- python={PYTHON}\n- pip\n- pip:\n{listed}"
        ),
    }


# The parameters that a request may add to get more than an estimate. Coverage and explanation are independent.
_PARAMS = [
    {"name": "coverage", "type": "double", "default": None, "shape": None},
    {"name": "explain", "type": "boolean", "default": False, "shape": None},
]


# The parameters that ask a classifier for the probability of each class, and for sets of labels.
_PROBABILITIES = {"name": "probabilities", "type": "boolean", "default": False, "shape": None}
_SETS = {"name": "coverage", "type": "double", "default": None, "shape": None}


def mlmodel(
    kinds: Mapping[str, str],
    *,
    params: bool = False,
    id: str | None = None,
    labels: Sequence[Any] | None = None,
    probabilities: bool = False,
    sets: bool = False,
    outputs: int = 0,
) -> str:
    """The MLmodel file: a python_function that relet loads, with its signature.

    `kinds` are those of `column_kind`. A classifier gives `labels`, and a request may ask for `probabilities` and
    for `sets` where the model gives any. `outputs` is the number of columns of predictions; 0 where each is one
    value.

    With `params` a request may ask for an interval and an explanation. The signature names the optional column
    `id` too: MLflow drops columns that it does not name, and a row without its id could be its own comparable.
    """
    inputs = [{"name": name, "type": _MLFLOW_TYPES[kind_], "required": True} for name, kind_ in kinds.items()]
    if id is not None and id not in kinds:
        # some clients send numbers as text, or as floats where one is missing
        inputs.append({"name": id, "type": "any", "required": False})
    asked = [
        *(_PARAMS if params else [_SETS] if sets else []),
        *([_PROBABILITIES] if probabilities else []),
    ]
    signature = {
        "inputs": json.dumps(inputs),
        "outputs": json.dumps([_output(labels, outputs)]),
        "params": json.dumps(asked) if asked else None,
    }
    described: dict[str, Any] = {
        "flavors": {
            "python_function": {
                "loader_module": "relet.training.pyfunc",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            }
        },
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "signature": signature,
    }
    # JSON is YAML: writing it needs no library, and no new version of a library changes it
    return json.dumps(described, indent=1) + "\n"


def _output(labels: Sequence[Any] | None, outputs: int) -> dict[str, Any]:
    """What MLflow says of a model's predictions: numbers, or labels of one type."""
    if labels is None or outputs:
        kind = "float64" if labels is None else "str"
        return {"type": "tensor", "tensor-spec": {"dtype": kind, "shape": [-1, outputs] if outputs else [-1]}}
    kinds = {bool: "boolean", int: "long", float: "double"}
    found = {kinds.get(type(each), "string") for each in labels} or {"string"}
    return {"type": found.pop() if len(found) == 1 else "string", "required": True}


def input_example(example: pd.DataFrame) -> str:
    """A few rows in the form that MLflow shows and sends."""
    return json.dumps(
        json.loads(example.to_json(orient="split", index=False, date_format="iso", date_unit="s")), indent=1
    )


# "any" where MLflow's types are too narrow. Whole numbers come as 64-bit integers, which MLflow does not accept as
# doubles, or with gaps, which it does not accept as integers. Dates come as text or as dates.
_MLFLOW_TYPES = {"boolean": "boolean", "date": "any", "number": "double", "text": "string", "whole": "any"}


def column_kind(column: pd.Series[Any]) -> str:
    """The kind of a column's values: boolean, whole (numbers without a fraction), number, date or text.

    >>> import pandas as pd
    >>> column_kind(pd.Series([1, 2])), column_kind(pd.Series([0.5]))
    ('whole', 'number')
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_integer_dtype(column):
        return "whole"
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(column) else "text"
