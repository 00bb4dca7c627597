"""Every estimator of scikit-learn is fitted, stored, loaded in another process, and says the same of its rows."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from sklearn.utils import all_estimators

from relet.archives.archive import dump_estimator
from relet.errors import ModelError
from relet.training.model import Model, export_model
from tests.scikit_learn_models import (
    PARTS,
    SILENT,
    answers,
    composed_cases,
    fitted_case,
    plain_cases,
    small_rows,
    table_of,
)
from tests.scikit_learn_settings import settings_cases

# a walk through all estimators takes a minute
pytestmark = pytest.mark.long

# The estimators that can't be stored, with what the refusal says. Whoever makes one storable takes it out.
REFUSED: dict[str, str] = {}


def stored(case, folder):
    """Store a fitted case as a model, or as an archive where it can't be one. What it says of its rows."""
    fitted = fitted_case(case)
    if case.name in PARTS or case.name in SILENT:
        (folder / f"{case.name}.skops").write_bytes(dump_estimator(fitted))
        return answers(fitted, small_rows(case.rows))
    rows = table_of(small_rows(case.rows))
    export_model(Model(pipeline=fitted, example=rows.head(4), target="y"), folder / case.name)
    return answers(fitted, rows)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """What each estimator said before, what it says when it is loaded, and why others were refused."""
    folder, said, refused = tmp_path_factory.mktemp("stored"), {}, {}
    with warnings.catch_warnings():
        # what a small table makes estimators say of their convergence is no matter here
        warnings.simplefilter("ignore")
        for case in (*plain_cases(), *composed_cases(), *settings_cases()):
            try:
                said[case.name] = stored(case, folder)
            except ModelError as error:
                refused[case.name] = str(error)
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("loaded_estimators.py")), str(folder)]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr[-2000:]
    return said, json.loads(again.stdout), refused


@pytest.mark.timeout(300)
def test_what_is_loaded_says_the_same_of_the_same_rows(walked):
    said, again, _ = walked
    assert {name for name in said if not said[name]} == set()
    assert {name: (said[name], again.get(name)) for name in said if said[name] != again.get(name)} == {}


def test_what_is_refused_stands_in_the_table_with_its_reason(walked):
    _, _, refused = walked
    assert set(refused) == set(REFUSED), refused
    assert all(REFUSED[name] in refused[name] for name in refused)


def test_each_estimator_of_scikit_learn_was_tried(walked):
    said, _, refused = walked
    names = {name for name, _ in all_estimators()}
    assert names <= {*said, *refused}
    assert len(names & set(said)) >= 0.98 * len(names)


@pytest.mark.filterwarnings("ignore")
def test_an_estimator_that_says_nothing_of_new_rows_is_no_model_and_that_is_said(tmp_path):
    cases = [case for case in plain_cases() if case.name in SILENT]
    assert len(cases) == len(SILENT)
    for case in cases:
        model = Model(pipeline=fitted_case(case), example=table_of(small_rows(case.rows)).head(4), target="y")
        with pytest.raises(ModelError, match=r"does not predict the rows of its own example.*predict"):
            export_model(model, tmp_path)
