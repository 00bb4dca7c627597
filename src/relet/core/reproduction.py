"""The verdict on a run that was made again, as a value: what was recorded is compared with what was reproduced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from relet.core import artifact
from relet.core.artifact import Check, Verdict
from relet.core.change import Change
from relet.core.wording import count

ARTIFACT = artifact.REPRODUCTION
DETERMINISM = artifact.DETERMINISM
FORMAT = 2
# What the machine of a record holds of the processor, where it is known.
SIMD, BLAS, BLAS_KERNEL = "SIMD", "BLAS", "BLAS kernel"
PROCESSOR = frozenset((SIMD, BLAS, BLAS_KERNEL))


class Likeness(StrEnum):
    """How close the reproduced is to the recorded, from best to worst."""

    IDENTICAL = "IDENTICAL"
    EQUIVALENT = "EQUIVALENT"
    DIVERGED = "DIVERGED"
    IMPOSSIBLE = "IMPOSSIBLE"

    @property
    def exit_status(self) -> int:
        return {"DIVERGED": 1, "IMPOSSIBLE": 2}.get(self, 0)


@dataclass(frozen=True, kw_only=True)
class OutputVerdict:
    """The verdict on one output: `recorded` is its version; the contents are digests, None where it was not made.

    `largest` is the largest difference of two numbers, relative to max(1, |recorded|), and `tolerance` what the
    recorded code allows of it, None where it declares nothing. `differences` are sentences on what differs; of an
    identical output they say what could not be read.
    """

    name: str
    recorded: str
    recorded_content: str
    reproduced_content: str | None
    likeness: Likeness
    largest: float | None = None
    tolerance: float | None = None
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepVerdict:
    """The verdict on one step.

    `inputs_equal` says whether it took the inputs of the recorded run. `changes` are the other parts of its key,
    and of the machine, that differed. `error` says why the step was not made. `missing` is what it read, that no
    record holds and that is not there: what differs can't be judged then.
    """

    component: str
    run: str
    outputs: tuple[OutputVerdict, ...]
    inputs_equal: bool = True
    changes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    error: str = ""
    seconds: float | None = None
    missing: tuple[str, ...] = ()

    @property
    def likeness(self) -> Likeness:
        if self.error:
            return Likeness.IMPOSSIBLE if self.missing else Likeness.DIVERGED
        order = list(Likeness)
        return max((each.likeness for each in self.outputs), key=order.index, default=Likeness.IDENTICAL)


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What became of making a run again.

    `run` is the run whose commit and lock were rebuilt, "" where it is not known. `subject` is the version that a
    person asked for, by its number, if it was not a run. `environment` is the manager that made the environment
    ("here": the current one was taken). `recorded` and `reproduced` are the machines. `missing` is what makes the
    reproduction impossible. `pinned` are the stored versions that were taken as they are. Times are in seconds.
    """

    target: str
    run: str
    likeness: Likeness
    reason: str
    when: str
    steps: tuple[StepVerdict, ...] = ()
    missing: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    subject: str | None = None
    commit: str | None = None
    lock: str | None = None
    environment: str = ""
    recorded: Mapping[str, Any] = field(default_factory=dict)
    reproduced: Mapping[str, Any] = field(default_factory=dict)
    recorded_seconds: float | None = None
    seconds: float | None = None
    format: int = FORMAT

    @property
    def judged(self) -> tuple[str, ...]:
        """The versions that the verdict speaks of, `model:v7`; the subject among them, reproduced or not."""
        outputs = [output.recorded for step in self.steps for output in step.outputs]
        return tuple(dict.fromkeys([*outputs, *([self.subject] if self.subject else [])]))

    @property
    def words_on_runs(self) -> dict[str, str]:
        """The run that was made again, and the run of each of its steps → the likeness."""
        steps = {step.run: str(step.likeness) for step in self.steps}
        return {**steps, **({self.run: str(self.likeness)} if self.run else {})}

    @property
    def words_on_versions(self) -> dict[str, str]:
        """Each version that was judged → its likeness; the subject has the likeness of the whole."""
        outputs = {output.recorded: str(output.likeness) for step in self.steps for output in step.outputs}
        return {**outputs, **({self.subject: str(self.likeness)} if self.subject else {})}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reproduction:
        """The findings that `to_json` wrote. Raises ValueError, TypeError or KeyError for anything else."""
        steps = tuple(
            StepVerdict(**{**step, "outputs": tuple(map(_output_from_json, step["outputs"]))})
            for step in stored["steps"]
        )
        return cls(**{**stored, "steps": steps, "likeness": Likeness(stored["likeness"])})

    def verdict(self) -> Verdict:
        """The same as an artifact of type verdict, passed where it is IDENTICAL or EQUIVALENT."""
        checks = tuple(
            Check(
                name=f"{step.component}.{output.name}",
                passed=output.likeness.exit_status == 0,
                message=f"{output.likeness}{'; '.join(('', *output.differences))}",
            )
            for step in self.steps
            for output in step.outputs
        )
        passed = self.likeness.exit_status == 0
        return Verdict(passed=passed, reason=f"{self.likeness}: {self.reason}", checks=checks)


def _output_from_json(stored: Mapping[str, Any]) -> OutputVerdict:
    return OutputVerdict(**{**stored, "likeness": Likeness(stored["likeness"])})


def judge_reproduction(steps: Sequence[StepVerdict]) -> tuple[Likeness, str]:
    """The verdict on all steps, and its reason in one sentence or two; `steps` are in the order they ran."""
    worst = max((step.likeness for step in steps), key=list(Likeness).index, default=Likeness.IDENTICAL)
    outputs = [output for step in steps for output in step.outputs]
    if worst is Likeness.IDENTICAL:
        counted = f"{count(len(outputs), 'output')} of {count(len(steps), 'step')}"
        equal = f"every digest is equal, of {counted}{_unread_note(outputs)}"
        changes = dict.fromkeys(change for step in steps for change in step.changes)
        return (
            worst,
            f"{equal}; {_changes_sentence(tuple(changes))}, which made no difference" if changes else equal,
        )
    if worst is Likeness.EQUIVALENT:
        return worst, _equivalence_reason(steps) + _unread_note(outputs)
    differing = [step for step in steps if step.likeness in (Likeness.DIVERGED, Likeness.IMPOSSIBLE)]
    first = next((step for step in differing if step.inputs_equal), differing[0])
    if first.likeness is Likeness.IMPOSSIBLE:
        return Likeness.IMPOSSIBLE, "; ".join(first.missing)
    return Likeness.DIVERGED, _divergence_reason(first)


def _unread_note(outputs: Iterable[OutputVerdict]) -> str:
    """Which recorded outputs could not be read, though their digests were made again, and why."""
    unread: dict[str, list[str]] = {}
    for output in outputs:
        if output.likeness is Likeness.IDENTICAL:
            for why in output.differences:
                unread.setdefault(why, []).append(output.recorded)
    return "".join(f"; {', '.join(recorded)}: {why}" for why, recorded in unread.items())


def _equivalence_reason(steps: Iterable[StepVerdict]) -> str:
    reasons = []
    changes: dict[str, None] = {}
    for step in steps:
        for output in step.outputs:
            if output.likeness is Likeness.EQUIVALENT:
                largest = f"largest difference {output.largest:.2g}" if output.largest else "its numbers are equal"
                allowed = "" if output.tolerance is None else f" of {output.tolerance:g}"
                reasons.append(f"{step.component}: {output.name} within its tolerance{allowed} ({largest})")
                changes |= dict.fromkeys(step.changes)
    return f"{'; '.join(reasons)}; {_changes_sentence(tuple(changes))}"


def _divergence_reason(step: StepVerdict) -> str:
    if step.error:
        what = f"it was not made: {step.error}"
    else:
        wrong = [output for output in step.outputs if output.likeness is Likeness.DIVERGED]
        what = "; ".join(
            f"{output.name}: {output.differences[0] if output.differences else 'other bytes'}" for output in wrong
        )
    inputs = "its inputs were equal" if step.inputs_equal else "its inputs were within their tolerance, not equal"
    return f"{step.component} is the first step that differs ({inputs}): {what}; {_suspected_cause(step)}"


def _suspected_cause(step: StepVerdict) -> str:
    """Why a step made something else: what differed, or else what no record holds of the step."""
    wrong = [output for output in step.outputs if output.likeness is Likeness.DIVERGED]
    if wrong and all(output.reproduced_content == output.recorded_content for output in wrong):
        return "what was made again has the digest that the run recorded"
    if not step.inputs_equal and not step.changes:
        return f"how much may come of that, @component(tolerance=…) of {step.component} says beforehand"
    # The caveats that begin with "runs" are of code and packages, which are recorded.
    unseen = [caveat for caveat in step.caveats if not caveat.startswith("runs ")]
    if step.changes or not unseen:
        return _changes_sentence(step.changes)
    return f"nothing that is recorded was different, but no record holds that it {' and '.join(unseen)}"


def _changes_sentence(changes: tuple[str, ...]) -> str:
    if not changes:
        return "nothing that is recorded was different: `relet run --check-determinism` looks for what is not"
    shown = "; ".join(changes[:5])
    return f"different was: {shown}" + (f" and {len(changes) - 5} more" if len(changes) > 5 else "")


def machine_changes(recorded: Mapping[str, Any], reproduced: Mapping[str, Any]) -> tuple[Change, ...]:
    """What of two machines differs: Python, platform, number of CPUs, variables that set thread counts.

    Of processors and their numeric libraries, only what both records hold is compared.

    >>> [str(each) for each in machine_changes({"python": "3.11.7"}, {"python": "3.12.1"})]
    ['python 3.11.7 → 3.12.1']
    """
    old, new = _flat_machine(recorded), _flat_machine(reproduced)
    return tuple(
        Change(part="machine", name=name, old=old.get(name), new=new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name) and name != "mlflow_run_id" and _is_comparable(name, old, new)
    )


def _is_comparable(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return name not in PROCESSOR or (name in old and name in new)


def _flat_machine(machine: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in machine.items() if name != "environment"}
    return rest | dict(machine.get("environment") or {})
