"""The three kinds of place that a store can lie in, each as a factory of fresh URLs."""

from __future__ import annotations

import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from relet.store import Store, open_store

S3 = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """A bucket on an S3 server of this process, on a free port of the loopback interface."""
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    before = {name: os.environ.get(name) for name in (*S3, "AWS_ENDPOINT_URL")}
    os.environ.update(S3, AWS_ENDPOINT_URL=endpoint)
    request = urllib.request.Request(f"{endpoint}/relet-tests", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    yield "s3://relet-tests"
    running.stop()
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
