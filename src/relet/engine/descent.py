"""A process and those that it starts: they end together, where the system is Linux."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

# Options of Linux's prctl: which signal a process gets when its parent ends, and whether it becomes the parent of
# what its descendants leave.
_SIGNAL_OF_PARENTS_END, _ADOPT_ORPHANS = 1, 36
# Seconds that a process has to end by itself.
_NOTICE = 0.5

_interruptions: tuple[signal.Signals, ...] = (signal.SIGINT,)


def end_with_parent(parent: int) -> None:
    """Let this process be killed when the one that forked it, `parent`, ends; where the system supports that."""
    _set_option(_SIGNAL_OF_PARENTS_END, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def leave_interruptions_to_copies() -> None:
    """Let this process go on when it is interrupted, as by a signal to its whole group; its copies heed that."""
    global _interruptions
    others = (signal.SIGTERM, signal.SIGHUP)
    # what the caller ignores, as `nohup` does, stays ignored
    _interruptions = (signal.SIGINT, *(each for each in others if signal.getsignal(each) is signal.SIG_DFL))
    for each in _interruptions:
        signal.signal(each, signal.SIG_IGN)
    # whoever started this process may have held it back until now
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def heed_interruptions() -> None:
    """In a copy: raise KeyboardInterrupt for each signal that the process before ignores for its copies' sake."""
    for each in _interruptions:
        signal.signal(each, signal.default_int_handler)


def adopt_orphans() -> None:
    """Become the parent of every process that a descendant leaves when it ends, so that it can be ended, too."""
    _set_option(_ADOPT_ORPHANS, 1)


def kill_with_descendants(child: int) -> None:
    """Kill a child of this process, then end what it started: by SIGTERM, and half a second later by SIGKILL."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    end_orphans()


def end_orphans() -> None:
    """End what this process adopted, its only children: by SIGTERM, and half a second later by SIGKILL."""
    until, told = time.monotonic() + _NOTICE, set[int]()
    while found := _running_children():
        late = time.monotonic() > until
        for each in found if late else found - told:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL if late else signal.SIGTERM)
        told |= found
        time.sleep(0.01)


def _running_children() -> set[int]:
    """The processes whose parent this one is and that have not ended; none where the system does not say."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    own = os.getpid()
    try:
        return {int(each) for each in Path(f"/proc/{own}/task/{own}/children").read_text().split()}
    except OSError:
        return set()


def _set_option(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)
