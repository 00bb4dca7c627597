"""What a search asks, what names it, and what is refused before anything runs."""

from __future__ import annotations

import pytest

from relet.errors import SettingError
from relet.trials.search.question import read_question, timeout_seconds
from tests.search_project import Hills
from tests.tiny_project import Tiny


def test_an_override_widens_a_dimension_or_fixes_a_setting(hills: Hills) -> None:
    wide = hills.question("modeling.depth=interval(2,20)", "modeling.kind=square")
    assert [str(each) for each in wide.dimensions] == [
        "modeling.depth: 2 to 20",
        "modeling.rate: 0.001 to 1, on a log scale",
    ]
    assert wide.dimensions[0].kind == "int"
    assert wide.order.overrides == ("modeling.kind=square",)


def test_the_steps_are_those_that_the_measure_needs(hills: Hills) -> None:
    assert hills.question().order.steps == ("draw", "measure")


def test_a_search_is_named_by_all_that_decides_it_and_by_nothing_else(
    hills: Hills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relet.trials.search.question._check_dimensions", lambda *_: None)
    plain = hills.question().id
    for same in (["trials=3", "workers=1", "timeout=1m"], ["modeling.title=other"], ["search.trials=99"]):
        assert hills.question(*same).id == plain, same
    others = [
        ["search.seed=1"],
        ["search.batch=3"],
        ["search.folds=2"],
        ["search.metric=other"],
        ["search.metric=other", "search.direction=maximize"],
        ["search.prune=false"],
        ["count=4"],
        ["modeling.kind=square"],
        ["modeling.depth=interval(2,9)"],
        ["model=flat", "search=steep"],
    ]
    named = [hills.question(*words).id for words in others]
    assert len({plain, *named}) == len(others) + 1
    hills.edit("measure.py", "/ 10 + off", "/ 20 + off")
    assert hills.question().id != plain


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["modeling.deepth=interval(1,9)"], r"modeling.deepth.*did you mean modeling.depth"),
        (["modeling.depth=interval(1.5,9)"], r"takes a whole number, got 1.5; write .*int\(interval\(1, 9\)\)"),
        (["modeling.rate=interval(1,1)"], "from a smaller number to a larger one"),
        (["modeling.rate=tag(log,interval(0,1))"], "a log scale starts above 0, got 0"),
        (["modeling.kind=interval(0,1)"], "modeling.kind takes text, got 0.0"),
        (["modeling.title=choice(a,b)"], "nothing that measure measures depends on it"),
        (["model=steep,flat"], "several options of model.*relet run … -m"),
        (["model=flat"], r"nothing to search with model=flat.*search=NAME of steep"),
        (["search.fold=2"], "a search measures every fold"),
        (["steps=draw"], "runs the steps that its measure needs"),
        (["search.batch=0"], "search.batch must be at least 1, got 0"),
        (["search.direction=up"], "there are maximize, minimize"),
        (["search.folds=2,3"], "search.folds: 2, 3: that is the search's own, which no trial changes"),
        (["search.folds=0"], "search.folds must be at least 1"),
        (["trials=0"], "trials must be at least 1"),
        (["trials=many"], "trials takes a whole number, got 'many'"),
        (["workers=0"], "workers must be at least 1"),
        (["timeout=soon"], "timeout takes a span of time above 0, got 'soon'"),
        (["timeout=0s"], "timeout takes a span of time above 0"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
@pytest.mark.sampled
def test_what_is_wrong_is_said_before_anything_runs(hills: Hills, words: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        hills.question(*words)
    assert not (hills.root / ".relet").exists()


def test_a_pipeline_that_measures_no_fold_is_told_what_it_lacks(tiny: Tiny) -> None:
    with pytest.raises(SettingError, match="tiny has no component that measures settings on a fold"):
        read_question("tiny", [])


def test_a_component_alone_is_no_search(hills: Hills) -> None:
    with pytest.raises(SettingError, match="write hills"):
        read_question("hills.measure", [])


def test_without_optuna_the_extra_is_named(hills: Hills, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr("relet.trials.search.question.prepare", lambda order, **_: Tiny)
    with pytest.raises(SettingError, match=r"pip install 'relet\[tune\]'"):
        hills.question()


def test_a_span_of_time_has_a_unit_or_is_in_seconds() -> None:
    assert [timeout_seconds(each) for each in ("90", "90s", "10m", "2h")] == [90, 90, 600, 7200]
