"""The address of a git repository and a revision of it, as a person writes them: `URL@REVISION`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relet.errors import SettingError, nearest

SCHEMES = ("https", "ssh", "git", "file", "http")

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<authority>[^/]*)(?P<path>.*)", re.DOTALL)
# git's short form of ssh; without a user, `host:path` is left to what else it may mean
_SHORT = re.compile(r"(?P<host>[\w.\-]+@([\w.\-]+|\[[0-9a-fA-F:]+\]):)(?P<path>.+)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class RepositoryAddress:
    """The URL or the folder of a repository, as it was written, and a tag, branch or commit (None: the default
    branch).

    `str()` of it has no password, so that it may be shown and stored.
    """

    url: str
    revision: str | None = None

    @property
    def shown(self) -> str:
        """The URL without user and password; the user `git` of an ssh address stays, since it is no secret.

        >>> RepositoryAddress(url="https://ana:secret@host/x.git").shown
        'https://host/x.git'
        >>> RepositoryAddress(url="ssh://git@host:22/x.git").shown, RepositoryAddress(url="git@host:x.git").shown
        ('ssh://git@host:22/x.git', 'git@host:x.git')
        """
        found = _URL.fullmatch(self.url)
        if found is None:
            return self.url
        user, at, host = found["authority"].rpartition("@")
        kept = f"{user}{at}" if (found["scheme"].lower(), user) == ("ssh", "git") else ""
        return f"{found['scheme']}://{kept}{host}{found['path']}"

    @property
    def secret(self) -> str:
        """The user and the password with their `@`, as they stand in the URL.

        >>> RepositoryAddress(url="https://ana:secret@host/x.git").secret
        'ana:secret@'
        """
        found = _URL.fullmatch(self.url)
        return "".join(found["authority"].rpartition("@")[:2]) if found else ""

    def __str__(self) -> str:
        return f"{self.shown}@{self.revision}" if self.revision else self.shown


def read_address(text: str) -> RepositoryAddress | None:
    """The repository and the revision that a word names; None for the name of a pipeline or a step.

    The revision follows the first `@` after a name that ends in `.git`; without one, the last `@` that does not
    begin a name. The `@` after a user is passed over. An `@` in a path without a revision is written %40.

    >>> read_address("https://ana@host/relet.git@1.0.0")
    RepositoryAddress(url='https://ana@host/relet.git', revision='1.0.0')
    >>> read_address("git@host:team/relet")
    RepositoryAddress(url='git@host:team/relet', revision=None)
    >>> read_address("../relet@feature/x")
    RepositoryAddress(url='../relet', revision='feature/x')
    >>> read_address("nyc_rentals.data_split") is None
    True

    Raises SettingError for a scheme that is not one of SCHEMES, and for an `@` that nothing follows.
    """
    if found := _URL.fullmatch(text):
        if found["scheme"].lower() not in SCHEMES:
            raise SettingError(
                f"{found['scheme']}:// is no address of a git repository: {nearest(found['scheme'], SCHEMES)}"
            )
        start = found.start("path")
    elif found := _SHORT.fullmatch(text):
        start = found.start("path")
    elif "/" in text or re.match(r"\.{1,2}(@|$)|~", text) or re.search(r".\.git(@|$)", text):
        start = 0
    else:
        return None
    path, revision = _split_revision(text[start:])
    if revision == "":
        raise SettingError(
            f"nothing follows the @ of {RepositoryAddress(url=text[:-1])}; write a tag, branch or commit"
        )
    return RepositoryAddress(url=text[:start] + path, revision=revision)


def _split_revision(path: str) -> tuple[str, str | None]:
    """A path and its revision.

    >>> _split_revision("/team/relet.git@v1@2"), _split_revision("/@team/relet")
    (('/team/relet.git', 'v1@2'), ('/@team/relet', None))
    """
    forms = (r"(.*?[^/]\.git/?)@(.*)", r"(.*[^/])@(.*)")
    found = next(filter(None, (re.fullmatch(form, path, re.DOTALL) for form in forms)), None)
    return (found[1], found[2]) if found else (path, None)


def find_address(target: str, words: Sequence[str]) -> RepositoryAddress | None:
    """The repository that the first word of a command line names; None where it names a pipeline or a step.

    The bare name of a folder counts where the folder is a repository, and a revision or a pipeline's name follows.
    """
    if (
        "://" not in target
        and is_repository(Path(os.path.expanduser(target)))  # noqa: PTH111  (pathlib raises for ~nobody)
        and ("/" in target or _starts_with_pipeline(words))
    ):
        return RepositoryAddress(url=target)
    if found := read_address(target):
        return found
    folder, at, revision = target.partition("@")
    return (
        RepositoryAddress(url=folder, revision=revision)
        if at and revision and is_repository(Path(folder))
        else None
    )


def _starts_with_pipeline(words: Sequence[str]) -> bool:
    """Whether the first word is a pipeline's name, and no assignment or option."""
    return bool(words) and re.match(r"\w+(\.\w+)?$", words[0]) is not None


def is_repository(folder: Path) -> bool:
    """Whether a folder is a git repository: the top of a work tree, or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())
