"""The run, made again: its code and inputs laid out in a clean folder, its environment, a store of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from relet.core.artifact import Reference
from relet.core.plan import Request
from relet.core.record import Link, RunRecord, now
from relet.core.reproduction import Likeness, Reproduction, judge
from relet.engine import checkout, environments
from relet.engine.interpreter import Interpreter, clean_environment
from relet.engine.job import Job, Quiet, Result
from relet.engine.project import Project, open_project
from relet.engine.reproduce.history import History, missing, recorded
from relet.engine.reproduce.judgement import Made, judge_step
from relet.engine.run import execute
from relet.engine.values import content_of
from relet.errors import (
    DamagedError,
    ImpossibleError,
    SettingError,
    SetUpError,
    SignatureError,
    WiringError,
)
from relet.store import Store, open_store

# What of the caller's environment belongs to the caller's own run.
_CALLERS = ("RELET_", "MLFLOW_", "PYTEST_", "WANDB_")

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to reproduce: `here` in the current environment; with another `python`; in a folder that is `kept`."""

    here: bool = False
    python: str | None = None
    kept: Path | None = None


def reproduce(
    target: str,
    store: Store,
    *,
    root: Path | None = None,
    wishes: Wishes | None = None,
    tell: Tell = lambda _: None,
) -> Reproduction:
    """Make a run, or what made a version, again in a clean place, and compare every output.

    `root` is the project's folder, in whose repository the commit is looked for first; `tell` is told what goes
    on. What makes it impossible is a verdict like any other. Raises NotFoundError for a target that is not in the
    store, and SetUpError for wishes that can't be met.
    """
    wishes = wishes or Wishes()
    began = perf_counter()
    history: History | None = None
    try:
        history = recorded(target, store)
        if gone := tuple(missing(history, store, lock=not wishes.here)):
            raise ImpossibleError(*gone)
        found = _reproduced(history, store, root, wishes, tell)
    except ImpossibleError as error:
        return _impossible(target, history, store, error)
    except (DamagedError, SignatureError, WiringError, SettingError) as error:
        return _impossible(target, history, store, ImpossibleError(str(error)))
    return replace(found, seconds=perf_counter() - began)


def _impossible(target: str, history: History | None, store: Store, error: ImpossibleError) -> Reproduction:
    return Reproduction(
        target=target,
        run=history.run.id if history else _run_of(target, store),
        likeness=Likeness.IMPOSSIBLE,
        reason=str(error),
        when=now(),
        missing=error.missing,
        caveats=tuple(map(str, history.caveats)) if history else (),
        commit=history.run.code.commit if history else None,
        lock=history.run.lock if history else None,
        recorded=history.run.machine if history else {},
    )


def _run_of(target: str, store: Store) -> str:
    found = store.find(target) if ":" in target else None
    return (found.producer or "") if found else target


def _reproduced(history: History, store: Store, root: Path | None, wishes: Wishes, tell: Tell) -> Reproduction:
    run = history.run
    with _clean_place(wishes.kept) as place:
        project_root = checkout.lay_out(run.code, place / "code", root=root, store=store)
        tell(f"code         {_commit(run)}")
        lock = store.read_object(run.lock) if run.lock and not wishes.here else b""
        environment = _environment(lock, run, wishes, tell)
        tell(f"environment  {environment.manager}, Python {environment.python}")
        own = open_store(place / "store")
        with Interpreter(
            environment.command,
            root=project_root,
            pipeline=run.pipeline,
            environment=_variables(run, lock, project_root, place),
            log=place / "log",
        ) as interpreter:
            job = _job(history, store, own, project_root, place, interpreter)
            outcome = execute(job, _Telling(tell))
        made = Made(store=own, outcome=outcome, project=job.project, machine=interpreter.machine)
        steps = tuple(judge_step(record, made, store) for record in _in_order(history.steps, job.project))
    likeness, reason = judge(steps)
    return Reproduction(
        target=history.target,
        run=run.id,
        likeness=likeness,
        reason=reason,
        when=now(),
        steps=steps,
        caveats=tuple(map(str, history.caveats)),
        pinned=tuple(dict.fromkeys(link.version for link in history.pinned.values())),
        commit=run.code.commit,
        lock=run.lock,
        environment=environment.manager,
        recorded=run.machine,
        reproduced=interpreter.machine,
        recorded_seconds=_seconds(history.steps),
    )


@contextmanager
def _clean_place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        if kept.exists() and any(kept.iterdir()):
            raise SetUpError(f"{kept} is not empty; name a folder that is, or is not there")
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    place = Path(tempfile.mkdtemp(prefix="relet-reproduce-")).resolve()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _commit(run: RunRecord) -> str:
    what = f"commit {run.code.commit[:12]}" if run.code.commit else "no commit"
    more = ["uncommitted changes"] if run.code.diff else []
    more += [f"{len(run.code.untracked)} files that git did not hold"] if run.code.untracked else []
    return " and ".join([what, *more])


def _environment(lock: bytes, run: RunRecord, wishes: Wishes, tell: Tell) -> environments.Environment:
    if wishes.here:
        return environments.here()
    python = wishes.python or run.machine.get("python", "3.11")
    try:
        return environments.build("uv", lock, python=python, progress=tell)
    except SetUpError as error:
        raise ImpossibleError(str(error)) from None


def _variables(run: RunRecord, lock: bytes, project_root: Path, place: Path) -> dict[str, str]:
    """The environment of the process: thread counts as recorded, unless this command was given its own."""
    home = place / "home"
    home.mkdir()
    recorded = {k: v for k, v in run.machine.get("environment", {}).items() if k not in os.environ}
    found = clean_environment({"HOME": str(home), **recorded}, lock=lock, root=project_root, scratch=place)
    return {name: value for name, value in found.items() if not name.startswith(_CALLERS)}


class _Telling(Quiet):
    """Says each step that was made."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def ended(self, result: Result) -> None:
        self.tell(f"made again   {result.component}  {result.seconds:.1f} s")


def _job(history: History, store: Store, own: Store, root: Path, place: Path, interpreter: Interpreter) -> Job:
    """The recorded steps with the recorded parameters, on the pinned inputs, which are carried over first."""
    project = open_project(history.run.pipeline, root)
    records = {str(record.component): record for record in history.steps}
    components = tuple(each for each in project.pipeline.components if each.name in records)
    if lost := sorted(records.keys() - {each.name for each in components}):
        raise ImpossibleError(f"the pipeline of that commit has no step {', '.join(lost)}")
    arguments, for_keys = {}, {}
    for component in components:
        record = records[component.name]
        parameters = component.check(record.parameters)
        sources = {name: {"sha256": digest} for name, digest in record.sources.items()}
        arguments[component.name] = parameters | _laid_out(record, store, place / "sources")
        for_keys[component.name] = parameters | sources
    request = Request(
        pipeline=project.pipeline,
        components=components,
        key_parameters=for_keys,
        code=interpreter.parts(each.name for each in components),
        inputs={each: _carried(link, store, own) for each, link in history.pinned.items()},
    )
    return Job(
        project=project,
        request=request,
        arguments=arguments,
        parameters={name: record.parameters for name, record in records.items()},
        store=own,
        experiment=history.run.experiment,
        command=("relet", "reproduce", history.target),
        callers={each.name: interpreter.call for each in components},
    )


def _laid_out(record: RunRecord, store: Store, folder: Path) -> dict[str, str]:
    """The sources outside that a step read, from the store, each under the name that it had."""
    found = {}
    for name, digest in record.sources.items():
        given = str(record.parameters.get(name, ""))
        path = folder / digest / (Path(urlsplit(given).path).name or "source")
        store.fetch_object(digest, path)
        found[name] = str(path)
    return found


def _carried(link: Link, store: Store, own: Store) -> str:
    """A pinned input as a version of the reproduction's own store, once it is what the run took."""
    version = store.find_content(Reference.parse(link.version).name, link.content)
    assert version is not None  # `missing` has looked
    with tempfile.TemporaryDirectory(prefix="relet-pinned-") as scratch:
        folder = Path(scratch)
        store.materialize(version, folder)
        if (found := content_of(version.type, folder)) != link.content:
            raise ImpossibleError(
                f"{version} is not what the run took: its content has the digest {found[:12]}, "
                f"the run's had {link.content[:12]}; somebody changed it in the store"
            )
        return str(
            own.add_version(
                name=version.name,
                type=version.type,
                content=version.content,
                files={path: own.put_object(folder / path) for path in version.files},
                metadata=version.metadata,
            )
        )


def _in_order(records: tuple[RunRecord, ...], project: Project) -> list[RunRecord]:
    names = list(project.pipeline.names)
    return sorted(records, key=lambda record: names.index(str(record.component)))


def _seconds(records: Iterable[RunRecord]) -> float:
    """How long the recorded steps took."""
    return sum(
        (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()
        for record in records
        if record.ended
    )
