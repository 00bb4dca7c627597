"""What a process does to itself: another clock, one processor, no network, an end with the one that forked it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from typing import Any

_STILL = 1_900_000_000.0
_CONNECTIONS = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))


def shift_clock(seconds: float) -> None:
    """Let Python's clocks show another time from now on; they go on as fast as before."""
    import time_machine

    # A number, since a datetime would also set the time zone of this process.
    time_machine.travel(time.time() + seconds, tick=True).start()


def stop_clock() -> None:
    """Let Python's clocks stand still from now on, at a time that is the same in every process."""
    import time_machine

    time_machine.travel(_STILL, tick=False).start()


def use_one_cpu() -> None:
    """Let this process use one processor, where the system supports that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def cut_network() -> None:
    """Refuse each connection and each look-up of a name from now on, as a machine without a network does."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        # An address that is a path is a socket of this machine, not the network.
        if event in _CONNECTIONS and not (event == "socket.connect" and isinstance(arguments[-1], str | bytes)):
            raise ConnectionRefusedError(f"{event}: there is no network here")

    sys.addaudithook(refuse)


# An option of Linux's prctl: which signal a process gets when its parent ends.
_SIGNAL_OF_PARENTS_END = 1


def end_with_parent(parent: int) -> None:
    """Let this process be killed when the one that forked it, `parent`, ends; where the system supports that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_OF_PARENTS_END, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
