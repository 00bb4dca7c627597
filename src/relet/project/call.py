"""The call of a component, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType
from relet.core.component import Component
from relet.core.record import Caveat
from relet.project.importing import CodePlace

if TYPE_CHECKING:
    from relet.data.rows import FileState
    from relet.files import FolderState


@dataclass(frozen=True, kw_only=True)
class InputFolder:
    """An input that is laid out: its folder, and the type of the artifact in it.

    `verified` is the state of a table's file when its digest was verified. `trusted` is false for what came from
    another store: a model of it is tried in a confined process first.
    """

    folder: Path
    type: ArtifactType
    verified: FileState | None = None
    trusted: bool = True


@dataclass(frozen=True, kw_only=True)
class ProgressReport:
    """How far a component is: `done` of `total`, None where that is not known, and what it is doing."""

    done: float
    total: float | None = None
    text: str = ""

    def __str__(self) -> str:
        """
        >>> str(ProgressReport(done=3, total=12, text="epoch")), str(ProgressReport(done=2.5))
        ('epoch 3 of 12 (25%)', '2.5')
        """
        share = f" of {self.total:,g} ({self.done / self.total:.0%})" if self.total else ""
        return f"{self.text} {self.done:,g}{share}".strip()


# Is told what a component reports, and None from time to time while it reports nothing.
ProgressListener = Callable[[ProgressReport | None], None]


def ignore_progress(report: ProgressReport | None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ComponentCall:
    """A component with all that its function is called with.

    `place` is where the run's code is laid out. `code` is the code closure (module → digest). `files` are what the
    component may read beside its inputs: its resources, and the files that parameters name. `scratch` is an empty
    folder for all that it writes. `listen` is told how far the component is, where it runs in another process.
    """

    component: Component
    place: CodePlace
    code: Mapping[str, str]
    inputs: Mapping[str, InputFolder | None]
    arguments: Mapping[str, Any]
    files: tuple[Path, ...]
    scratch: Path
    listen: ProgressListener = ignore_progress


@dataclass(frozen=True, kw_only=True)
class WrittenOutput:
    """An artifact's files in a folder, before they are stored; `notes` say what that changed of the value.

    `state` is the folder's when its content was worked out, None where an older relet did that.
    """

    type: ArtifactType
    folder: Path
    content: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    state: FolderState | None = None

    @property
    def files(self) -> dict[str, Path]:
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path for path in found}


@dataclass(frozen=True, kw_only=True)
class CallResult:
    """The outputs of a call, and its caveats; `machine` is where it ran, empty for this process.

    `printed` is what the component and its libraries printed. `undeclared` are the files that the component read
    or imported and that nothing declares: path → SHA-256 of what it read, "" where that is not known. `looked_at`
    are the places that it asked about: path → what was there. `kept` are files with the content of the undeclared
    modules of the project. `installed` are the files below folders of packages that it opened.
    """

    outputs: Mapping[str, WrittenOutput]
    caveats: tuple[Caveat, ...] = ()
    undeclared: Mapping[str, str] = field(default_factory=dict)
    looked_at: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[Path, ...] = ()
    installed: tuple[str, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    printed: str = ""


Caller = Callable[[ComponentCall], CallResult]
