"""Decide first, act after: what a run would do, and why, as a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from relet.core.artifact import ArtifactType, Reference, Stored, Version
from relet.core.component import Component, Input
from relet.core.pipeline import Pipeline, judged_artifacts
from relet.core.record import KeyParts, RunRecord, Status
from relet.errors import NotFoundError, WiringError, nearest


class StoreReader(Protocol):
    """What a plan reads of a store."""

    def find(self, reference: str | Reference) -> Version | None:
        """The version a reference names, or None."""

    def key(self, key: str) -> Mapping[str, str] | None:
        """The outputs (name → `clean_sample:v3`) that a key leads to; None unless all of them are whole."""

    def names(self) -> list[str]:
        """The names of all stored artifacts."""

    def runs(self, limit: int | None = None) -> Iterator[RunRecord]:
        """The run records, newest first."""


# How many records a plan looks through for a component's last run; its reason alone depends on it.
LOOK_BACK = 500


class Action(StrEnum):
    """What becomes of a component: it runs, is skipped, or waits until its inputs are known."""

    RUN = "run"
    SKIP = "skip"
    WAITS = "waits"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One part of a key that differs: `old` is None for what was added, `new` for what was taken away."""

    part: str
    name: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        match self.part:
            case "parameters":
                return f"{self.name} {_parameter_text(self.old)} → {_parameter_text(self.new)}"
            case "inputs":
                return f"{self.name} {self.old or 'absent'} → {self.new or 'absent'}"
            case "packages":
                return f"{self.name} {self.old or 'absent'} → {self.new or 'absent'}"
            case "machine":
                return f"{self.name} {_value_or_not_set(self.old)} → {_value_or_not_set(self.new)}"
            case "code":
                return f"code of {self.name} {_change_verb(self.old, self.new)}"
        return f"{self.name} {_change_verb(self.old, self.new)}"


def _value_or_not_set(value: Any) -> str:
    return "not set" if value is None else str(value)


def _parameter_text(value: Any) -> str:
    """A value as a person would write it; a source's digest by its first letters."""
    if isinstance(value, Mapping) and "sha256" in value:
        return str(value["sha256"])[:8]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _change_verb(old: Any, new: Any) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a plan says of one component.

    `inputs` are the versions it takes (None: absent); `outputs` the versions it has where it is skipped;
    `changes` what differs from its last run; `blocked_by` the component whose verdict said no.
    """

    component: str
    action: Action
    reason: str
    key: str | None = None
    parts: KeyParts | None = None
    inputs: Mapping[str, Version | None] = field(default_factory=dict)
    outputs: Mapping[str, Version] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    blocked_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One step for each selected component, in the order they run."""

    steps: tuple[Step, ...]

    def __getitem__(self, component: str) -> Step:
        for step in self.steps:
            if step.component == component:
                return step
        raise WiringError(f"the plan has no step {component!r}: {nearest(component, [s.component for s in self])}")

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to run."""
        return all(step.action is Action.SKIP for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a run was asked to do, checked: which components, with which parameters, from which stored versions.

    `parameters` holds every parameter of every component (`Component.check`); `key_parameters` the same as they
    enter the key: a source outside by its content. `code` holds for each component the parts of its key that
    come from its source. `inputs` names stored versions that take the place of this run's products: by the
    input's name for every component, by `component.input` for one.
    """

    pipeline: Pipeline
    components: tuple[Component, ...]
    key_parameters: Mapping[str, Mapping[str, Any]]
    code: Mapping[str, KeyParts]
    inputs: Mapping[str, str] = field(default_factory=dict)

    def given(self, component: Component, each: Input) -> str | None:
        """The stored version that an input was told to take, or None."""
        return self.inputs.get(f"{component.name}.{each.name}", self.inputs.get(each.name))


@dataclass(frozen=True)
class KnownVersions:
    """What is known of this run so far: versions, the names that are still to come, and who said no."""

    versions: Mapping[str, Version] = field(default_factory=dict)
    coming: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def after(self, component: Component, step: Step) -> KnownVersions:
        """The same, knowing what is planned for one more component."""
        return self.made(component, step.outputs) if step.action is Action.SKIP else self.without(component)

    def without(self, component: Component) -> KnownVersions:
        """The same, knowing that what a component makes is not there: it is still to run, or was held back."""
        outputs = {output.name for output in component.outputs}
        return KnownVersions(self.versions, self.coming | outputs, self.refused)

    def made(self, component: Component, outputs: Mapping[str, Version]) -> KnownVersions:
        verdicts = [version for version in outputs.values() if version.type is ArtifactType.VERDICT]
        refused = self.refused
        if not all(version.metadata.get("passed", False) for version in verdicts):
            refused |= {component.name}
        return KnownVersions({**self.versions, **outputs}, self.coming - set(outputs), refused)

    def speaks_against(self, name: str, pipeline: Pipeline) -> bool:
        """Whether a verdict of this run refuses the artifact of that name."""
        return any(each.name in self.refused and name in judged_artifacts(each) for each in pipeline.components)


def plan(request: RunRequest, store: StoreReader) -> Plan:
    """What running `request` would do now. Reads the store, changes nothing.

    Raises NotFoundError where an input comes from no selected component and is not in the store.
    """
    known = KnownVersions()
    steps = []
    for component in request.components:
        step = decide(component, request, known, store)
        steps.append(step)
        known = known.after(component, step)
    return Plan(steps=tuple(steps))


def decide(component: Component, request: RunRequest, known: KnownVersions, store: StoreReader) -> Step:
    """What to do with one component, as far as `known` tells."""
    for gatekeeper in request.pipeline.gatekeepers(component):
        if gatekeeper.name in known.refused:
            return Step(
                component=component.name,
                action=Action.WAITS,
                reason=f"{gatekeeper.name} says no",
                blocked_by=gatekeeper.name,
            )
    if said_no := _refused_before(component, request, known, store):
        return Step(
            component=component.name,
            action=Action.WAITS,
            reason=f"{said_no.name} said no to it",
            blocked_by=said_no.name,
        )
    waiting = sorted(_feeding_artifacts(component, request) & known.coming)
    if waiting:
        return Step(component=component.name, action=Action.WAITS, reason=f"for {', '.join(waiting)}")
    inputs = {each.name: _input_version(component, each, request, known, store) for each in component.inputs}
    parts = key_parts(component, request, inputs)
    key = key_digest(parts)
    outputs = _stored_outputs(component, key, store)
    if outputs is not None:
        return Step(
            component=component.name,
            action=Action.SKIP,
            reason="same key",
            key=key,
            parts=parts,
            inputs=inputs,
            outputs=outputs,
        )
    last = _last_run(request.pipeline.name, component.name, store)
    changes = _changes_since_run(last, parts, inputs) if last else ()
    return Step(
        component=component.name,
        action=Action.RUN,
        reason=_reason_to_run(last, changes),
        key=key,
        parts=parts,
        inputs=inputs,
        changes=changes,
    )


def _refused_before(
    component: Component, request: RunRequest, known: KnownVersions, store: StoreReader
) -> Component | None:
    """The gatekeeper, no part of this run, whose last word on what the component would take was no.

    A version that a person names is taken, whatever was said of it.
    """
    running = {each.name for each in request.components}
    for gatekeeper in request.pipeline.gatekeepers(component):
        if gatekeeper.name in running:
            continue
        for each in component.inputs:
            if (
                each.name not in judged_artifacts(gatekeeper)
                or request.given(component, each)
                or each.name in known.coming
            ):
                continue
            version = known.versions.get(each.name) or store.find(f"{each.name}:latest")
            record = next(judgements(version, store, gatekeeper.name), None) if version else None
            links = (
                [record.outputs[name] for name in gatekeeper.verdicts if name in record.outputs] if record else []
            )
            verdicts = [store.find(link.version) for link in links]
            if any(verdict and not verdict.metadata.get("passed", False) for verdict in verdicts):
                return gatekeeper
    return None


def judgements(version: Version, store: StoreReader, component: str | None = None) -> Iterator[RunRecord]:
    """The finished runs of a component (None: of any) that took or made a version, the newest first.

    Under its own name: an input of another name is what a run compared with, which is no word on it.
    """
    for record in store.runs(LOOK_BACK):
        if record.status is not Status.FINISHED or component not in (None, record.component):
            continue
        link = {**record.inputs, **record.outputs}.get(version.name)
        if link is not None and link.version == str(version):
            yield record


def _feeding_artifacts(component: Component, request: RunRequest) -> set[str]:
    """The names of this run's artifacts that feed a component."""
    made_here = {output.name for each in request.components for output in each.outputs}
    names = set()
    for each in component.inputs:
        if request.given(component, each):
            continue
        if each.stored is None or each.name in made_here:
            names.add(each.name)
        elif each.stored.initially:
            names.add(each.stored.initially)
    return names


def _input_version(
    component: Component, each: Input, request: RunRequest, known: KnownVersions, store: StoreReader
) -> Version | None:
    if given := request.given(component, each):
        return _required_version(component, each, given, store)
    if each.name in known.versions:
        return known.versions[each.name]
    if each.stored is None:
        if said := _verdict_on_what_is_taken(component, each, request, known, store):
            return said
        return _required_version(component, each, f"{each.name}:latest", store)
    found = store.find(each.stored.reference)
    if found is None and each.stored.initially:
        first = each.stored.initially
        if given := _given_version(component, first, request):
            return _required_version(component, each, given, store)
        return known.versions.get(first) or _required_version(component, each, f"{first}:latest", store)
    if found is None and not each.optional:
        return _required_version(component, each, each.stored.reference, store)
    return found


def _verdict_on_what_is_taken(
    component: Component, each: Input, request: RunRequest, known: KnownVersions, store: StoreReader
) -> Version | None:
    """The stored verdict on the very version that a component takes beside it; None where `each` is no verdict.

    Raises NotFoundError where that version was never judged: the latest verdict speaks of another.
    """
    for gatekeeper in request.pipeline.components:
        if each.name not in gatekeeper.verdicts:
            continue
        for other in component.inputs:
            if other.name not in judged_artifacts(gatekeeper) or other.stored:
                continue
            version = _input_version(component, other, request, known, store)
            record = next(judgements(version, store, gatekeeper.name), None) if version else None
            if record is None:
                raise NotFoundError(
                    f"{component.name} needs what {gatekeeper.name} says of {version}, which it never judged: "
                    f"run {gatekeeper.name}, too"
                )
            return store.find(record.outputs[each.name].version)
    return None


def _given_version(component: Component, name: str, request: RunRequest) -> str | None:
    """The stored version that a component was told to take for its input of that name, or None."""
    return next((request.given(component, each) for each in component.inputs if each.name == name), None)


def _required_version(component: Component, each: Input, reference: str, store: StoreReader) -> Version:
    found = store.find(reference)
    if found is not None:
        return found
    name = Reference.parse(reference).name
    if name not in store.names():
        advice = "nothing of that name is stored yet; run the step that makes it"
    elif isinstance(each.stored, Stored):
        selector = Reference.parse(reference).selector
        advice = (
            f"relet artifacts alias {name}:latest {selector} sets it, or name another: {each.name}={name}:latest"
        )
    else:
        advice = f"relet artifacts show {name} lists what there is"
    raise NotFoundError(f"{component.name} needs {reference}, which is not in the store: {advice}")


def _stored_outputs(component: Component, key: str, store: StoreReader) -> dict[str, Version] | None:
    stored = store.key(key)
    names = {output.name for output in component.outputs}
    if stored is None or set(stored) != names:
        return None
    versions = {name: store.find(reference) for name, reference in stored.items()}
    found = {name: version for name, version in versions.items() if version}
    return found if found.keys() == versions.keys() else None


def key_parts(component: Component, request: RunRequest, inputs: Mapping[str, Version | None]) -> KeyParts:
    """What the key of a component is made of, now that its inputs are known."""
    code = request.code[component.name]
    return KeyParts(
        component=component.name,
        code=code.code,
        packages=code.packages,
        resources=code.resources,
        parameters=request.key_parameters[component.name],
        inputs={name: version.content if version else None for name, version in inputs.items()},
    )


def key_digest(parts: KeyParts) -> str:
    """The key: SHA-256 over the parts as JSON with sorted names, in hex."""
    text = json.dumps(asdict(parts), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def differences(old: KeyParts, new: KeyParts) -> tuple[Change, ...]:
    """What changed between two keys, in the order a person would ask for it.

    >>> differences(KeyParts(component="c", parameters={"a": 1}), KeyParts(component="c", parameters={"a": 2}))
    (Change(part='parameters', name='a', old=1, new=2),)
    """
    return tuple(
        Change(part=part, name=name, old=was.get(name), new=now.get(name))
        for part in ("parameters", "inputs", "resources", "code", "packages")
        for was, now in [(getattr(old, part), getattr(new, part))]
        for name in _names_of_all(was, now)
        if was.get(name) != now.get(name)
    )


def _names_of_all(*sides: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for side in sides for name in side))


def _last_run(pipeline: str, component: str, store: StoreReader) -> RunRecord | None:
    for record in store.runs(LOOK_BACK):
        if (record.pipeline, record.component, record.status) == (pipeline, component, Status.FINISHED):
            return record
    return None


def _changes_since_run(
    last: RunRecord, parts: KeyParts, inputs: Mapping[str, Version | None]
) -> tuple[Change, ...]:
    """What differs from the last run, inputs by their versions rather than by digests."""
    if last.parts is None:
        return ()
    versions = {name: f"v{version.number}" for name, version in inputs.items() if version}
    before = {name: link.version.partition(":")[2] for name, link in last.inputs.items()}
    return tuple(
        replace(change, old=before.get(change.name), new=versions.get(change.name))
        if change.part == "inputs"
        else change
        for change in differences(last.parts, parts)
    )


def _reason_to_run(last: RunRecord | None, changes: tuple[Change, ...]) -> str:
    if last is None:
        return "first run"
    if not changes:
        return "its outputs are not stored"
    shown = "; ".join(str(change) for change in changes[:2])
    return shown if len(changes) <= 2 else f"{shown} and {len(changes) - 2} more"
