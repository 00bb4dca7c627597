"""What a tracker is to relet, whichever system it mirrors runs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from relet.errors import TrackerError

if TYPE_CHECKING:
    from relet.core.record import RunRecord
    from relet.store import Store


class RefusedError(TrackerError):
    """A tracker that answers, and would not have this one record: the others are sent all the same."""


@runtime_checkable
class Tracker(Protocol):
    """A place that run records are mirrored to.

    `send` is idempotent: a record is looked up by the tag `relet.run_id` before it is created, and one that is
    there already is brought up to date. A record's parent is there before the record is. Each method raises
    TrackerError where the tracker can't be reached, `send` RefusedError where it would not have the record.
    """

    name: str

    def connect(self) -> None:
        """Do what takes long and needs no record: import, connect, make the database."""

    def send(self, record: RunRecord, store: Store) -> None:
        """Make the tracker show this record, with what it made and what it was made of."""

    def mirror_aliases(self, store: Store) -> None:
        """Make the tracker's model aliases say what the store's say, `latest` aside."""


@runtime_checkable
class Relay(Protocol):
    """A tracker that keeps records on this machine first, and hands on what it keeps."""

    def pass_on(self, *, asked: bool) -> str:
        """Hand on what is kept and say what was done, "" where nothing was; `asked` is True where a person did.

        Raises TrackerError where it should have been handed on and was not: it is kept.
        """
