"""Servers that drip, hang or stay below the least rate are given up."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from relet.data import download
from relet.data.download import FetchLimits
from relet.data.sources import resolve_source
from relet.errors import BadDataError, SettingError
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny
from tests.unit.data.origin import HEADERS, Origin, complete_files, dripping, good

LIMITS = FetchLimits(timeout=0.3, rate=10_000)


@pytest.fixture(autouse=True)
def two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt takes as long as the limit."""
    monkeypatch.setattr(download, "ATTEMPTS", 2)


@pytest.mark.parametrize("pause", [0.05, 5.0])
def test_a_server_that_drips_or_hangs_is_given_up(origin: Origin, tmp_path: Path, pause: float) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b"x")
                time.sleep(pause)
        except OSError:
            pass

    origin.answers = [drip]
    started = time.monotonic()
    with pytest.raises(BadDataError, match=r"bytes came in 0.2 seconds|timed out"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(timeout=0.2))
    assert time.monotonic() - started < 4
    assert len(origin.asked) == 2
    assert complete_files(tmp_path) == []


@pytest.mark.parametrize(
    ("headers", "piece"),
    [
        (b"Content-Length: 9999999\r\n\r\n", 400 * b"x"),
        # Without a length, a connection that is ended early looks like the end of the file.
        (b"\r\n", 400 * b"x"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"190\r\n" + 400 * b"c" + b"\r\n"),
    ],
)
def test_a_body_that_comes_more_slowly_than_the_least_rate_is_given_up(
    origin: Origin, tmp_path: Path, headers: bytes, piece: bytes
) -> None:
    """4,000 bytes a second: in each window more than a server sends that has stopped, and too few all the same."""

    def slowly(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(HEADERS + headers)
        dripping(100 * piece, each=len(piece), pause=0.1)(request)

    origin.answers = [slowly]
    started = time.monotonic()
    said = r"only \d+ bytes came in 0.3 seconds \(main.download_timeout\).* 10000 bytes .* \(main.download_rate\)"
    with pytest.raises(BadDataError, match=said):
        resolve_source(origin.url, tmp_path, limits=LIMITS)
    assert time.monotonic() - started < 8
    assert complete_files(tmp_path) == []


def test_headers_that_drip_are_waited_for_no_longer_than_the_limit(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [dripping(HEADERS + b"X-Long: " + 200 * b"x", each=1, pause=0.05)]
    started = time.monotonic()
    with pytest.raises(BadDataError, match=r"headers did not come within 0.3 seconds \(main.download_timeout\)"):
        resolve_source(origin.url, tmp_path, limits=LIMITS)
    assert time.monotonic() - started < 8
    assert complete_files(tmp_path) == []


def test_a_line_within_the_body_that_drips_is_given_up_too(origin: Origin, tmp_path: Path) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n")
        dripping(b"5;" + 200 * b"x", each=1, pause=0.05)(request)

    origin.answers = [answer]
    started = time.monotonic()
    with pytest.raises(BadDataError, match=r"only 0 bytes came in 0.3 seconds"):
        resolve_source(origin.url, tmp_path, limits=LIMITS)
    assert time.monotonic() - started < 8


def test_a_slow_server_is_waited_for_where_the_least_rate_is_lower(origin: Origin, tmp_path: Path) -> None:
    content = HEADERS + b"Content-Length: 40\r\n\r\n" + 40 * b"x"
    origin.answers = [dripping(content, each=8, pause=0.1)]
    path = resolve_source(origin.url, tmp_path, limits=FetchLimits(timeout=0.8, rate=0))
    assert path.read_bytes() == 40 * b"x"
    assert len(origin.asked) == 1


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"rate": -1}, {"max_bytes": 0}, {"timeout": float("nan")}])
def test_a_limit_that_nothing_keeps_to_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=rf"main\.download_{next(iter(wrong))} must be at least"):
        FetchLimits(**wrong)  # type: ignore[arg-type]


def test_the_limits_are_settings_of_the_pipeline(tiny: Tiny, origin: Origin) -> None:
    origin.answers = [good()]
    order = read_order("tiny", [f"etl.source='{origin.url}'", "main.download_max_bytes=1000"])
    with pytest.raises(BadDataError, match="the limit is 1000"):
        prepare(order)
    origin.answers = [dripping(HEADERS + b"X-Long: " + 200 * b"x", each=1, pause=0.05)]
    order = read_order("tiny", [f"etl.source='{origin.url}'", "main.download_timeout=0.1"])
    with pytest.raises(BadDataError, match=r"did not come within 0\.1 seconds"):
        prepare(order)
    with pytest.raises(SettingError, match=r"main\.download_rate must be at least 0, got -1"):
        prepare(read_order("tiny", ["main.download_rate=-1"]))
