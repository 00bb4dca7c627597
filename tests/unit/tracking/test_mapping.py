"""What MLflow shows of a record, without MLflow."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import Version
from relet.core.record import ArtifactLink, RunRecord, Status
from relet.tracking.mlflow import mapping
from relet.tracking.naming import run_name

RECORD = RunRecord(
    id="20260101T000000000000-abcd1234",
    pipeline="rentals",
    experiment="prices",
    status=Status.SKIPPED,
    started="2026-01-01T00:00:00.000+00:00",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=300), VALUES, max_size=5))
def test_every_parameter_has_a_name_and_a_length_that_mlflow_takes(values: dict[str, Any]) -> None:
    for name, value in mapping.flatten(values):
        assert re.fullmatch(r"[\w.\- /]{1,250}", name, flags=re.ASCII)
        assert not name.startswith("/") and isinstance(value, str) and len(value) <= 6000


def test_a_pipelines_parameters_are_named_by_component() -> None:
    assert dict(mapping.flatten({"train": {"seed": 1, "parameters": {}}})) == {
        "train.seed": "1",
        "train.parameters": "{}",
    }


def test_a_tag_without_a_value_is_left_out_and_a_long_one_is_cut() -> None:
    tags = mapping.tags(RECORD, parent=None, user=None)
    assert tags["relet.status"] == "skipped" and "mlflow.parentRunId" not in tags and "mlflow.user" not in tags
    assert tags["relet.dirty"] == "false"
    long = RunRecord(**{**RECORD.__dict__, "message": "x" * 9000})
    assert len(mapping.tags(long, parent=None, user="someone")["relet.message"]) == 5000


def test_a_pipelines_run_is_called_after_it_and_a_components_after_the_component() -> None:
    assert run_name(RECORD, 120) == "rentals abcd1234"
    assert run_name(RunRecord(**{**RECORD.__dict__, "component": "train"}), 120) == "train"


def test_a_dataset_has_the_columns_with_their_types_where_the_store_knows_them() -> None:
    link = ArtifactLink(version="sample:v2", type="table", content="d" * 64)
    version = Version(
        name="sample",
        number=2,
        type="table",
        content="d" * 64,
        files={},
        metadata={"columns": {"id": "long"}, "rows": 0},
    )
    found = mapping.dataset(link, version, "/store")
    assert json.loads(found["schema"]) == {"mlflow_colspec": [{"name": "id", "type": "long"}]}
    assert found["profile"] == '{"num_rows": 0}' and len(found["digest"]) == 36
    assert mapping.dataset(link, None, "/store")["schema"] is None


def test_a_trial_is_called_after_what_it_set_and_a_sweep_after_what_it_is_of() -> None:
    trial = RunRecord(**{**RECORD.__dict__, "parent": "s", "trial": 3, "overrides": ("a.depth=4", "a.rate=0.1")})
    assert run_name(trial, 120) == "3 a.depth=4 a.rate=0.1"
    sweep = RunRecord(**{**RECORD.__dict__, "job_type": "sweep", "winner": "w"})
    assert run_name(sweep, 120) == "sweep of rentals abcd1234"
    tags = {each: mapping.tags(record, parent=None, user=None) for each, record in (("t", trial), ("s", sweep))}
    assert (tags["t"]["relet.kind"], tags["t"]["relet.trial"], tags["t"]["relet.overrides"]) == (
        *("pipeline", "3"),
        "a.depth=4 a.rate=0.1",
    )
    assert (tags["s"]["relet.kind"], tags["s"]["relet.winner"]) == ("sweep", "w")
    assert run_name(RECORD, 120) == "rentals abcd1234"
