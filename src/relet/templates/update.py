"""A project brought up to date with the templates of this relet, by a merge with what was written before."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from relet.errors import ReletError, SettingError, SetUpError
from relet.files import write_whole
from relet.names import __version__
from relet.project.surroundings import git
from relet.templates.kept import KEPT, KeptPipeline, KeptTemplates, read_kept
from relet.templates.project import FIRST_WORDS, check_name, kept_pipeline, look_at, template_files

PYPROJECT = "pyproject.toml"
REJECTED_ENDING = ".rej"
# The line of pyproject.toml that says which relet the project is made from.
_VERSION_LINE = re.compile(rb'(^\[tool\.relet\.new\][^\[]*?^relet = )"[^"\r\n]*"', re.MULTILINE)


class UpdateKind(StrEnum):
    """What becomes of a file: the project's own is never lost, and never put back where it was deleted."""

    ADDED = "added"
    REPLACED = "replaced"
    MERGED = "merged"
    REJECTED = "rejected"
    DELETED = "deleted"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True)
class FileUpdate:
    """What becomes of one file. `content` is its new content, None where it stays as it is.

    `rejected` is the difference that could not be merged, for a file beside it (`README.md.rej`).
    """

    path: str
    kind: UpdateKind
    content: bytes | None = None
    rejected: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectUpdate:
    """What an update does. `before` is the relet that wrote the project, `kept` what is kept after the update.

    `remarks` say what the templates could not be filled with anew.
    """

    root: Path
    before: str
    files: tuple[FileUpdate, ...]
    kept: KeptTemplates
    remarks: tuple[str, ...] = ()

    @property
    def rejected(self) -> tuple[str, ...]:
        return tuple(each.path for each in self.files if each.kind is UpdateKind.REJECTED)


def plan_update(root: Path) -> ProjectUpdate:
    """What an update would do to the project in the folder `root`; writes nothing.

    Raises SettingError where no `relet new` made the project, where the relet that did kept nothing, and where it
    was a later one than this.
    """
    kept = _kept_of(root)
    remarks: list[str] = []
    pipelines = {name: _looked_at(root, name, each, remarks) for name, each in kept.pipelines.items()}
    files: dict[str, str] = {}
    for name, each in pipelines.items():
        files |= _files_now(name, each, whole=name == kept.project)
    paths = [*files, *(path for path in kept.files if path not in files)]
    updates = (_file_update(root, path, kept.files.get(path), files.get(path), kept.relet) for path in paths)
    return ProjectUpdate(
        root=root,
        before=kept.relet,
        files=tuple(each for each in updates if each is not None),
        kept=KeptTemplates(relet=__version__, project=kept.project, pipelines=pipelines, files=files),
        remarks=tuple(remarks),
    )


def apply_update(update: ProjectUpdate) -> None:
    """Write what `plan_update` found, and last what is kept: after an interruption the same update goes on.

    Raises SettingError where a file of rejected changes is there already, before anything is written, and where a
    file can't be written.
    """
    for each in update.rejected:
        if os.path.lexists(update.root / f"{each}{REJECTED_ENDING}"):
            raise SettingError(f"{each}{REJECTED_ENDING} is there already: see to it, and delete it")
    try:
        for file in update.files:
            path = update.root / file.path
            if file.content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, file.content)
            if file.rejected:
                write_whole(path.with_name(f"{path.name}{REJECTED_ENDING}"), file.rejected.encode())
        write_whole(update.root / KEPT, update.kept.encoded())
    except OSError as error:
        raise SettingError(f"{error.filename or update.root} can't be written: {error.strerror}") from error


def check_committed(root: Path) -> None:
    """Raise SettingError where git could not take an update back: outside of git, or where changes are there."""
    changed = git(root, "status", "--porcelain", "--untracked-files=all", "--", ".")
    if changed is None:
        why = "is in no git repository"
    elif changed.strip():
        first = os.fsdecode(changed.splitlines()[0])[3:]
        why = f"has changes that are not committed ({first})"
    else:
        return
    raise SettingError(
        f"{root} {why}, so that an update could not be taken back: commit first, or say --allow-dirty"
    )


def _kept_of(root: Path) -> KeptTemplates:
    made = _made_from(root)
    kept = read_kept(root)
    if kept is None:
        raise SettingError(
            f"{root} was made by a relet that did not keep what it wrote ({KEPT} is missing): nothing can be "
            f"merged. Make the same project elsewhere (relet new {made.get('name', 'NAME')} …), and compare"
        )
    if _release(kept.relet) > _release(__version__):
        raise SettingError(
            f"{root} was updated by relet {kept.relet}, and this is {__version__}: install that one"
        )
    for name in kept.pipelines:
        check_name(name, "a pipeline")
    return kept


def _made_from(root: Path) -> dict[str, Any]:
    """The table `[tool.relet.new]` of a project."""
    path = root / PYPROJECT
    try:
        made = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["relet"]["new"]
    except (KeyError, TypeError, FileNotFoundError):
        made = None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingError(f"{path} can't be read: {error}") from error
    if not isinstance(made, dict):
        raise SettingError(f"{path} has no [tool.relet.new]: only what `relet new` made can be updated")
    return made


def _release(version: str) -> tuple[int, ...]:
    """
    >>> _release("0.10.0rc1") > _release("0.9.2")
    True
    """
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


def _looked_at(root: Path, name: str, kept: KeptPipeline, remarks: list[str]) -> KeptPipeline:
    """What a pipeline is made from, looked at anew by this relet where the file is the same as then."""
    file = root / kept.source
    try:
        with file.open("rb") as content:
            same = hashlib.file_digest(content, "sha256").hexdigest() == kept.sha256
        if same:
            made = kept_pipeline(name, file, *look_at(file, kept.target), source=kept.source, file_name=file.name)
            first = {each: kept.words[each] for each in FIRST_WORDS if each in kept.words}
            return replace(made, words={**made.words, **first})
        why = "is another file now"
    except OSError:
        why = "is not there"
    except ReletError as error:
        why = f"is refused by this relet ({error})"
    remarks.append(f"{kept.source} {why}: what was found out of it, when {name} was made, stands as it was")
    return kept


def _files_now(name: str, made: KeptPipeline, *, whole: bool) -> dict[str, str]:
    try:
        return template_files(name, made, whole=whole)
    except (KeyError, OSError) as error:
        raise SettingError(
            f"this relet has no words for {name} ({error}): put the file that it was made for to {made.source}"
        ) from error


def _file_update(root: Path, path: str, old: str | None, new: str | None, before: str) -> FileUpdate | None:
    """What becomes of a file, from its text as it was written and as it is written now; None for nothing."""
    place = root / path
    there = os.path.lexists(place)
    if new is None:
        return FileUpdate(path=path, kind=UpdateKind.LEFT) if there else None
    if not there:
        return _missing_update(path, old, new)
    if place.is_symlink() or not place.is_file():
        return None if old == new else _rejected(path, old, new)
    found = place.read_bytes()
    written = (old or "").encode()
    mine = found
    if path == PYPROJECT:
        mine, written = (_stamped(each, before) for each in (mine, written))
    now = new.encode()
    if b"\r\n" in mine and b"\r\n" not in written:
        written, now = (each.replace(b"\n", b"\r\n") for each in (written, now))
    merged = mine if written == now else now if mine == written else _merged(mine, written, now)
    content = mine if merged is None else merged
    kept = content if content != found else None
    if merged is None:
        return replace(_rejected(path, old, new), content=kept)
    kind = UpdateKind.REPLACED if mine == written else UpdateKind.MERGED
    return FileUpdate(path=path, kind=kind, content=kept) if kept is not None else None


def _missing_update(path: str, old: str | None, new: str) -> FileUpdate | None:
    """A file that is not in the project is new, or was deleted there and stays so."""
    if old is None:
        return FileUpdate(path=path, kind=UpdateKind.ADDED, content=new.encode())
    return None if old == new else FileUpdate(path=path, kind=UpdateKind.DELETED)


def _rejected(path: str, old: str | None, new: str) -> FileUpdate:
    return FileUpdate(path=path, kind=UpdateKind.REJECTED, rejected="".join(_difference(path, old or "", new)))


def _difference(path: str, old: str, new: str) -> Iterator[str]:
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    return difflib.unified_diff(before, after, fromfile=f"a/{path}", tofile=f"b/{path}")


def _stamped(content: bytes, before: str) -> bytes:
    """A pyproject.toml that names this relet as the one that the project is made from, and as the least it needs.

    A line that the project changes often, such as its dependencies, is no conflict then.
    """
    now = __version__.encode()
    content = _VERSION_LINE.sub(rb'\g<1>"' + now + b'"', content)
    return re.sub(
        rb'("relet(\[[^\]"]*\])?>=)' + re.escape(before.encode()) + b'"', rb"\g<1>" + now + b'"', content
    )


def _merged(mine: bytes, written: bytes, now: bytes) -> bytes | None:
    """The project's file with what changed between the two texts of relet; None where both changed one place."""
    if not shutil.which("git"):
        raise SetUpError("git merges the files, and is not on this machine; install it")
    with tempfile.TemporaryDirectory(prefix="relet-update-") as folder:
        sides: Mapping[str, bytes] = {"mine": mine, "written": written, "now": now}
        for name, content in sides.items():
            (Path(folder) / name).write_bytes(content)
        return git(Path(folder), "merge-file", "--stdout", "--quiet", *sides)
