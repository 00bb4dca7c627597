"""The code tree of a run: the first-party files that its keys, its calls and its record speak of.

They are read once, when a run is planned. Whatever is edited afterwards belongs to the next run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import file_digest, sha256
from pathlib import Path

from relet.core.record import tree_document
from relet.errors import EditedError
from relet.project.folder import Project
from relet.project.importing import CodePlace
from relet.project.places import named_place

# How many entries beside the code are laid out as folders that can be walked through.
WALKED = 5000


@dataclass(frozen=True, kw_only=True)
class CodeTree:
    """Files by their paths relative to the project's folder, with `/`, as they were when they were read.

    `modules` maps the modules among them to their paths; `roots` are the folders that modules are imported from
    beside the project's.
    """

    files: Mapping[str, bytes]
    modules: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()

    @cached_property
    def digests(self) -> dict[str, str]:
        """Each path → the SHA-256 of its file, in hex."""
        return {path: sha256(content).hexdigest() for path, content in sorted(self.files.items())}

    @cached_property
    def document(self) -> bytes:
        """The document that the store keeps beside the files; equal trees have equal documents."""
        return tree_document(self.digests)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document, in hex: what a record calls the tree by."""
        return sha256(self.document).hexdigest()


def read_configuration(project: Project) -> None:
    """Read the files of the configuration, before they are composed."""
    for path in _configuration(project):
        project.code.content(path)


def check_configuration(project: Project) -> None:
    """Raise EditedError where the configuration was edited since it was read: what was composed may be another."""
    for path in _configuration(project):
        if path.read_bytes() != project.code.contents.get(path):
            raise EditedError(f"{path} was edited while relet read it; run again")


def _configuration(project: Project) -> Iterator[Path]:
    if project.conf.is_dir():
        yield from (path for path in sorted(project.conf.rglob("*")) if path.is_file())


def code_tree(project: Project) -> CodeTree:
    """All files below the project's folder that were read so far, and those that the pipeline names beside them.

    These are the locks of components that have an environment of their own, and every module that a parameter may
    choose.
    """
    for path in _files_named(project):
        project.code.content(path)
    root = project.root
    # A resource may be named by a way through other folders: `../../shared/words.txt`.
    contents = {Path(os.path.normpath(path)): content for path, content in project.code.contents.items()}
    inside = {path: content for path, content in contents.items() if path.is_relative_to(root)}
    return CodeTree(
        files={path.relative_to(root).as_posix(): content for path, content in inside.items()},
        modules={
            name: path.relative_to(root).as_posix() for name, path in project.code.found.items() if path in inside
        },
        roots=project.roots,
    )


def _files_named(project: Project) -> Iterator[Path]:
    for component in project.pipeline.components:
        lock = (component.environment or "").partition(":")[2]
        if lock and (project.root / lock).is_file():
            yield project.root / lock
        for parameter in component.parameters:
            if parameter.module:
                choices = (project.code.find(f"{parameter.module.package}.{each}") for each in parameter.choices)
                yield from (path for path in choices if path is not None and path.is_file())


def file_digest_now(name: str, home: Path) -> str | None:
    """The SHA-256 that a file named in a record has now, None where it is gone; `home` is the project's folder."""
    return digest_of_file(named_place(name, home))


def digest_of_file(path: Path) -> str | None:
    """SHA-256 of a regular file, in hex; None where there is none that can be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def lay_out_tree(tree: CodeTree, folder: Path, home: Path, *, others: bool = True) -> CodePlace:
    """Write a tree's files below `folder`, which is made, and beside them links to what else lies in `home`.

    So a component finds its resources beside its own file as they were when the run was planned, and every other
    file of the project where it is now; without `others` there are no links. A script is made executable, since a
    tree holds no permissions.
    """
    folder.mkdir(parents=True)
    folders = {folder}
    for path, content in tree.files.items():
        place = folder / path
        for parent in reversed(place.relative_to(folder).parents):
            if folder / parent not in folders:
                (folder / parent).mkdir()
                folders.add(folder / parent)
        place.write_bytes(content)
        if content.startswith(b"#!"):
            place.chmod(place.stat().st_mode | 0o111)
    for made in sorted(folders) if others else ():
        inside = made.relative_to(folder)
        # Around the pipelines lie environments and data of any size: their folders are links.
        _link_others(home / inside, made, WALKED if inside.parts[:1] == ("pipelines",) else 0)
    return CodePlace(folder=folder, home=home, digests=tree.digests, modules=tree.modules, roots=tree.roots)


def _link_others(home: Path, made: Path, left: int) -> int:
    """Lay out the rest of a folder: folders as folders, so that a component can walk through them, files as links.

    A folder is a link itself once `left` entries are laid out; how many are left then.
    """
    for each in sorted(home.iterdir()) if home.is_dir() else ():
        place = made / each.name
        # byte code beside a file would be that of the file as it is now
        if each.name == "__pycache__" or place.is_symlink() or place.exists():
            continue
        left -= 1
        if left > 0 and each.is_dir() and not each.is_symlink():
            place.mkdir()
            left = _link_others(each, place, left)
        else:
            place.symlink_to(each)
    return left
