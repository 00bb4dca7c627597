"""Opens the place that a store's URL names: a folder, the memory of this process, or a bucket."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from relet.errors import StoreError, nearest
from relet.store.bucket import Bucket

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES = ("file", "memory", "s3", "gs", "az")
RETRIES = 4
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")

_in_memory: dict[str, Any] = {}
_naming = threading.Lock()


def open_bucket(url: str) -> Bucket:
    """The place that a URL names: a path, `memory://`, `memory://name`, `s3://…`, `gs://…` or `az://…`.

    Raises StoreError where the scheme is unknown, the place can't be reached, or its layout is a newer one.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):/", url)
    scheme = found[1].lower() if found else None
    if not url.strip():
        raise StoreError(
            "store.url is empty; set it to a folder such as .relet, or to a bucket: s3://bucket/prefix"
        )
    if scheme is None:
        bucket = _folder(Path(url))
    elif scheme == "file":
        bucket = _folder(Path(unquote(urlsplit(url).path)))
    elif scheme == "memory":
        bucket = _memory(url)
    elif scheme in SCHEMES:
        bucket = _cloud(url)
    else:
        raise StoreError(
            f"store.url {url!r} has the unknown scheme {scheme!r}: {nearest(scheme, SCHEMES)}; a folder is "
            "written without a scheme"
        )
    bucket.check()
    return bucket


def _folder(path: Path) -> Bucket:
    # Absolute from the start: a later change of the working folder must not move the store.
    # pathlib's expanduser() raises for ~nobody, and its resolve() would follow links.
    root = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111

    def connect(create: bool) -> ObjectStore | None:
        from obstore.store import LocalStore

        if root.exists() and not root.is_dir():
            raise NotADirectoryError(20, "Not a directory")
        if create:
            root.mkdir(parents=True, exist_ok=True)
        return LocalStore(root) if root.is_dir() else None

    return Bucket(str(root), connect, root=root, remote=False)


def _memory(url: str) -> Bucket:
    from obstore.store import MemoryStore

    name = url.partition("://")[2].strip("/")
    with _naming:
        backend = _in_memory.setdefault(name, MemoryStore()) if name else MemoryStore()
    return Bucket(url, _always(backend), root=None, remote=False)


def _cloud(url: str) -> Bucket:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    # obstore itself tries for three minutes a request, which looks like a hang.
    retry: RetryConfig = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=30)}
    try:
        backend = from_url(url, client_options=_client_options(), retry_config=retry)
    except (BaseError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(
            f"store.url {url!r} can't be opened: {reason}; credentials and accounts come from the environment "
            "(AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME, …)"
        ) from error
    return Bucket(url.rstrip("/"), _always(backend), root=None, remote=True)


def _always(backend: Any) -> Callable[[bool], ObjectStore | None]:
    return lambda _: backend


def _client_options() -> ClientConfig:
    options: ClientConfig = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(minutes=10)}
    endpoints = [urlsplit(os.environ[name]) for name in ENDPOINTS if name in os.environ]
    if any(endpoint.scheme == "http" and endpoint.hostname in LOOPBACK for endpoint in endpoints):
        options["allow_http"] = True
    return options
