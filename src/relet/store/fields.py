"""The fields of stored documents, and whether each value has the type that is shown or followed later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from relet.core.artifact import Version
from relet.core.record import RunKind, RunRecord
from relet.store.layout import DIGEST, WORD

COMMIT = re.compile(r"[0-9a-f]{7,64}")
# What git would take for an option, or for a transport that starts a program (`ext::…`).
NO_REPOSITORY = re.compile(r"-|[^/@]*::")


def is_time(text: Any) -> bool:
    """Whether a text is a time in ISO 8601.

    >>> is_time("2026-01-02T03:04:05.000+00:00"), is_time("yesterday")
    (True, False)
    """
    try:
        return isinstance(text, str) and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def moment(text: str) -> float:
    """The time as seconds since 1970; a time without a zone is taken as UTC."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def wrong_record_fields(record: RunRecord) -> Iterator[str]:
    """The fields of a run's record whose values have another type than the field."""
    return (field for field, right in _record_fields(record) if not right)


def _record_fields(record: RunRecord) -> Iterator[tuple[str, bool]]:
    for field in ("id", "pipeline", "experiment", "description", "message"):
        yield field, isinstance(getattr(record, field), str)
    for field in ("component", "job_type", "parent", "key", "lock", "winner"):
        yield field, isinstance(getattr(record, field), str | None)
    for field in ("parameters", "metrics", "steps", "machine", "inputs", "outputs"):
        yield field, isinstance(getattr(record, field), Mapping)
    for field in ("code", "packages", "resources", "parameters", "inputs"):
        yield f"{field} in its key", record.parts is None or isinstance(getattr(record.parts, field), Mapping)
    if record.kind is RunKind.PIPELINE:
        yield "parameters", all(isinstance(each, Mapping) for each in record.parameters.values())
    yield "format", type(record.format) is int
    yield "started", is_time(record.started)
    yield "ended", record.ended is None or is_time(record.ended)
    yield "metrics", all(map(_is_number, dict(record.metrics).values()))
    yield "links", all(isinstance(text, str) for text in _texts_of_links(record))
    yield "steps", all(map(_is_step, dict(record.steps).values()))
    yield "command", all(isinstance(each, str) for each in (*record.command, *record.overrides))
    yield "trial", isinstance(record.trial, int | None)
    yield "caveats", all(isinstance(text, str) for each in record.caveats for text in (each.kind, each.what))
    yield "untracked files", _is_text_mapping(record.code.untracked)
    yield "uncommitted files", _is_text_mapping(record.code.uncommitted)
    yield "undeclared files", _is_text_mapping(record.undeclared)
    yield "log", record.log is None or (isinstance(record.log, str) and bool(DIGEST.fullmatch(record.log)))
    yield "places looked at", _is_text_mapping(record.looked_at)
    yield "git", isinstance(record.code.git, str)
    yield "folder", isinstance(record.code.folder, str)
    for field in ("tree", "commit", "diff", "repository"):
        yield field, isinstance(getattr(record.code, field), str | None)
    for what, digest in record.objects.items():
        yield what, isinstance(digest, str) and bool(DIGEST.fullmatch(digest))


def wrong_code_fields(record: RunRecord) -> Iterator[str]:
    """The fields of a record's code that git must not be handed."""
    if not (record.code.commit is None or COMMIT.fullmatch(record.code.commit)):
        yield "commit"
    if not (record.code.repository is None or not NO_REPOSITORY.match(record.code.repository)):
        yield "repository"


def _texts_of_links(record: RunRecord) -> Iterator[Any]:
    for link in (*record.inputs.values(), *record.outputs.values()):
        yield from (link.version, link.type, link.content)


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, Mapping)
        and all(isinstance(step.get(field), str) for field in ("action", "reason"))
        and isinstance(step.get("run"), str | None)
        and _is_text_mapping(step.get("outputs"))
    )


def _is_text_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for each in (*value, *value.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def wrong_version_fields(version: Version) -> Iterator[str]:
    """The fields of a version whose values have another type than the field."""
    if type(version.number) is not int:
        yield "number"
    if not isinstance(version.content, str) or not WORD.fullmatch(version.content):
        yield "content"
    if not _is_text_mapping(version.files) or not all(map(DIGEST.fullmatch, version.files.values())):
        yield "files"
    if not isinstance(version.description, str):
        yield "description"
    if not isinstance(version.producer, str | None):
        yield "producer"
    if version.created != "" and not is_time(version.created):
        yield "created"
    if not isinstance(version.metadata, Mapping):
        yield "metadata"
        return
    for field, value in version.metadata.items():
        if field in _METADATA and not _METADATA[field](value):
            yield f"metadata {field}"


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_text_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str) and all(isinstance(x, str) for x in value)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_number, value.values()))


_METADATA = {
    "rows": _is_count,
    "columns": _is_text_list,
    "passed": lambda value: isinstance(value, bool),
    "reason": lambda value: isinstance(value, str),
    "metrics": _is_numbers,
    "curves": _is_text_list,
    "verdict": lambda value: isinstance(value, str),
    "run": lambda value: isinstance(value, str),
    "target": lambda value: isinstance(value, str),
    "when": lambda value: isinstance(value, str),
    "runs": _is_text_mapping,
    "judged": _is_text_mapping,
    "imported": _is_text_mapping,
}
