"""Sources outside: a path, or an http(s) URL that is fetched once, resumed where it broke, and asked for news."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from relet.errors import BadDataError, StoreError, nearest
from relet.files import locked

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int | None], None]

MAX_BYTES = 2 * 1024**3
BLOCK = 256 * 1024
ATTEMPTS = 4
# Seconds before the second attempt; each further one waits twice as long.
PAUSE = 0.4
REDIRECTS = 5
# A server that sends less than this in `timeout` seconds is taken for one that has stopped.
SLOWEST_BYTES = 1024
# A file that was modified less than this before the answer may change again under the same `Last-Modified`.
SETTLED = timedelta(seconds=60)
# Worth another try: the server may answer differently in a moment.
PASSING = {408, 425, 429, 500, 502, 503, 504}


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve(
    source: str,
    folder: Path,
    *,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
    timeout: float = 30,
) -> Path:
    """The local file that `source` names: a path is checked and returned, an http(s) URL is fetched into `folder`.

    A fetch that broke is resumed, in this call and in the next, unless the file behind the URL has changed since;
    one that is complete is fetched again only when the server says that it changed. `progress` gets the bytes so
    far and the bytes in all, None where the server does not say. `timeout` is in seconds, for connecting and for
    each stall. Raises BadDataError for whatever is not there, too large, cut short or too slow; then `folder`
    holds no file that looks complete.

    >>> resolve("file:///etc/hosts", Path("."))
    Traceback (most recent call last):
    relet.errors.BadDataError: file:///etc/hosts: a source is a path or an http(s) URL, got the scheme 'file'; \
there are http, https
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]+):", source)
    if scheme and scheme[1].lower() in ("http", "https"):
        return _fetched(source, folder, max_bytes=max_bytes, progress=progress or _silent, timeout=timeout)
    if scheme and not Path(source).exists():
        raise BadDataError(
            f"{_shown(source)}: a source is a path or an http(s) URL, got the scheme {scheme[1]!r}; "
            f"{nearest(scheme[1].lower(), ('http', 'https'))}"
        )
    return _checked_path(source)


def _silent(_done: int, _total: int | None) -> None:
    return None


def _checked_path(source: str) -> Path:
    path = Path(source).expanduser()
    if path.is_dir():
        raise BadDataError(f"{source} is a folder; name a file in it: {_neighbours(path, '')}")
    if not path.exists():
        raise BadDataError(f"{source}: there is no such file; {_neighbours(path.parent, path.name)}")
    if not path.is_file():
        raise BadDataError(f"{source} is no ordinary file; copy its content to one")
    if not os.access(path, os.R_OK):
        raise BadDataError(f"{source} may not be read; change its permissions")
    return path


def _neighbours(folder: Path, name: str) -> str:
    if not folder.is_dir():
        return f"nor is there a folder {folder}"
    try:
        files = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return f"the folder {folder} may not be read"
    close = nearest(name, files)
    return close if close.startswith("did") or len(files) <= 10 else f"{folder} holds {len(files)} other files"


@dataclass(frozen=True, kw_only=True)
class _RemoteFileState:
    """What is known of a file: how the server names its state (either may be empty), and its SHA-256."""

    etag: str = ""
    modified: str = ""
    sha256: str = ""

    @property
    def validator(self) -> str:
        """What `If-Range` takes."""
        return self.etag or self.modified


class _BrokenConnectionError(Exception):
    """The connection broke or stalled; what has come is kept, and another attempt may go on from there."""


@dataclass(frozen=True, kw_only=True)
class _Download:
    """One URL and the files that belong to it: the whole one, the part, and what is known of each."""

    url: str
    whole: Path
    max_bytes: int
    progress: Progress
    timeout: float

    @property
    def part(self) -> Path:
        return self.whole.with_name(f"{self.whole.name}.part")


def _fetched(url: str, folder: Path, *, max_bytes: int, progress: Progress, timeout: float) -> Path:
    import requests

    whole = folder / _file_name(url)
    fetch = _Download(url=url, whole=whole, max_bytes=max_bytes, progress=progress, timeout=timeout)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(whole), requests.Session() as session:
            session.max_redirects = REDIRECTS
            _persist(session, fetch)
    except OSError as error:
        raise StoreError(f"{_shown(url)}: can't be kept in {folder}: {error}") from error
    return whole


def _persist(session: requests.Session, fetch: _Download) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(session, fetch)
            return
        except _BrokenConnectionError as error:
            if attempt == ATTEMPTS:
                raise BadDataError(
                    f"{_shown(fetch.url)}: {error}; tried {ATTEMPTS} times{_kept(fetch)}"
                ) from error
        time.sleep(min(PAUSE * 2 ** (attempt - 1), fetch.timeout))


def _attempt(session: requests.Session, fetch: _Download) -> None:
    """Ask once, and go on from what is there as far as the server allows."""
    import requests

    have = fetch.part.stat().st_size if fetch.part.exists() else 0
    known = _read_known(fetch.part)
    if have and not known.validator:
        have = 0
    try:
        response = session.get(
            fetch.url,
            headers=_request_headers(fetch, have, known),
            stream=True,
            timeout=(fetch.timeout, fetch.timeout),
        )
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _BrokenConnectionError(f"no answer: {_reason(error)}") from error
    except (requests.RequestException, ValueError) as error:
        raise BadDataError(f"{_shown(fetch.url)}: {_reason(error)}") from error
    with response:
        _take(fetch, response, have)


def _request_headers(fetch: _Download, have: int, known: _RemoteFileState) -> dict[str, str]:
    # Compressed on the way, neither lengths nor ranges would be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if have:
        return headers | {"Range": f"bytes={have}-", "If-Range": known.validator}
    done = _read_known(fetch.whole)
    intact = fetch.whole.exists() and done.sha256 and digest(fetch.whole) == done.sha256
    if intact and done.etag:
        headers["If-None-Match"] = done.etag
    elif intact and done.modified:
        headers["If-Modified-Since"] = done.modified
    return headers


def _take(fetch: _Download, response: requests.Response, have: int) -> None:
    """Act on the answer's status: there is nothing new, or the rest, or the whole, or nothing at all."""
    shown, status = _shown(fetch.url), response.status_code
    if fetch.url.lower().startswith("https:") and not response.url.lower().startswith("https:"):
        raise BadDataError(
            f"{shown}: leads to {_shown(response.url)}, which is not encrypted; name that if you trust it"
        )
    if status == 304 and fetch.whole.exists():
        size = fetch.whole.stat().st_size
        fetch.progress(size, size)
    elif status == 206 and have and _range_start(response) == have:
        _receive(fetch, response, have)
    elif status == 200:
        _receive(fetch, response, 0)
    elif status in (206, 416):
        _drop(fetch.part)
        raise _BrokenConnectionError(f"the server could not go on from byte {have}")
    elif status in PASSING:
        raise _BrokenConnectionError(f"the server answers {status} {response.reason}")
    else:
        raise BadDataError(f"{shown}: the server answers {status} {response.reason}; is the address right?")


def _receive(fetch: _Download, response: requests.Response, start: int) -> None:
    total = _total(response, start)
    if total is not None and total > fetch.max_bytes:
        raise _too_large(fetch, f"is {total} bytes")
    if not start:
        _drop(fetch.part)
        _write_known(fetch.part, _told(response))
    got = start
    try:
        with fetch.part.open("ab") as file:
            for block in _blocks(response, fetch.timeout):
                got += len(block)
                if got > fetch.max_bytes:
                    raise _too_large(fetch, f"sends more than {fetch.max_bytes} bytes")
                file.write(block)
                fetch.progress(got, total)
    except BadDataError:
        _drop(fetch.part)
        raise
    except _BrokenConnectionError as error:
        raise _BrokenConnectionError(f"{_stopped(got, total)} ({error})") from error
    if total is not None and got != total:
        raise _BrokenConnectionError(_stopped(got, total))
    _finish(fetch)


def _stopped(got: int, total: int | None) -> str:
    return f"stopped after {got} of {'an unknown number of' if total is None else total} bytes"


def _blocks(response: requests.Response, timeout: float) -> Iterator[bytes]:
    """The body as it comes. Raises _BrokenError when it breaks, or next to nothing comes for `timeout` seconds."""
    from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError

    since, come = time.monotonic(), 0
    while True:
        try:
            block = response.raw.read1(BLOCK, decode_content=True)
        except (HTTPError, OSError) as error:
            cut = isinstance(error, IncompleteRead | ProtocolError)
            raise _BrokenConnectionError("the connection broke" if cut else _reason(error)) from error
        if not block:
            return
        yield block
        come += len(block)
        if time.monotonic() - since > timeout:
            if come < SLOWEST_BYTES:
                raise _BrokenConnectionError(f"only {come} bytes came in {timeout:g} seconds")
            since, come = time.monotonic(), 0


def _finish(fetch: _Download) -> None:
    """Put the whole file in place. What is known of the old one goes first: it must not speak of another file."""
    known = replace(_read_known(fetch.part), sha256=digest(fetch.part))
    _known_path(fetch.whole).unlink(missing_ok=True)
    fetch.part.replace(fetch.whole)
    _known_path(fetch.part).unlink(missing_ok=True)
    _write_known(fetch.whole, known)


def _told(response: requests.Response) -> _RemoteFileState:
    """How the server names the file's state; of a body that was compressed on the way, no part can be resumed."""
    if not _plain(response):
        return _RemoteFileState()
    etag = response.headers.get("ETag", "")
    # a weak ETag promises the same meaning, not the same bytes
    return _RemoteFileState(etag="" if etag.startswith("W/") else etag, modified=_settled(response))


def _settled(response: requests.Response) -> str:
    """`Last-Modified`, where the file can't have changed again within that second: RFC 9110, section 8.8.2.2."""
    modified = response.headers.get("Last-Modified", "")
    try:
        since = parsedate_to_datetime(response.headers["Date"]) - parsedate_to_datetime(modified)
    except (KeyError, TypeError, ValueError):
        return ""
    return modified if since >= SETTLED else ""


def _plain(response: requests.Response) -> bool:
    return response.headers.get("Content-Encoding", "identity") == "identity"


def _total(response: requests.Response, start: int) -> int | None:
    """How many bytes the whole file has, where the server says; a compressed answer's length says nothing."""
    if not _plain(response):
        return None
    ranged = re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if start and ranged:
        return int(ranged[1])
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _range_start(response: requests.Response) -> int | None:
    ranged = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(ranged[1]) if ranged else None


def _too_large(fetch: _Download, what: str) -> BadDataError:
    return BadDataError(f"{_shown(fetch.url)}: {what}, and the limit is {fetch.max_bytes}; raise max_bytes")


def _kept(fetch: _Download) -> str:
    if not fetch.part.exists() or not _read_known(fetch.part).validator:
        return ""
    return f"; {fetch.part.stat().st_size} bytes are kept, and the next call goes on from there"


def _file_name(url: str) -> str:
    """A name of its own for each URL, which ends like the URL's file."""
    last = re.sub(r"[^A-Za-z0-9._\-]", "_", PurePosixPath(urlsplit(url).path).name)[-80:]
    return f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{last or 'source'}"


def _shown(url: str) -> str:
    """The URL without user, password and query: these may be secrets, and messages are kept."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception) -> str:
    """An error of requests or urllib3, without the URL and the object addresses that they put into it."""
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    inner = getattr(inner, "reason", None) or inner
    text = re.sub(r"<[^>]*>:? ?|\bHTTPS?ConnectionPool\([^)]*\): ", "", str(inner))
    return " ".join(re.sub(r"https?://\S+", lambda url: _shown(url[0]), text).split()) or type(inner).__name__


def _known_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _read_known(file: Path) -> _RemoteFileState:
    try:
        stored: Mapping[str, Any] = json.loads(_known_path(file).read_text(encoding="utf-8"))
        return _RemoteFileState(**stored)
    except (OSError, ValueError, TypeError):
        return _RemoteFileState()


def _write_known(file: Path, known: _RemoteFileState) -> None:
    _known_path(file).write_text(json.dumps(asdict(known)), encoding="utf-8")


def _drop(part: Path) -> None:
    part.unlink(missing_ok=True)
    _known_path(part).unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(whole: Path) -> Iterator[None]:
    """One process at a time fetches one URL into one folder; the lock ends with the process that holds it."""
    with locked(whole.with_name(f"{whole.name}.lock")):
        yield
