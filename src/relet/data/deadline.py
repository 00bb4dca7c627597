"""A deadline for the connections of an HTTP session, whatever a server sends and however slowly.

The time limits of a socket begin anew with each byte, so that a server which sends one now and then is never done.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


class ConnectionDeadline:
    """Ends the connections of a session when its time is over. What reads from them gets an error or an early end,
    so `passed` says whether what was read may be cut short.
    """

    def __init__(self) -> None:
        self.passed = False
        self._changing = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer: threading.Timer | None = None

    def set(self, seconds: float) -> None:
        """End the connections in so many seconds from now, and no longer at the time that was set before."""
        self.cancel()
        with self._changing:
            self._timer = threading.Timer(seconds, self._pass)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """End no connection any more, until a time is set again."""
        with self._changing:
            if self._timer is not None:
                self._timer.cancel()

    def watch(self, connection: socket.socket) -> None:
        """Hold a connection to the deadline: a copy of its descriptor, since TLS takes the socket itself over."""
        with self._changing:
            self._sockets.append(connection.dup())

    def _pass(self) -> None:
        self.passed = True
        self._each(lambda connection: connection.shutdown(socket.SHUT_RDWR))

    def close(self) -> None:
        """Cancel, and close the copies of the descriptors."""
        self.cancel()
        self._each(lambda connection: connection.close())
        self._sockets.clear()

    def _each(self, act: Any) -> None:
        with self._changing:
            for connection in self._sockets:
                with suppress(OSError):
                    act(connection)


@contextmanager
def session_with_deadline(redirects: int) -> Iterator[tuple[requests.Session, ConnectionDeadline]]:
    """A session that follows so many redirects, and the deadline of all its connections, which is not set yet."""
    import requests
    from requests.adapters import HTTPAdapter

    deadline = ConnectionDeadline()

    class DeadlineAdapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = _pool_classes(deadline)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **options)
            manager.pool_classes_by_scheme = _pool_classes(deadline)
            return manager

    with requests.Session() as session:
        session.max_redirects = redirects
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter())
        try:
            yield session, deadline
        finally:
            deadline.close()


def _pool_classes(deadline: ConnectionDeadline) -> dict[str, Any]:
    """urllib3's pools, whose connections the deadline watches from their first byte."""
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    def watched(pool: Any) -> Any:
        def new_socket(self: Any) -> socket.socket:
            opened: socket.socket = super(connection, self)._new_conn()
            deadline.watch(opened)
            return opened

        base = pool.ConnectionCls
        connection: Any = type(f"Watched{base.__name__}", (base,), {"_new_conn": new_socket})
        return type(f"Watched{pool.__name__}", (pool,), {"ConnectionCls": connection})

    return {"http": watched(HTTPConnectionPool), "https": watched(HTTPSConnectionPool)}
