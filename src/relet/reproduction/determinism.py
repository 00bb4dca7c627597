"""Run each step a second time under changed conditions. A step whose outputs then differ can't be reproduced."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from relet import environments
from relet.core.artifact import ArtifactType, Check, Reference, Verdict, Version
from relet.core.component import Component
from relet.core.reproduction import DETERMINISM
from relet.core.wording import count
from relet.engine import own_interpreter
from relet.engine.interpreter import InterpreterProcess, clean_environment
from relet.engine.isolation import environment_of
from relet.engine.step import call_for
from relet.engine.values import write_artifact
from relet.engine.workspace import Workspace
from relet.environments import Environment
from relet.errors import DamagedError, NotFoundError, ReletError, StoreError
from relet.files import scratch_folder
from relet.project.call import ComponentCall
from relet.project.importing import CodePlace
from relet.project.job import ComponentResult, Job, RunOutcome
from relet.project.tree import lay_out_tree
from relet.reproduction.conditions import (
    CHANGED,
    MORE_SEEDS,
    STILL,
    Disturbance,
    disturbances,
    held,
    options_of,
    variables_of,
)
from relet.store.contents import CHECKED, folder_digest

_OTHER_EACH_TIME = (
    "something that is other each time: the number of a process, an address in memory, time that it measures, "
    "what another program prints, a file that it changes itself, or the order in which threads end"
)
_CHANGED_SINCE = (
    "something that was other in its run: state of the machine that has changed since, or a file that nothing "
    "declares"
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
class _SecondOutcome:
    """What a second call made: the digests of its outputs. None where it failed, with that `error`."""

    digests: Mapping[str, str] | None
    error: str = field(default="", compare=False)


@dataclass(frozen=True)
class _DeterminismCheck:
    """A check's state: the job, its scratch folder, the disturbed interpreters (one for each environment)."""

    job: Job
    scratch: Path
    workspace: Workspace
    running: dict[tuple[str, ...], InterpreterProcess] = field(default_factory=dict)

    def start(self, environment: Environment, disturbed: Sequence[Disturbance]) -> InterpreterProcess:
        """A process of the environment under disturbances."""
        # by the same name each time, but empty
        home = self._emptied_folder("home")
        return InterpreterProcess(
            environment.command,
            environment=variables_of(disturbed, self._variables(environment), str(home)),
            options=[*options_of(disturbed), "--working-folder", str(self._working_folder(disturbed))],
            log=self.scratch / "log",
        )

    def _variables(self, environment: Environment) -> dict[str, str]:
        """The environment variables that a run has in this environment."""
        if environment.command == environments.here().command:
            return own_interpreter.process_variables()
        lock = self.job.project.lock.read_bytes() if self.job.project.lock.is_file() else b""
        return clean_environment({}, lock=lock, root=self.job.project.root, scratch=self.scratch)

    def call(
        self, component: Component, result: ComponentResult, disturbed: Sequence[Disturbance]
    ) -> ComponentCall:
        """A step's call with the inputs that its run took, for a second time."""
        record = self.job.store.run(str(result.run_id))
        inputs: dict[str, Version | None] = {each.name: None for each in component.inputs}
        for name, link in record.inputs.items():
            inputs[name] = self.job.store.find_content(Reference.parse(link.version).name, link.content)
        call = call_for(self.job, component, inputs, self.workspace)
        place = self._lay_out(disturbed)
        within = call.place.folder
        inside = {
            file: place.folder / file.relative_to(within) for file in call.files if file.is_relative_to(within)
        }
        return replace(
            call,
            place=place,
            files=tuple(inside.get(file, file) for file in call.files),
            scratch=self._scratch_of(call, disturbed),
        )

    def _lay_out(self, disturbed: Sequence[Disturbance]) -> CodePlace:
        """Lay the code tree out anew, and the working folder, where that is not the project's own."""
        root, others = self.job.project.root, not _files_are("alone", disturbed)
        other_path = _files_are("path", disturbed)
        folder = self.scratch / ("moved/to-another-folder" if other_path else "code")
        working = self._working_folder(disturbed)
        for each in (folder, working):
            if each != root:
                shutil.rmtree(each, ignore_errors=True)
                each.parent.mkdir(exist_ok=True)
                lay_out_tree(self.job.tree, each, root, others=others)
        tree = self.job.tree
        place = CodePlace(folder=folder, home=root, digests=tree.digests, modules=tree.modules, roots=tree.roots)
        return replace(place, home=folder) if other_path else place

    def _working_folder(self, disturbed: Sequence[Disturbance]) -> Path:
        return self.scratch / "working-folder" if _files_are("folder", disturbed) else self.job.project.root

    def _scratch_of(self, call: ComponentCall, disturbed: Sequence[Disturbance]) -> Path:
        name = next((each.scratch for each in reversed(disturbed) if each.scratch), None)
        return self._emptied_folder(name) if name else call.scratch

    def _emptied_folder(self, name: str) -> Path:
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)  # a process that just ended may have written once more
        return folder


def _files_are(what: str, disturbed: Iterable[Disturbance]) -> bool:
    return any(each.files == what for each in disturbed)


def _step_check(looking: _DeterminismCheck, result: ComponentResult, started: ExitStack) -> Check:
    """The check of one step: equal outputs, or the condition that they depend on."""
    component = next(each for each in looking.job.request.components if each.name == result.component)
    if unknown := _why_uncheckable(looking, component, result):
        return Check(name=component.name, passed=False, message=f"was not checked: {unknown}")
    environment = environment_of(looking.job, component, looking.scratch)
    if environment.command not in looking.running:
        process = started.enter_context(looking.start(environment, disturbances()))
        looking.running[environment.command] = process
    there = looking.running[environment.command]
    made = _second_outcome(there, looking.call(component, result, disturbances()))
    difference = _difference(made, result)
    if difference is None:
        return Check(name=component.name, passed=True, message="the same")
    cause = _CauseSearch(looking, component, result, environment).cause()
    return Check(name=component.name, passed=False, message=f"{difference}; it depends on {cause}")


def _second_outcome(there: InterpreterProcess, call: ComponentCall) -> _SecondOutcome:
    try:
        called = there.call(call)
    except ReletError as error:
        return _SecondOutcome(None, str(error))
    return _SecondOutcome({name: written.content for name, written in called.outputs.items()})


def _difference(made: _SecondOutcome, result: ComponentResult) -> str | None:
    """The difference between the outputs of a second call and those of the run. None where there is none."""
    if made.digests is None:
        return f"failed ({made.error})"
    other = [name for name, version in result.outputs.items() if made.digests.get(name) != version.content]
    return f"made another {' and '.join(other)}" if other else None


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


@dataclass(frozen=True)
class _CauseSearch:
    """The search for what one step depends on. Each call has a fresh process."""

    looking: _DeterminismCheck
    component: Component
    result: ComponentResult
    environment: Environment

    def cause(self) -> str:
        """The conditions that make a difference, each alone.

        What differs between the run and two equal undisturbed calls, and is no such condition, has changed since.
        """
        calm = self._made(())
        since = calm == self._made(()) and _difference(calm, self.result) is not None
        causes = self._causes(held())
        if causes is None:
            causes = self._causes((*held(), STILL))
        if causes is None:
            return _OTHER_EACH_TIME
        names = dict.fromkeys(each.name for each in causes)
        if since and not any(each.own for each in causes):
            names[_CHANGED_SINCE] = None
        return " and ".join(names) or self._cause_of_all()

    def _cause_of_all(self) -> str:
        """What is said where no condition makes a difference alone."""
        there = self._made(disturbances())
        if there == self._made(disturbances()) and _difference(there, self.result) is not None:
            return f"several of these together: {', '.join(each.name for each in disturbances())}"
        return _OTHER_EACH_TIME

    def _made(self, disturbed: Sequence[Disturbance]) -> _SecondOutcome:
        with self.looking.start(self.environment, disturbed) as there:
            return _second_outcome(there, self.looking.call(self.component, self.result, disturbed))

    def _causes(self, base: Sequence[Disturbance]) -> list[Disturbance] | None:
        """Each condition that makes a difference alone. None where what is set doesn't make calls equal."""
        usual = self._made(base)
        if usual != self._made(base):
            return None
        apart = [each for each in disturbances() if each.beside]
        together = [*CHANGED, *(each for each in disturbances() if not each.beside)]
        try:
            found = self._causes_among(together, base, usual)
            for each in apart:
                besides = (*base, *each.beside)
                found += self._causes_among([each], besides, self._made(besides))
            for each in () if found else MORE_SEEDS:
                found = found or self._causes_among([each], base, usual)
        except _UnsteadyError:
            return None
        return found

    def _causes_among(
        self, candidates: Sequence[Disturbance], base: Sequence[Disturbance], usual: _SecondOutcome
    ) -> list[Disturbance]:
        """Those of the candidates that make a difference alone; halves that make none are looked at no further."""
        there = self._made((*base, *candidates))
        if there == usual:
            return []
        if len(candidates) == 1:
            if there != self._made((*base, *candidates)):
                raise _UnsteadyError
            return list(candidates)
        middle = len(candidates) // 2
        return [
            each
            for half in (candidates[:middle], candidates[middle:])
            for each in self._causes_among(half, base, usual)
        ]


class _UnsteadyError(Exception):
    """Two calls under the same conditions gave different results."""


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
