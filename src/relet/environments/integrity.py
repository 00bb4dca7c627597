"""Installed files, held to the digests that the RECORD of their distribution has for them."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import TypeAlias

from relet.core.installed import Distributions, recorded_digests
from relet.environments.cache import cache_folder
from relet.files import write_whole

# The state of a file: size, mtime and ctime in nanoseconds, inode. An edit changes the ctime, whatever it keeps.
FileStamp: TypeAlias = tuple[int, int, int, int]

NAME = "packages.json"
# How many files are remembered, those that were checked last: an environment of this size has 3,000 modules.
LIMIT = 30_000
# How many files of a package a caveat names.
_SHOWN = 3


def recall_checked() -> dict[str, FileStamp]:
    """The files in which earlier processes found nothing edited, with their states then.

    A damaged memory counts as absent: everything is checked again.
    """
    try:
        held = json.loads((cache_folder() / NAME).read_bytes())
        return {str(path): (size, mtime, ctime, inode) for path, (size, mtime, ctime, inode) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_checked(known: Mapping[str, FileStamp]) -> None:
    """Remember files in which nothing was edited, for later processes."""
    latest = dict(list(known.items())[-LIMIT:])
    with suppress(OSError):  # where the folder can't be written, the next process checks again
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_whole(cache_folder() / NAME, json.dumps(latest, separators=(",", ":")).encode())


def loaded_files() -> frozenset[str]:
    """The files that this process has loaded: of modules, and of libraries such as OpenBLAS."""
    return module_files(sys.modules) | _mapped_files()


def module_files(names: Iterable[str]) -> frozenset[str]:
    """The files of loaded modules."""
    # From the namespace: to ask a lazy module for an attribute could import it.
    modules = (getattr(sys.modules.get(name), "__dict__", {}) for name in list(names))
    return frozenset(file for each in modules if isinstance(file := each.get("__file__"), str))


def _mapped_files() -> frozenset[str]:
    """The libraries that are mapped into this process; none where the system does not tell."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(line[line.index("/") :] for line in lines if "/" in line and ".so" in line)


def edited_packages(files: Iterable[str], known: MutableMapping[str, FileStamp]) -> tuple[str, ...]:
    """The distributions on `sys.path` of which some of these files are not what RECORD says, in words.

    `known` are the files in which nothing was found to be edited, with their states; it is added to. A file that
    lies in a distribution's folder and that no RECORD names was added: that counts as edited. In a file of no
    distribution nothing is edited.

    "numpy 2.4.6 with files that were edited: numpy/core/x.py"
    """
    # What lies elsewhere, such as a run's code that is laid out anew each time, would be news in each call.
    below = tuple(f"{each.rstrip('/')}/" for each in sys.path if each)
    inside = (file for file in files if file.startswith(below))
    stamps = {file: stamp for file in inside if (stamp := _file_stamp(file)) and known.get(file) != stamp}
    if not stamps:
        return ()
    edited: dict[str, list[str]] = {}
    for site, recorded in _recorded_by_site().items():
        for file in sorted(file for file in stamps if file.startswith(site)):
            if owner := recorded.edited_owner(file, file.removeprefix(site)):
                edited.setdefault(owner, []).append(file.removeprefix(site))
                del stamps[file]
    known.update(stamps)
    return tuple(f"{owner} with files that were edited: {_listed(paths)}" for owner, paths in edited.items())


def edited_distributions(site: Path) -> list[str]:
    """All distributions below a folder of packages of which some file is not what RECORD says."""
    return [
        info.name.partition("-")[0]
        for info in sorted(site.glob("*.dist-info"))
        if any(
            not path.startswith("..") and _recorded_form(site / path) != digest
            for path, digest in recorded_digests(info).items()
        )
    ]


class _RecordedFiles:
    """The recorded files below one folder of packages: path → digest and distribution."""

    def __init__(self, distributions: Iterable[tuple[str, Path]]) -> None:
        self._files: dict[str, tuple[str, str]] = {}
        self._folders: dict[str, str] = {}
        for owner, info in distributions:
            for path, digest in recorded_digests(info).items():
                self._files[path] = digest, owner
                self._folders.setdefault(path.rpartition("/")[0], owner)

    def edited_owner(self, file: str, path: str) -> str | None:
        """The distribution that a file belongs to, where it is not as recorded; None where all is well."""
        if path not in self._files:
            return self._folders.get(path.rpartition("/")[0]) if "/" in path else None
        digest, owner = self._files[path]
        return None if _recorded_form(Path(file)) == digest else owner


def _recorded_by_site() -> dict[str, _RecordedFiles]:
    """What is recorded below each folder on `sys.path` that holds distributions."""
    sites: dict[str, list[tuple[str, Path]]] = {}
    for name, (version, info) in Distributions.installed().found.items():
        sites.setdefault(f"{info.parent}/", []).append((f"{name} {version}", info))
    return {site: _RecordedFiles(distributions) for site, distributions in sites.items()}


def _file_stamp(file: str) -> FileStamp | None:
    try:
        state = Path(file).stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _recorded_form(path: Path) -> str:
    """A file's SHA-256 as RECORD writes it; "" where it can't be read."""
    try:
        with path.open("rb") as file:
            return urlsafe_b64encode(file_digest(file, "sha256").digest()).decode().rstrip("=")
    except OSError:
        return ""


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
