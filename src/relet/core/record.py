"""What relet records of a run, so that the run can be made again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from relet.core.wording import without_credentials

FORMAT = 6
TREE_FORMAT = 1


class Status(StrEnum):
    """The status of a run: `stopped` by a verdict that failed, `interrupted` by Ctrl-C."""

    RUNNING = "running"
    FINISHED = "finished"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class RunKind(StrEnum):
    """What ran: one component, a pipeline, or several runs of a pipeline that belong together."""

    COMPONENT = "component"
    PIPELINE = "pipeline"
    SWEEP = "sweep"
    SEARCH = "search"


@dataclass(frozen=True, kw_only=True)
class ArtifactLink:
    """A version that a run took or made: `nyc_rentals/model:v3`, its type, and the digest of its content."""

    version: str
    type: str
    content: str


@dataclass(frozen=True, kw_only=True)
class KeyParts:
    """The parts that a component's key is the digest of. Each part maps a name to a digest, a version or a value.

    code: module → digest of its normal form, or "rest " and that of the module without the definitions that can be
    left out, of which those that count stand under `module:name`; packages: distribution → version, with a digest
    of its content where no index gave it; resources: path → digest;
    parameters: name → value (a source outside by the digest of its content); inputs: name → content digest.
    `pipeline` is the one whose artifacts the key leads to; "" in a record of format 5 or older, whose key did not
    say it.
    """

    component: str
    code: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    pipeline: str = ""


@dataclass(frozen=True, kw_only=True)
class CodeState:
    """The code that a run ran, and what git says of it.

    `tree` is the SHA-256 of the stored document that names the run's files (`tree_document`). What git says is
    provenance alone: `commit` is the one that was checked out, `uncommitted` are the files of the tree whose bytes
    are not its (path → changed, untracked, ignored or outside), `git` says why git could not be asked, `dirty`
    whether any file is not committed, and `diff` is the SHA-256 of their stored diff. `repository` is where the
    commit can be fetched, without credentials; `folder` is the project's folder in it, "" for its top.

    A record of format 3 or older has no tree: its code is the commit, the diff, and the files that git did not
    hold, `untracked`, each with the SHA-256 of its stored content.
    """

    tree: str | None = None
    commit: str | None = None
    dirty: bool = False
    diff: str | None = None
    uncommitted: Mapping[str, str] = field(default_factory=dict)
    untracked: Mapping[str, str] = field(default_factory=dict)
    repository: str | None = None
    folder: str = ""
    git: str = ""

    @property
    def commit_in_words(self) -> str:
        """The commit, and whether files were changed since; why there is none."""
        if self.commit is None:
            return f"none ({self.git})" if self.git else "none"
        return f"{self.commit} with changes not committed" if self.dirty else self.commit


@dataclass(frozen=True, kw_only=True)
class Caveat:
    """Something that may have decided what a run made, and that no record holds.

    `kind` is one of import (a first-party module that no import statement names), file (read, and neither input
    nor resource), network, process (another program), uncommitted (code), lock (a package that is installed
    in another version than the lock's), lockfile (a lock that no environment can be made from), package (one whose
    files are not those of its version), edited (it changed a file in place that it was given) and bundle (the
    record came with a bundle: nobody here saw the run).
    """

    kind: str
    what: str

    def __str__(self) -> str:
        return CAVEATS.get(self.kind, f"{self.kind}: {{}}").format(self.what)


# The kind of caveat of a record that was imported.
BUNDLE = "bundle"
# The kind of caveat of a step that changed a file which it was given.
EDITED = "edited"
# The kind of caveat of a package that the lock does not have, or has in another version; and of a run without one.
LOCK = "lock"
NO_LOCK = "there is no lock"
NOT_LOCKED = "not in the lock"
# The kind of caveat that says why no environment can be made from the lock.
LOCKFILE = "lockfile"
# How each kind of caveat reads.
CAVEATS = {
    "import": "imports {} without an import statement",
    "file": "reads {}, which is neither its input nor its resource",
    "network": "connects to {}",
    "process": "starts {}, which nobody watches",
    "uncommitted": "runs code that is not committed: {}",
    BUNDLE: "came with {}: nobody here saw it run",
    "lock": "runs in an environment that is not the lock's: {}",
    LOCKFILE: "has a lock that falls short: {}",
    "package": "uses {}",
    EDITED: "edits {} in place, which no other step sees",
}


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run of a pipeline (`component` is None), of one component, or a sweep or search; `kind` says which.

    `parent` is the run above it: for a component the run of its pipeline; for a trial the sweep or search. A trial
    has its number, from 1, in `trial`, and its own overrides in `overrides`, in Hydra's syntax and in the order
    given. The record of a sweep or search has `job_type` sweep or search, no steps, and at its end the metrics of
    its best trial, whose run is its `winner`.
    `undeclared` are the files that a component read or imported, that nothing declares: path → SHA-256 of what it
    read, "" where that is not known. `looked_at` are the places that it asked about and did not read: path → what
    was there (`relet.core.lookups`). Where one of either is another now, the component runs again.
    `steps` belongs to a pipeline's run: component → its action, the reason, the run that made its outputs (`run`;
    an earlier one where the component was skipped), and its versions (`outputs`). Times are ISO 8601 in UTC;
    `lock` is the SHA-256 of the stored lock file, `log` that of the stored text that a component printed, with the
    traceback of its error; `machine` holds Python, platform, processor and thread counts.
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
    inputs: Mapping[str, ArtifactLink] = field(default_factory=dict)
    outputs: Mapping[str, ArtifactLink] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    key: str | None = None
    parts: KeyParts | None = None
    code: CodeState = CodeState()
    lock: str | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    message: str = ""
    caveats: tuple[Caveat, ...] = ()
    undeclared: Mapping[str, str] = field(default_factory=dict)
    looked_at: Mapping[str, str] = field(default_factory=dict)
    log: str | None = None
    overrides: tuple[str, ...] = ()
    trial: int | None = None
    winner: str | None = None
    format: int = FORMAT

    @property
    def kind(self) -> RunKind:
        """
        >>> RunRecord(id="a", pipeline="p", experiment="e", status=Status.RUNNING, started="").kind
        <RunKind.PIPELINE: 'pipeline'>
        """
        if self.component is not None:
            return RunKind.COMPONENT
        return RunKind(self.job_type) if self.job_type in (RunKind.SWEEP, RunKind.SEARCH) else RunKind.PIPELINE

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def imported(self) -> str | None:
        """Where a record comes from that was imported, in words; None for a run of this store."""
        return next((each.what for each in self.caveats if each.kind == BUNDLE), None)

    @property
    def sources(self) -> dict[str, str]:
        """The parameters that named a source outside → the SHA-256 of its content, which the store holds."""
        return source_digests(self.parts.parameters if self.parts else {})

    @property
    def modules_kept(self) -> dict[str, str]:
        """The modules of the project that were imported and not declared, whose content the store holds."""
        return {path: digest for path, digest in self.undeclared.items() if is_module_inside(path) and digest}

    @property
    def objects(self) -> dict[str, str]:
        """The objects that it takes to make the run again, beside its inputs: what each is → its SHA-256."""
        objects = {"lock": self.lock, "code tree": self.code.tree, "diff": self.code.diff}
        objects |= {f"file {path}": digest for path, digest in self.code.untracked.items()}
        objects |= {f"file {path}": digest for path, digest in self.modules_kept.items()}
        objects |= {f"source of {name}": digest for name, digest in self.sources.items()}
        return {what: digest for what, digest in objects.items() if digest}

    def without_credentials(self) -> RunRecord:
        """The same without credentials in the addresses that it names: only then may it be stored.

        The parameters of components stay as they are: those that name a source have no credentials (`Job`), and
        any other one has to be the same when the run is made again.
        """
        of_steps = self.kind in (RunKind.COMPONENT, RunKind.PIPELINE)
        return replace(
            self,
            parameters=self.parameters if of_steps else without_credentials(self.parameters),
            steps=without_credentials(self.steps),
            command=without_credentials(self.command),
            overrides=without_credentials(self.overrides),
            message=without_credentials(self.message),
            caveats=tuple(replace(each, what=without_credentials(each.what)) for each in self.caveats),
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RunRecord:
        links = {
            side: {name: ArtifactLink(**link) for name, link in stored[side].items()}
            for side in ("inputs", "outputs")
        }
        parts = KeyParts(**stored["parts"]) if stored["parts"] else None
        # A record of format 1 or 2 lacks the fields that were added later: they get their defaults.
        return cls(
            **{
                **stored,
                **links,
                "status": Status(stored["status"]),
                "parts": parts,
                "code": CodeState(**stored["code"]),
                "command": tuple(stored["command"]),
                "overrides": tuple(stored.get("overrides", ())),
                "caveats": tuple(Caveat(**each) for each in stored.get("caveats", ())),
            }
        )


def is_module_inside(path: str) -> bool:
    """Whether an undeclared file, by its name in a record, is Python in the project's folder."""
    return path.endswith(".py") and not path.startswith(("/", "~/"))


def tree_document(files: Mapping[str, str]) -> bytes:
    """The document that names the files of a code tree, path → SHA-256; equal trees have equal documents.

    >>> tree_document({"pipelines/p/steps.py": "ab"})
    b'{"files":{"pipelines/p/steps.py":"ab"},"format":1}'
    """
    document = {"format": TREE_FORMAT, "files": dict(files)}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def tree_files(document: bytes) -> dict[str, str]:
    """The files that a document names. Raises ValueError where it is none."""
    held = json.loads(document)
    files = held.get("files") if isinstance(held, dict) and held.get("format") == TREE_FORMAT else None
    if not isinstance(files, dict) or not all(isinstance(each, str) for each in files.values()):
        raise ValueError("it is no code tree that this relet knows")
    return files


def key_digest(parts: KeyParts) -> str:
    """The key: SHA-256 over the parts as JSON with sorted names, in hex."""
    held = asdict(parts)
    if not parts.pipeline:
        del held["pipeline"]
    text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def source_digests(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters, as they enter a key, that name a source outside → the SHA-256 of its content.

    >>> source_digests({"rows": 3, "source": {"sha256": "ab"}})
    {'source': 'ab'}
    """
    return {
        name: str(value["sha256"])
        for name, value in parameters.items()
        if isinstance(value, Mapping) and value.keys() == {"sha256"}
    }


def now() -> str:
    """The time in UTC, as records hold it.

    >>> now().endswith("+00:00")
    True
    """
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_run_id() -> str:
    """An id that no other run has; ids sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
