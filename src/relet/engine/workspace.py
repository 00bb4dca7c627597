"""What the calls of a run are given: stored versions and sources and the run's code, each laid out as stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from relet.core.artifact import Version, short_name
from relet.core.record import EDITED, Caveat
from relet.engine.values import read_artifact, table_state
from relet.errors import DamagedError
from relet.files import FolderState, folder_state
from relet.project.call import InputFolder
from relet.project.importing import CodePlace
from relet.project.tree import CodeTree, digest_of_file, lay_out_tree
from relet.store.checking import refuse_false_files

if TYPE_CHECKING:
    from relet.store import Store


@dataclass(frozen=True, kw_only=True)
class _LaidOutContent:
    """What lies in a folder since it was laid out: the state then, and each file → its SHA-256, in hex.

    `called` is what people call a file of it, by its path.
    """

    folder: Path
    state: FolderState
    digests: Mapping[str, str]
    called: Callable[[str], str]

    def is_intact(self) -> bool:
        """Whether nobody has touched anything in the folder since."""
        try:
            return folder_state(self.folder) == self.state
        except OSError:
            return False  # something in it is gone, or is no folder any more

    def edits(self) -> Iterator[Caveat]:
        """A caveat where files hold something else by now, or are gone; it names the first."""
        edited = [path for path, digest in self.digests.items() if digest_of_file(self.folder / path) != digest]
        if edited:
            more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
            yield Caveat(kind=EDITED, what=f"{self.called(edited[0])}{more}")


@dataclass(frozen=True)
class Workspace:
    """A scratch folder in which each stored version, a run's code and each source is laid out for its calls.

    Each is laid out once, and anew where a call touched it: every call sees what is stored.
    """

    folder: Path
    store: Store
    _inputs: dict[tuple[str, str], InputFolder] = field(default_factory=dict, repr=False)
    _code: dict[str, CodePlace] = field(default_factory=dict, repr=False)
    _sources: dict[tuple[str, str], Path] = field(default_factory=dict, repr=False)
    _contents: dict[Path, _LaidOutContent] = field(default_factory=dict, repr=False)

    def lay_out_code(self, tree: CodeTree, home: Path) -> CodePlace:
        """Where a code tree lies; `home` is the project's folder, which it was read from."""
        known = self._code.get(tree.digest)
        # It has hundreds of files: to look at them after each call, in `caveats_of_call`, is enough.
        if known is None or known.folder not in self._contents:
            folder = self._new_folder(f"code-{tree.digest[:12]}")
            self._code[tree.digest] = lay_out_tree(tree, folder, home)
            self._note(folder, folder_state(folder), tree.digests, lambda path: path)
        return self._code[tree.digest]

    def lay_out_source(self, digest: str, name: str) -> Path:
        """A file of that name with the content of a stored source, verified."""
        known = self._sources.get((digest, name))
        if known is None or not self._is_intact(known.parent):
            place = self._new_folder(f"sources/{digest}") / name
            self.store.fetch_object(digest, place)
            self._sources[digest, name] = place
            self._note(place.parent, folder_state(place.parent), {name: digest}, lambda path: f"its source {path}")
        return self._sources[digest, name]

    def lay_out(self, version: Version) -> InputFolder:
        """The folder with a version's files, digests verified, the content worked out again.

        Raises DamagedError where it is another one; then no key leads to that version in this process any more.
        """
        place = (version.name, version.content)
        known = self._inputs.get(place)
        if known is None or not self._is_intact(known.folder):
            folder = Path(mkdtemp(prefix=f"{short_name(version.name)}-v{version.number}-", dir=self.folder))
            self.store.materialize(version, folder)
            state = folder_state(folder)
            try:
                refuse_false_files(version, folder)
            except DamagedError:
                self.store.distrust(version)
                raise
            self.keep(version, folder, state)
        return self._inputs[place]

    def keep(self, version: Version, folder: Path, state: FolderState) -> None:
        """Remember that a version lies in `folder`, so that it is not fetched again; `state` is the folder's from
        before its files were digested.
        """
        self._inputs[version.name, version.content] = InputFolder(
            folder=folder,
            type=version.type,
            verified=table_state(folder, version.type),
            trusted=version.imported is None,
        )
        self._note(folder, state, version.files, lambda path: f"{version} ({path})")

    def read(self, version: Version, container: str) -> Any:
        return read_artifact(self.lay_out(version), container)

    def caveats_of_call(self) -> tuple[Caveat, ...]:
        """What was edited or deleted since it was laid out; to be asked after each call, since each is told once.

        Whatever was touched is laid out anew for the next call.
        """
        touched = [each for each in self._contents.values() if not each.is_intact()]
        for each in touched:
            del self._contents[each.folder]
        return tuple(edit for each in touched for edit in each.edits())

    def _is_intact(self, folder: Path) -> bool:
        content = self._contents.get(folder)
        return content is not None and content.is_intact()

    def _note(
        self, folder: Path, state: FolderState, digests: Mapping[str, str], called: Callable[[str], str]
    ) -> None:
        self._contents[folder] = _LaidOutContent(folder=folder, state=state, digests=digests, called=called)

    def _new_folder(self, name: str) -> Path:
        """The first path of that name, or with a number after it, at which nothing lies yet."""
        folder, number = self.folder / name, 1
        while folder.exists():
            number += 1
            folder = self.folder / f"{name}-{number}"
        return folder
