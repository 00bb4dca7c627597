"""Run each step a second time under changed conditions. A step whose outputs then differ can't be reproduced."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from relet.core.artifact import ArtifactType, Check, Reference, Verdict, Version
from relet.core.component import Component
from relet.core.reproduction import DETERMINISM
from relet.core.wording import count
from relet.engine.interpreter import NEEDED, InterpreterProcess, clean_environment
from relet.engine.isolation import environment_of
from relet.engine.step import call_for
from relet.engine.values import Workspace, write_artifact
from relet.errors import DamagedError, NotFoundError, ReletError, StoreError
from relet.files import scratch_folder
from relet.project.call import ComponentCall
from relet.project.job import ComponentResult, Job, RunOutcome
from relet.store.contents import CHECKED, folder_digest

_SECONDS = 86400
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One changed condition: `changes` to the environment variables, and `options` of the worker.

    `bare` removes all variables except those that a process needs.
    """

    name: str
    changes: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    bare: bool = False


# Fixes the one condition that differs in every process.
_SEEDED = Disturbance(name="a set hash seed", changes={"PYTHONHASHSEED": "0"})
_STILL = Disturbance(name="a clock that stands still", options=("--stop-clock",))


def disturbances() -> tuple[Disturbance, ...]:
    """The changed conditions of the second run. The search for a cause applies each alone."""
    one = len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else True
    threads = dict.fromkeys(_THREADS, "1" if one else "2")
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    return (
        Disturbance(name="the environment", changes={"USER": "somebody", "LOGNAME": "somebody"}, bare=True),
        Disturbance(name="the time zone", changes={"TZ": "LINT-14"}),
        Disturbance(name="the language", changes={"LANG": "C", "LC_ALL": "C", "LANGUAGE": "C"}),
        Disturbance(name="the hash seed", changes={"PYTHONHASHSEED": hash_seed}),
        Disturbance(name="the number of threads", changes=threads, options=("--one-cpu",) if one else ()),
        Disturbance(name="the clock", options=("--shift-clock", str(400.3 * _SECONDS))),
        Disturbance(name="the network", options=("--no-network",)),
    )


def judge_determinism(job: Job, outcome: RunOutcome, *, tell: Callable[[Check], None] = lambda _: None) -> Verdict:
    """Call each component of a finished run a second time under all disturbances, and compare digests.

    Where a digest differs, find the cause by one disturbance at a time. The verdict is stored as the artifact
    `determinism`. The outputs of the second call are not kept.
    """
    checks = []
    with scratch_folder("determinism") as folder:
        looking = _DeterminismCheck(job=job, scratch=folder, workspace=Workspace(folder, job.store))
        with ExitStack() as started:
            for result in outcome.results:
                if not result.outputs:
                    continue
                found = _step_check(looking, result, started)
                checks.append(found)
                tell(found)
    failed = [each for each in checks if not each.passed]
    steps = count(len(checks), "step")
    told = "; ".join(f"{each.name} {each.message}" for each in failed)
    reason = f"{len(failed)} of {steps}: {told}" if failed else f"{steps} gave the same digests a second time"
    verdict = Verdict(passed=not failed, reason=reason, checks=tuple(checks))
    _store_verdict(job, verdict, _checked_versions(outcome))
    return verdict


def _checked_versions(outcome: RunOutcome) -> dict[str, str]:
    """The versions that a check of a run speaks of → the step that made each."""
    return {str(version): each.component for each in outcome.results for version in each.outputs.values()}


@dataclass(frozen=True)
class _DeterminismCheck:
    """A check's state: the job, its scratch folder, the disturbed interpreters (one for each environment)."""

    job: Job
    scratch: Path
    workspace: Workspace
    running: dict[tuple[str, ...], InterpreterProcess] = field(default_factory=dict)

    def call(self, component: Component, result: ComponentResult) -> ComponentCall:
        """A step's call with the inputs that its run took, for a second time."""
        record = self.job.store.run(str(result.run_id))
        inputs: dict[str, Version | None] = {each.name: None for each in component.inputs}
        for name, link in record.inputs.items():
            inputs[name] = self.job.store.find_content(Reference.parse(link.version).name, link.content)
        return call_for(self.job, component, inputs, self.workspace)

    def start(self, command: Sequence[str], disturbed: Iterable[Disturbance]) -> InterpreterProcess:
        root = self.job.project.root
        lock = self.job.project.lock.read_bytes() if self.job.project.lock.is_file() else b""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self.scratch))
        variables = clean_environment({}, lock=lock, root=root, scratch=self.scratch)
        options: list[str] = []
        for each in disturbed:
            if each.bare:
                variables = {name: variables[name] for name in NEEDED if name in variables}
                variables["HOME"] = str(home)
        for each in disturbed:
            variables |= each.changes
            options += each.options
        return InterpreterProcess(
            command,
            environment=variables,
            options=options,
            log=self.scratch / "log",
        )


def _step_check(looking: _DeterminismCheck, result: ComponentResult, started: ExitStack) -> Check:
    """The check of one step: equal outputs, or the condition that they depend on."""
    component = next(each for each in looking.job.request.components if each.name == result.component)
    if unknown := _why_uncheckable(looking, component, result):
        return Check(name=component.name, passed=False, message=f"was not checked: {unknown}")
    command = environment_of(looking.job, component, looking.scratch).command
    if command not in looking.running:
        looking.running[command] = started.enter_context(looking.start(command, disturbances()))
    difference = _digest_difference(looking, component, result, looking.running[command])
    if difference is None:
        return Check(name=component.name, passed=True, message="the same")
    cause = _cause_of_difference(looking, component, result, command)
    return Check(name=component.name, passed=False, message=f"{difference}; it depends on {cause}")


def _why_uncheckable(looking: _DeterminismCheck, component: Component, result: ComponentResult) -> str | None:
    """Why a step can't be called again as it was. None where it can."""
    if (component.environment or looking.job.manager or "").partition(":")[0] == "docker":
        return "it runs in a container, whose circumstances are its own"
    try:
        record = looking.job.store.run(str(result.run_id))
    except (NotFoundError, DamagedError, StoreError):
        return "no record says what it took"
    taken = ((Reference.parse(link.version).name, link) for link in record.inputs.values())
    gone = [link.version for name, link in taken if not looking.job.store.find_content(name, link.content)]
    return f"{' and '.join(gone)} is gone from the store" if gone else None


def _digest_difference(
    looking: _DeterminismCheck, component: Component, result: ComponentResult, there: InterpreterProcess
) -> str | None:
    """The difference between the outputs made there and those of the run. None where there is none."""
    made = _digests_made_there(looking, component, result, there)
    if isinstance(made, str):
        return made
    other = [name for name, version in result.outputs.items() if made.get(name) != version.content]
    return f"made another {' and '.join(other)}" if other else None


def _digests_made_there(
    looking: _DeterminismCheck, component: Component, result: ComponentResult, there: InterpreterProcess
) -> dict[str, str] | str:
    """The digests of the outputs made there, or the error."""
    try:
        called = there.call(looking.call(component, result))
    except ReletError as error:
        return f"failed ({error})"
    return {name: written.content for name, written in called.outputs.items()}


def _cause_of_difference(
    looking: _DeterminismCheck, component: Component, result: ComponentResult, command: Sequence[str]
) -> str:
    """The condition that makes the difference alone.

    A step that differs without any reads the clock or draws random numbers.
    """
    with looking.start(command, ()) as same:
        if _digest_difference(looking, component, result, same) is not None:
            return _undisturbed_cause(looking, component, result, command)
    alone = []
    for each in disturbances():
        with looking.start(command, (each,)) as there:
            if _digest_difference(looking, component, result, there) is not None:
                alone.append(each.name)
    return " and ".join(alone) or "several of these together: " + ", ".join(each.name for each in disturbances())


def _undisturbed_cause(
    looking: _DeterminismCheck, component: Component, result: ComponentResult, command: Sequence[str]
) -> str:
    """The cause of a difference without a disturbance: the hash seed, unless it is set; the clock; other state of
    a process.
    """
    steady: list[Disturbance] = []
    for cause, held in (("the hash seed", _SEEDED), ("the clock", _STILL)):
        steady.append(held)
        made = []
        for _ in range(2):
            with looking.start(command, steady) as there:
                made.append(_digests_made_there(looking, component, result, there))
        if made[0] == made[1]:
            return cause
    return (
        "something that is other each time: a generator without a seed, time that it measures, or the order in "
        "which threads end"
    )


def _store_verdict(job: Job, verdict: Verdict, checked: Mapping[str, str]) -> None:
    """Store a verdict with the versions that it speaks of."""
    with tempfile.TemporaryDirectory(prefix="relet-verdict-") as folder:
        written = write_artifact(DETERMINISM, ArtifactType.VERDICT, verdict, Path(folder) / "outputs")
        (written.folder / CHECKED).write_text(json.dumps(checked, indent=1, sort_keys=True), encoding="utf-8")
        version = job.store.add_version(
            name=DETERMINISM,
            type=written.type,
            content=folder_digest(written.folder),
            files={path: job.store.put_object(file) for path, file in written.files.items()},
            description="Whether each step makes the same a second time.",
            metadata={**written.metadata, "checked": dict(checked)},
        )
        job.store.set_alias(DETERMINISM, "latest", version.number, by="relet run --check-determinism", why="")
