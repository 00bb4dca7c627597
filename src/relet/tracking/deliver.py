"""The process that sends records to a tracker during a run: `python -m relet.tracking.deliver`.

When its standard input says anything or ends, it sends the remaining records and ends. Exit status 0: none waits.
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from relet.core.wording import without_credentials
from relet.errors import ReletError, TrackerError
from relet.store import Store, open_store
from relet.tracking import Tracker, open_tracker
from relet.tracking.outbox import DeliveryReport, deliver

# Seconds: between two looks into a store on this machine, or elsewhere, and between two tries of a dead tracker.
LOOK_HERE, LOOK_THERE, TRY_AGAIN = 0.1, 1.0, 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, help="the store's URL")
    parser.add_argument("--project-root", required=True, type=Path, help="where a local tracker keeps its files")
    parser.add_argument("--tracker", required=True, help="the tracker's name")
    parser.add_argument("--linger", type=int, default=60, help="seconds to go on after standard input has ended")
    chosen = parser.parse_args(arguments)
    # The run comes first: this process can wait.
    os.nice(5)
    try:
        store = open_store(chosen.store)
        report = _mirror_run(store, open_tracker(chosen.tracker, chosen.project_root), chosen.linger)
    except ReletError as error:
        return _fail(str(error))
    finally:
        # The run waits for this process, whose last look for garbage in mlflow would take 0.6 s.
        gc.freeze()
    if report.waiting or report.failed:
        return _fail(report.failed or f"{report.waiting} records wait")
    return 0


def _mirror_run(store: Store, tracker: Tracker, linger: int) -> DeliveryReport:
    look = LOOK_THERE if "://" in store.url else LOOK_HERE
    tried = -TRY_AGAIN
    # A fifth of a first connect would be looks for garbage among what mlflow imports.
    gc.disable()
    try:
        tracker.connect()
    except TrackerError as error:
        print(without_credentials(str(error)), file=sys.stderr, flush=True)
        tried = time.monotonic()
    finally:
        gc.enable()
    report = DeliveryReport(tracker=tracker.name)
    while not _is_told_to_end(look):
        if (report.failed and time.monotonic() - tried < TRY_AGAIN) or not store.pending(tracker.name):
            continue
        report = deliver(store, tracker, log=_print_line, mirror=False)
        tried = time.monotonic()
    # The run is over and nobody may wait any more: a tracker that hangs must not keep this process alive.
    signal.alarm(linger)
    return _send_remaining(lambda: deliver(store, tracker, log=_print_line), linger)


def _send_remaining(send: Callable[[], DeliveryReport], linger: int) -> DeliveryReport:
    """Send until nothing is left, or nothing more is sent: another process may have held the lease meanwhile."""
    until = time.monotonic() + linger
    report = send()
    while report.waiting and report.sent and report.unreachable is None and time.monotonic() < until:
        report = send()
    return report


def _is_told_to_end(seconds: float) -> bool:
    """Wait so many seconds for standard input to say something or to end. True where it did."""
    return bool(select.select([sys.stdin.fileno()], [], [], seconds)[0])


def _print_line(line: str) -> None:
    print(without_credentials(line), flush=True)


def _fail(reason: str) -> int:
    print(without_credentials(" ".join(reason.split())), file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
