"""Make a run again: its code and inputs in a clean folder, its environment, and a store of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter

from relet import environments
from relet.core.component import Component
from relet.core.plan import Action, RunRequest
from relet.core.record import RunRecord, Status, now
from relet.core.reproduction import Likeness, Reproduction, judge_reproduction
from relet.core.wording import count
from relet.engine.interpreter import NEEDED, InterpreterProcess, clean_environment
from relet.engine.run import execute
from relet.errors import (
    BadDataError,
    ComponentError,
    DamagedError,
    ImpossibleError,
    NotFoundError,
    SettingError,
    SetUpError,
    SignatureError,
    UntrustedError,
    WiringError,
)
from relet.files import scratch_folder
from relet.project import checkout
from relet.project.folder import Project
from relet.project.job import ComponentResult, SilentWatcher
from relet.project.surroundings import PLACE, THREADS
from relet.reproduction.caveats import as_the_record_says, caveats_again
from relet.reproduction.history import (
    ReproductionTarget,
    RunHistory,
    find_subject,
    missing_for_rebuild,
    recorded_history,
)
from relet.reproduction.judgement import RebuiltRun, judge_step
from relet.reproduction.recipe import job_again
from relet.store import Store, open_store

# The variables that a process gets from the caller: those it needs to run, and those that a record names.
_NEEDED = frozenset((*NEEDED, *THREADS, *PLACE, "HOME", "TMPDIR", "TEMP", "TMP", "PYTHONDONTWRITEBYTECODE"))
# The variables that decide the threads and the kernels of the numeric libraries.
_NUMERIC = ("OMP_", "OPENBLAS_", "MKL_", "BLIS_", "NUMEXPR_", "KMP_")
# Errors in the recorded code or the store that make a reproduction impossible: they lead to a verdict.
_IN_THE_WAY = (BadDataError, DamagedError, NotFoundError, SettingError, SignatureError, WiringError)

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ReproductionOptions:
    """How to reproduce: `here`, in the current environment; with another `python`; in a folder that is `kept`.

    `trust` lets the code of runs be executed whose records came with a bundle.
    """

    here: bool = False
    python: str | None = None
    kept: Path | None = None
    trust: bool = False


def reproduce(
    target: str,
    store: Store,
    *,
    root: Path | None = None,
    wishes: ReproductionOptions | None = None,
    tell: Tell = lambda _: None,
) -> Reproduction:
    """Make a run, or the run that made a version, again in a clean place, and compare every output.

    `root` is the project's folder, in whose repository the commit is looked for first; `tell` receives progress
    messages. An impossible reproduction gives a verdict, too. Raises NotFoundError for a target that is not in the
    store, SetUpError for options that can't be met, and UntrustedError where the run came with a bundle and the
    options don't trust it: then nothing of it was executed.
    """
    wishes = wishes or ReproductionOptions()
    began = perf_counter()
    asked = find_subject(target, store)
    history: RunHistory | None = None
    try:
        history = recorded_history(asked, store)
        if not wishes.trust:
            _refuse_foreign_code(asked, history)
        if gone := tuple(missing_for_rebuild(history, store, lock=not wishes.here)):
            raise ImpossibleError(*gone)
        found = _rebuild_run(asked, history, store, root, wishes, tell)
    except ImpossibleError as error:
        return _impossible_reproduction(asked, history, error.missing)
    except _IN_THE_WAY as error:
        return _impossible_reproduction(asked, history, (str(error),))
    return replace(found, seconds=perf_counter() - began)


def _refuse_foreign_code(asked: ReproductionTarget, history: RunHistory) -> None:
    """Raise UntrustedError where a run came with a bundle: its code would run with all that you may do."""
    foreign = history.foreign(asked)
    if not foreign:
        return
    origins = " and ".join(dict.fromkeys(foreign.values()))
    raise UntrustedError(
        f"{asked.target} would run the code of somebody else: {_foreign_runs(foreign)} came with {origins}, and "
        "its code and its packages can do whatever you can do. If you trust where that bundle is from, give "
        "--trust (ReproductionOptions(trust=True) in Python); nothing was executed"
    )


def _foreign_runs(foreign: Iterable[str]) -> str:
    first, *more = foreign
    return f"run {first}" + (f" and {len(more)} more" if more else "")


def _impossible_reproduction(
    asked: ReproductionTarget, history: RunHistory | None, missing: tuple[str, ...]
) -> Reproduction:
    return Reproduction(
        target=asked.target,
        subject=str(asked.version) if asked.version else None,
        run=asked.run or "",
        likeness=Likeness.IMPOSSIBLE,
        reason="; ".join(missing),
        when=now(),
        missing=missing,
        caveats=tuple(as_the_record_says(history.caveats)) if history else (),
        commit=history.run.code.commit if history else None,
        lock=history.run.lock if history else None,
        recorded=history.run.machine if history else {},
    )


def _rebuild_run(
    asked: ReproductionTarget,
    history: RunHistory,
    store: Store,
    root: Path | None,
    wishes: ReproductionOptions,
    tell: Tell,
) -> Reproduction:
    run = history.run
    with _clean_place(wishes.kept) as place:
        more = {path: digest for step in history.steps for path, digest in step.modules_kept.items()}
        project_root = checkout.lay_out(run.code, place / "code", root=root, store=store, more=more)
        tell(f"code         {_commit_text(run)}")
        lock = store.read_object(run.lock) if run.lock and not wishes.here else b""
        own = open_store(place / "store")
        with _Interpreters(run, wishes, project_root, place, tell) as interpreters:
            there = interpreters.of(lock)
            job = job_again(asked, history, store, own, project_root, interpreters.called_in(lock))
            outcome = execute(job, _StepReporter(tell))
            if isinstance(outcome.error, KeyboardInterrupt):
                raise outcome.error
        made = RebuiltRun(
            store=own, outcome=outcome, project=job.project, request=job.request, machine=there.machine
        )
        steps = tuple(judge_step(record, made, store) for record in _in_pipeline_order(history.steps, job.project))
        caveats = caveats_again(history, made, store, root)
    likeness, reason = judge_reproduction(steps)
    return Reproduction(
        target=asked.target,
        subject=str(asked.version) if asked.version else None,
        run=run.id,
        likeness=likeness,
        reason=reason + _unfinished_note(asked, run),
        when=now(),
        steps=steps,
        missing=tuple(each for step in steps for each in step.missing) if likeness is Likeness.IMPOSSIBLE else (),
        caveats=caveats,
        pinned=_versions_taken(history, job.request),
        commit=run.code.commit,
        lock=run.lock,
        environment="here" if wishes.here else "uv",
        recorded=run.machine,
        reproduced=there.machine,
        recorded_seconds=_recorded_seconds(history.steps),
    )


def _unfinished_note(asked: ReproductionTarget, run: RunRecord) -> str:
    """The note on a run that did not finish: only its finished steps can be reproduced."""
    if asked.version or run.status is Status.FINISHED:
        return ""
    told = f" ({run.message})" if run.message else ""
    return f"; the run itself ended as {run.status}{told}: only what it finished was made again"


def _versions_taken(history: RunHistory, request: RunRequest) -> tuple[str, ...]:
    """The stored versions that the reproduction took unchanged, by the names that the run used."""
    links = {**history.pinned, **history.echoed}
    return tuple(dict.fromkeys(links[place].version for place in request.inputs))


@contextmanager
def _clean_place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        try:
            kept.mkdir(parents=True, exist_ok=True)
            full = any(kept.iterdir())
        except OSError as error:
            raise SetUpError(f"{kept} can't be used ({error.strerror}); name an empty folder") from error
        if full:
            raise SetUpError(f"{kept} is not empty; name a folder that is, or is not there")
        yield kept.resolve()
        return
    with scratch_folder("reproduce") as place:
        yield place.resolve()


def _commit_text(run: RunRecord) -> str:
    what = f"commit {run.code.commit[:12]}" if run.code.commit else "no commit"
    if run.code.tree:
        changed = f", but for {count(len(run.code.uncommitted), 'file')}" if run.code.uncommitted else ""
        return f"as the run stored it ({what}{changed})"
    more = ["uncommitted changes"] if run.code.diff else []
    more += [f"{count(len(run.code.untracked), 'file')} that git did not hold"] if run.code.untracked else []
    return " and ".join([what, *more])


def _recorded_environment(
    lock: bytes, run: RunRecord, wishes: ReproductionOptions, tell: Tell
) -> environments.Environment:
    if wishes.here:
        return environments.here()
    try:
        return environments.build(
            "uv", lock, python=wishes.python or str(run.machine.get("python", "3.11")), progress=tell
        )
    except SetUpError as error:
        if wishes.python:
            raise
        raise ImpossibleError(str(error)) from None


class _Interpreters(ExitStack):
    """The interpreters that call components, one for each lock, until the `with` block ends."""

    def __init__(self, run: RunRecord, wishes: ReproductionOptions, root: Path, place: Path, tell: Tell) -> None:
        super().__init__()
        self._run, self._wishes, self._root, self._place, self._tell = run, wishes, root, place, tell
        self._started: dict[bytes, InterpreterProcess] = {}

    def called_in(self, lock: bytes) -> Callable[[Component], InterpreterProcess]:
        """The lock that decides a component's interpreter: `lock`, unless the component names one of its own."""

        def of(component: Component) -> InterpreterProcess:
            name = (component.environment or "").partition(":")[2]
            if not name or self._wishes.here:
                return self.of(lock)
            try:
                return self.of((self._root / name).read_bytes())
            except OSError:
                raise ImpossibleError(
                    f"the recorded code holds no lock {name}, which {component.name} names"
                ) from None

        return of

    def of(self, lock: bytes) -> InterpreterProcess:
        if lock not in self._started:
            environment = _recorded_environment(lock, self._run, self._wishes, self._tell)
            self._tell(f"environment  {environment.manager}, Python {environment.python}")
            self._started[lock] = self.enter_context(self._start(environment, lock))
        return self._started[lock]

    def _start(self, environment: environments.Environment, lock: bytes) -> InterpreterProcess:
        """Start the environment's interpreter, if it can call the recorded code at all."""
        try:
            return InterpreterProcess(
                environment.command,
                environment=_recorded_variables(self._run, lock, self._root, self._place),
                log=self._place / "log",
            )
        except (ComponentError, SetUpError) as error:
            told = f"the environment ({environment.manager}) can't call components: {error}"
            raise ImpossibleError(told) from None


def _recorded_variables(run: RunRecord, lock: bytes, project_root: Path, place: Path) -> dict[str, str]:
    """The environment variables of the process. Thread counts are as recorded, unless the caller set them."""
    home = place / "home"
    home.mkdir(exist_ok=True)
    recorded = run.machine.get("environment") or {}
    threads = {name: recorded[name] for name in (*THREADS, *PLACE) if name in recorded and name not in os.environ}
    found = clean_environment({"HOME": str(home), **threads}, lock=lock, root=project_root, scratch=place)
    return {name: value for name, value in found.items() if name in _NEEDED or name.startswith(_NUMERIC)}


class _StepReporter(SilentWatcher):
    """Reports each finished step."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def ended(self, result: ComponentResult) -> None:
        if result.action is Action.RUN:
            self.tell(f"made again   {result.component}  {result.seconds:.1f} s")


def _in_pipeline_order(records: tuple[RunRecord, ...], project: Project) -> list[RunRecord]:
    names = list(project.pipeline.names)
    return sorted(records, key=lambda record: names.index(str(record.component)))


def _recorded_seconds(records: Iterable[RunRecord]) -> float:
    """How many seconds the recorded steps took."""
    return sum(
        (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()
        for record in records
        if record.ended
    )
