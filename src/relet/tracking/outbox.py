"""Sends the records in a tracker's outbox. A record leaves the outbox once the tracker has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relet.errors import NotFoundError, ReletError, TrackerError
from relet.tracking.lease import lease
from relet.tracking.tracker import RefusedError, Relay

if TYPE_CHECKING:
    from relet.store import Store
    from relet.tracking.tracker import Tracker


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What one delivery did.

    `sent` are the runs that were sent, `refused` maps each refused run to the reason, `waiting` counts the runs
    that wait now. `unreachable` says why the delivery stopped, where the tracker failed as a whole. `passed_on`
    says what a tracker that records on this machine uploaded.
    """

    tracker: str
    sent: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    waiting: int = 0
    unreachable: str | None = None
    passed_on: str = ""

    @property
    def failed(self) -> str | None:
        """Why something was not sent, or None."""
        return self.unreachable or next(iter(self.refused.values()), None)

    def __str__(self) -> str:
        """
        >>> str(DeliveryReport(tracker="mlflow", sent=("a", "b")))
        '2 sent'
        >>> str(DeliveryReport(tracker="mlflow", waiting=3, unreachable="mlflow can't be used"))
        "0 sent, 3 wait: mlflow can't be used"
        """
        waits = f", {self.waiting} wait" if self.waiting else ""
        passed_on = f"; {self.passed_on}" if self.passed_on else ""
        return f"{len(self.sent)} sent{waits}{f': {self.failed}' if self.failed else ''}{passed_on}"


def deliver(
    store: Store,
    tracker: Tracker,
    *,
    log: Callable[[str], None] | None = None,
    mirror: bool = True,
    asked: bool = False,
    wait: float = 30,
) -> DeliveryReport:
    """Send each record in a tracker's outbox once, the oldest first.

    With `mirror`, the model aliases are mirrored too, and a tracker that records on this machine uploads; `asked`
    is True where a person wants just that. A tracker that can't be reached ends the delivery, a record that it
    refuses does not; either way the records stay in the outbox, and nothing is raised. `wait` is how many seconds
    to wait for the delivery of another process.
    """
    say = log or (lambda _: None)
    sent: list[str] = []
    refused: dict[str, str] = {}
    unreachable, passed_on = None, ""
    try:
        with lease(store.url, tracker.name, wait=wait):
            for run_id, refusal in _send_pending(store, tracker):
                say(f"{tracker.name}: {refusal or f'sent {run_id}'}")
                if refusal:
                    refused[run_id] = refusal
                else:
                    sent.append(run_id)
            if mirror:
                tracker.mirror_aliases(store)
                passed_on = tracker.pass_on(asked=asked) if isinstance(tracker, Relay) else ""
    except TrackerError as error:
        unreachable = str(error)
        say(unreachable)
    return DeliveryReport(
        tracker=tracker.name,
        sent=tuple(sent),
        refused=refused,
        waiting=len(list(store.pending(tracker.name))),
        unreachable=unreachable,
        passed_on=passed_on,
    )


def _send_pending(store: Store, tracker: Tracker) -> Iterator[tuple[str, str]]:
    """Send each pending run; its id, and the reason where it was refused, else "".

    Raises TrackerError where the tracker can't be reached.
    """
    for run_id in list(store.pending(tracker.name)):
        try:
            tracker.send(store.run(run_id), store)
        except RefusedError as error:
            yield run_id, str(error)
        except TrackerError:
            raise
        except NotFoundError:
            # The record is gone: there is nothing to send.
            store.done(tracker.name, run_id)
        except ReletError as error:
            yield run_id, f"run {run_id}: {error}"
        except Exception as error:
            # A mistake of relet's in one record must not keep back the others.
            yield run_id, f"run {run_id}: {type(error).__name__}: {error}"
        else:
            store.done(tracker.name, run_id)
            yield run_id, ""
