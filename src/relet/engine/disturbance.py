"""Another clock, one processor, no network: for a process in which a component is called a second time."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

_STILL = 1_900_000_000.0
_CONNECTIONS = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))


def shift_clock(seconds: float) -> None:
    """Let Python's clocks show another time from now on; they go on as fast as before."""
    import time_machine

    # a number of seconds: a datetime would set this process's time zone, too
    time_machine.travel(time.time() + seconds, tick=True).start()


def stop_clock() -> None:
    """Let Python's clocks stand still from now on, at a time that is the same in every process."""
    import time_machine

    time_machine.travel(_STILL, tick=False).start()


def use_one_cpu() -> None:
    """Leave this process one processor, where the system lets it choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def cut_network() -> None:
    """Refuse whatever Python would connect to or look up from now on, as a machine without a network does."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        # a socket of this machine's own is no network: its address is a path
        if event in _CONNECTIONS and not (event == "socket.connect" and isinstance(arguments[-1], str | bytes)):
            raise ConnectionRefusedError(f"{event}: there is no network here")

    sys.addaudithook(refuse)
