"""The record of a run from its beginning to its end, and the courier that sends records to the trackers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from relet.core.record import RunRecord, Status, new_run_id, now
from relet.core.wording import without_credentials
from relet.errors import ReletError
from relet.project.job import Job
from relet.project.liveness import PROCESS, this_process
from relet.project.surroundings import Surroundings, machine, surroundings

if TYPE_CHECKING:
    from relet.tracking.courier import Courier, Delivery


@dataclass(frozen=True, kw_only=True)
class RunRecording:
    """The record of a run, a sweep or a search that has begun.

    `around` is what is the same for each of its components; `courier` sends this record, and those below it, to
    the trackers; None where nothing is sent before the end.
    """

    job: Job
    record: RunRecord
    around: Surroundings
    courier: Courier | None = None


def begin(job: Job, *, announced: bool = True, **facts: Any) -> RunRecording:
    """Begin the record of a run of `job`; `facts` are further fields of the record.

    Where it is `announced`, the record is stored now, and the trackers' processes start, so that they work while
    the run does. The records of a trial are sent by the courier of its sweep or search.
    """
    around = surroundings(job.project.root, job.project.lock, job.tree, job.store)
    fields: dict[str, Any] = {
        "id": new_run_id(),
        "pipeline": job.request.pipeline.name,
        "experiment": job.experiment,
        "status": Status.RUNNING,
        "started": now(),
        "code": around.code,
        "lock": around.lock,
        "machine": {**machine(), **this_process()},
        "command": job.command,
    }
    recording = RunRecording(job=job, record=RunRecord(**(fields | facts)), around=around)
    if not announced:
        return recording
    put(job, recording.record)
    return replace(recording, courier=_courier(job))


def end(recording: RunRecording, *, patience: float, **facts: Any) -> tuple[Delivery, ...]:
    """Store the record as it is at its end, and wait at most `patience` seconds for the trackers.

    `facts` are the fields that the end decides. Returns how each tracker stands.
    """
    put(recording.job, replace(recording.record, ended=now(), **facts))
    return recording.courier.finish(patience) if recording.courier else ()


def close(job: Job, run_id: str, status: Status, reason: str) -> bool:
    """Store how a run ended whose own process could not; False where the run had not begun."""
    try:
        record = job.store.run(run_id)
    except ReletError:
        return False
    if record.status is Status.RUNNING:
        put(job, replace(record, status=status, message=reason, ended=now()))
    return True


def put(job: Job, record: RunRecord) -> None:
    """Store a record, without credentials, and mark it as pending for each tracker."""
    if record.status is not Status.RUNNING:
        about = {name: value for name, value in record.machine.items() if name != PROCESS}
        record = replace(record, machine=about)
    job.store.put_run(record.without_credentials())
    for tracker in job.trackers:
        job.store.put_pending(tracker, record.id)


def keep_log(job: Job, printed: str, error: BaseException | None = None) -> str | None:
    """Store what a component printed, and the traceback of its error; the SHA-256, None where there is neither."""
    notes = getattr(error, "__notes__", ())
    text = "\n".join(filter(None, (printed.removesuffix("\n"), *(note.removesuffix("\n") for note in notes))))
    if not text:
        return None
    return job.store.put_object(f"{without_credentials(text)}\n".encode(errors="backslashreplace"))


def _courier(job: Job) -> Courier | None:
    if not job.trackers or job.part:
        return None
    from relet.tracking.courier import start

    return start(job.store.url, job.project.place, job.trackers)
