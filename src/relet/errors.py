"""Errors that say what is wrong, what was got, and which setting to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


class ReletError(Exception):
    """Everything that relet raises on purpose. `exit_status` is what the command line ends with.

    `printed` is what a component's process had printed, where the error came from one, and `inputs` are the
    versions that the component was called with, in words: `clean:v3 (1,200 rows × 8 columns)`. `step` is that
    component, and `lines` are the project's lines that led there, the outermost first. `settings` are those by
    which it would work, by their keys, where that has been tried.
    """

    exit_status = 2
    printed: str = ""
    inputs: tuple[str, ...] = ()
    step: str = ""
    lines: tuple[CodeLine, ...] = ()
    settings: Mapping[str, Any] = MappingProxyType({})


class WiringError(ReletError):
    """A pipeline whose components and artifacts don't fit together."""


class EditedError(WiringError):
    """A process that holds code which was edited since it was imported: only a fresh one runs what it is now."""


class SignatureError(ReletError):
    """A component whose signature can't be its contract."""


class SettingError(ReletError):
    """An unknown setting, or a value of the wrong type."""


class BadDataError(ReletError):
    """Data from outside that can't be read as what it should be."""


class NotFoundError(ReletError):
    """A name, version, alias or run that the store does not hold."""


class StoreError(ReletError):
    """The store can't be read or written."""


class DamagedError(StoreError):
    """A stored object whose bytes don't match its digest."""


class ModelError(ReletError):
    """A model file that can't be exported, or may not be loaded."""


class TrackerError(ReletError):
    """A tracker that did not take a record."""


class SetUpError(ReletError):
    """An environment that can't be made, or code that can't be laid out: the message says what is missing."""


class ImpossibleError(ReletError):
    """A run that can't be made again; `missing` says of each thing that is gone what it is."""

    def __init__(self, *missing: str) -> None:
        super().__init__("; ".join(missing))
        self.missing = missing


class UntrustedError(ReletError):
    """Code that came from elsewhere and would be executed, which nobody has allowed."""


@dataclass(frozen=True, kw_only=True)
class CodeLine:
    """A place in code, and its source; `file` is relative to the project's folder, or as a library names it."""

    file: str
    line: int
    function: str
    source: str = ""


class ComponentError(ReletError):
    """A component that raised.

    Its note is the traceback from the process that called it. `undeclared` and `looked_at` are what the component
    read and asked for until then, as a record has them.
    """

    exit_status = 1
    undeclared: Mapping[str, str] = MappingProxyType({})
    looked_at: Mapping[str, str] = MappingProxyType({})


class LostError(ComponentError):
    """A component whose process ended by itself, which may have another cause than the component."""


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or which there are; the wrong one itself is never offered.

    >>> nearest("modle", ["model", "sample"])
    'did you mean model?'
    >>> nearest("x", ["model", "sample"])
    'there are model, sample'
    >>> nearest("x", [])
    'there are none'
    """
    from difflib import get_close_matches

    names = [each for each in known if each != wrong]
    close = get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(sorted(names))}" if names else "there are none"
