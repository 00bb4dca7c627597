"""A stand-in for W&B's server, as far as `wandb sync` needs one: it takes runs and artifacts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Server:
    """`calls` are the operations with their variables, in order; `uploads` are path → bytes."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)

    def heard(self, operation: str) -> list[dict[str, Any]]:
        return [variables for name, variables in self.calls if name == operation]


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is printed."""

        def do_HEAD(self) -> None:
            self.answer({})

        do_GET = do_HEAD

        def do_PUT(self) -> None:
            server.uploads[self.path] = self.body()
            self.answer({})

        def do_POST(self) -> None:
            body = self.body()
            if self.path != "/graphql":
                return self.answer({"exitcode": None, "limits": {}})
            query = json.loads(body)
            variables = query.get("variables") or {}
            variables = variables.get("input") or variables
            server.calls.append((query["operationName"], variables))
            return self.answer({"data": _answer(server, query["operationName"], variables)})

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def answer(self, content: dict[str, Any]) -> None:
            text = b"" if self.command == "HEAD" else json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield server
        listener.shutdown()


def _answer(server: Server, operation: str, said: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "UpsertBucket":
            project = {"id": "p", "name": said.get("project"), "entity": {"id": "e", "name": "team"}}
            bucket = {"id": f"b{said['name']}", "name": said["name"], "config": "{}", "project": project}
            return {"upsertBucket": {"bucket": bucket | {"historyLineCount": 0}, "inserted": True}}
        case "CreateArtifact":
            state = "COMMITTED" if said["digest"] in server.committed else "PENDING"
            made = {"id": said["digest"], "state": state, "artifactSequence": {"latestArtifact": None}}
            return {"createArtifact": {"artifact": made}}
        case "CreateArtifactManifest" | "UpdateArtifactManifest":
            file = {"id": "f", "uploadUrl": f"{server.url}/manifest", "uploadHeaders": []}
            name = operation[0].lower() + operation[1:]
            return {name: {"artifactManifest": {"id": "m", "file": file}}}
        case "CreateArtifactFiles":
            edges = [_file(server, each["name"]) for each in said["artifactFiles"]]
            return {"createArtifactFiles": {"files": {"edges": edges}}}
        case "CommitArtifact":
            server.committed.add(said["artifactID"])
            return {"commitArtifact": {"artifact": {"id": said["artifactID"], "digest": said["artifactID"]}}}
        case "UseArtifact":
            return {"useArtifact": {"artifact": {"id": said["artifactID"]}}}
        case "CreateRunFiles":
            files = [{"name": each, "uploadUrl": f"{server.url}/run/{each}"} for each in said["files"]]
            return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
    return {}


def _file(server: Server, name: str) -> dict[str, Any]:
    node = {"storagePath": name, "uploadUrl": f"{server.url}/artifact/{name}", "uploadHeaders": []}
    return {"node": node | {"uploadMultipartUrls": None, "artifact": {"id": "a"}}}
