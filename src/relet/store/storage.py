"""The store: one handle on objects, versions, aliases, runs, keys and outboxes, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Reference, Version, short_name
from relet.core.record import RunRecord
from relet.errors import NotFoundError, nearest
from relet.store import aliases, checking, claims, log, objects, runs, short_names, trees, upkeep, versions
from relet.store.address import open_bucket
from relet.store.aliases import AliasMove
from relet.store.bucket import Bucket
from relet.store.checking import FalseClaim
from relet.store.journal import SearchJournal, searches
from relet.store.layout import Document, alias_name, artifact_name
from relet.store.log import LogEntry, LogHead
from relet.store.upkeep import GRACE, StoreProblem

if TYPE_CHECKING:
    from relet.store.arrival import ImportedBundle
    from relet.store.history import VersionLineage


class Store:
    """A store at one place. Any number of processes and threads may write at once.

    Where a method takes a name or a reference as text, it means what a person means by it: a short name is that of
    the one pipeline which has such an artifact (`full_reference`). A `Reference` means exactly what it says.
    All methods raise StoreError where the place can't be read or written, DamagedError where stored bytes are not
    what was written, and NotFoundError, with the nearest right name, for a name that the store does not hold.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._noted: dict[tuple[str, str], frozenset[str]] = {}
        self._distrusted: set[str] = set()

    @property
    def url(self) -> str:
        """The place of the store; of a folder, the absolute path."""
        return self._bucket.url

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def put_object(self, content: bytes | Path) -> str:
        """Store bytes or a file; the SHA-256. An object that is stored already is not written again."""
        return objects.put(self._bucket, content)

    def read_object(self, sha: str) -> bytes:
        """An object's bytes, verified."""
        return objects.read(self._bucket, sha)

    def fetch_object(self, sha: str, to: Path) -> None:
        """Write an object to a file, which appears when it is whole and verified."""
        objects.fetch(self._bucket, sha, to)

    def put_tree(self, document: bytes, files: Mapping[str, bytes]) -> str:
        """Store a code tree: its files, and the document that names them (`relet.core.record.tree_document`); the
        document's SHA-256.
        """
        return trees.put(self._bucket, document, files)

    def tree(self, sha: str) -> dict[str, str]:
        """The files of a stored code tree, path → SHA-256. Raises DamagedError where it can't be read as one."""
        return trees.files_of(self._bucket, sha)

    def objects_of(self, record: RunRecord) -> dict[str, str]:
        """The objects that it takes to make a run again, beside its inputs: what each is → its SHA-256."""
        return trees.objects_of(self._bucket, record)

    def has_object(self, sha: str) -> bool:
        return not objects.absent_digests(self._bucket, [sha])

    def add_version(
        self,
        *,
        name: str,
        type: ArtifactType | str,
        content: str,
        files: Mapping[str, str],
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        producer: str | None = None,
        doubting: Callable[[str], None] = lambda _: None,
    ) -> Version:
        """Store a version under the next number. Where the artifact has a version of this content, that one is
        given.

        `name` is the full name where a pipeline makes the version: `nyc_rentals/model`.
        `files` maps relative paths to the SHA-256 of objects, which must be stored before. `content` is the digest
        of the content, which keys use. A stored version that claims this content and does not hold it is passed
        over; `doubting` is told of it in a sentence.
        """
        draft = Version(
            name=artifact_name(name),
            number=0,
            type=ArtifactType(type),
            content=content,
            files=dict(files),
            description=description,
            metadata=dict(metadata or {}),
            producer=producer,
        )
        return versions.add(self._bucket, draft, doubting=doubting)

    def version(self, reference: str | Reference) -> Version:
        """The version that a reference names: `clean_sample:v3`, `model:prod`, or `model` for the latest."""
        return versions.get(self._bucket, self._reference(reference))

    def find(self, reference: str | Reference) -> Version | None:
        """The version that a reference names, or None."""
        return versions.find(self._bucket, self._reference(reference))

    def full_reference(self, text: str) -> Reference:
        """The reference that a text means: a short name is that of the one pipeline which has such an artifact.

        `nyc_rentals/model:v3` says the pipeline itself. Where no pipeline has such an artifact, the name stays
        short. Raises NotFoundError, with the full names, where several pipelines have it.
        """
        return self._reference(text)

    def _reference(self, reference: str | Reference) -> Reference:
        if isinstance(reference, Reference):
            return reference
        return short_names.full_reference(self._bucket, Reference.parse(reference))

    def _name(self, name: str | Reference) -> str:
        return self._reference(artifact_name(name) if isinstance(name, str) else name).name

    def false_claims(self, version: Version) -> list[FalseClaim]:
        """What a version claims of its files and is not so. A table above 64 MiB is not read: see `verify`."""
        return checking.cheap_false_claims(self._bucket, version)

    def find_content(self, name: str, content: str) -> Version | None:
        """The version of an artifact that has this content digest, whatever its number, or None."""
        return versions.find_content(self._bucket, artifact_name(name), content)

    def versions(self, name: str | Reference, unread: list[str] | None = None) -> list[Version]:
        """An artifact's versions that were not pruned, the oldest first; what can't be read joins `unread`.

        With those of a full name come those that its pipeline made when an older relet stored them without it.
        """
        full = self._name(name)
        older = versions.inherited_versions(self._bucket, full, unread)
        return [*older, *versions.living_versions(self._bucket, full, unread)]

    def names(self) -> list[str]:
        """The names of all artifacts, sorted: full ones, and short ones where no pipeline made the versions."""
        return versions.names(self._bucket)

    def set_alias(self, name: str | Reference, alias: str, number: int, *, by: str, why: str) -> None:
        """Set an alias to a stored version. Nothing is written where the alias is set to it already."""
        alias_name(alias)
        named = Reference(artifact_name(name) if isinstance(name, str) else name.name, f"v{number}")
        exact = self._reference(str(named)) if isinstance(name, str) else named
        self.version(exact)
        aliases.move(self._bucket, exact.name, alias, number, by=by, why=why)

    def aliases(self, name: str | Reference) -> dict[str, int]:
        """Each alias of an artifact → the number of the version that it is set to."""
        full = self._name(name)
        older = versions.inherited_aliases(self._bucket, full)
        return dict(sorted((older | aliases.current_numbers(self._bucket, full)).items()))

    def aliases_of(self, version: Version) -> list[str]:
        """The aliases that are set to a version, sorted.

        A version that an older relet stored under a short name has those of the pipelines that inherit it.
        """
        heirs = short_names.heirs(self._bucket, version)
        aliases_by_name = (self.aliases(Reference(each)).items() for each in heirs or [version.name])
        return sorted({alias for each in aliases_by_name for alias, number in each if number == version.number})

    def alias_history(self, name: str | Reference, alias: str) -> list[AliasMove]:
        """Every move of an alias, the first one first."""
        full = self._name(name)
        known = self.aliases(Reference(full))
        found = aliases.history(self._bucket, full, alias)
        if not found and alias in known:
            found = aliases.history(self._bucket, short_name(full), alias)
        if not found:
            raise NotFoundError(f"{full} has no alias {alias!r}: {nearest(alias, known)}")
        return found

    def materialize(self, version: Version, folder: Path) -> None:
        """Write a version's files below a folder, each verified."""
        versions.materialize(self._bucket, version, folder)

    def put_run(self, record: RunRecord) -> None:
        """Write a run's record, over the one before."""
        runs.put(self._bucket, record)

    def run(self, id: str) -> RunRecord:
        """A run's record."""
        return runs.get_record(self._bucket, id)

    def false_record_claims(self, record: RunRecord) -> list[str]:
        """What a run's record claims and is not so, in words; what it names and the store lacks is not judged."""
        from relet.store.record_checks import stored_false_record_claims

        return stored_false_record_claims(self._bucket, record)

    def runs(self, limit: int | None = None, unread: list[str] | None = None) -> Iterator[RunRecord]:
        """The run records that can be read, the newest first; the ids of the others are added to `unread`."""
        return runs.newest_first(self._bucket, limit, unread)

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first; no record is read."""
        return runs.ids(self._bucket)

    def put_key(self, key: str, outputs: Mapping[str, str], run: str | None = None) -> None:
        """Write down the outputs of a key, output name → `clean_sample:v3`, and the run that made them."""
        runs.put_key(self._bucket, key, outputs, run)

    def key(self, key: str) -> dict[str, str] | None:
        """The outputs of a key; None unless every version and all its objects are stored."""
        found = runs.outputs_of(self._bucket, key)
        return None if found and self._distrusted.intersection(found.values()) else found

    def distrust(self, version: Version) -> None:
        """Let no key lead to a version that is not what it claims, as long as this handle is used."""
        self._distrusted.add(str(version))

    def passed(self, verdict: Version) -> bool:
        """Whether a stored verdict passed, as its own file says; False where its version claims anything else."""
        return bool(verdict.metadata.get("passed")) and checking.holds(self._bucket, verdict)

    def maker(self, key: str) -> str | None:
        """The run that made a key's outputs last, or None where that is not known."""
        return runs.maker(self._bucket, key)

    def claim(self, name: str, *, waiting: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Hold the claim on a name, such as a key, so that no other process computes the same meanwhile.

        Waits while another process holds it, after calling `waiting` once. A holder that died holds nothing.
        """
        return claims.claim(self._bucket, name, waiting=waiting)

    def journal(self, search: str, facts: Document | None = None) -> SearchJournal:
        """The journal of a search; it may have no piece yet.

        With the `facts` that name the search its trials are compared with the records of their runs.
        """
        return SearchJournal(self._bucket, search, facts)

    def searches(self) -> list[str]:
        """The ids of the searches that have a journal, sorted."""
        return searches(self._bucket)

    def put_pending(self, tracker: str, run_id: str) -> None:
        """Note in a tracker's outbox that this run's record, as it is now, has to be sent."""
        runs.put_pending(self._bucket, tracker, run_id)

    def pending(self, tracker: str) -> list[str]:
        """The runs whose records have to be sent to a tracker, the oldest first."""
        found = runs.pending(self._bucket, tracker)
        self._noted |= {(tracker, run_id): notes for run_id, notes in found.items()}
        return list(found)

    def done(self, tracker: str, run_id: str) -> None:
        """Take a run out of a tracker's outbox.

        A run that was noted again since this handle's last `pending` stays there: its record has changed since,
        and has to be sent once more.
        """
        notes = self._noted.pop((tracker, run_id), None)
        if notes is None:
            notes = runs.pending(self._bucket, tracker).get(run_id, frozenset())
        if notes:
            self._bucket.delete(sorted(notes))

    def verify(self, head: LogHead | None = None) -> list[StoreProblem]:
        """Read everything, work out again what it claims, and name each problem; damaged objects move aside.

        `head` is a `log_head` that was kept outside of the store. Only with it is it named where somebody cut off
        the end of the log, or wrote all of it anew.
        """
        from relet.store import verification

        return verification.verify(self._bucket, head)

    def log_head(self) -> LogHead | None:
        """The number and the digest of the last entry of the log; None where the log has not begun."""
        return log.head(self._bucket)

    def missing_log_entry(self) -> int | None:
        """The number of the first entry that somebody removed before the end of the log; None where none is."""
        return log.first_missing(self._bucket)

    def log(self, last: int | None = None, unread: list[str] | None = None) -> Iterator[LogEntry]:
        """The log's entries, or the `last` ones, the oldest first; what can't be read joins `unread`."""
        return log.entries(self._bucket, last, unread)

    def enter_in_log(self, path: str) -> list[LogEntry]:
        """Enter what `verify` names of a document: that it has no entry, another one, or is gone; the new entries.

        `path` is the document's path in the store; with `*` it may match many.
        """
        from relet.store import log_checks

        return log_checks.enter(self._bucket, path)

    def prune(self, keep: int = 10) -> list[str]:
        """Forget the versions of each artifact, but for the newest `keep` and those that an alias is set to; the
        versions that were pruned.
        """
        return upkeep.prune(self._bucket, keep)

    def gc(self, older_than: timedelta = GRACE) -> list[str]:
        """Delete what nothing refers to and is older than `older_than`; the paths that were deleted."""
        return upkeep.collect(self._bucket, older_than)

    def export_version(self, reference: str | Reference, path: Path) -> None:
        """Write a version to a tar file, the same bytes every time."""
        from relet.store import transfer

        transfer.export_version(self._bucket, self.version(reference), path)

    def export_history(self, reference: str | Reference, path: Path) -> VersionLineage:
        """Write a version to a tar file with all that it was made from, the same bytes every time; what is in it.

        Raises NotFoundError, naming each missing thing, where the version could not be made again from the file.
        """
        from relet.store import history, transfer

        found = history.gather(self._bucket, self.version(reference))
        transfer.export_bundle(self._bucket, found.bundle, path)
        return found

    def import_bundle(self, path: Path) -> ImportedBundle:
        """Store the content of a tar file: a version, with or without its history. Nothing is stored twice."""
        from relet.store import transfer

        return transfer.import_file(self._bucket, path)

    def import_version(self, path: Path) -> Version:
        """Import a tar file; the version that it was made for, as it is called here."""
        return self.import_bundle(path).version


def open_store(url: str | Path) -> Store:
    """The store at a folder, `memory://`, `memory://name`, `s3://bucket/prefix`, `gs://…` or `az://…`.

    The folder is made with the first write. Credentials come from the environment.

    >>> store = open_store("memory://")
    >>> sha = store.put_object(b"rows")
    >>> str(store.add_version(name="sample", type="file", content=sha, files={"sample.csv": sha}))
    'sample:v1'
    """
    return Store(open_bucket(str(url)))
