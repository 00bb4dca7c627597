"""The plan of a run: what each component would do, and why, as a value. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from relet.core.artifact import ArtifactType, Reference, Stored, Version, short_name, within_pipeline
from relet.core.change import Change, changes_since_run, reason_to_run
from relet.core.component import Component, Input
from relet.core.lookups import package_now, undeclared_change
from relet.core.pipeline import Pipeline, judged_artifacts
from relet.core.record import KeyParts, RunRecord, Status, key_digest
from relet.core.verdicts import JudgementReader, judgements, why_refused
from relet.errors import DamagedError, NotFoundError, WiringError, nearest


class StoreReader(JudgementReader, Protocol):
    """What a plan reads of a store."""

    def key(self, key: str) -> Mapping[str, str] | None:
        """The outputs (name → `nyc_rentals/clean_sample:v3`) of a key; None unless all of them are whole."""

    def names(self) -> list[str]:
        """The names of all stored artifacts."""

    def maker(self, key: str) -> str | None:
        """The run that made a key's outputs last, or None where that is not known."""


# How many records a plan looks through for the last run of a component, which it names in a reason alone.
LOOK_BACK = 500
# Why a component runs whose key is stored with outputs of which no run's record says that it made them.
NOT_BELIEVED = "no record says that its key led to the stored outputs"


class Action(StrEnum):
    """What becomes of a component: it runs, is skipped, or waits until its inputs are known."""

    RUN = "run"
    SKIP = "skip"
    WAITS = "waits"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a plan says of one component.

    `inputs` are the versions that it takes (None: absent). `outputs` are the versions that it has where it is
    skipped, and `made_by` is the record of the run that made them. `changes` is what differs from its last run.
    `blocked_by` is the component whose verdict failed.
    """

    component: str
    action: Action
    reason: str
    key: str | None = None
    parts: KeyParts | None = None
    inputs: Mapping[str, Version | None] = field(default_factory=dict)
    outputs: Mapping[str, Version] = field(default_factory=dict)
    made_by: RunRecord | None = None
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

    `key_parameters` holds every parameter of every component as it enters the key: a source outside is the digest
    of its content. `code` holds for each component the parts of its key that come from its source. `inputs` has
    exact references to stored versions that take the place of this run's products: under the input's name for
    every component, under `component.input` for one. `digest_now` gives the SHA-256 that a file has now which a
    component read and did not declare; None where it is gone. `place_now` gives what is now at a place that one
    looked at, in the terms of what was there. `installed` holds the versions of the packages for each component
    that runs in another environment than this one; None where nobody knows them.
    """

    pipeline: Pipeline
    components: tuple[Component, ...]
    key_parameters: Mapping[str, Mapping[str, Any]]
    code: Mapping[str, KeyParts]
    inputs: Mapping[str, str] = field(default_factory=dict)
    digest_now: Callable[[str], str | None] = lambda name: None
    place_now: Callable[[str, str], str] = lambda name, before: before
    installed: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)

    def place_of(self, component: Component) -> Callable[[str, str], str]:
        """The same as `place_now`, with the packages of the environment that a component runs in."""
        if component.name not in self.installed:
            return self.place_now
        return partial(package_now, installed=self.installed[component.name], elsewhere=self.place_now)

    def given(self, component: Component, each: Input) -> str | None:
        """The stored version that a person named for an input, or None."""
        return self.inputs.get(f"{component.name}.{each.name}", self.inputs.get(each.name))


@dataclass(frozen=True)
class KnownVersions:
    """What is known of a run so far.

    `versions` are the artifacts that it has, by their names. `coming` are the names of the artifacts that are
    still to be made. `refused` are the components whose verdict failed.
    """

    versions: Mapping[str, Version] = field(default_factory=dict)
    coming: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def after(self, component: Component, step: Step) -> KnownVersions:
        """What is known once the step of one more component is planned."""
        if step.action is Action.SKIP:
            return self.with_outputs(component, step.outputs)
        return self.without_outputs(component)

    def without_outputs(self, component: Component) -> KnownVersions:
        """What is known where a component has no outputs: it still has to run, or was held back."""
        outputs = {output.name for output in component.outputs}
        return KnownVersions(self.versions, self.coming | outputs, self.refused)

    def with_outputs(self, component: Component, outputs: Mapping[str, Version]) -> KnownVersions:
        """What is known once a component has outputs, made now or before."""
        verdicts = [version for version in outputs.values() if version.type is ArtifactType.VERDICT]
        refused = self.refused
        if not all(version.metadata.get("passed", False) for version in verdicts):
            refused |= {component.name}
        return KnownVersions({**self.versions, **outputs}, self.coming - set(outputs), refused)

    def refuses(self, name: str, pipeline: Pipeline) -> bool:
        """Whether a verdict of this run on the artifact of that name failed."""
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
    """What to do with one component, given what is known of the run so far."""
    for gatekeeper in request.pipeline.gatekeepers(component):
        if gatekeeper.name in known.refused:
            return Step(
                component=component.name,
                action=Action.WAITS,
                reason=f"{gatekeeper.name} says no",
                blocked_by=gatekeeper.name,
            )
    if refused := _refusal_outside(component, request, known, store):
        judge, reason = refused
        return Step(component=component.name, action=Action.WAITS, reason=reason, blocked_by=judge.name)
    waiting = sorted(_feeding_artifacts(component, request) & known.coming)
    if waiting:
        return Step(component=component.name, action=Action.WAITS, reason=f"for {', '.join(waiting)}")
    inputs = {each.name: _input_version(component, each, request, known, store) for each in component.inputs}
    parts = key_parts(component, request, inputs)
    outputs = _stored_outputs(component, parts, request.pipeline, store)
    if outputs is None:
        older = replace(parts, pipeline="")  # An older relet made keys that named no pipeline.
        outputs = _stored_outputs(component, older, request.pipeline, store)
        parts = parts if outputs is None else older
    key = key_digest(parts)
    made_by = None if outputs is None else made_by_run(key, outputs, store)
    disproof = undeclared_change(made_by, request.digest_now, request.place_of(component))
    if outputs is not None and not (made_by and _has_made_outputs(made_by, key, outputs)):
        disproof = NOT_BELIEVED
    if outputs is not None and not disproof:
        return Step(
            component=component.name,
            action=Action.SKIP,
            reason="same key",
            key=key,
            parts=parts,
            inputs=inputs,
            outputs=outputs,
            made_by=made_by,
        )
    last = _last_run(request.pipeline.name, component.name, store)
    changes = changes_since_run(last, parts, inputs) if last else ()
    return Step(
        component=component.name,
        action=Action.RUN,
        reason=disproof or reason_to_run(last, changes),
        key=key,
        parts=parts,
        inputs=inputs,
        changes=changes,
    )


def made_by_run(key: str, outputs: Mapping[str, Version], store: StoreReader) -> RunRecord | None:
    """The record of the run that made a key's outputs; None where it can't be read."""
    run_id = store.maker(key)
    if run_id is None:
        # A key that an older relet wrote names no run: the latest one that had the key stands in for it, and where
        # that is too long ago, the first producer of an output.
        producers = (version.producer for version in outputs.values() if version.producer)
        finished = (each for each in store.runs(limit=LOOK_BACK) if each.status is Status.FINISHED)
        if record := next((each for each in finished if each.key == key), None):
            return record
        run_id = next(producers, None)
    try:
        return store.run(run_id) if run_id else None
    except (NotFoundError, DamagedError):
        return None


def _has_made_outputs(record: RunRecord, key: str, outputs: Mapping[str, Version]) -> bool:
    """Whether a run's record says that the run had a key and made artifacts of these names and contents."""
    made = {name: (link.version.partition(":")[0], link.content) for name, link in record.outputs.items()}
    return record.key == key and made == {name: (each.name, each.content) for name, each in outputs.items()}


def _refusal_outside(
    component: Component, request: RunRequest, known: KnownVersions, store: StoreReader
) -> tuple[Component, str] | None:
    """The gatekeeper outside this run whose latest verdict on an input of the component holds it back, and why.

    A version that a person named is taken, whatever its verdict.
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
                or request.pipeline.takes_elsewhere(each)
            ):
                continue
            version = known.versions.get(each.name) or store.find(request.pipeline.full(f"{each.name}:latest"))
            if version and (reason := why_refused(version, store, gatekeeper, request.pipeline.name)):
                return gatekeeper, reason
    return None


def _feeding_artifacts(component: Component, request: RunRequest) -> set[str]:
    """The names of this run's artifacts that feed a component."""
    made_here = {output.name for each in request.components for output in each.outputs}
    names = set()
    for each in component.inputs:
        if request.given(component, each) or request.pipeline.takes_elsewhere(each):
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
        return _required_version(component, each, given, request, store)
    if each.name in known.versions and not request.pipeline.takes_elsewhere(each):
        return known.versions[each.name]
    if request.pipeline.leaves_out(each):
        return None
    if each.stored is None:
        verdict = _verdict_on_input(component, each, request, known, store)
        latest = request.pipeline.full(f"{each.name}:latest")
        return verdict or _required_version(component, each, latest, request, store)
    reference = request.pipeline.full(each.stored.reference)
    found = store.find(reference)
    if found is None and each.stored.initially:
        first = each.stored.initially
        if given := _given_version(component, first, request):
            return _required_version(component, each, given, request, store)
        latest = request.pipeline.full(f"{first}:latest")
        return known.versions.get(first) or _required_version(component, each, latest, request, store)
    if found is None and not each.optional:
        return _required_version(component, each, reference, request, store)
    return found


def _verdict_on_input(
    component: Component, each: Input, request: RunRequest, known: KnownVersions, store: StoreReader
) -> Version | None:
    """The stored verdict on the version that a component takes beside it; None where `each` is no verdict.

    The latest verdict may speak of another version. Raises NotFoundError where that version was never judged.
    """
    pipeline = request.pipeline.name
    for gatekeeper in request.pipeline.components:
        if each.name not in gatekeeper.verdicts:
            continue
        for other in component.inputs:
            if other.name not in judged_artifacts(gatekeeper) or other.stored:
                continue
            version = _input_version(component, other, request, known, store)
            record = next(judgements(version, store, gatekeeper.name, pipeline), None) if version else None
            if record is None:
                said = f"what {gatekeeper.name} says of {within_pipeline(pipeline, str(version))}"
                raise NotFoundError(
                    f"{component.name} needs {said}, which it never judged: run {gatekeeper.name}, too"
                )
            verdict = record.outputs[each.name].version
            if stored := store.find(Reference.parse(verdict)):
                return stored
            raise NotFoundError(
                f"{component.name} needs {verdict}, what {gatekeeper.name} says of {version}, and it is gone: "
                f"run {gatekeeper.name}, too"
            )
    return None


def _given_version(component: Component, name: str, request: RunRequest) -> str | None:
    """The stored version that a person named for the component's input of that name, or None."""
    return next((request.given(component, each) for each in component.inputs if each.name == name), None)


def _required_version(
    component: Component, each: Input, reference: str, request: RunRequest, store: StoreReader
) -> Version:
    wanted = Reference.parse(reference)
    if found := store.find(wanted):
        return found
    name = wanted.name
    run = f"relet run {request.pipeline.name}.{component.name} {each.name}="
    if store.find(Reference(name)) is None:
        others = [other for other in store.names() if short_name(other) == short_name(name)]
        another = f", or take another pipeline's: {run}{others[0]}:latest" if others else ""
        advice = f"nothing of that name is stored yet; run the step that makes it{another}"
    elif isinstance(each.stored, Stored):
        another = f"or name another: {run}{name}:latest"
        advice = f"relet artifacts alias {name}:latest {wanted.selector} sets it, {another}"
    else:
        advice = f"relet artifacts show {name} lists what there is"
    short = within_pipeline(request.pipeline.name, reference)
    raise NotFoundError(f"{component.name} needs {short}, which is not in the store: {advice}")


def _stored_outputs(
    component: Component, parts: KeyParts, pipeline: Pipeline, store: StoreReader
) -> dict[str, Version] | None:
    """The versions that the key of these parts leads to; None where one is missing, or is not the pipeline's."""
    stored = store.key(key_digest(parts))
    if stored is None or set(stored) != {output.name for output in component.outputs}:
        return None
    numbers = {name: Reference.parse(each).selector for name, each in stored.items()}
    found = {name: store.find(Reference(pipeline.full(name), number)) for name, number in numbers.items()}
    own = {name: version for name, version in found.items() if version and str(version) == stored[name]}
    return own if own.keys() == stored.keys() else None


def key_parts(component: Component, request: RunRequest, inputs: Mapping[str, Version | None]) -> KeyParts:
    """What the key of a component with these inputs is made of."""
    code = request.code[component.name]
    return KeyParts(
        component=component.identity,
        code=code.code,
        packages=code.packages,
        resources=code.resources,
        parameters=request.key_parameters[component.name],
        inputs={name: version.content if version else None for name, version in inputs.items()},
        pipeline=request.pipeline.name,
    )


def _last_run(pipeline: str, component: str, store: StoreReader) -> RunRecord | None:
    wanted = (pipeline, component, Status.FINISHED)
    records = store.runs(LOOK_BACK)
    return next((each for each in records if (each.pipeline, each.component, each.status) == wanted), None)
