"""A real server on loopback that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONTENT = b"".join(b"%d,listing number %d\n" % (row, row) for row in range(40_000))


class Origin:
    """A server whose answer to each request is the next of `answers`, the last of them for ever."""

    def __init__(self) -> None:
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.asked: list[dict[str, str]] = []
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                origin.asked.append(dict(self.headers))
                answer = origin.answers.pop(0) if len(origin.answers) > 1 else origin.answers[0]
                answer(self)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up on purpose
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.root}/listings.csv"


def good(content: bytes = CONTENT, etag: str = '"one"', stop_after: int | None = None, ranges: bool = True):
    """Serve `content` as a server should, and hang up after `stop_after` bytes of the body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        wanted, start = request.headers.get("Range"), 0
        if etag and request.headers.get("If-None-Match") == etag:
            request.send_response(304)
            request.end_headers()
            return
        if ranges and wanted and request.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if etag:
            request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        request.wfile.write(content[start:] if stop_after is None else content[start : start + stop_after])

    return answer


def status(code: int):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def complete_files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if not file.name.endswith((".part", ".json", ".lock"))]


def dripping(content: bytes, *, each: int, pause: float):
    """Send raw bytes a few at a time, until the other side hangs up."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            for start in range(0, len(content), each):
                request.wfile.write(content[start : start + each])
                request.wfile.flush()
                time.sleep(pause)

    return answer


HEADERS = b"HTTP/1.1 200 OK\r\n"
