"""A bucket of this machine may be spoken to without TLS, however its address is told; one elsewhere may not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from relet.errors import StoreError
from relet.store import address, open_store

NAMES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """The port of a server that refuses everything, and the paths that it was asked for."""
    paths: list[str] = []

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Refusal) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_address[1], paths
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("name", NAMES)
def test_an_endpoint_of_this_machine_is_asked_without_tls(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[int, list[str]], name: str
) -> None:
    port, paths = asked
    for each in NAMES:
        monkeypatch.delenv(each, raising=False)
    for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(each, "x")
    monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    monkeypatch.setattr(address, "RETRIES", 0)
    with pytest.raises(StoreError):
        open_store("s3://bucket/prefix")
    assert paths
