"""Names wire the pipeline, and wrong wiring is an error before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from relet.core.artifact import ArtifactType, Stored
from relet.core.code import FirstPartyCode
from relet.core.component import Component, Input, Output, Parameter
from relet.core.pipeline import Pipeline, read_pipeline
from relet.errors import NotFoundError, SignatureError, WiringError


def step(
    name: str,
    takes: Sequence[str | Input] = (),
    makes: Sequence[str | Output] = (),
    judges: Sequence[str] = (),
) -> Component:
    return Component(
        name=name,
        module=name,
        path=Path(f"{name}.py"),
        job_type=name,
        inputs=tuple(Input(name=each, container="pandas") if isinstance(each, str) else each for each in takes),
        outputs=tuple(
            Output(name=each, type=ArtifactType.TABLE) if isinstance(each, str) else each for each in makes
        ),
        parameters=(Parameter(name="size", annotation="int", types=(int,), default=1),),
        judges=tuple(judges),
    )


VERDICT = Output(name="verdict", type=ArtifactType.VERDICT)


def test_components_are_put_in_the_order_their_artifacts_ask_for() -> None:
    pipeline = Pipeline([step("c", ["b"]), step("b", ["a"], ["b"]), step("a", [], ["a"])])
    assert pipeline.names == ("a", "b", "c")


def test_what_needs_no_order_keeps_the_one_it_was_given() -> None:
    pipeline = Pipeline([step("z", [], ["z"]), step("a", [], ["a"]), step("m", ["z"])])
    assert pipeline.names == ("z", "a", "m")


def test_a_gate_comes_before_whatever_else_consumes_what_it_judges() -> None:
    pipeline = Pipeline([step("make", [], ["a"]), step("use", ["a"]), step("check", ["a"], [VERDICT])])
    assert pipeline.names == ("make", "check", "use")
    assert [each.name for each in pipeline.gatekeepers(pipeline.component("use"))] == ["check"]
    assert pipeline.gatekeepers(pipeline.component("check")) == ()


def test_a_component_that_takes_the_verdict_itself_is_not_held_back_by_it() -> None:
    taken = Input(name="verdict", container="verdict")
    pipeline = Pipeline([step("make", [], ["a"]), step("tell", ["a", taken]), step("check", ["a"], [VERDICT])])
    assert pipeline.names == ("make", "check", "tell")
    assert pipeline.gatekeepers(pipeline.component("tell")) == ()


def test_a_component_may_judge_what_it_makes() -> None:
    split = step("split", ["a"], ["b", VERDICT], ["b"])
    pipeline = Pipeline([step("make", [], ["a"]), split, step("use", ["b"]), step("other", ["a"])])
    assert [each.name for each in pipeline.gatekeepers(pipeline.component("use"))] == ["split"]
    assert pipeline.gatekeepers(pipeline.component("other")) == ()


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ([step("a", ["b"], ["a"]), step("b", ["a"], ["b"])], "goes in a circle: .*a.*b"),
        ([step("a", ["sampel"]), step("b", [], ["sample"])], r"a takes sampel, .* did you mean sample\?"),
        ([step("a", [], ["x"]), step("b", [], ["x"])], "two components make x: a and b"),
        ([step("a", [], ["reproduction"])], "a makes reproduction, which relet .* rename the output"),
        ([step("a", [], ["determinism"])], "a makes determinism, which relet .* rename the output"),
        ([step("a"), step("a")], "two components named a"),
        ([step("a", [], [VERDICT]), step("b", ["verdict"])], "b takes verdict as table, but a makes it a verdict"),
        (
            [step("m", [], ["x"]), step("a", ["x"], [VERDICT], ["y"])],
            "a judges 'y', which it neither takes nor makes",
        ),
        ([step("m", [], ["x"]), step("a", ["x"], [], ["x"])], "a judges x but gives no Verdict"),
        (
            [step("a", [Input(name="r", container="pandas", stored=Stored("x:ref", "x"))])],
            "a takes x, which no component makes",
        ),
    ],
)
def test_wrong_wiring_is_refused(components: list[Component], said: str) -> None:
    with pytest.raises(WiringError, match=said):
        Pipeline(components)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"on_request": ["make_"]}, r"on_request names 'make_', .* did you mean make\?"),
        ({"by_name": ["maker"]}, r"by_name names 'maker', .* did you mean make\?"),
        ({"settings": {"etl.size": "mak.size"}}, r"etl.size feeds mak.size: did you mean make\?"),
        ({"settings": {"etl.size": "make.siz"}}, r"etl.size feeds make.siz: did you mean size\?"),
    ],
)
def test_wrong_names_beside_the_components_are_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(WiringError, match=said):
        Pipeline([step("make", [], ["a"])], **arguments)  # type: ignore[arg-type]


def test_steps_are_selected_in_their_order_whatever_order_they_are_named_in() -> None:
    pipeline = Pipeline([step("a", [], ["a"]), step("b", ["a"], ["b"]), step("c", ["b"])], on_request=["c"])
    assert [each.name for each in pipeline.select(["b", "a"])] == ["a", "b"]
    assert [each.name for each in pipeline.select(None)] == ["a", "b"]
    assert [each.name for each in pipeline.select(["c"])] == ["c"]
    assert [each.name for each in pipeline.select(None, all_of_them=True)] == ["a", "b", "c"]


def test_what_runs_by_its_name_alone_is_not_among_all_of_them() -> None:
    steps = [step("a", [], ["a"]), step("b", ["a"], ["b"]), step("c", ["b"])]
    pipeline = Pipeline(steps, on_request=["c"], by_name=["b"])
    assert [each.name for each in pipeline.select(None)] == ["a"]
    assert [each.name for each in pipeline.select(None, all_of_them=True)] == ["a", "c"]
    assert [each.name for each in pipeline.select(["b", "a"])] == ["a", "b"]
    assert pipeline.on_request == ("c", "b")


def test_an_unknown_step_gets_the_nearest_right_name() -> None:
    with pytest.raises(WiringError, match=r"no step 'trian': did you mean train\?"):
        Pipeline([step("train", [], ["a"])]).select(["trian"])


MODULE = """
from typing import NamedTuple
from relet import Table, component

class Made(NamedTuple):
    sample: Table

@component(job_type="get")
def get(*, rows: int = 3) -> Made:
    raise SystemExit
"""


def written(folder: Path, pipeline: str) -> Pipeline:
    (folder / "steps").mkdir()
    (folder / "steps" / "get.py").write_text(MODULE)
    path = folder / "pipeline.py"
    path.write_text(pipeline)
    return read_pipeline("tiny", path, FirstPartyCode((folder,)))


def test_a_pipeline_is_read_from_its_module_without_importing_it(tmp_path: Path) -> None:
    pipeline = written(
        tmp_path,
        "from relet import Pipeline\nfrom steps.get import get\nraise SystemExit\n"
        "pipeline = Pipeline([get], on_request=[get], by_name=[get], settings={'etl.rows': 'get.rows'})\n",
    )
    assert pipeline.name == "tiny"
    assert pipeline.names == ("get",)
    assert pipeline.on_request == pipeline.by_name == ("get",)
    assert pipeline.settings == {"etl.rows": ("get.rows",)}


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("x = 1", NotFoundError, "has no line"),
        ("from relet import Pipeline\npipeline = Pipeline(steps())", SignatureError, "written out as a list"),
        (
            "from relet import Pipeline\nfrom a.b import c\npipeline = Pipeline([c])",
            SignatureError,
            "no first-party module a.b",
        ),
    ],
)
def test_a_pipeline_that_cannot_be_read_says_why(
    tmp_path: Path, source: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        written(tmp_path, source)


def test_upstream_of_a_component_are_the_makers_of_its_inputs_and_what_judges_them() -> None:
    pipeline = Pipeline(
        [
            step("draw", [], ["raw"]),
            step("check", ["raw"], [VERDICT]),
            step("clean", ["raw"], ["clean"]),
            step("other", [], ["other"]),
            step("train", ["clean"], ["model"]),
            step("test", ["model", "other"]),
        ]
    )
    assert pipeline.upstream("train") == ("draw", "check", "clean", "train")
    assert pipeline.upstream("draw") == ("draw",)
    assert pipeline.upstream("clean", "other") == ("draw", "check", "clean", "other")
    assert pipeline.upstream() == ()


def test_upstream_of_a_stored_input_is_the_product_of_this_run_that_would_be_taken_instead() -> None:
    model = Input(name="model", container="pandas", stored=Stored("model:prod"))
    first = Input(name="reference", container="pandas", stored=Stored("clean:reference", "clean"))
    pipeline = Pipeline(
        [
            step("clean", [], ["clean"]),
            step("train", [], ["model"]),
            step("score", [model], ["scores"]),
            step("compare", [first]),
        ]
    )
    assert pipeline.upstream("score") == ("train", "score")
    assert pipeline.upstream("compare") == ("clean", "compare")
