"""Paths, and URLs served by a real server on loopback that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from relet.data import download
from relet.data.download import FetchLimits, file_digest
from relet.data.sources import resolve_source
from relet.errors import BadDataError, SettingError, StoreError
from relet.project.order import read_order
from relet.project.request import prepare
from tests.tiny_project import Tiny

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


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin()
    thread = threading.Thread(target=origin.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield origin
    origin.server.shutdown()
    origin.server.server_close()


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


def test_a_url_is_fetched_whole_and_progress_reaches_its_length(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    seen: list[tuple[int, int | None]] = []
    path = resolve_source(origin.url, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert path.name.endswith("listings.csv")
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert file_digest(path) == hashlib.sha256(CONTENT).hexdigest()


def test_a_broken_connection_is_resumed_where_it_broke(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good(stop_after=300_000), good(stop_after=300_000), good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert [asked.get("Range") for asked in origin.asked] == [None, "bytes=300000-", "bytes=600000-"]
    assert origin.asked[1]["If-Range"] == '"one"'


def test_a_file_that_changed_between_attempts_is_started_again(origin: Origin, tmp_path: Path) -> None:
    changed = CONTENT.replace(b"listing", b"listed!")
    origin.answers = [good(stop_after=300_000), good(changed, '"two"')]
    assert resolve_source(origin.url, tmp_path).read_bytes() == changed


def test_a_server_that_ignores_ranges_is_read_from_the_start(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good(stop_after=300_000), good(ranges=False)]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT


def test_without_a_validator_nothing_is_glued_together(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good(etag="", stop_after=300_000), good(etag="")]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert "Range" not in origin.asked[1]


def test_a_weak_etag_is_no_promise_of_equal_bytes(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good(etag='W/"one"', stop_after=300_000), good(etag='W/"one"')]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert "Range" not in origin.asked[1]


def test_a_server_that_goes_on_from_the_wrong_byte_is_not_believed(origin: Origin, tmp_path: Path) -> None:
    def wrong_place(request: BaseHTTPRequestHandler) -> None:
        request.send_response(206)
        request.send_header("Content-Range", f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}")
        request.send_header("Content-Length", str(len(CONTENT) - 5))
        request.end_headers()
        request.wfile.write(CONTENT[5:])

    origin.answers = [good(stop_after=300_000), wrong_place, good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT


def test_what_stops_half_way_each_time_names_both_numbers_and_the_next_call_goes_on(
    origin: Origin, tmp_path: Path
) -> None:
    origin.answers = [good(stop_after=100_000)]
    with pytest.raises(BadDataError, match=f"stopped after 400000 of {len(CONTENT)} bytes.*400000 bytes are kept"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(timeout=0.05))
    assert complete_files(tmp_path) == []
    origin.answers = [good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert origin.asked[-1]["Range"] == "bytes=400000-"


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    first = resolve_source(origin.url, tmp_path)
    assert resolve_source(origin.url, tmp_path) == first
    assert origin.asked[1]["If-None-Match"] == '"one"'
    origin.answers = [good(b"new", '"two"')]
    assert resolve_source(origin.url, tmp_path).read_bytes() == b"new"


def test_a_local_copy_that_was_touched_is_fetched_again(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    path = resolve_source(origin.url, tmp_path)
    path.write_bytes(b"touched")
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_names_its_status_at_once_and_leaves_no_file(origin: Origin, tmp_path: Path, code: int) -> None:
    origin.answers = [status(code)]
    with pytest.raises(BadDataError, match=str(code)):
        resolve_source(origin.url, tmp_path)
    assert len(origin.asked) == 1
    assert complete_files(tmp_path) == []


def test_a_server_that_is_busy_is_asked_again(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [status(503), status(429), good()]
    assert resolve_source(origin.url, tmp_path, limits=FetchLimits(timeout=5)).read_bytes() == CONTENT


def test_a_length_over_the_limit_is_refused_before_anything_is_read(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    with pytest.raises(BadDataError, match=f"is {len(CONTENT)} bytes, .* 1000; raise main.download_max_bytes"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(max_bytes=1000))
    assert complete_files(tmp_path) == []


def test_a_body_without_length_is_cut_off_at_the_limit(origin: Origin, tmp_path: Path) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 65_536)
        except OSError:
            pass

    origin.answers = [endless]
    with pytest.raises(BadDataError, match="sends more than 500000 bytes, and the limit"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(max_bytes=500_000))
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")] == []


def test_what_unpacks_to_more_than_the_limit_is_cut_off_too(origin: Origin, tmp_path: Path) -> None:
    def packed(request: BaseHTTPRequestHandler) -> None:
        body = gzip.compress(b"x" * 10_000_000)
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    origin.answers = [packed]
    with pytest.raises(BadDataError, match="sends more than"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(max_bytes=1_000_000))
    assert resolve_source(origin.url, tmp_path).read_bytes() == b"x" * 10_000_000


def test_the_rest_without_a_length_that_stops_short_is_not_taken_for_whole(origin: Origin, tmp_path: Path) -> None:
    def rest(request: BaseHTTPRequestHandler) -> None:
        request.send_response(206)
        request.send_header("Content-Range", f"bytes 300000-{len(CONTENT) - 1}/{len(CONTENT)}")
        request.end_headers()
        request.wfile.write(CONTENT[300_000:400_000])

    origin.answers = [good(stop_after=300_000), rest, good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert origin.asked[2]["Range"] == "bytes=400000-"


def test_a_body_that_was_compressed_on_the_way_is_not_resumed(origin: Origin, tmp_path: Path) -> None:
    def packed(request: BaseHTTPRequestHandler) -> None:
        body = gzip.compress(CONTENT)
        request.send_response(200)
        request.send_header("ETag", '"one"')
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])

    origin.answers = [packed, good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    assert "Range" not in origin.asked[1]


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
    assert complete_files(tmp_path) == []


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
LIMITS = FetchLimits(timeout=0.3, rate=10_000)


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


def test_a_chunked_body_that_breaks_is_not_taken_for_whole(origin: Origin, tmp_path: Path) -> None:
    def chunked(whole: bool):
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.protocol_version = "HTTP/1.1"
            request.send_response(200)
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"5\r\nhello\r\n" + (b"0\r\n\r\n" if whole else b""))

        return answer

    origin.answers = [chunked(False)]
    with pytest.raises(BadDataError, match="broke"):
        resolve_source(origin.url, tmp_path, limits=FetchLimits(timeout=0.05))
    assert complete_files(tmp_path) == []
    origin.answers = [chunked(True)]
    assert resolve_source(origin.url, tmp_path).read_bytes() == b"hello"


def test_redirects_are_followed_a_few_times_and_never_out_of_http(origin: Origin, tmp_path: Path) -> None:
    def to(place: str):
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(302)
            request.send_header("Location", place)
            request.end_headers()

        return answer

    origin.answers = [to("/elsewhere.csv"), good()]
    assert resolve_source(origin.url, tmp_path).read_bytes() == CONTENT
    origin.answers = [to("/round")]
    with pytest.raises(BadDataError, match="redirects"):
        resolve_source(f"{origin.root}/round", tmp_path)
    origin.answers = [to("file:///etc/hosts")]
    with pytest.raises(BadDataError, match="file:"):
        resolve_source(f"{origin.root}/out", tmp_path)


def test_a_server_that_is_not_there_is_named_without_secrets(tmp_path: Path) -> None:
    with pytest.raises(
        BadDataError, match=r"http://127.0.0.1:9/x.csv\?token=\*\*\*: no answer.*tried 4 times"
    ) as error:
        resolve_source(
            "http://me:geheim@127.0.0.1:9/x.csv?token=geheim", tmp_path, limits=FetchLimits(timeout=0.05)
        )
    assert "geheim" not in str(error.value)
    assert "0x" not in str(error.value)


def test_two_fetches_of_one_url_at_a_time_do_not_mix(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(resolve_source(origin.url, tmp_path))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == CONTENT for path in paths] == [True] * 4
    assert len([asked for asked in origin.asked if "If-None-Match" not in asked]) == 1


def test_a_folder_that_can_not_be_written_is_named(origin: Origin, tmp_path: Path) -> None:
    origin.answers = [good()]
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        resolve_source(origin.url, tmp_path / "file")


def test_a_path_is_returned_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd:name.csv"
    path.write_text("a\n1\n")
    assert resolve_source(str(path), tmp_path / "unused") == path
    assert not (tmp_path / "unused").exists()


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "listings_2019.csv").write_text("a\n")
    with pytest.raises(BadDataError, match=r"no such file; did you mean listings_2019\.csv\?"):
        resolve_source(str(tmp_path / "listings_2018.csv"), tmp_path)
    with pytest.raises(BadDataError, match="nor is there a folder"):
        resolve_source(str(tmp_path / "no" / "listings.csv"), tmp_path)


def test_a_folder_is_no_source_and_its_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "listings.csv").write_text("a\n")
    with pytest.raises(BadDataError, match=r"is a folder; name a file in it: there are listings\.csv"):
        resolve_source(str(tmp_path), tmp_path)


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadDataError, match="no ordinary file"):
        resolve_source(str(tmp_path / "pipe"), tmp_path)


@pytest.mark.parametrize(
    "source", ["file:///etc/hosts", "s3://bucket/x.csv", "ftp://host/x.csv", "htp://host/x.csv"]
)
def test_another_scheme_is_refused_with_those_there_are(source: str, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http"):
        resolve_source(source, tmp_path)


def test_an_address_without_a_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="http:///x"):
        resolve_source("http:///x", tmp_path)
