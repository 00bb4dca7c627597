"""The interface that every tracker has, and the errors that it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from relet.errors import TrackerError

if TYPE_CHECKING:
    from relet.core.record import RunRecord
    from relet.store import Store


class RefusedError(TrackerError):
    """A tracker that was reached and refused one record; the other records are still sent."""


@runtime_checkable
class Tracker(Protocol):
    """A place that run records are mirrored to.

    `send` is idempotent: it looks a record up by the tag `relet.run_id` before it creates one, and brings an
    existing one up to date. It sends a record's parent before the record. Each method raises TrackerError where
    the tracker can't be reached; `send` raises RefusedError where the tracker refuses the record.
    """

    name: str

    def connect(self) -> None:
        """Do the slow work that needs no record: import, connect, make the database."""

    def send(self, record: RunRecord, store: Store) -> None:
        """Make the tracker show this record, with the run's inputs and outputs."""

    def mirror_aliases(self, store: Store) -> None:
        """Set the model aliases in the tracker as they are set in the store; `latest` is left out."""


@runtime_checkable
class Relay(Protocol):
    """A tracker that records on this machine first, and uploads the records later."""

    def pass_on(self, *, asked: bool) -> str:
        """Upload the records that wait on this machine, and say in words what was done; "" where nothing was.

        `asked` is True where a person wants just that. Raises TrackerError where an upload failed; the records
        stay.
        """
