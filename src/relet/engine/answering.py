"""Questions and answers between two processes: a line of JSON each.

Questions come on the standard input of the process that answers; answers go out on its standard output.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

# How long one look for an answer lasts, in seconds.
LOOK = 0.2


class AnsweringProcess:
    """A process that answers questions, as the process that asks sees it.

    `command` starts it, `environment` is its whole environment, and `errors` is the file that it prints to (None:
    this process's own standard error). With `own_session` a Ctrl-C in the terminal does not reach it; `shielded`,
    that waits until the process takes it (`leave_interruptions_to_copies`). It has to be ended with `end`. Raises
    OSError where it can't be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        errors: int | None = None,
        own_session: bool = False,
        shielded: bool = False,
    ) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT] if shielded else [])
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=own_session,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._half_line = b""
        self._unread: list[dict[str, Any]] = []
        self._closed = False
        os.set_blocking(self.fileno(), False)

    def fileno(self) -> int:
        """The file descriptor that answers come on, for a selector."""
        return self._stdout.fileno()

    @property
    def closed(self) -> bool:
        """Whether no more answers can come."""
        return self._closed

    @property
    def exit_status(self) -> int | None:
        """The status that the process ended with; the negative number of the signal that ended it."""
        return self._process.poll()

    def ask(self, question: Mapping[str, Any]) -> None:
        """Send a question. Where the process has ended, reading its answer says so."""
        with suppress(OSError):
            self._stdin.write(json.dumps(question).encode() + b"\n")
            self._stdin.flush()

    def answers(self) -> list[dict[str, Any]]:
        """The answers that have come, up to the last whole line. Raises ValueError where a line is no JSON."""
        try:
            content = os.read(self.fileno(), 1 << 16)
        except BlockingIOError:
            return []
        self._closed = not content
        *lines, self._half_line = (self._half_line + content).split(b"\n")
        return [json.loads(line) for line in lines]

    def next_answer(self, patience: float = math.inf) -> dict[str, Any] | None:
        """Wait for the next answer; None where no answer can come any more, or came within `patience` seconds.

        Raises ValueError where a line is no JSON.
        """
        until = time.monotonic() + patience
        while not self._unread and not self._closed and time.monotonic() < until:
            # In slices, so that Ctrl-C ends the wait: a library may have made the system go on after a signal.
            if select.select([self], [], [], LOOK)[0]:
                self._unread += self.answers()
        return self._unread.pop(0) if self._unread else None

    def how_it_ended(self, patience: float, *, by_itself: str) -> str:
        """How the process ended, as a predicate; `by_itself` is the verb for an end with an exit status.

        A process that does not end within `patience` seconds is killed.
        """
        try:
            status = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._kill_and_wait()
            return "closed the line to whoever asks, and was killed"
        return how_a_process_ended(status, by_itself=by_itself)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()

    def close_input(self) -> None:
        """Let the process end by itself: it sees that nobody asks any more."""
        with suppress(OSError):  # it may have ended before what was written to it could be sent
            self._stdin.close()

    def end(self, patience: float) -> None:
        """Close the input, and kill the process where it does not end within `patience` seconds, or at Ctrl-C."""
        self.close_input()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._kill_and_wait()
        except KeyboardInterrupt:
            self._kill_and_wait()
            raise
        finally:
            with suppress(OSError):
                self._stdout.close()

    def _kill_and_wait(self) -> None:
        self._process.kill()
        self._process.wait()


def how_a_process_ended(status: int, *, by_itself: str) -> str:
    """How a process ended that had an exit status, or the negative number of a signal, as a predicate.

    >>> how_a_process_ended(-11, by_itself="ended")
    'was ended by SIGSEGV'
    """
    if status >= 0:
        return f"{by_itself} with status {status}"
    names = {each.value: each.name for each in signal.Signals}
    memory = " (no memory left?)" if status == -signal.SIGKILL else ""
    return f"was ended by {names.get(-status, f'signal {-status}')}{memory}"


def own_streams() -> tuple[TextIO, TextIO]:
    """The streams for questions and answers of the process that answers, out of the reach of components.

    What a component prints goes to standard error, and what it reads from standard input is empty.
    """
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    # A forked process that outlives this one would hold the streams open, and whoever asks would wait for it.
    for stream in (questions, answers):
        close_in_children(stream.fileno())
    return questions, answers


def close_in_children(file: int) -> None:
    """Close a file descriptor in each process that is forked off from this one.

    Not in their children: there the number may be that of another file.
    """
    is_closed = False

    def close() -> None:
        # the process that forked may have ended already, so that nobody can ask who it was
        nonlocal is_closed
        if not is_closed:
            is_closed = True
            with suppress(OSError):
                os.close(file)

    os.register_at_fork(after_in_child=close)


def send_answer(answers: TextIO, answer: Mapping[str, Any]) -> None:
    """Send a line to whoever asks. Where nobody asks any more, standard input has ended too, and is read next."""
    with suppress(BrokenPipeError):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
