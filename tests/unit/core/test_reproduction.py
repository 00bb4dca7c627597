"""The verdict on a run that was made again, as a pure function of its steps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.core.artifact import Verdict
from relet.core.record import CodeState
from relet.core.reproduction import (
    Likeness,
    OutputVerdict,
    Reproduction,
    StepVerdict,
    judge_reproduction,
    machine_changes,
)

ORDER = list(Likeness)
likenesses = st.sampled_from([Likeness.IDENTICAL, Likeness.EQUIVALENT, Likeness.DIVERGED])


def output(likeness: Likeness, name: str = "model", **more: object) -> OutputVerdict:
    about = {
        "name": name,
        "recorded": f"{name}:v1",
        "recorded_content": "a",
        "reproduced_content": "a" if likeness is Likeness.IDENTICAL else "b",
        "likeness": likeness,
        "differences": () if likeness is Likeness.IDENTICAL else (f"{name} is other",),
        **more,
    }
    return OutputVerdict(**about)  # type: ignore[arg-type]


def step(name: str, *likeness: Likeness, **more: object) -> StepVerdict:
    outputs = tuple(output(each, f"{name}_{number}") for number, each in enumerate(likeness))
    return StepVerdict(component=name, run="r", **{"outputs": outputs, **more})  # type: ignore[arg-type]


@given(st.lists(st.lists(likenesses, max_size=3), min_size=1, max_size=4))
def test_the_verdict_is_that_of_the_worst_output(found: list[list[Likeness]]) -> None:
    steps = [step(f"step{number}", *each) for number, each in enumerate(found)]
    worst = max((each for row in found for each in row), key=ORDER.index, default=Likeness.IDENTICAL)
    likeness, reason = judge_reproduction(steps)
    assert likeness is worst
    assert reason


def test_the_first_step_whose_inputs_were_equal_is_named() -> None:
    steps = [
        step("clean", Likeness.IDENTICAL),
        step("train", Likeness.DIVERGED, changes=("seed 42 → 43",)),
        step("test", Likeness.DIVERGED, inputs_equal=False),
    ]
    assert judge_reproduction(steps) == (
        Likeness.DIVERGED,
        "train is the first step that differs (its inputs were equal): train_0: train_0 is other; "
        "different was: seed 42 → 43",
    )


def test_what_follows_from_a_tolerance_says_so() -> None:
    steps = [
        step("train", Likeness.EQUIVALENT, changes=("numpy 2.4 → 2.5",)),
        step("test", Likeness.DIVERGED, inputs_equal=False),
    ]
    assert (
        "test is the first step that differs (its inputs were within their tolerance"
        in judge_reproduction(steps)[1]
    )


def test_an_identical_run_says_what_was_different_all_the_same() -> None:
    assert (
        judge_reproduction([step("train", Likeness.IDENTICAL)])[1]
        == "every digest is equal, of 1 output of 1 step"
    )
    said = judge_reproduction([step("train", Likeness.IDENTICAL, changes=("numpy 2.4 → 2.5",))])[1]
    assert said.endswith("; different was: numpy 2.4 → 2.5, which made no difference")


def test_an_equivalent_run_names_what_was_different() -> None:
    steps = [step("train", Likeness.EQUIVALENT, changes=("numpy 2.4 → 2.5", "python 3.11 → 3.12"))]
    said = judge_reproduction(steps)[1]
    assert said.startswith("train: train_0 within its tolerance (its numbers are equal)")
    assert said.endswith("different was: numpy 2.4 → 2.5; python 3.11 → 3.12")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "`relet run --check-determinism` looks for what is not"),
        ({"caveats": ("reads factor.txt, which …",)}, "but no record holds that it reads factor.txt, which …"),
        ({"caveats": ("runs code that is not committed: a.py",)}, "`relet run --check-determinism`"),
        ({"caveats": ("reads factor.txt",), "changes": ("seed 1 → 2",)}, "different was: seed 1 → 2"),
        ({"error": "train raised OSError: gone", "outputs": ()}, "it was not made: train raised OSError: gone"),
        ({"changes": tuple(f"p{n} 1 → 2" for n in range(7))}, "p4 1 → 2 and 2 more"),
        (
            {"outputs": (output(Likeness.DIVERGED, reproduced_content="a"),)},
            "what was made again has the digest that the run recorded",
        ),
    ],
)
def test_why_a_step_differs_is_said_as_far_as_it_is_known(more: dict[str, object], said: str) -> None:
    likeness, reason = judge_reproduction([step("train", Likeness.DIVERGED, **more)])
    assert likeness is Likeness.DIVERGED
    assert said in reason


def test_machines_are_compared_by_what_decides_numbers() -> None:
    old = {"python": "3.11.7", "cpus": 8, "environment": {"OMP_NUM_THREADS": "2"}, "mlflow_run_id": "a"}
    new = {"python": "3.11.7", "cpus": 2, "environment": {"PYTHONHASHSEED": "0"}, "mlflow_run_id": "b"}
    assert [str(each) for each in machine_changes(old, new)] == [
        "cpus 8 → 2",
        "OMP_NUM_THREADS 2 → not set",
        "PYTHONHASHSEED not set → 0",
    ]


def test_processors_are_compared_where_both_are_known() -> None:
    old = {"SIMD": "AVX2", "BLAS": "openblas 0.3.30", "BLAS kernel": "Haswell"}
    assert [str(each) for each in machine_changes(old, {"SIMD": "AVX2", "BLAS kernel": "SkylakeX"})] == [
        "BLAS kernel Haswell → SkylakeX"
    ]
    assert machine_changes({}, old) == machine_changes(old, {}) == ()


@pytest.mark.parametrize(("likeness", "status"), list(zip(Likeness, (0, 0, 1, 2), strict=True)))
def test_each_verdict_has_its_exit_status_and_is_a_verdict_like_any_other(likeness: Likeness, status: int) -> None:
    assert likeness.exit_status == status
    steps = () if likeness is Likeness.IMPOSSIBLE else (step("train", likeness),)
    found = Reproduction(target="model:v1", run="r", likeness=likeness, reason="why", when="now", steps=steps)
    verdict = found.verdict()
    assert verdict.passed is (status == 0)
    assert verdict.reason == f"{likeness}: why"
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    assert json.loads(json.dumps(found.to_json()))["likeness"] == likeness


def test_the_tolerance_that_made_an_output_equivalent_is_in_the_reason() -> None:
    output_within = output(Likeness.EQUIVALENT, largest=0.004, tolerance=0.01)
    said = judge_reproduction([step("train", outputs=(output_within,))])[1]
    assert said.startswith("train: model within its tolerance of 0.01 (largest difference 0.004)")


def test_an_identical_output_that_could_not_be_read_is_named_with_the_reason() -> None:
    gone = output(Likeness.IDENTICAL, differences=("gone from the store",))
    assert judge_reproduction([step("train", outputs=(gone,))])[1].endswith("; model:v1: gone from the store")


def test_findings_of_format_1_which_name_no_tolerance_can_be_read() -> None:
    steps = (step("train", Likeness.EQUIVALENT),)
    found = Reproduction(target="r", run="r", likeness=Likeness.EQUIVALENT, reason="", when="now", steps=steps)
    stored = json.loads(json.dumps(found.to_json())) | {"format": 1}
    del stored["steps"][0]["outputs"][0]["tolerance"]
    read = Reproduction.from_json(stored)
    assert (read.format, read.steps[0].outputs[0].tolerance) == (1, None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CodeState(commit="ab12", dirty=True), "ab12 with changes not committed"),
        (CodeState(commit="ab12"), "ab12"),
        (CodeState(dirty=True), "none"),
        (CodeState(dirty=True, git="no repository"), "none (no repository)"),
    ],
)
def test_a_commit_is_said_with_what_changed_since_and_why_there_is_none(code: CodeState, words: str) -> None:
    assert code.commit_in_words == words
