"""Code laid out in a clean folder: a commit, the changes that were not committed, and the files outside git."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from relet.core.record import CodeState
from relet.environments.cache import cache_folder
from relet.errors import ImpossibleError, SetUpError
from relet.project.surroundings import git, git_environment

if TYPE_CHECKING:
    from relet.store import Store

# The user's own hooks, line endings and daemons must not change the files or go on afterwards; no address may
# start a program.
_PLAIN = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.attributesFile=/dev/null",
        "core.autocrlf=false",
        "core.eol=lf",
        "core.fsmonitor=false",
        "submodule.recurse=false",
        "gc.auto=0",
        "maintenance.auto=false",
        "protocol.ext.allow=never",
        "protocol.version=2",
        "advice.detachedHead=false",
    )
    for word in ("-c", setting)
)
# The user's own templates and settings must not change a clone.
_BARE = ("--quiet", "--no-checkout", "--template=", "--origin=origin", "--no-reject-shallow")
# A repository as `surroundings` records it: no option of git, and no transport that starts a program (`ext::…`).
_REPOSITORY = re.compile(r"(https?|ssh|git)://[^\s\-]\S*|[\w.][\w.\-]*@[\w.][\w.\-]*:[^\s\-]\S*")
TIMEOUT = 600


def lay_out(
    code: CodeState, folder: Path, *, root: Path | None, store: Store, more: Mapping[str, str] | None = None
) -> Path:
    """Lay out the code that a record names in `folder`, which is made; returns the project's folder in it.

    That is its code tree, and the stored files `more` (path → SHA-256). For a record without a tree the commit is
    taken from the repository around `root`, or else from the repository that the record names; what
    was not committed is taken from the store. Raises ImpossibleError that says what is missing.
    """
    if code.tree:
        folder.mkdir(parents=True)
        for path, digest in {**(more or {}), **store.tree(code.tree)}.items():
            _fetch_untracked(store, digest, _path_inside(folder, folder / path))
        return folder
    if code.commit:
        _check_out(code, folder, root)
    else:
        folder.mkdir(parents=True)
    if code.diff:
        _apply_diff(store.read_object(code.diff), folder, code.diff)
    project = _path_inside(folder, folder / code.folder)
    for path, digest in code.untracked.items():
        _fetch_untracked(store, digest, _path_inside(folder, project / path))
    if not project.is_dir():
        raise ImpossibleError(f"the recorded code has no folder {code.folder}, which held the project")
    return project


def _fetch_untracked(store: Store, digest: str, place: Path) -> None:
    """Lay out a file from outside git. A script is made executable, since records hold no permissions."""
    store.fetch_object(digest, place)
    with place.open("rb") as file:
        if file.read(2) == b"#!":
            place.chmod(place.stat().st_mode | 0o111)


def _path_inside(folder: Path, path: Path) -> Path:
    """The path. Raises ImpossibleError where a link in the folder makes it lead out of the folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ImpossibleError(f"the record names {path.relative_to(folder)}, which leads out of the project")
    return path


def _check_out(code: CodeState, folder: Path, root: Path | None) -> None:
    assert code.commit
    toplevel = root and git(root, "rev-parse", "--show-toplevel")
    tried = []
    sources = []
    if toplevel:
        source = os.fsdecode(toplevel).removesuffix("\n")
        if git(Path(source), "cat-file", "-e", f"{code.commit}^{{commit}}") is not None:
            sources.append(source)
        else:
            tried.append("this repository does not hold it")
    elif shutil.which("git"):
        tried.append("there is no git repository here")
    else:
        raise SetUpError("git is not on this machine; install it")
    if code.repository is None:
        tried.append("the record names no repository to fetch it from")
    elif _REPOSITORY.fullmatch(code.repository):
        sources.append(code.repository)
    else:
        tried.append(f"git is not asked for the repository that the record names, {code.repository!r}")
    for source in sources:
        try:
            return clone(source, code.commit, folder)
        except SetUpError as error:
            shutil.rmtree(folder, ignore_errors=True)
            tried.append(str(error))
    if kept := next(clones().glob(f"*/{code.commit}"), None):
        return clone(str(kept), code.commit, folder)
    raise ImpossibleError(f"commit {code.commit[:12]} can't be had ({'; '.join(tried)}); was it ever pushed?")


def clones() -> Path:
    """Where clones of repositories are kept: a folder for each repository, in it one for each commit."""
    return cache_folder().absolute() / "checkouts"


def clone(source: str, revision: str, folder: Path) -> None:
    """Clone `source`, a URL or a path, at a commit, tag or branch. Raises SetUpError with the error of git."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    local = ("--shared",) if Path(source).is_dir() else ()
    ask_git("clone", *_BARE, *local, "--", source, str(folder))
    # A clone brings branches and tags; the commit may be on none of them.
    if git(folder, "cat-file", "-e", f"{revision}^{{commit}}") is None:
        ask_git("-C", str(folder), "fetch", "--quiet", "origin", revision)
        revision = "FETCH_HEAD"
    ask_git("-C", str(folder), "checkout", "--quiet", "--detach", revision, "--")


def ask_git(*arguments: str, timeout: float = TIMEOUT) -> str:
    """What git prints. Raises SetUpError with the first line of its error where it fails."""
    words = ["git", *_PLAIN, "-c", "safe.directory=*", *arguments]
    try:
        done = subprocess.run(
            words,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=git_environment(),
        )
    except FileNotFoundError:
        raise SetUpError("git is not on this machine; install it") from None
    except subprocess.TimeoutExpired:
        raise SetUpError(f"git {arguments[0]} was not done after {timeout:g} s") from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.strip()] or [f"status {error.returncode}"]
        # Warnings may come before the error.
        reason = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0])
        raise SetUpError(f"git says: {reason}") from None
    return done.stdout


def _apply_diff(diff: bytes, folder: Path, digest: str) -> None:
    if git(folder, *_PLAIN, "apply", "--binary", "--whitespace=nowarn", "-", input=diff) is None:
        raise ImpossibleError(f"the uncommitted changes (object {digest[:12]}) can't be applied to the commit")
