"""What relet writes down about a run, so that it can be made again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

FORMAT = 1


class Status(StrEnum):
    """How a run stands: `stopped` by a verdict that said no, `interrupted` by Ctrl-C."""

    RUNNING = "running"
    FINISHED = "finished"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Link:
    """An artifact version as a run saw it: `clean_sample:v3`, its type, and the digest of its content."""

    version: str
    type: str
    content: str


@dataclass(frozen=True, kw_only=True)
class KeyParts:
    """What a component's key is the digest of. Each part maps a name to a digest, a version or a value.

    code: module → digest of its normal form; packages: distribution → version; resources: path → digest;
    parameters: name → value (for a source outside, its content's digest); inputs: name → content digest.
    """

    component: str
    code: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CodeState:
    """The commit a run's code came from, and what was not committed (`diff`: SHA-256 of the stored diff)."""

    commit: str | None = None
    dirty: bool = False
    diff: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: of a pipeline (`component` is None, `parent` is None) or of one component in it.

    `steps` is a pipeline's: component → its action, the reason, and the versions it has (`outputs`). Times are
    ISO 8601 in UTC; `lock` is the SHA-256 of the stored lock file; `machine` holds Python, platform and thread
    counts.
    """

    id: str
    pipeline: str
    experiment: str
    status: Status
    started: str
    ended: str | None = None
    component: str | None = None
    job_type: str | None = None
    parent: str | None = None
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Link] = field(default_factory=dict)
    outputs: Mapping[str, Link] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    key: str | None = None
    parts: KeyParts | None = None
    code: CodeState = CodeState()
    lock: str | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    message: str = ""
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RunRecord:
        links = {
            side: {name: Link(**link) for name, link in stored[side].items()} for side in ("inputs", "outputs")
        }
        parts = KeyParts(**stored["parts"]) if stored["parts"] else None
        return cls(
            **{
                **stored,
                **links,
                "status": Status(stored["status"]),
                "parts": parts,
                "code": CodeState(**stored["code"]),
                "command": tuple(stored["command"]),
            }
        )


def now() -> str:
    """The time in UTC, as records write it.

    >>> now().endswith("+00:00")
    True
    """
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_run_id() -> str:
    """A name for a run that sorts by time and that no other run has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
