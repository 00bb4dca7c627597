"""Plans: pure decisions, with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from relet.core.artifact import ArtifactType, Reference, Stored, Version
from relet.core.change import differences
from relet.core.component import Component, Input, Output
from relet.core.pipeline import Pipeline
from relet.core.plan import Action, RunRequest, key_parts, plan
from relet.core.record import ArtifactLink, KeyParts, RunRecord, Status, key_digest
from relet.errors import NotFoundError


@dataclass
class FakeShelf:
    """Versions by reference, keys and last runs, as plain dictionaries."""

    found: dict[str, Version] = field(default_factory=dict)
    stored: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: dict[str, RunRecord] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def find(self, reference: str | Reference) -> Version | None:
        return self.found.get(str(Reference.parse(str(reference))))

    def passed(self, verdict: Version) -> bool:
        return bool(verdict.metadata.get("passed"))

    def key(self, key: str) -> Mapping[str, str] | None:
        outputs = self.stored.get(key)
        return None if outputs is None or self.lost & set(outputs.values()) else outputs

    def names(self) -> list[str]:
        return sorted({version.name for version in self.found.values()})

    def versions(self, name: str, unread: list[str] | None = None) -> list[Version]:
        return list({str(each): each for each in self.found.values() if each.name == name}.values())

    def runs(self, limit: int | None = None, unread: list[str] | None = None) -> Iterator[RunRecord]:
        return islice(self.ran.values(), limit)

    def run_ids(self) -> list[str]:
        return [each.id for each in self.ran.values()]

    def run(self, id: str) -> RunRecord:
        return next(each for each in self.ran.values() if each.id == id)

    def maker(self, key: str) -> str | None:
        return next((each.id for each in self.ran.values() if each.key == key), None)


def step(name: str, takes: list[str | Input], makes: list[Output]) -> Component:
    inputs = tuple(Input(name=each, container="pandas") if isinstance(each, str) else each for each in takes)
    return Component(name=name, module=name, path=Path(name), job_type=name, inputs=inputs, outputs=tuple(makes))


def table(name: str) -> Output:
    return Output(name=name, type=ArtifactType.TABLE)


def version(name: str, number: int, content: str, **metadata: Any) -> Version:
    kind = ArtifactType.VERDICT if "passed" in metadata else ArtifactType.TABLE
    return Version(name=f"pipeline/{name}", number=number, type=kind, content=content, files={}, metadata=metadata)


REFERENCE = Input(name="reference", container="pandas", stored=Stored("a:reference", initially="a"))
CHECK = Component(
    name="check",
    module="check",
    path=Path("check"),
    job_type="check",
    inputs=(Input(name="a", container="pandas"), REFERENCE),
    outputs=(Output(name="report", type=ArtifactType.VERDICT),),
)
PIPELINE = Pipeline([step("get", [], [table("a")]), CHECK, step("use", ["a"], [table("b")])])


def request(steps: list[str] | None = None, **changes: Any) -> RunRequest:
    made = RunRequest(
        pipeline=PIPELINE,
        components=PIPELINE.select(steps),
        key_parameters={"get": {"n": 1}, "check": {"x": 2}, "use": {"y": 3}},
        code={name: KeyParts(component=name, code={f"m.{name}": "c1"}) for name in PIPELINE.names},
    )
    return replace(made, **changes)


def shelf_after_a_run(asked: RunRequest, *, passed: bool = True) -> FakeShelf:
    """What a store holds after `asked` ran once."""
    shelf = FakeShelf()
    made = {
        "get": version("a", 1, "aa"),
        "check": version("report", 1, "rr", passed=passed),
        "use": version("b", 1, "bb"),
    }
    inputs = {"get": {}, "check": {"a": made["get"], "reference": made["get"]}, "use": {"a": made["get"]}}
    for component in PIPELINE.components:
        name = component.name
        parts = key_parts(component, asked, inputs[name])
        (output,) = (each.name for each in component.outputs)
        shelf.stored[key_digest(parts)] = {output: str(made[name])}
        for selector in ("v1", "latest"):
            shelf.found[f"{made[name].name}:{selector}"] = made[name]
        links = {i: ArtifactLink(version=str(v), type=v.type, content=v.content) for i, v in inputs[name].items()}
        shelf.ran[name] = RunRecord(
            id=name,
            component=name,
            pipeline="pipeline",
            experiment="e",
            status=Status.FINISHED,
            started="",
            key=key_digest(parts),
            parts=parts,
            inputs=links,
            outputs={
                output: ArtifactLink(version=str(made[name]), type=made[name].type, content=made[name].content)
            },
        )
    shelf.found["pipeline/a:reference"] = made["get"]
    return shelf


def actions(asked: RunRequest, shelf: FakeShelf) -> dict[str, str]:
    return {each.component: str(each.action) for each in plan(asked, shelf)}


def test_on_an_empty_store_the_first_runs_and_the_rest_wait_for_it() -> None:
    decided = plan(request(), FakeShelf())
    assert [each.action for each in decided] == [Action.RUN, Action.WAITS, Action.WAITS]
    assert decided["get"].reason == "first run"
    assert decided["use"].reason == "for a"


def test_with_nothing_changed_everything_is_skipped() -> None:
    decided = plan(request(), shelf_after_a_run(request()))
    assert decided.idle
    assert str(decided["use"].outputs["b"]) == "pipeline/b:v1"


@pytest.mark.parametrize(
    "says",
    [
        {"key": "another"},
        {"outputs": {}},
        {"outputs": {"b": ArtifactLink(version="pipeline/b:v2", type="table", content="b2")}},
        {"outputs": {"b": ArtifactLink(version="pipeline/c:v1", type="table", content="bb")}},
    ],
)
def test_a_key_is_not_believed_where_no_record_says_that_it_led_to_these_outputs(says: dict[str, Any]) -> None:
    shelf = shelf_after_a_run(request())
    assert plan(request(), shelf).idle
    shelf.ran["use"] = replace(shelf.ran["use"], **says)
    decided = plan(request(), shelf)
    assert [each.action for each in decided] == [Action.SKIP, Action.SKIP, Action.RUN]
    assert decided["use"].reason == "no record says that its key led to the stored outputs"


def test_a_key_that_leads_to_another_pipelines_versions_is_not_taken() -> None:
    shelf = shelf_after_a_run(request())
    (key,) = (key for key, outputs in shelf.stored.items() if "b" in outputs)
    shelf.stored[key] = {"b": "other/b:v1"}
    shelf.found["other/b:v1"] = replace(shelf.found["pipeline/b:v1"], name="other/b")
    assert plan(request(), shelf)["use"].action is Action.RUN


def test_a_file_that_a_step_read_undeclared_and_that_is_another_now_runs_it_again() -> None:
    shelf = shelf_after_a_run(request())
    shelf.ran["use"] = replace(shelf.ran["use"], undeclared={"extra.txt": "e1", "gone.py": "e2"})
    now = {"extra.txt": "e1", "gone.py": "e2"}
    assert plan(request(digest_now=now.get), shelf).idle
    now["extra.txt"] = "e3"
    decided = plan(request(digest_now=now.get), shelf)
    assert (decided["use"].action, decided["use"].reason) == (
        Action.RUN,
        "extra.txt changed, which it reads undeclared",
    )
    assert decided["check"].action is Action.SKIP
    del now["extra.txt"]
    assert plan(request(digest_now=now.get), shelf)["use"].action is Action.RUN
    # what was read was not known: nothing says that it is the same
    shelf.ran["use"] = replace(shelf.ran["use"], undeclared={"gone.py": ""})
    assert plan(request(digest_now=now.get), shelf)["use"].action is Action.RUN


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ("nothing", "a folder", "x is there now, and was not when it was looked for"),
        ("no module", "a module", "the module x is there now, and was not when it was imported"),
        ("a folder", "nothing", "x is gone, which it looked for"),
        ("names 12", "names 34", "x holds other files now than when it was listed"),
        ("names and sizes 12", "nothing", "x is gone, which it looked for"),
        ("a folder", "a file of 3 bytes", "x is a file of 3 bytes now, and was a folder when it was looked at"),
    ],
)
def test_a_place_that_a_step_looked_at_and_that_is_another_now_runs_it_again(
    before: str, now: str, reason: str
) -> None:
    shelf = shelf_after_a_run(request())
    shelf.ran["use"] = replace(shelf.ran["use"], looked_at={"x": before})
    assert plan(request(place_now=lambda _, was: was), shelf).idle
    decided = plan(request(place_now=lambda _, __: now), shelf)
    assert (decided["use"].action, decided["use"].reason) == (Action.RUN, reason)


def test_the_first_batch_is_compared_with_itself_and_has_the_same_key_once_it_is_the_reference() -> None:
    shelf = shelf_after_a_run(request())
    del shelf.found["pipeline/a:reference"]
    assert plan(request(), shelf)["check"].action is Action.SKIP


def test_one_parameter_changes_its_step_alone_until_outputs_are_known() -> None:
    changed = request(key_parameters={"get": {"n": 1}, "check": {"x": 5}, "use": {"y": 3}})
    decided = plan(changed, shelf_after_a_run(request()))
    assert [each.action for each in decided] == [Action.SKIP, Action.RUN, Action.SKIP]
    assert decided["check"].reason == "x 2 → 5"


def test_a_new_version_of_an_input_is_named_by_its_numbers() -> None:
    shelf = shelf_after_a_run(request())
    shelf.found["pipeline/a:latest"] = shelf.found["pipeline/a:v2"] = version("a", 2, "other")
    assert plan(request(["use"]), shelf)["use"].reason == "a v1 → v2"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (KeyParts(component="use", code={"m.use": "c2"}), "code of m.use changed"),
        (KeyParts(component="use", code={"m.use": "c1"}, packages={"numpy": "2"}), "numpy absent → 2"),
        (KeyParts(component="use", code={"m.use": "c1"}, resources={"q.sql": "d"}), "q.sql added"),
    ],
)
def test_code_packages_and_resources_are_reasons(part: KeyParts, said: str) -> None:
    asked = request()
    changed = replace(asked, code={**asked.code, "use": part})
    assert plan(changed, shelf_after_a_run(asked))["use"].reason == said


def test_a_lost_object_makes_its_step_run_again() -> None:
    shelf = shelf_after_a_run(request())
    shelf.lost.add("pipeline/a:v1")
    assert actions(request(), shelf) == {"get": "run", "check": "waits", "use": "waits"}
    assert plan(request(), shelf)["get"].reason == "its outputs are not stored"


def test_a_verdict_that_said_no_holds_back_what_consumes_what_it_judged() -> None:
    decided = plan(request(), shelf_after_a_run(request(), passed=False))
    assert decided["use"].action is Action.WAITS
    assert decided["use"].blocked_by == "check"
    assert decided["use"].reason == "check says no"


def test_a_verdict_does_not_enter_the_key_of_what_it_lets_through() -> None:
    shelf = shelf_after_a_run(request())
    before = plan(request(), shelf)["use"].key
    shelf.found["pipeline/report:v1"] = version("report", 1, "another report", passed=True)
    assert plan(request(), shelf)["use"].key == before


def test_a_step_alone_takes_the_latest_of_what_it_needs() -> None:
    shelf = shelf_after_a_run(request())
    decided = plan(request(["use"]), shelf)
    assert decided["use"].action is Action.SKIP


def test_a_step_alone_without_its_input_says_which_and_what_to_do() -> None:
    with pytest.raises(NotFoundError, match=r"use needs a:latest, which is not in the store: .*run the step"):
        plan(request(["use"]), FakeShelf())


def test_a_named_version_takes_the_place_of_the_runs_own() -> None:
    shelf = shelf_after_a_run(request())
    shelf.found["other/a:v7"] = replace(version("a", 7, "seven"), name="other/a")
    decided = plan(request(["use"], inputs={"a": "other/a:v7"}), shelf)
    assert decided["use"].inputs["a"] == shelf.found["other/a:v7"]


def test_planning_changes_nothing() -> None:
    shelf = shelf_after_a_run(request())
    before = repr(shelf)
    plan(request(), shelf)
    assert repr(shelf) == before


def test_the_key_does_not_depend_on_the_order_of_its_parts() -> None:
    one = KeyParts(component="c", parameters={"a": 1, "b": 2}, inputs={"x": "1", "y": "2"})
    other = KeyParts(component="c", parameters={"b": 2, "a": 1}, inputs={"y": "2", "x": "1"})
    assert key_digest(one) == key_digest(other)
    assert differences(one, other) == ()


def test_a_parameter_that_came_or_went_is_absent_and_not_null() -> None:
    one = KeyParts(component="c", parameters={"family": "tree", "tree.depth": None, "old": 1})
    other = KeyParts(component="c", parameters={"family": "line", "line.rate": None})
    assert [str(change) for change in differences(one, other)] == [
        "family tree → line",
        "tree.depth None → absent",
        "old 1 → absent",
        "line.rate absent → None",
    ]
