"""Another interpreter that calls components: its process is started once, and asked once for each call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from relet import errors
from relet.core.artifact import ArtifactType
from relet.core.record import Caveat, KeyParts
from relet.engine.ahead import modules_needed
from relet.engine.answering import AnsweringProcess
from relet.engine.worker import PROTOCOL
from relet.errors import CodeLine, ComponentError, LostError, ReletError, SetUpError
from relet.names import PACKAGE
from relet.project.call import (
    CallResult,
    ComponentCall,
    ProgressListener,
    ProgressReport,
    WrittenOutput,
    ignore_progress,
)
from relet.project.importing import CodePlace

# The variables of this process that would change which code another interpreter runs.
_OWN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "CONDA_PREFIX")
# Seconds that a process has to end once nobody asks any more, or once it has closed its line.
PATIENCE = 5.0
# Seconds after which whoever listens hears that a component still works.
TICK = 1.0

# What a process needs of the environment to run at all.
NEEDED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "OMP_WAIT_POLICY")


class InterpreterProcess:
    """A process of an environment's interpreter that calls components, each in a copy of itself.

    `command` starts the interpreter; `environment` is the whole environment of its process; `options` are those of
    `relet.engine.worker`; the process prints to `log`, or to the standard error of this process. `shielded`, it
    has to be this relet: a Ctrl-C waits until it is there. The process ends with `close`, or with the `with`
    block. Methods raise LostError where it ended by itself.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        options: Sequence[str] = (),
        log: Path | None = None,
        shielded: bool = False,
    ) -> None:
        words = [*command, "-P", "-m", "relet.engine.worker", *options]
        self.installed: Mapping[str, str] | None = None  # where relet is an older one there, nobody knows
        self._log = log
        # an earlier process may have printed to the same file
        self._log_start = log.stat().st_size if log and log.exists() else 0
        with ExitStack() as opened:
            log_file = opened.enter_context(log.open("ab")) if log else None
            try:
                self._process = AnsweringProcess(
                    words,
                    environment=environment,
                    errors=log_file.fileno() if log_file else None,
                    shielded=shielded,
                )
            except OSError as error:
                raise SetUpError(f"{command[0]} can't be started: {error.strerror or error}") from error
        try:
            greeting = self._answer("the interpreter")
        except ComponentError:
            self.close()
            raise
        if greeting.get("protocol") != PROTOCOL:
            self.close()
            raise SetUpError(
                f"the relet that {command[0]} runs speaks protocol {greeting.get('protocol')}, this one speaks "
                f"{PROTOCOL}; use the same relet on both sides"
            )
        self.machine: dict[str, Any] = greeting["machine"]

    def __enter__(self) -> InterpreterProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; it ends a call that goes on, too, and the processes that the call started."""
        self._process.end(PATIENCE)

    @property
    def exit_status(self) -> int | None:
        """The status that the process ended with; the negative number of the signal that ended it."""
        return self._process.exit_status

    def prepare(self, packages: Iterable[str], place: CodePlace, *, ahead: bool = True) -> None:
        """Let the process import modules of packages, if they are installed, and compile the code of a place.

        It does so while nobody asks it, and while its copies work. Without `ahead` it imports nothing ahead from
        now on: each call imports what it needs.
        """
        wanted = list(packages) if ahead else []
        self._process.ask({"ask": "prepare", "packages": wanted, "ahead": ahead, **_place_question(place)})

    def import_ahead(self, packages: Iterable[str]) -> None:
        """Let the process import modules of packages before the code of a place is known."""
        self._process.ask({"ask": "prepare", "packages": list(packages), "ahead": True})

    def parts(self, root: Path, pipeline: str, components: Mapping[str, Mapping[str, Any]]) -> dict[str, KeyParts]:
        """The parts of the keys of components with these parameters that source and packages decide there.

        `root` is the folder of the project. From then on `installed` holds the versions of the packages there.
        """
        question = {
            "ask": "parts",
            "root": str(root),
            "home": str(root),
            "pipeline": pipeline,
            "components": components,
        }
        answer = self._ask(question, "the project")
        self.installed = answer.get("installed")
        return {name: KeyParts(**parts) for name, parts in answer["parts"].items()}

    def call(
        self,
        call: ComponentCall,
        *,
        variables: Mapping[str, str] | None = None,
        path: Sequence[str] | None = None,
    ) -> CallResult:
        """Call a component there; `variables` are its whole environment and `path` is where it finds packages,
        where they are not the process's own.

        Raises what it raised, by the same name where it is relet's own.
        """
        given = {"variables": variables and dict(variables), "path": path and list(path)}
        answer = self._ask({**_call_question(call), **given}, call.component.name, call.listen)
        outputs = {
            name: WrittenOutput(
                type=ArtifactType(each["type"]),
                folder=Path(each["folder"]),
                content=each["content"],
                metadata=each["metadata"],
                notes=tuple(each.get("notes", ())),  # an older relet in that environment has none
                state=each.get("state"),
            )
            for name, each in answer["outputs"].items()
        }
        return CallResult(
            outputs=outputs,
            caveats=tuple(Caveat(**each) for each in answer["caveats"]),
            undeclared=answer["undeclared"],
            looked_at=answer.get("looked_at", {}),  # the relet of a recorded environment may be an older one
            kept=tuple(map(Path, answer["kept"])),
            machine=answer["machine"],
            printed=answer.get("printed", ""),
        )

    def _ask(
        self, question: Mapping[str, Any], about: str, listen: ProgressListener = ignore_progress
    ) -> dict[str, Any]:
        self._process.ask(question)
        try:
            answer = self._answer(about, listen)
        except KeyboardInterrupt as interrupted:
            interrupted.printed = self._output_so_far()  # type: ignore[attr-defined]
            raise
        # the relet of a recorded environment may be an older one, which keeps nothing that is printed
        printed = answer.get("printed", "")
        if answer.get("interrupted"):
            stopped = KeyboardInterrupt()
            stopped.printed = printed  # type: ignore[attr-defined]
            raise stopped
        if "ended" in answer:
            lost = LostError(f"{about} {answer['ended']}{_last_line(printed) or self._last_log_line()}")
            lost.printed = printed
            raise lost
        if "error" in answer:
            raise _as_error(answer["error"], printed)
        return answer

    def _output_so_far(self) -> str:
        """Ask nothing any more, which ends the call; what it had printed."""
        self._process.close_input()
        with suppress(ValueError):
            while answer := self._process.next_answer(PATIENCE):
                if "progress" not in answer:
                    return str(answer.get("printed", ""))
        return ""

    def _answer(self, about: str, listen: ProgressListener = ignore_progress) -> dict[str, Any]:
        """The answer; until it comes, `listen` is told how far the component is."""
        try:
            while (answer := self._process.next_answer(TICK)) is None or "progress" in answer:
                if answer is None and self._process.closed:
                    break
                listen(ProgressReport(**answer["progress"]) if answer else None)
        except ValueError:
            answer = None
        if answer is None:
            ended = self._process.how_it_ended(PATIENCE, by_itself="ended its process")
            raise LostError(f"{about} {ended}{self._last_log_line()}")
        return answer

    def _last_log_line(self) -> str:
        """The last line that the process printed, where it was kept."""
        printed = self._log.read_bytes()[self._log_start :] if self._log else b""
        return _last_line(printed.decode(errors="replace"))


def _last_line(printed: str) -> str:
    last = next((line.strip() for line in reversed(printed.splitlines()) if line.strip()), "")
    return f": {last[:300]}" if last else ""


def _call_question(call: ComponentCall) -> dict[str, Any]:
    inputs = {name: place and {**vars(place), "folder": str(place.folder)} for name, place in call.inputs.items()}
    return {
        "ask": "call",
        "component": call.component.function_name,
        "step": call.component.name,
        "names": dict(call.component.renamed),
        "module": call.component.module,
        **_place_question(call.place),
        "code": dict(call.code),
        "inputs": inputs,
        "arguments": dict(call.arguments),
        "files": [str(file) for file in call.files],
        "scratch": str(call.scratch),
        "progress": True,
        "needed": list(dict.fromkeys(modules_needed(call.component))),
    }


def _place_question(place: CodePlace) -> dict[str, Any]:
    return {
        "folder": str(place.folder),
        "home": str(place.home),
        "digests": dict(place.digests),
        "modules": dict(place.modules),
        "roots": list(place.roots),
    }


def _as_error(description: Mapping[str, Any], printed: str) -> ReletError:
    kind = getattr(errors, description["type"], ComponentError)
    # A file's name may hold bytes that are no text, which no record can store.
    message = description["message"].encode(errors="backslashreplace").decode()
    error = (kind if isinstance(kind, type) and issubclass(kind, ReletError) else ComponentError)(message)
    error.add_note(description["trace"])
    error.lines = tuple(CodeLine(**each) for each in description.get("lines", ()))
    error.settings = description.get("settings", {})
    if isinstance(error, ComponentError):
        error.undeclared = description.get("undeclared", {})  # an older relet in that environment tells neither
        error.looked_at = description.get("looked_at", {})
    error.printed = printed
    return error


def clean_environment(changes: Mapping[str, str], *, lock: bytes, root: Path, scratch: Path) -> dict[str, str]:
    """This process's environment for an interpreter made from `lock`, without what decides which code that runs.

    relet itself is that of the project's folder `root`, where it holds one, or else that of the lock. Where
    neither has one, it is this relet, which `scratch` then links to.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    if (root / "src" / "relet" / "__init__.py").is_file():
        environment["PYTHONPATH"] = str(root / "src")
    elif not any(line.startswith(b"relet==") for line in lock.splitlines()):
        environment["PYTHONPATH"] = str(_relet_alone(scratch))
    return environment | dict(changes)


def _relet_alone(scratch: Path) -> Path:
    """A folder that holds this relet and no other package."""
    package = PACKAGE
    folder = scratch / "relet-itself"
    folder.mkdir(exist_ok=True)
    link = folder / package.name
    if not link.exists():
        link.symlink_to(package, target_is_directory=True)
    return folder
