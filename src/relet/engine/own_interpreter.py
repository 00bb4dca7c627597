"""The process that calls components in the environment of this process: started once, and kept until the end."""

from __future__ import annotations

import atexit
import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from relet.engine.ahead import NEARLY_ALWAYS
from relet.engine.interpreter import InterpreterProcess
from relet.errors import ReletError
from relet.names import PACKAGE
from relet.project.call import CallResult, ComponentCall
from relet.project.importing import CodePlace

# One call at a time, whichever thread asks.
_lock = threading.Lock()


@dataclass(frozen=True)
class _OwnInterpreter:
    """The running process, the process that started it, and the packages that it may have imported."""

    process: InterpreterProcess
    started_by: int
    packages: dict[str, str] = field(default_factory=dict)
    is_early: bool = False

    def fits(self, packages: Mapping[str, str]) -> bool:
        """Whether it is there and alive, and none of its packages was installed in another version since."""
        known = self.packages
        return (
            self.started_by == os.getpid()
            and self.process.exit_status is None
            and all(known.get(name, version) == version for name, version in packages.items())
        )


_kept: list[_OwnInterpreter] = []
# What starts the process before a run is planned.
_beginning: threading.Thread | None = None


def call_beside(call: ComponentCall, packages: Mapping[str, str]) -> CallResult:
    """Call a component in a process of its own, in this environment.

    `packages` are the distributions that the component's key names, with their versions. Raises what it raised, by
    the same name where it is relet's own, and ComponentError where its process ended by itself.
    """
    with _lock:
        interpreter = _interpreter(packages)
        try:
            return interpreter.call(call, variables=os.environ, path=[each for each in sys.path if each])
        except KeyboardInterrupt:
            end()
            raise


def start_early() -> None:
    """Start the process before it is known what runs, and let it import what nearly every step needs.

    It does so while this process reads code. An error in it is met again where the process is wanted.
    """
    global _beginning
    _beginning = threading.Thread(target=_begin, daemon=True)
    _beginning.start()


def _begin() -> None:
    with suppress(ReletError), _lock:
        _interpreter({}, is_early=True).import_ahead(NEARLY_ALWAYS)


def start(packages: Mapping[str, str], modules: Iterable[str], place: CodePlace, *, ahead: bool) -> None:
    """Start the process, and let it import modules of packages and compile the code of a place in the meantime.

    Where another thread is calling a component, that has begun already. Without `ahead` nothing is imported ahead.
    """
    if _beginning is not None:
        _beginning.join()
    modules = list(modules)
    if _kept and _kept[0].is_early and not (ahead and set(modules).issuperset(NEARLY_ALWAYS)):
        end()  # what a later run would not import ahead could see other variables now
    if _lock.acquire(blocking=False):
        try:
            _interpreter(packages).prepare(modules, place, ahead=ahead)
        finally:
            _lock.release()


def end() -> None:
    """End the process, where it runs."""
    while _kept:
        own = _kept.pop()
        if own.started_by == os.getpid():
            own.process.close()


atexit.register(end)


def _interpreter(packages: Mapping[str, str], *, is_early: bool = False) -> InterpreterProcess:
    if not (_kept and _kept[0].fits(packages)):
        end()
        process = InterpreterProcess((sys.executable,), environment=process_variables(), shielded=True)
        _kept.append(_OwnInterpreter(process, os.getpid(), is_early=is_early))
    _kept[0].packages.update(packages)
    return _kept[0].process


def process_variables() -> dict[str, str]:
    """This process's environment variables, with which another process finds the same relet."""
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    if PACKAGE.parent in installed:
        return dict(os.environ)
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *([before] if before else [])])}
