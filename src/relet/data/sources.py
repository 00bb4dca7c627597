"""Sources outside the project: a path, or an http(s) URL.

A URL is fetched once, resumed where the connection broke, and fetched again when it changed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from relet.core.wording import without_credentials
from relet.data.download import FetchLimits, Progress, fetch_url
from relet.errors import BadDataError, nearest


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
    if scheme and not Path(source).exists():
        raise BadDataError(
            f"{without_credentials(source)}: a source is a path or an http(s) URL, got the scheme {scheme[1]!r}; "
            f"{nearest(scheme[1].lower(), ('http', 'https'))}"
        )
    return _checked_path(source)


def _no_progress(_done: int, _total: int | None) -> None:
    return None


def _checked_path(source: str) -> Path:
    path = Path(os.path.expanduser(source))  # noqa: PTH111  (pathlib raises for ~nobody)
    if path.is_dir():
        raise BadDataError(f"{source} is a folder; name a file in it: {_files_nearby(path, '')}")
    if not path.exists():
        raise BadDataError(f"{source}: there is no such file; {_files_nearby(path.parent, path.name)}")
    if not path.is_file():
        raise BadDataError(f"{source} is no ordinary file; copy its content to one")
    if not os.access(path, os.R_OK):
        raise BadDataError(f"{source} may not be read; change its permissions")
    return path


def _files_nearby(folder: Path, name: str) -> str:
    if not folder.is_dir():
        return f"nor is there a folder {folder}"
    try:
        files = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return f"the folder {folder} may not be read"
    close = nearest(name, files)
    return close if close.startswith("did") or len(files) <= 10 else f"{folder} holds {len(files)} other files"
