"""Code laid out in a clean folder: a commit, what was not committed on top of it, and what git did not hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.record import CodeState
from relet.engine.surroundings import git
from relet.errors import ImpossibleError, SetUpError

if TYPE_CHECKING:
    from relet.store import Store

# The user's own hooks, templates and line endings must not shape what is laid out.
_PLAIN = ("-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "advice.detachedHead=false")
TIMEOUT = 600


def lay_out(code: CodeState, folder: Path, *, root: Path | None, store: Store) -> Path:
    """Lay out the code that a record names in `folder`, which is made; the project's folder in it.

    The commit is looked for in the repository around `root`, then where the record says that it came from. What
    was not committed comes from the store. Raises ImpossibleError that says what is missing.
    """
    if code.commit:
        _check_out(code, folder, root)
    else:
        folder.mkdir(parents=True)
    project = folder / code.folder
    if code.diff:
        _apply(store.read_object(code.diff), folder, code.diff)
    for path, digest in code.untracked.items():
        place = project / path
        if not place.resolve().is_relative_to(folder.resolve()):
            raise ImpossibleError(f"the record names a file outside the project: {path}")
        store.fetch_object(digest, place)
    return project


def _check_out(code: CodeState, folder: Path, root: Path | None) -> None:
    assert code.commit
    here = root and git(root, "rev-parse", "--show-toplevel")
    tried = []
    if here:
        source = os.fsdecode(here).rstrip("\n")
        if git(Path(source), "cat-file", "-e", f"{code.commit}^{{commit}}") is not None:
            return clone(source, code.commit, folder)
        tried.append("this repository does not hold it")
    if code.repository:
        try:
            return clone(code.repository, code.commit, folder)
        except SetUpError as error:
            tried.append(str(error))
    else:
        tried.append("the record names no repository to fetch it from")
    raise ImpossibleError(f"commit {code.commit[:12]} can't be had ({'; '.join(tried)}); was it ever pushed?")


def clone(source: str, revision: str, folder: Path) -> None:
    """A clone of `source`, a URL or a path, at a commit, tag or branch. Raises SetUpError with what git says."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    local = ("--shared",) if Path(source).is_dir() else ()
    _run("clone", "--quiet", "--no-checkout", "--template=", *local, "--", source, str(folder))
    # by itself the commit need not be on any branch
    if git(folder, "cat-file", "-e", f"{revision}^{{commit}}") is None:
        _run("-C", str(folder), "fetch", "--quiet", "origin", revision)
        revision = "FETCH_HEAD"
    _run("-C", str(folder), "checkout", "--quiet", "--detach", revision, "--")


def _run(*arguments: str) -> None:
    # -c before the command, and -C before the folder it works in
    words = ["git", *_PLAIN, "-c", "safe.directory=*", *arguments]
    try:
        subprocess.run(
            words,
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise SetUpError("git is not on this machine; install it") from None
    except subprocess.TimeoutExpired:
        raise SetUpError(f"git {arguments[0]} was not done after {TIMEOUT} s") from None
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.strip()]
        raise SetUpError(f"git says: {said[0] if said else f'status {error.returncode}'}") from None


def _apply(diff: bytes, folder: Path, digest: str) -> None:
    if git(folder, *_PLAIN, "apply", "--binary", "--whitespace=nowarn", "-", input=diff) is None:
        raise ImpossibleError(f"the uncommitted changes {digest[:12]} can't be applied to the commit")
