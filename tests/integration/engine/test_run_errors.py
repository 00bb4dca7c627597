"""Runs that end badly, or never begin: what is said, and what stays."""

from __future__ import annotations

import pdb
from pathlib import Path
from typing import Any

import pytest

import relet
from relet.core.record import Status
from relet.engine.run import execute
from relet.errors import ComponentError, DamagedError, NotFoundError, SettingError, WiringError
from relet.project.order import Order, read_order
from relet.project.request import prepare
from tests.integration.engine.watching import Notes
from tests.tiny_project import Tiny


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["factr=10"], SettingError, r"train takes no 'factr': did you mean factor\?"),
        (["factor=fast"], SettingError, "train.factor takes a number, got 'fast'"),
        (["factor"], SettingError, "write name=value"),
        (["factor=[1"], SettingError, r"train.factor can't be read: '\[1'"),
        (["clean_sample=clean_sample:v9"], NotFoundError, "clean_sample:v9"),
    ],
)
@pytest.mark.sampled
def test_wrong_words_for_one_component_say_what_is_right(
    tiny: Tiny, words: list[str], error: type[Exception], said: str
) -> None:
    tiny.run()
    with pytest.raises(error, match=said):
        outcome = execute(prepare(read_order("tiny.train", words)))
        raise outcome.error or AssertionError("it ran")


def test_a_component_that_raises_is_named_and_what_is_finished_stays(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise ValueError('no mean')\n    return")
    with pytest.raises(ComponentError, match="train raised ValueError: no mean") as caught:
        tiny.run()
    # the trace of the process that called it: the user's own file and line
    assert f'File "{tiny.path("helper.py")}", line ' in caught.value.__notes__[0]
    failed = next(tiny.store.runs())
    assert (failed.component, failed.status, failed.message) == (
        "train",
        Status.FAILED,
        "ComponentError: train raised ValueError: no mean",
    )
    tiny.edit("helper.py", "raise ValueError('no mean')\n    return", "return")
    assert tiny.ran() == ["train"]


def test_a_package_of_an_extra_that_is_missing_is_named_with_what_to_install(tiny: Tiny) -> None:
    raised = "raise ModuleNotFoundError(\"No module named 'lightgbm'\", name='lightgbm')\n    return"
    tiny.edit("helper.py", "return", raised)
    with pytest.raises(ComponentError, match=r"No module named 'lightgbm'; pip install 'relet\[lightgbm\]'"):
        tiny.run()


def test_a_component_that_calls_exit_has_failed(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise SystemExit(0)\n    return")
    with pytest.raises(ComponentError, match="train raised SystemExit: 0"):
        tiny.run()
    parent = next(each for each in tiny.store.runs() if each.parent is None)
    assert parent.status is Status.FAILED


def test_an_error_that_is_no_text_is_told_all_the_same(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise ValueError('\\udcff')\n    return")
    with pytest.raises(ComponentError, match=r"train raised ValueError: \\udcff"):
        tiny.run()


def test_pdb_opens_in_the_frame_that_raised(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[str] = []

    def look(trace: Any) -> None:
        while trace.tb_next:
            trace = trace.tb_next
        frames.append(trace.tb_frame.f_code.co_name)

    monkeypatch.setattr(pdb, "post_mortem", look)
    tiny.edit("helper.py", "return", "raise ValueError\n    return")
    with pytest.raises(ComponentError):
        relet.run("tiny", debug=True)
    assert frames == ["mean"]


def test_ctrl_c_leaves_what_is_finished(tiny: Tiny) -> None:
    tiny.edit("helper.py", "return", "raise KeyboardInterrupt\n    return")
    outcome = execute(prepare(Order(pipeline="tiny")))
    assert outcome.status is Status.INTERRUPTED
    assert outcome.exit_status == 130
    assert [each.status for each in tiny.store.runs(2)] == [Status.INTERRUPTED, Status.FINISHED]
    tiny.edit("helper.py", "raise KeyboardInterrupt\n    return", "return")
    assert tiny.ran() == ["train"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return Cleaned(sample[keep].reset_index(drop=True), ", "return (", "promises the artifacts"),
        (
            "return Cleaned(sample[keep].reset_index(drop=True)",
            "return Cleaned(7",
            "clean_sample: a table was expected",
        ),
    ],
)
def test_a_component_that_breaks_its_promise_is_named(tiny: Tiny, old: str, new: str, said: str) -> None:
    tiny.edit("steps/clean.py", old, new)
    with pytest.raises(Exception, match=said):
        tiny.run()
    assert "clean_sample" not in tiny.store.names()


def test_a_damaged_input_is_named_and_made_again(tiny: Tiny) -> None:
    tiny.run()
    sha = tiny.store.version("clean_sample:v1").files["table.parquet"]
    damage(tiny.root / ".relet" / "objects" / sha[:2] / sha)
    notes = Notes()
    outcome = relet.run("tiny", "modeling.factor=3", watch=notes)
    assert [each.component for each in outcome.results if each.action == "run"] == ["clean", "train"]
    assert sha in notes.notes[0]
    assert "what made it runs again" in notes.notes[0]
    assert tiny.store.verify() == []
    assert tiny.store.version("clean_sample").number == 1


def test_a_damaged_input_that_no_selected_step_makes_is_an_error(tiny: Tiny) -> None:
    tiny.run()
    sha = tiny.store.version("clean_sample:v1").files["table.parquet"]
    damage(tiny.root / ".relet" / "objects" / sha[:2] / sha)
    with pytest.raises(DamagedError, match=sha):
        tiny.run("modeling.factor=3", steps=["train"])


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_wrong_wiring_is_an_error_before_anything_runs(tiny: Tiny) -> None:
    tiny.edit("steps/train.py", "clean_sample: pd.DataFrame", "clean_sampl: pd.DataFrame")
    with pytest.raises(WiringError, match="train takes clean_sampl"):
        tiny.run()
    assert not (tiny.root / ".relet").exists()


def test_an_unknown_step_or_pipeline_gets_the_nearest_right_name(tiny: Tiny) -> None:
    with pytest.raises(WiringError, match=r"no step 'trian': did you mean train\?"):
        tiny.run(steps=["trian"])
    with pytest.raises(NotFoundError, match=r"no pipeline 'tinny'.*did you mean tiny\?"):
        relet.run("tinny")


def test_a_resource_that_is_not_there_is_an_error_before_anything_runs(tiny: Tiny) -> None:
    tiny.edit("steps/check.py", '("checks",)', '("cheks",)')
    with pytest.raises(WiringError, match="check declares the resource 'cheks'"):
        tiny.run()
