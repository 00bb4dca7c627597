"""The three kinds of place that a store can lie in, each as a factory of fresh URLs."""

from __future__ import annotations

import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from relet.store import Store, open_store

S3 = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def one_put_at_a_time(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Moto looks whether an object is there, and writes it a moment later: two could create the same one."""
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "PUT":
            return app(environ, start_response)
        with turn:
            return list(app(environ, start_response))

    return answer


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """A bucket on an S3 server of this process, on a free port of the loopback interface."""
    moto = pytest.importorskip("moto.moto_server.werkzeug_app", reason="moto[server] is not installed")
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = one_put_at_a_time(moto.DomainDispatcherApplication(moto.create_backend_app))
    running = make_server("127.0.0.1", 0, app, threaded=True, request_handler=moto.MotoRequestHandler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{running.server_port}"
    before = {name: os.environ.get(name) for name in (*S3, "AWS_ENDPOINT_URL")}
    os.environ.update(S3, AWS_ENDPOINT_URL=endpoint)
    request = urllib.request.Request(f"{endpoint}/relet-tests", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    yield "s3://relet-tests"
    running.shutdown()
    for name, value in before.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value


@pytest.fixture(params=["memory", "folder", "s3"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of a place where nothing was stored yet, another one at each call."""
    number = count()
    if request.param == "memory":
        return lambda: f"memory://{uuid4()}"
    if request.param == "folder":
        return lambda: str(tmp_path / f"store{next(number)}")
    bucket = request.getfixturevalue("s3_bucket")
    return lambda: f"{bucket}/{uuid4()}"


@pytest.fixture
def url(fresh_url: Callable[[], str]) -> str:
    return fresh_url()


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Many examples of a law over a network, however near, are for the long tests."""
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("fresh_url")  # type: ignore[attr-defined]
        if kind == "s3" and getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.long)
