"""Bad input to the flagship: a message with its place, exit status 2, and nothing stored under the artifact."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipelines.nyc_rentals.generated import simulate
from relet.store import open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def good() -> str:
    return str(simulate(60, 1).to_pandas().to_csv(index=False))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def server(good: str) -> Iterator[str]:
    """Answers 404 at /absent, and stops half way at /cut, whatever is asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/absent":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(good.encode())))
            self.end_headers()
            self.wfile.write(good.encode()[:1000])

        def log_message(self, *_: object) -> None: ...

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def refused(project: Path, source: str) -> str:
    """What a run says of a source that it refuses with exit status 2."""
    words = ["run", "nyc_rentals", "steps=get_data", f"etl.source={source}", "tracking=[]"]
    done = subprocess.run([sys.executable, "-m", "relet", *words], cwd=project, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert open_store(project / ".relet").find("sample:latest") is None
    return said


def line(good: str, number: int, old: str, new: str) -> str:
    lines = good.split("\n")
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new, 1)
    return "\n".join(lines)


Make = Callable[[str], bytes]

BAD: dict[str, tuple[Make, str]] = {
    "an empty file": (lambda _: b"", "empty"),
    "a header alone": (lambda good: good.partition("\n")[0].encode() + b"\n", "no row"),
    "a binary file": (lambda _: bytes(range(256)) * 20, "bad.csv"),
    "Latin-1": (lambda good: line(good, 1, ",", ",Café ").encode("latin-1", "replace"), "UTF-8"),
    "a missing column": (lambda good: line(good, 0, "longitude,", "").encode(), "longitude"),
    "a renamed column": (
        lambda good: line(good, 0, "room_type", "room_typ").encode(),
        "etl.columns={room_type: room_typ}",
    ),
    "text for a number": (
        lambda good: good.replace("room,", "room,cheap", 1).encode(),
        "row 1 (line 2), column 'host_id'",
    ),
    "an id twice": (lambda good: (good + good.split("\n")[1] + "\n").encode(), "column 'id'"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.sampled
def test_a_bad_file_is_refused_with_its_place(project: Path, good: str, what: str) -> None:
    make, said = BAD[what]
    (project / "bad.csv").write_bytes(make(good))
    assert said in refused(project, "bad.csv")


def test_a_url_that_is_not_there_is_refused_with_its_status(project: Path, server: str) -> None:
    assert "404" in refused(project, f"'{server}/absent'")


@pytest.mark.long
def test_a_url_that_stops_half_way_is_refused_with_its_bytes(project: Path, server: str) -> None:
    assert "1000 of" in refused(project, f"'{server}/cut'")
