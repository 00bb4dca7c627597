"""Fetch a URL into a folder: resumed where the connection broke, fetched again when the file changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relet.core.wording import without_credentials
from relet.errors import BadDataError, SettingError, StoreError
from relet.files import locked, space_advice

if TYPE_CHECKING:
    import requests

    from relet.data.deadline import ConnectionDeadline

Progress = Callable[[int, int | None], None]

BLOCK = 256 * 1024
ATTEMPTS = 4
# Seconds before the second attempt; each further one waits twice as long.
PAUSE = 0.4
REDIRECTS = 5
# The defaults of `FetchLimits`, and so of the settings main.download_*.
MAX_BYTES, TIMEOUT, RATE = 2 * 1024**3, 30.0, 1000
# A reader that is stuck within a block is ended this much later than one that looks at the time between blocks.
SLACK = 1.25
# A file that was modified less than so many seconds before the response may change again under the same
# `Last-Modified`.
SETTLED = timedelta(seconds=60)
# Statuses worth another try: the server may answer differently in a moment.
PASSING = {408, 425, 429, 500, 502, 503, 504}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class _RemoteFileState:
    """The state of a remote file: the server's ETag and Last-Modified (either may be empty), and its SHA-256."""

    etag: str = ""
    modified: str = ""
    sha256: str = ""

    @property
    def validator(self) -> str:
        """The value of the header `If-Range`."""
        return self.etag or self.modified


class _BrokenConnectionError(Exception):
    """The connection broke or stalled.

    The received bytes are kept, and another attempt may continue from there.
    """


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """How large and how slow a file from a URL may be.

    `max_bytes` is the most bytes of the file. `timeout` is in seconds: so long may connecting take, and the
    answer's headers to come. `rate` is in bytes a second: so many have to come on average in each `timeout`
    seconds; with 0 the slowest server is waited for that sends something. Raises SettingError for a limit that is
    no number above zero.
    """

    max_bytes: int = MAX_BYTES
    timeout: float = TIMEOUT
    rate: float = RATE

    def __post_init__(self) -> None:
        for name, least in (("max_bytes", 1), ("timeout", 0.001), ("rate", 0)):
            if not getattr(self, name) >= least:
                raise SettingError(f"main.download_{name} must be at least {least}, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class _Download:
    """One URL and its files: the complete file, the partial file, and the known state of each."""

    url: str
    whole: Path
    limits: FetchLimits
    progress: Progress
    deadline: ConnectionDeadline

    @property
    def part(self) -> Path:
        return self.whole.with_name(f"{self.whole.name}.part")


def fetch_url(url: str, folder: Path, *, limits: FetchLimits, progress: Progress) -> Path:
    whole = folder / _name_for_url(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _fetch_lock(whole):
            _fetch_with_retries(url, whole, limits, progress)
    except OSError as error:
        reason = f"{error.strerror or error}{space_advice(error)}"
        raise StoreError(f"{without_credentials(url)}: can't be kept in {folder}: {reason}") from error
    return whole


def _fetch_with_retries(url: str, whole: Path, limits: FetchLimits, progress: Progress) -> None:
    from relet.data.deadline import session_with_deadline

    for attempt in range(1, ATTEMPTS + 1):
        with session_with_deadline(REDIRECTS) as (session, deadline):
            fetch = _Download(url=url, whole=whole, limits=limits, progress=progress, deadline=deadline)
            try:
                _fetch_once(session, fetch)
                return
            except _BrokenConnectionError as error:
                if attempt == ATTEMPTS:
                    raise BadDataError(
                        f"{without_credentials(url)}: {error}; tried {ATTEMPTS} times{_kept_bytes_text(fetch)}"
                    ) from error
        time.sleep(min(PAUSE * 2 ** (attempt - 1), limits.timeout))


def _fetch_once(session: requests.Session, fetch: _Download) -> None:
    """Send one request; continue from the partial file where the server allows it."""
    import requests

    have = fetch.part.stat().st_size if fetch.part.exists() else 0
    known = _read_state(fetch.part)
    if have and not known.validator:
        have = 0
    timeout = fetch.limits.timeout
    headers = _request_headers(fetch, have, known)
    fetch.deadline.set(timeout)
    try:
        response = session.get(fetch.url, headers=headers, stream=True, timeout=(timeout, timeout))
    except (requests.RequestException, ValueError) as error:
        if fetch.deadline.passed or isinstance(error, requests.ConnectionError | requests.Timeout):
            raise _BrokenConnectionError(f"no answer: {_no_answer_text(fetch, error)}") from error
        raise BadDataError(f"{without_credentials(fetch.url)}: {_reason_without_url(error)}") from error
    with response:
        if fetch.deadline.passed:
            # What was read of the headers before the end reads as all of them.
            raise _BrokenConnectionError(f"no answer: {_no_answer_text(fetch)}")
        _act_on_response(fetch, response, have)


def _no_answer_text(fetch: _Download, error: Exception | None = None) -> str:
    if error is None or fetch.deadline.passed:
        return f"its headers did not come within {fetch.limits.timeout:g} seconds (main.download_timeout)"
    return _reason_without_url(error)


def _request_headers(fetch: _Download, have: int, known: _RemoteFileState) -> dict[str, str]:
    # No compression in transit: lengths and ranges would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if have:
        return headers | {"Range": f"bytes={have}-", "If-Range": known.validator}
    done = _read_state(fetch.whole)
    intact = fetch.whole.exists() and done.sha256 and file_digest(fetch.whole) == done.sha256
    if intact and done.etag:
        headers["If-None-Match"] = done.etag
    elif intact and done.modified:
        headers["If-Modified-Since"] = done.modified
    return headers


def _act_on_response(fetch: _Download, response: requests.Response, have: int) -> None:
    """Act on the response's status: not changed, the rest of the file, the whole file, or an error."""
    shown, status = without_credentials(fetch.url), response.status_code
    if fetch.url.lower().startswith("https:") and not response.url.lower().startswith("https:"):
        raise BadDataError(
            f"{shown}: leads to {without_credentials(response.url)}, which is not encrypted; "
            "name that if you trust it"
        )
    if status == 304 and fetch.whole.exists():
        size = fetch.whole.stat().st_size
        fetch.progress(size, size)
    elif status == 206 and have and _range_start(response) == have:
        _receive_body(fetch, response, have)
    elif status == 200:
        _receive_body(fetch, response, 0)
    elif status in (206, 416):
        _drop_part(fetch.part)
        raise _BrokenConnectionError(f"the server could not go on from byte {have}")
    elif status in PASSING:
        raise _BrokenConnectionError(f"the server answers {status} {response.reason}")
    else:
        raise BadDataError(f"{shown}: the server answers {status} {response.reason}; is the address right?")


def _receive_body(fetch: _Download, response: requests.Response, start: int) -> None:
    total, limits = _total_bytes(response, start), fetch.limits
    if total is not None and total > limits.max_bytes:
        raise _too_large_error(fetch, f"is {total} bytes")
    if not start:
        _drop_part(fetch.part)
        _write_state(fetch.part, _remote_state(response))
    got = start
    try:
        with fetch.part.open("ab") as file:
            for block in _body_blocks(response, fetch):
                got += len(block)
                if got > limits.max_bytes:
                    raise _too_large_error(fetch, f"sends more than {limits.max_bytes} bytes")
                file.write(block)
                fetch.progress(got, total)
    except BadDataError:
        _drop_part(fetch.part)
        raise
    except _BrokenConnectionError as error:
        raise _BrokenConnectionError(f"{_stopped_text(got, total)} ({error})") from error
    if total is not None and got != total:
        raise _BrokenConnectionError(_stopped_text(got, total))
    _put_in_place(fetch)


def _stopped_text(got: int, total: int | None) -> str:
    return f"stopped after {got} of {'an unknown number of' if total is None else total} bytes"


def _body_blocks(response: requests.Response, fetch: _Download) -> Iterator[bytes]:
    """The body in blocks.

    Raises _BrokenConnectionError when it breaks, and when fewer bytes come than the limits' rate.
    """
    from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError

    since, come, timeout = time.monotonic(), 0, fetch.limits.timeout
    fetch.deadline.set(SLACK * timeout)
    while True:
        try:
            block = response.raw.read1(BLOCK, decode_content=True)
        except (HTTPError, OSError) as error:
            if fetch.deadline.passed or isinstance(error, TimeoutError):
                raise _too_slow_error(fetch, come) from error
            cut = isinstance(error, IncompleteRead | ProtocolError)
            raise _BrokenConnectionError("the connection broke" if cut else _reason_without_url(error)) from error
        if fetch.deadline.passed:
            raise _too_slow_error(fetch, come)
        if not block:
            return
        yield block
        come += len(block)
        if (took := time.monotonic() - since) >= timeout:
            if come < fetch.limits.rate * took:
                raise _too_slow_error(fetch, come)
            since, come = time.monotonic(), 0
            fetch.deadline.set(SLACK * timeout)


def _too_slow_error(fetch: _Download, come: int) -> _BrokenConnectionError:
    limits = fetch.limits
    return _BrokenConnectionError(
        f"only {come} bytes came in {limits.timeout:g} seconds (main.download_timeout), and the least are "
        f"{limits.rate:g} bytes a second (main.download_rate)"
    )


def _put_in_place(fetch: _Download) -> None:
    """Put the complete file in place.

    The old file's state is removed first, so that it never describes the new file.
    """
    known = replace(_read_state(fetch.part), sha256=file_digest(fetch.part))
    _state_path(fetch.whole).unlink(missing_ok=True)
    fetch.part.replace(fetch.whole)
    _state_path(fetch.part).unlink(missing_ok=True)
    _write_state(fetch.whole, known)


def _remote_state(response: requests.Response) -> _RemoteFileState:
    """The state that the server's headers name. A body that was compressed in transit can't be resumed."""
    if not _is_uncompressed(response):
        return _RemoteFileState()
    etag = response.headers.get("ETag", "")
    # a weak ETag promises equal meaning, not equal bytes
    return _RemoteFileState(etag="" if etag.startswith("W/") else etag, modified=_settled_last_modified(response))


def _settled_last_modified(response: requests.Response) -> str:
    """`Last-Modified`, unless the file may have changed again in the same second (RFC 9110, section 8.8.2.2)."""
    from email.utils import parsedate_to_datetime

    modified = response.headers.get("Last-Modified", "")
    try:
        since = parsedate_to_datetime(response.headers["Date"]) - parsedate_to_datetime(modified)
    except (KeyError, TypeError, ValueError):
        return ""
    return modified if since >= SETTLED else ""


def _is_uncompressed(response: requests.Response) -> bool:
    return response.headers.get("Content-Encoding", "identity") == "identity"


def _total_bytes(response: requests.Response, start: int) -> int | None:
    """The size of the whole file in bytes, where the server says it.

    The length of a compressed response says nothing.
    """
    if not _is_uncompressed(response):
        return None
    ranged = re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if start and ranged:
        return int(ranged[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _range_start(response: requests.Response) -> int | None:
    ranged = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(ranged[1]) if ranged else None


def _too_large_error(fetch: _Download, what: str) -> BadDataError:
    return BadDataError(
        f"{without_credentials(fetch.url)}: {what}, and the limit is {fetch.limits.max_bytes}; "
        "raise main.download_max_bytes"
    )


def _kept_bytes_text(fetch: _Download) -> str:
    if not fetch.part.exists() or not _read_state(fetch.part).validator:
        return ""
    return f"; {fetch.part.stat().st_size} bytes are kept, and the next call goes on from there"


def _name_for_url(url: str) -> str:
    """A file name that is unique to the URL and ends like the URL's own file name."""
    last = re.sub(r"[^A-Za-z0-9._\-]", "_", PurePosixPath(urlsplit(url).path).name)[-80:]
    return f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{last or 'source'}"


def _reason_without_url(error: Exception) -> str:
    """The message of a requests or urllib3 error, without its URL and object addresses."""
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    inner = getattr(inner, "reason", None) or inner
    text = re.sub(r"<[^>]*>:? ?|\bHTTPS?ConnectionPool\([^)]*\): ", "", str(inner))
    return " ".join(str(without_credentials(text)).split()) or type(inner).__name__


def _state_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _read_state(file: Path) -> _RemoteFileState:
    try:
        stored: Mapping[str, Any] = json.loads(_state_path(file).read_text(encoding="utf-8"))
        return _RemoteFileState(**stored)
    except (OSError, ValueError, TypeError):
        return _RemoteFileState()


def _write_state(file: Path, known: _RemoteFileState) -> None:
    _state_path(file).write_text(json.dumps(asdict(known)), encoding="utf-8")


def _drop_part(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)


@contextlib.contextmanager
def _fetch_lock(whole: Path) -> Iterator[None]:
    """Let one process at a time fetch a URL into a folder. The lock ends with the process that holds it."""
    with locked(whole.with_name(f"{whole.name}.lock")):
        yield
