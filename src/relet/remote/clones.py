"""The cache of cloned repositories: a folder for each commit, into which nothing is written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from relet.errors import NotFoundError, SetUpError, nearest
from relet.files import locked
from relet.project.checkout import ask_git, clone, clones
from relet.project.surroundings import git
from relet.remote.address import RepositoryAddress, is_repository

Tell = Callable[[str], None]

# Seconds that a repository has to list its tags and branches.
PATIENCE = 60
# A message lists no names where there are more than this.
SHOWN = 20
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,63}")
_DRAFT = "draft-"


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A folder with the files of one commit."""

    folder: Path
    commit: str


def obtain_clone(address: RepositoryAddress, *, tell: Tell = lambda _: None) -> Clone:
    """The clone of the commit that an address names: an earlier clone, else a new one.

    A commit that is written in full and was cloned before needs no question to the repository. Raises SetUpError
    where the repository can't be read or the cache can't be written, NotFoundError for an unknown revision.
    """
    shelf = clones() / sha256(_source(address).encode()).hexdigest()[:16]
    try:
        whole = address.revision and _COMMIT.fullmatch(address.revision)
        if whole and (found := _finished_clone(shelf, whole[0])):
            return found
        wanted = _wanted_commit(address)
        shelf.mkdir(parents=True, exist_ok=True)
        with folder_lock(shelf):
            return _finished_clone(shelf, wanted) or _new_clone(shelf, address, wanted, tell)
    except OSError as error:
        raise SetUpError(f"{clones()} can't hold clones ({error.strerror}); set RELET_CACHE") from error


def _source(address: RepositoryAddress) -> str:
    """The URL for git. A folder becomes a URL too: then git copies it, and the clone does not share its files."""
    if "://" in address.url or re.match(r"[^/]+@[^/]+:", address.url):
        return address.url
    folder = Path(os.path.expanduser(address.url))  # noqa: PTH111  (pathlib raises for ~nobody)
    if not is_repository(folder):
        raise NotFoundError(f"{address.url} is no git repository: name the folder that holds its .git, or a URL")
    return folder.resolve().as_uri()


def _wanted_commit(address: RepositoryAddress) -> str:
    """The commit that a revision names; a shortened commit stays short, since only a clone can complete it."""
    revision = address.revision
    found = _remote_names(address)
    ways = (revision, f"refs/tags/{revision}", f"refs/heads/{revision}") if revision else ("HEAD",)
    if commit := next((found[name] for name in ways if name in found), None):
        return commit
    if revision is None:
        raise NotFoundError(f"{address.shown} has no commit yet")
    if _COMMIT.fullmatch(revision) or _SHORT_COMMIT.fullmatch(revision):
        return revision
    raise _unknown_revision(address, found)


def _remote_names(address: RepositoryAddress) -> Mapping[str, str]:
    """Each tag and branch of a repository → its commit; an annotated tag has the commit that it points at."""
    try:
        listed = ask_git("ls-remote", "--quiet", "--", _source(address), timeout=PATIENCE)
    except SetUpError as error:
        raise SetUpError(
            f"{address.shown} can't be read: {_git_message(error, address)}; check the address, and that "
            f"`git ls-remote {address.shown}` answers"
        ) from None
    lines = (line.split("\t", 1) for line in listed.splitlines())
    return {name.removesuffix("^{}"): commit for commit, name in lines}


def _git_message(error: SetUpError, address: RepositoryAddress) -> str:
    """What git said, without user and password, which it may repeat."""
    return str(error).replace(address.secret, "").rstrip(":")


def _unknown_revision(address: RepositoryAddress, names: Mapping[str, str]) -> NotFoundError:
    kinds = ("refs/tags/", "refs/heads/")
    known = [name.removeprefix(kind) for kind in kinds for name in names if name.startswith(kind)]
    advice = nearest(str(address.revision), known)
    if len(known) > SHOWN and not advice.startswith("did"):
        advice = f"`git ls-remote {address.shown}` lists its {len(known)} names"
    return NotFoundError(f"{address.shown} has no tag, branch or commit {address.revision!r}: {advice}")


def _finished_clone(shelf: Path, wanted: str) -> Clone | None:
    """The finished clone of a commit, or None where there is none or its files were changed."""
    found = [path for path in shelf.glob(f"{wanted}*") if _COMMIT.fullmatch(path.name)]
    if len(found) != 1:
        return None
    commit = found[0].name
    head = (git(found[0], "rev-parse", "HEAD") or b"").decode().strip()
    untouched = git(found[0], "status", "--porcelain") == b""
    return Clone(folder=found[0], commit=commit) if untouched and head == commit else None


def _new_clone(shelf: Path, address: RepositoryAddress, wanted: str, tell: Tell) -> Clone:
    """A new clone, which gets its place when it is whole. Unfinished clones of killed processes are removed."""
    for left in shelf.glob(f"{_DRAFT}*"):
        shutil.rmtree(left, ignore_errors=True)
    tell(f"cloning {address.shown}")
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=shelf))
    try:
        commit = _check_out_commit(address, wanted, draft / "code")
        shutil.rmtree(shelf / commit, ignore_errors=True)
        (draft / "code").rename(shelf / commit)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Clone(folder=shelf / commit, commit=commit)


def _check_out_commit(address: RepositoryAddress, wanted: str, folder: Path) -> str:
    try:
        clone(_source(address), wanted, folder)
    except SetUpError as error:
        told = _git_message(error, address)
        raise NotFoundError(f"{address.shown} has no commit {wanted} that can be had: {told}") from None
    # A password in the address is not stored.
    origin = _source(RepositoryAddress(url=address.shown))
    ask_git("-C", str(folder), "remote", "set-url", "origin", origin)
    return ask_git("-C", str(folder), "rev-parse", "HEAD").strip()


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock on a folder; other processes wait for it."""
    with locked(folder / "lock"):
        yield
