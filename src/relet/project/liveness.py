"""Which process a run belongs to, and whether that one has ended: a run that was killed can't say so itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# The field of a record's machine that names the process, while the run is going.
PROCESS = "process"


def this_process() -> dict[str, str]:
    """This process among all of its machine since that was started; empty where the system does not tell."""
    named = _process(os.getpid())
    return {PROCESS: f"{_numbers_of()} {named}"} if named else {}


def has_ended(machine: Mapping[str, Any]) -> bool:
    """Whether the process that a record's machine names was one of this machine, and is gone.

    False for a process of another machine or container, and of a time before the machine was started again.
    """
    named = machine.get(PROCESS)
    if not isinstance(named, str) or named.count(" ") != 2:
        return False
    numbers, number, began = named.split(" ")
    return numbers == _numbers_of() and _process(number) != f"{number} {began}"


def _numbers_of() -> str:
    """What the numbers of processes are true of: a start of the machine, and a container on it."""
    with suppress(OSError):
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{start}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
    return "unknown"


def _process(number: int | str) -> str | None:
    """A process by its number and the time of its start; None where there is none of that number."""
    with suppress(OSError, IndexError):
        # The name of the program, which may hold spaces, ends with the last bracket.
        told = Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return f"{number} {told[19]}" if told[0] != "Z" else None
    return None
