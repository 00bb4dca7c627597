"""Time whole commands side by side: alternated runs, medians, ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One timed run of a command: wall seconds, and the peak memory of its largest process in MB."""

    seconds: float
    megabytes: float
    output: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to time: its words, its folder, and its environment variables."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def measure(command: Command) -> Reading:
    """Run a command to its end. Raises RuntimeError with the command's output where it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(command.words),
            cwd=command.folder,
            env={**os.environ, **command.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command.words)} ended with {process.returncode}:\n{text[-3000:]}")
    return Reading(seconds=seconds, megabytes=usage.ru_maxrss / 1024, output=text)


def alternate(
    makers: Mapping[str, Callable[[], Command]], runs: int, *, warm_up: bool = False
) -> dict[str, list[Reading]]:
    """Run the commands in turn, A B C A B C …, so that all of them suffer where the machine slows down."""
    readings: dict[str, list[Reading]] = {name: [] for name in makers}
    for turn in range(runs + warm_up):
        for name, make in makers.items():
            reading = measure(make())
            if turn >= warm_up:
                readings[name].append(reading)
    return readings


def median_seconds(readings: Sequence[Reading]) -> float:
    return statistics.median(reading.seconds for reading in readings)


def paired_ratio(readings: Sequence[Reading], others: Sequence[Reading]) -> float:
    """The median of the ratios of each turn."""
    return statistics.median(
        reading.seconds / other.seconds for reading, other in zip(readings, others, strict=True)
    )
