"""What a process does to itself: another clock, machine or user, as Python shows them; an end with its parent."""

from __future__ import annotations

import argparse
import itertools
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

_STILL = 1_900_000_000.0
_CONNECTIONS = frozenset(("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a process that disturbs itself. Where one is given twice, the last one counts."""
    parser.add_argument("--shift-clock", type=float, metavar="SECONDS", help="let the clock show another time")
    parser.add_argument("--stop-clock", action="store_true", help="let the clock stand still")
    parser.add_argument("--processors", type=int, metavar="COUNT", help="use and show that many processors")
    parser.add_argument("--no-network", action="store_true", help="refuse every connection")
    parser.add_argument("--umask", type=lambda text: int(text, 8), help="the umask, as an octal number")
    parser.add_argument("--host-name", metavar="NAME", help="show Python another host name")
    parser.add_argument("--user-name", metavar="NAME", help="show Python another user name")
    parser.add_argument(
        "--turn-listings", action="store_true", help="list the files of a folder the other way round"
    )
    parser.add_argument("--seed-generators", type=int, metavar="SEED", help="seed what would get a seed by chance")
    parser.add_argument("--working-folder", metavar="FOLDER", help="work there, not in the project's folder")


def disturb_process(chosen: argparse.Namespace) -> None:
    """What holds for a process and each copy of it, and is set before any package is imported."""
    if chosen.processors is not None:
        show_processors(chosen.processors)
    if chosen.umask is not None:
        os.umask(chosen.umask)
    if chosen.host_name:
        show_host(chosen.host_name)
    if chosen.user_name:
        show_user(chosen.user_name)
    if chosen.turn_listings:
        turn_listings()


def disturb_call(chosen: argparse.Namespace) -> None:
    """What is set in the copy that calls a component, just before the call."""
    if chosen.seed_generators is not None:
        seed_generators(chosen.seed_generators)
    if chosen.stop_clock:
        stop_clock(chosen.shift_clock or 0.0)
    elif chosen.shift_clock is not None:
        shift_clock(chosen.shift_clock)
    if chosen.no_network:
        cut_network()


def shift_clock(seconds: float) -> None:
    """Let Python's clocks show another time from now on; they go on as fast as before."""
    import time_machine

    # A number, since a datetime would also set the time zone of this process.
    time_machine.travel(time.time() + seconds, tick=True).start()


def stop_clock(seconds: float = 0.0) -> None:
    """Let Python's clocks stand still from now on, `seconds` after a time that is the same in every process."""
    import time_machine

    time_machine.travel(_STILL + seconds, tick=False).start()


def show_processors(count: int) -> None:
    """Let Python see `count` processors, and native code use at most as many, where the system supports that."""
    shown = set(range(count))
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        shown = set(usable[:count]) | set(range(max(usable) + 1, max(usable) + 1 + count - len(usable)))
        os.sched_setaffinity(0, usable[:count])
        os.sched_getaffinity = lambda _process: set(shown)
    os.cpu_count = lambda: count
    if hasattr(os, "process_cpu_count"):
        os.process_cpu_count = lambda: count


def show_host(name: str) -> None:
    """Let Python see another host name."""
    import platform

    real = os.uname()
    words = (real.sysname, name, real.release, real.version, real.machine)
    other = os.uname_result(words)
    shown = platform.uname()._replace(node=name)
    os.uname = lambda: other
    platform.uname = lambda: shown
    socket.gethostname = lambda: name


def show_user(name: str) -> None:
    """Let Python see another name for the user of this process."""
    import pwd

    real, own = pwd.getpwuid, os.getuid()

    def entry(user: int) -> pwd.struct_passwd:
        found = real(user)
        return pwd.struct_passwd((name, *found[1:])) if user == own else found

    pwd.getpwuid = entry
    os.getlogin = lambda: name


class _TurnedListing:
    """What `os.scandir` gives, the other way round."""

    def __init__(self, entries: Iterator[os.DirEntry[Any]]) -> None:
        self._entries = iter(list(entries)[::-1])

    def __iter__(self) -> _TurnedListing:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _TurnedListing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def turn_listings() -> None:
    """Let Python list the files of each folder the other way round: no system promises an order."""
    list_names, scan = os.listdir, os.scandir

    def scan_turned(*arguments: Any) -> _TurnedListing:
        with scan(*arguments) as entries:
            return _TurnedListing(entries)

    def list_turned(*arguments: Any) -> list[Any]:
        return list(list_names(*arguments))[::-1]

    os.listdir = list_turned  # type: ignore[assignment]
    os.scandir = scan_turned  # type: ignore[assignment]


def seed_generators(seed: int) -> None:
    """Give random generators that would get a seed by chance one that follows from `seed`.

    Python's and NumPy's generators and `os.urandom` are held; those of other native libraries are not. Names of
    temporary files do not depend on the seed.
    """
    chance = random.Random(f"relet {seed}")
    set_seed = random.Random.seed

    def seed_held(self: random.Random, a: Any = None, version: int = 2) -> None:
        set_seed(self, chance.getrandbits(128) if a is None else a, version)

    def some_bytes(size: int) -> bytes:
        return chance.randbytes(size)

    random.Random.seed = seed_held  # type: ignore[method-assign]
    random.seed(chance.getrandbits(128))
    os.urandom = some_bytes
    random._urandom = some_bytes  # type: ignore[attr-defined]
    tempfile._name_sequence = map("{:08d}".format, itertools.count())  # type: ignore[attr-defined]
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(chance.getrandbits(32))


def cut_network() -> None:
    """Refuse each connection and each look-up of a name from now on, as a machine without a network does."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        # An address that is a path is a socket of this machine, not the network.
        if event in _CONNECTIONS and not (event == "socket.connect" and isinstance(arguments[-1], str | bytes)):
            raise ConnectionRefusedError(f"{event}: there is no network here")

    sys.addaudithook(refuse)
