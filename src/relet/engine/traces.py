"""Where a component's error came from, in the project's own code: files, lines and their source."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

from relet.errors import CodeLine
from relet.names import PACKAGE
from relet.project.importing import CodePlace

# Where packages and the standard library lie: the longest place first, since one may lie in another.
_LIBRARIES = sorted(
    {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}, key=len, reverse=True
)


def code_lines(error: BaseException, place: CodePlace) -> tuple[CodeLine, ...]:
    """The project's lines that led to an error, the outermost first, and where a library raised it, its last line.

    Files are named as in the project, also those that were laid out elsewhere.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [(index, file) for index, each in enumerate(frames) if (file := _own_file(each.filename, place))]
    lines = [_line(file, frames[index]) for index, file in own]
    after = frames[own[-1][0] + 1 :] if own else []
    if after:
        lines.append(_line(_library_file(after[-1].filename), after[-1]))
    return tuple(lines)


def _own_file(file: str, place: CodePlace) -> str | None:
    """A file of the project, relative to the project's folder; None for any other."""
    if any(file.startswith(f"{each}{os.sep}") for each in (*_LIBRARIES, PACKAGE)):
        return None
    for folder in (place.folder, place.home):
        if file.startswith(f"{folder}{os.sep}"):
            return Path(file).relative_to(folder).as_posix()
    return None


def _library_file(file: str) -> str:
    """A file as its library names it: `pandas/core/frame.py`."""
    for folder in (*map(Path, _LIBRARIES), PACKAGE.parent):
        if Path(file).is_relative_to(folder):
            return Path(file).relative_to(folder).as_posix()
    return file


def _line(file: str, frame: traceback.FrameSummary) -> CodeLine:
    return CodeLine(file=file, line=frame.lineno or 0, function=frame.name, source=(frame.line or "").strip())
