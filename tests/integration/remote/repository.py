"""A git repository of the tiny project, and what a person does in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from relet.remote.address import RepositoryAddress
from tests.tiny_project import FILES


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Repository:
    """A repository of the tiny project: 1.0.0 is tagged, `main` is one commit ahead, `dev` another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, content in FILES.items():
            self.write(name, content.lstrip("\n"))
        git(folder, "init", "--quiet", "--initial-branch=main")
        self.first = self.commit("first")
        git(folder, "tag", "-a", "1.0.0", "-m", "annotated")
        self.change("rows: int = 10", "rows: int = 11")
        self.second = self.commit("second")
        git(folder, "switch", "--quiet", "--create", "dev", self.first)
        self.dev = self.commit("third")
        git(folder, "switch", "--quiet", "main")

    def write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def change(self, old: str, new: str, name: str = "pipelines/tiny/steps/get.py") -> None:
        self.write(name, (self.folder / name).read_text().replace(old, new))

    def commit(self, message: str) -> str:
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")

    def tag(self, name: str) -> str:
        self.commit(name)
        git(self.folder, "tag", name)
        return f"{self.folder}@{name}"

    def at(self, revision: str | None = None) -> RepositoryAddress:
        return RepositoryAddress(url=str(self.folder), revision=revision)


def relet_run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relet", "run", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
