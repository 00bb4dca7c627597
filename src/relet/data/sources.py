"""Sources outside the project: a path, or an http(s) URL.

A URL is fetched once, resumed where the connection broke, and fetched again when it changed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from relet.core.wording import printable, shorten, without_credentials
from relet.data.download import FetchLimits, Progress, fetch_url
from relet.errors import BadDataError, nearest

# So many letters of a path an error shows.
_SHOWN = 120


def resolve_source(
    source: str, folder: Path, *, limits: FetchLimits = FetchLimits(), progress: Progress | None = None
) -> Path:
    """The local file that `source` names: a path is checked and returned, an http(s) URL is fetched into `folder`.

    A broken fetch is resumed, in this call or a later one, unless the file behind the URL has changed. A complete
    file is fetched again only when the server says that it changed. `progress` receives the bytes so far and the
    total, None where the server does not say it. Raises BadDataError for a source that is missing, cut short, or
    larger or slower than the `limits`; `folder` then holds no file that looks complete.

    >>> resolve_source("file:///etc/hosts", Path("."))
    Traceback (most recent call last):
    relet.errors.BadDataError: file:///etc/hosts: a source is a path or an http(s) URL, got the scheme 'file'; \
there are http, https
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]+):", source)
    if scheme and scheme[1].lower() in ("http", "https"):
        return fetch_url(source, folder, limits=limits, progress=progress or _no_progress)
    if scheme and not _is_there(source):
        raise BadDataError(
            f"{without_credentials(source)}: a source is a path or an http(s) URL, got the scheme {scheme[1]!r}; "
            f"{nearest(scheme[1].lower(), ('http', 'https'))}"
        )
    return _checked_path(source)


def _no_progress(_done: int, _total: int | None) -> None:
    return None


def _is_there(source: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(source).exists()
    return False


def _checked_path(source: str) -> Path:
    path, shown = Path(os.path.expanduser(source)), _shown_source(source)  # noqa: PTH111  (pathlib raises for ~nobody)
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise BadDataError(_absence_words(shown, path, getattr(error, "errno", None), str(error))) from None
    if stat.S_ISDIR(kind):
        raise BadDataError(f"{shown} is a folder; name a file in it: {_files_nearby(path, '')}")
    if not stat.S_ISREG(kind):
        raise BadDataError(f"{shown} is no ordinary file; copy its content to one")
    if not os.access(path, os.R_OK):
        raise BadDataError(f"{shown} may not be read; change its permissions")
    return path


def _absence_words(shown: str, path: Path, number: int | None, reason: str) -> str:
    """Why a path leads to nothing; `number` is what the operating system says, and `reason` its words."""
    if number == errno.ENAMETOOLONG:
        return f"{shown} is no file: its name or its path is too long ({len(str(path))} letters)"
    if number == errno.ELOOP:
        return f"{shown} is a link that leads back to itself; name the file that is meant"
    if number == errno.EACCES:
        return f"{shown} lies in a folder that may not be read; change its permissions"
    if number in (errno.ENOENT, errno.ENOTDIR) and path.is_symlink():
        return f"{shown} is a link to {_shown_source(str(path.readlink()))}, which is not there"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return f"{shown}: there is no such file; {_files_nearby(path.parent, path.name)}"
    return f"{shown} can't be read: {reason}"


def _shown_source(source: str) -> str:
    """A path on one line, without the end of one that is very long."""
    return shorten(printable(source), _SHOWN)


def _files_nearby(folder: Path, name: str) -> str:
    if not folder.is_dir():
        return f"nor is there a folder {_shown_source(str(folder))}"
    try:
        files = sorted(printable(entry.name) for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return f"the folder {folder} may not be read"
    close = nearest(name, files)
    return close if close.startswith("did") or len(files) <= 10 else f"{folder} holds {len(files)} other files"
