"""Names of artifacts with the pipeline that they belong to, and without it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import Reference, in_pipeline, is_full_name, short_name, within_pipeline
from relet.core.code import FirstPartyCode
from relet.core.pipeline import read_pipeline
from relet.core.record import KeyParts, key_digest
from relet.errors import NotFoundError, WiringError

PIPELINES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,8}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
SELECTORS = st.sampled_from(["", ":latest", ":v3", ":prod-2"])


@given(PIPELINES, NAMES, SELECTORS)
def test_a_short_reference_that_is_made_full_is_the_same_when_it_is_shortened(
    pipeline: str, name: str, selector: str
) -> None:
    full = in_pipeline(pipeline, name + selector)
    assert within_pipeline(pipeline, full) == name + selector
    assert in_pipeline(pipeline, full) == full
    assert is_full_name(in_pipeline(pipeline, name)) and not is_full_name(name)
    assert short_name(in_pipeline(pipeline, name)) == name
    assert str(Reference.parse(full)) == (full if selector else f"{full}:latest")


@given(PIPELINES, PIPELINES, NAMES, SELECTORS)
def test_what_belongs_to_another_pipeline_stays_full(one: str, other: str, name: str, selector: str) -> None:
    full = in_pipeline(other, name + selector)
    shown = within_pipeline(one, full)
    assert shown == (name + selector if one == other else full)
    assert in_pipeline(one, shown) == full


@pytest.mark.parametrize(
    "text", ["/raw", "a/", "a/b/raw", "a/Raw", "../raw", ".a/raw", "a b/raw", "a/raw/v3", "a@1/raw"]
)
def test_what_is_no_full_name_is_no_reference(text: str) -> None:
    assert not is_full_name(text)
    with pytest.raises(NotFoundError, match="write name:v3 or name:alias, or pipeline/name:v3"):
        Reference.parse(text)


def test_a_pipeline_whose_name_no_artifact_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WiringError, match=r"'my pipeline' can't be a pipeline's name.*rename its folder"):
        read_pipeline("my pipeline", tmp_path / "pipeline.py", FirstPartyCode((tmp_path,)))


def test_keys_of_two_pipelines_differ_and_one_without_a_pipeline_is_that_of_an_older_relet() -> None:
    one, other = (KeyParts(component="c", inputs={"x": "1"}, pipeline=name) for name in ("sales", "promo"))
    assert key_digest(one) != key_digest(other)
    written = {
        "component": "c",
        "code": {},
        "packages": {},
        "resources": {},
        "parameters": {},
        "inputs": {"x": "1"},
    }
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    assert key_digest(KeyParts(component="c", inputs={"x": "1"})) == sha256(text.encode()).hexdigest()
