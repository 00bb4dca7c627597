"""Another interpreter that calls components: its process is started once, and asked a line at a time."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from relet import errors
from relet.core.artifact import ArtifactType
from relet.core.record import Caveat, KeyParts
from relet.engine.worker import PROTOCOL
from relet.errors import ComponentError, ReletError, SetUpError
from relet.names import PACKAGE
from relet.project.call import CallResult, ComponentCall, WrittenOutput

# What of this process's environment would change which code another interpreter runs.
_OWN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV", "CONDA_PREFIX")
# Seconds that a process has to end once it is told to, or once its line is closed.
PATIENCE = 5.0
# How long one look for an answer lasts, in seconds.
SLICE = 0.2

# What a process needs of the environment to run at all.
NEEDED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "OMP_WAIT_POLICY")


class InterpreterProcess:
    """A process of an environment's interpreter that calls the components of one project's pipeline.

    `command` starts the interpreter; `environment` is the whole environment of its process; `options` are those of
    `relet.engine.worker`; what the process prints goes to `log`, or where this process's own errors go. It ends
    with `close`, or with the `with` block. Methods raise ComponentError where the process ended by itself.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        root: Path,
        pipeline: str,
        environment: Mapping[str, str],
        options: Sequence[str] = (),
        log: Path | None = None,
    ) -> None:
        words = [
            *command,
            "-P",
            "-m",
            "relet.engine.worker",
            "--root",
            str(root),
            "--pipeline",
            pipeline,
            *options,
        ]
        self._log = log
        self._asked = False
        with ExitStack() as opened:
            errors = opened.enter_context(log.open("ab")) if log else None
            try:
                self._process = subprocess.Popen(
                    words,
                    cwd=root,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    encoding="utf-8",
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
        """End the process: what it still computes, where whoever asked was interrupted, nobody wants any more."""
        if self._asked:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                # it may have ended before what was written to it could be sent
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def parts(self, components: Mapping[str, Mapping[str, Any]]) -> dict[str, KeyParts]:
        """What the keys of components with these parameters take from source and packages there."""
        question = {"ask": "parts", "components": list(components), "parameters": components}
        answer = self._ask(question, "the project")
        return {name: KeyParts(**parts) for name, parts in answer["parts"].items()}

    def call(self, call: ComponentCall) -> CallResult:
        """Call a component there. Raises what it raised, by the same name where it is relet's own."""
        inputs = {
            name: {"folder": str(laid.folder), "type": laid.type, "verified": laid.verified} if laid else None
            for name, laid in call.inputs.items()
        }
        question = {
            "ask": "call",
            "component": call.component.name,
            "code": dict(call.code),
            "inputs": inputs,
            "arguments": dict(call.arguments),
            "files": [str(file) for file in call.files],
            "scratch": str(call.scratch),
        }
        answer = self._ask(question, call.component.name)
        outputs = {
            name: WrittenOutput(
                type=ArtifactType(each["type"]),
                folder=Path(each["folder"]),
                content=each["content"],
                metadata=each["metadata"],
            )
            for name, each in answer["outputs"].items()
        }
        caveats = tuple(Caveat(**each) for each in answer["caveats"])
        return CallResult(outputs=outputs, caveats=caveats, machine=answer["machine"])

    def _ask(self, question: Mapping[str, Any], about: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._asked = True
        # where it has ended, reading its answer says how
        with suppress(OSError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        answer = self._answer(about)
        self._asked = False
        if "error" in answer:
            raise _as_error(answer["error"])
        return answer

    def _answer(self, about: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        # In slices: a library may have told the system to go on reading after a signal, and Ctrl-C has to end it.
        while not select.select([self._process.stdout], [], [], SLICE)[0]:
            pass
        line = self._process.stdout.readline()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise ComponentError(f"{about} {self._ended()}{self._said()}") from None
        return answer

    def _ended(self) -> str:
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "closed the line to whoever asks, and was killed"
        if status >= 0:
            return f"ended its process with status {status}"
        known = {each.value: each.name for each in signal.Signals}
        return (
            f"was ended by {known.get(-status, f'signal {-status}')}{' (no memory left?)' if status == -9 else ''}"
        )

    def _said(self) -> str:
        """The last line that the process wrote, where it was kept."""
        content = self._log.read_text(encoding="utf-8", errors="replace") if self._log else ""
        last = next((line.strip() for line in reversed(content.splitlines()) if line.strip()), "")
        return f": {last[:300]}" if last else ""


def _as_error(told: Mapping[str, str]) -> ReletError:
    kind = getattr(errors, told["type"], ComponentError)
    # what can't be encoded, as the name of a file may have it, could not be stored in a record
    message = told["message"].encode(errors="backslashreplace").decode()
    error = (kind if isinstance(kind, type) and issubclass(kind, ReletError) else ComponentError)(message)
    error.add_note(told["trace"])
    return error


def clean_environment(changes: Mapping[str, str], *, lock: bytes, root: Path, scratch: Path) -> dict[str, str]:
    """This process's environment for an interpreter made from `lock`: without what decides which code it runs.

    relet itself is that of the project's folder `root`, where it holds one, or the lock's; else this one, which
    is then linked to from `scratch`.
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
