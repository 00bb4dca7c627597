"""Files fetched from a server that breaks off, changes what it serves, or refuses."""

from __future__ import annotations

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from relet.data.download import FetchLimits, file_digest
from relet.data.sources import resolve_source
from relet.errors import BadDataError, StoreError
from tests.unit.data.origin import CONTENT, Origin, complete_files, good, status


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


@pytest.mark.usefixtures("impatient")
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
