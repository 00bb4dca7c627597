"""Another clock and no network, for a process in which a component is called a second time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

_CONNECTIONS = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))


def shift_clock(seconds: float) -> None:
    """Let Python's clocks show another time from now on; they go on as fast as before."""
    import time_machine

    time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()


def cut_network() -> None:
    """Refuse whatever Python would connect to or look up from now on, as a machine without a network does."""

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event in _CONNECTIONS:
            raise ConnectionRefusedError(f"{event}: there is no network here")

    sys.addaudithook(refuse)
