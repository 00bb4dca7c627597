"""A unit test starts no process and reaches no other machine: what does is a test of tests/integration."""

from __future__ import annotations

import sys
from collections.abc import Generator
from ipaddress import ip_address
from typing import Any

import pytest

_STARTING = frozenset(
    (
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    )
)
# Both are asked once in a process, by whatever test comes first: how many cores there are, by joblib before
# scikit-learn uses threads, and what processor this is, by Python's module platform, which MLflow calls.
_LET_PASS = frozenset(("lscpu", "uname"))
_seen: list[str] = []


def _is_elsewhere(address: object) -> bool:
    """Whether a socket's address is another machine's. A path is this machine's."""
    if not isinstance(address, tuple) or address[0] == "localhost":
        return False
    try:
        return not ip_address(address[0]).is_loopback
    except ValueError:
        return True


def _watch(
    event: str,
    arguments: tuple[Any, ...],
    *,
    starting: frozenset[str] = _STARTING,
    let_pass: frozenset[str] = _LET_PASS,
    seen: list[str] = _seen,
) -> None:
    """The defaults are there still when the process ends and this module's names are gone."""
    if event in starting and not (arguments and arguments[0] in let_pass):
        seen.append(f"{event} {arguments[:2]}")
    elif event == "socket.connect" and _is_elsewhere(arguments[1]):
        seen.append(f"{event} {arguments[1]}")


# Python has no way to take an audit hook away, so this one stays until the process ends.
sys.addaudithook(_watch)


def _refuse(item: pytest.Item) -> None:
    if _seen:
        first = _seen[0]
        _seen.clear()
        pytest.fail(f"{item.nodeid} is a unit test and does this: {first}; move it to tests/integration", False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Watch the fixtures, too."""
    _seen.clear()
    found = yield
    _refuse(item)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    found = yield
    _refuse(item)
    return found
