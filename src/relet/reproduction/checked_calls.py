"""What another environment says of the files that it wrote, worked out again by the relet that asks.

The code of a run, its packages and its relet come with the record: their word on what they made counts for
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from relet.core.artifact import ArtifactType, Version
from relet.errors import BadDataError, ComponentError
from relet.project.call import Caller, CallResult, ComponentCall, WrittenOutput
from relet.store.checking import false_metadata
from relet.store.contents import TABLE, decided_metadata, folder_digest


def checked_caller(call: Caller) -> Caller:
    """The same caller, whose outputs have the digests and the metadata that their files have.

    It raises ComponentError where the environment said something else of an output.
    """

    def checked(asked: ComponentCall) -> CallResult:
        called = call(asked)
        return replace(
            called, outputs={name: _checked(name, each, asked) for name, each in called.outputs.items()}
        )

    return checked


def true_content(type_: ArtifactType, folder: Path) -> str:
    """The content digest of the files in a folder, which anybody may have written.

    Raises BadDataError where they are no artifact of the type.
    """
    if type_ is ArtifactType.TABLE:
        from relet.data.footer import checked_content_digest

        return checked_content_digest(folder / TABLE)
    return folder_digest(folder)


def _checked(name: str, written: WrittenOutput, asked: ComponentCall) -> WrittenOutput:
    """The output with all the metadata that its files decide."""
    _refuse_folder_elsewhere(name, written, asked.scratch)
    try:
        content = true_content(written.type, written.folder)
        decided = decided_metadata(written.type, written.files)
    except (BadDataError, OSError) as error:
        raise _not_so(f"{name} is a {written.type}", f"its files are none: {error}") from error
    if content != written.content:
        raise _not_so(f"{name} has the content {written.content[:12]}", f"its files have {content[:12]}")
    for claim in false_metadata(_as_version(name, written), written.files):
        raise _not_so(f"{name} has {claim.field} = {claim.said}", f"its files say {claim.found}")
    return replace(written, metadata={**written.metadata, **decided})


def _refuse_folder_elsewhere(name: str, written: WrittenOutput, scratch: Path) -> None:
    """Raise ComponentError where a file lies outside the folder that the call may write to."""
    place = scratch.resolve()
    for path in (written.folder, *written.folder.rglob("*")):
        if not path.resolve().is_relative_to(place):
            raise _not_so(f"{name} lies in the folder of its call", f"{path.name} leads out of it")


def _as_version(name: str, written: WrittenOutput) -> Version:
    return Version(
        name=name, number=1, type=written.type, content=written.content, files={}, metadata=written.metadata
    )


def _not_so(said: str, found: str) -> ComponentError:
    return ComponentError(
        f"the recorded environment says of what it made that {said}, and that is not so: {found}"
    )
