"""The credentials of a source's address stay in the order: nothing that a run writes or prints holds them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.command import exit_status
from tests.tiny_project import Tiny

USER, PASSWORD, TOKEN, VARIABLE = "anaplanted", "hunterplanted", "tokenplanted", "variableplanted"
SECRETS = (USER, PASSWORD, TOKEN, VARIABLE)
ROWS = b"n,name\n3,a\n4,b\n7,c\n"


class Guarded(BaseHTTPRequestHandler):
    """Gives rows to whoever has the user, the password and the token."""

    def do_GET(self) -> None:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        allowed = self.headers.get("Authorization") == f"Basic {expected}" and f"token={TOKEN}" in self.path
        self.send_response(200 if allowed and "gone" not in self.path else 403)
        self.send_header("Content-Length", str(len(ROWS)))
        self.end_headers()
        self.wfile.write(ROWS)

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def relet(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = exit_status(*words)
    printed = capfd.readouterr()
    assert [secret for secret in SECRETS if secret in printed.out + printed.err] == [], words
    return status, printed.out + printed.err


def files_with_secrets(folder: Path) -> dict[str, list[str]]:
    found = {
        str(path): [secret for secret in SECRETS if secret.encode() in path.read_bytes()]
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {path: secrets for path, secrets in found.items() if secrets}


@pytest.mark.parametrize("tracker", ["", pytest.param("mlflow", marks=pytest.mark.long)])
@pytest.mark.long
def test_nothing_that_a_run_writes_or_prints_holds_the_credentials_of_its_source(
    tiny: Tiny, port: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tracker: str
) -> None:
    temporary = tiny.root / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("SOME_SERVICE_KEY", VARIABLE)
    address = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/rows.csv?token={TOKEN}"
    source = f"etl.source='{address}'"
    status, out = relet(capfd, "run", "tiny", source, f"tracking=[{tracker}]")
    assert status == 0, out
    assert ("tracked in mlflow" in out) == bool(tracker)
    for words in (
        ("run", "tiny", source, "etl.low=3", "--json"),
        ("run", "tiny.get", f"source={address}"),
        ("run", "tiny", "-m", source, "etl.low=4,5", "search.metric=mae", f"tracking=[{tracker}]"),
        ("why", "tiny", source),
        ("run", "tiny", source, "--cfg"),
        ("runs",),
        ("runs", "--json"),
        ("experiments", "tiny"),
        ("experiments", "tiny", "--html", "-o", "experiment.html"),
        ("artifacts", "show", "sample"),
        ("artifacts", "card", "sample", "--html", "sample.html"),
        ("artifacts", "export", "weights", "weights.tar", "--with-history"),
    ):
        status, out = relet(capfd, *words)
        assert status == 0, (words, out)
    gone = address.replace("rows.csv", "gone.csv")
    for words in (
        ("run", "tiny", f"etl.source='{gone}'"),
        ("run", "tiny", f"etl.source='{address}'", "etl.rows=many"),
        ("run", "tiny", f"etl.sauce='{address}'"),
        ("run", "tiny", f"etl.source='ftp://{USER}:{PASSWORD}@127.0.0.1/x?token={TOKEN}'"),
        ("run", "tiny", f"store.url='s3x://{USER}:{PASSWORD}@127.0.0.1/x?token={TOKEN}'"),
    ):
        status, out = relet(capfd, *words)
        assert status == 2, (words, out)
    assert (tiny.root / "weights.tar").exists()
    assert bool(list(tiny.root.glob("*.db"))) == bool(tracker)
    assert files_with_secrets(tiny.root) == {}
