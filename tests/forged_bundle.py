"""A bundle that somebody takes apart and writes again."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.core.record import KeyParts, RunRecord, key_digest, tree_document


@dataclass
class ForgedBundle:
    """A bundle that somebody takes apart: its manifest, and its objects by their digest."""

    manifest: dict[str, Any]
    objects: dict[str, bytes]

    @classmethod
    def of(cls, path: Path) -> ForgedBundle:
        with tarfile.open(path) as tar:
            held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        manifest = json.loads(held.pop("manifest.json"))
        return cls(manifest, {name.removeprefix("objects/"): content for name, content in held.items()})

    def version(self, name: str) -> dict[str, Any]:
        return next(each for each in self.manifest["versions"] if each["name"].rpartition("/")[2] == name)

    def run(self, run: str) -> dict[str, Any]:
        return next(each for each in self.manifest["runs"] if each["id"] == run)

    def file(self, name: str, path: str) -> bytes:
        return self.objects[self.version(name)["files"][path]]

    def put(self, name: str, path: str, content: bytes) -> None:
        """Let a version have other bytes at a path; all else that it says stays."""
        digest = sha256(content).hexdigest()
        self.objects[digest] = content
        self.version(name)["files"][path] = digest

    def give_code(self, run: str, digests: Mapping[str, str], files: Mapping[str, bytes]) -> None:
        """Let a run's key hold modules of these digests, and its code tree these files."""
        named = {path: sha256(content).hexdigest() for path, content in files.items()}
        self.objects |= {named[path]: content for path, content in files.items()}
        document = tree_document(named)
        tree = sha256(document).hexdigest()
        self.objects[tree] = document
        self.manifest.setdefault("trees", {})[tree] = named
        record = self.run(run)
        record["code"]["tree"] = tree
        record["parts"]["code"] = dict(digests)
        record["key"] = key_digest(KeyParts(**record["parts"]))

    def write(self, to: Path) -> Path:
        named = {digest for version in self.manifest["versions"] for digest in version["files"].values()}
        needed = {digest for run in self.manifest["runs"] for digest in _record_of(run).objects.values()}
        needed |= {digest for files in self.manifest.get("trees", {}).values() for digest in files.values()}
        members = {f"objects/{digest}": self.objects[digest] for digest in sorted(named | needed)}
        with tarfile.open(to, "w") as tar:
            for name, content in {"manifest.json": json.dumps(self.manifest).encode(), **members}.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return to


def _record_of(stored: Mapping[str, Any]) -> RunRecord:
    return RunRecord.from_json(stored)
