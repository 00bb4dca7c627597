"""Each way to another machine is seen by itself: a name that is asked for, an address that is spoken to."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relet.core.record import Caveat
from relet.engine.observing import ReadPermissions, caveats, watch_process

NOTHING_ALLOWED = ReadPermissions(folder=Path("/nowhere"), home=Path("/nowhere"), paths=())


def network_caveats(act: Callable[[], object]) -> list[str]:
    with watch_process() as touched:
        act()
    return [each.what for each in caveats(touched, NOTHING_ALLOWED) if each.kind == "network"]


def test_a_connection_by_address_is_seen_though_no_name_is_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        port = server.getsockname()[1]
        assert network_caveats(lambda: client.connect(("127.0.0.1", port))) == [f"127.0.0.1:{port}"]


def test_a_datagram_is_seen_by_the_address_it_is_sent_to() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        assert network_caveats(lambda: sender.sendto(b"", ("127.0.0.1", 9))) == ["127.0.0.1:9"]


@pytest.mark.parametrize(
    ("ask", "seen"),
    [
        (lambda: socket.getaddrinfo("localhost", 80), "localhost:80"),
        (lambda: socket.getaddrinfo(b"localhost", 80), "localhost:80"),
        (lambda: socket.gethostbyname("localhost"), "localhost"),
        (lambda: socket.gethostbyname_ex("localhost"), "localhost"),
    ],
)
def test_a_name_that_is_asked_for_is_seen(ask: Callable[[], object], seen: str) -> None:
    assert network_caveats(ask) == [seen]


def test_a_socket_of_another_process_of_this_machine_is_seen_by_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        assert network_caveats(lambda: client.connect(path)) == [path]


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no paths are Linux's own")
def test_a_socket_that_has_a_name_and_no_path_is_seen_by_its_name() -> None:
    name = f"\0relet-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(name)
        server.listen()
        assert network_caveats(lambda: client.connect(name)) == [f"@{name[1:]}"]


def test_what_is_done_after_the_watch_is_not_seen() -> None:
    with watch_process() as touched:
        pass
    socket.getaddrinfo("localhost", 80)
    assert Caveat(kind="network", what="localhost:80") not in caveats(touched, NOTHING_ALLOWED)
