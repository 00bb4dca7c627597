"""Everything that a store holds is read and worked out again; what is broken or false is named."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress

from relet.core.artifact import Version
from relet.core.record import RunRecord, Status
from relet.errors import DamagedError, StoreError
from relet.store import aliases, objects, runs, trees, versions
from relet.store.bucket import Bucket
from relet.store.checking import stored_false_claims
from relet.store.code_checks import StoredCode
from relet.store.journal import PIECE_ADVICE, check_piece, false_journal, stored_searches
from relet.store.layout import DIGEST, name_of_folder, number_in_path, object_path
from relet.store.log import LogHead
from relet.store.log_checks import ENTER, log_problems
from relet.store.manifest import disowns, named_versions
from relet.store.pointer_checks import false_pointers, false_tombstones
from relet.store.record_checks import false_record_claims, lost_versions
from relet.store.upkeep import StoreProblem

# Records of an older format name sources whose content was never stored: a missing one is no loss.
SOURCES_STORED = 2
# What to do about a version, a record or a key that is not what it claims.
CLAIM_ADVICE = "run the step again, which stores it anew, and set the aliases of this one elsewhere"
MAKER_ADVICE = "restore its document from a backup, and trust nothing that was made from it"
RECORD_ADVICE = "restore the record from a backup, or delete it and run again"
KEY_ADVICE = "delete it: the step then runs again"


def verify(bucket: Bucket, head: LogHead | None = None) -> list[StoreProblem]:
    """Read everything and name each problem. A damaged object is moved aside, so that it can be stored again.

    The content of each version and the metadata that its files decide are worked out again; each record is
    compared with the versions that it names and with its stored code, each key with the run that it leads to, and
    each search's journal with the runs that measured its trials.
    A table is read as a stream. Objects without a version, and files that a killed writer left half-written, are
    garbage, no problem.
    The log is walked, and compared with the documents and with a `head` of it that was kept elsewhere.
    """
    found = [*_unreadable_names(bucket), *_unreadable_documents(bucket)]
    # What is written last is listed first: beside a writer, whatever is in a list was preceded by what it names.
    searched = list(stored_searches(bucket))
    keys = [entry.path for entry in bucket.entries("keys/")]
    records = {record.id: record for record in runs.newest_first(bucket)}
    names = sorted({*versions.names(bucket), *versions.full_names(bucket)})
    moved = {name: _current_aliases(bucket, name) for name in names}
    damaged = _damaged_objects(bucket)
    known: dict[str, Version] = {}
    for name in sorted({*names, *versions.names(bucket)}):
        alive = versions.living_versions(bucket, name)
        known |= {str(version): version for version in alive}
        found += _broken_versions(bucket, alive, damaged)
        found += _false_makers(alive, records)
        there = {version.number for version in (*versions.inherited_versions(bucket, name), *alive)}
        found += _dangling_aliases(name, moved.get(name, {}), there)
    named = {digest for version in known.values() for digest in version.files.values()}
    found += [
        StoreProblem(kind="damaged", where=object_path(digest), message=message)
        for digest, message in damaged.items()
        if digest not in named
    ]
    found += _broken_runs(bucket, known, records)
    found += _false_keys(bucket, keys, known, records)
    found += [
        StoreProblem(kind="false", where=path, message=f"it {claim}; {PIECE_ADVICE}")
        for path, claim in (claims for search in searched for claims in false_journal(search, records.get))
    ]
    found += _false_pointers(bucket, records)
    logged = log_problems(bucket, head)
    return [*found, *_lost_versions(bucket, records, {each.where for each in logged}), *logged]


def _false_pointers(bucket: Bucket, records: Mapping[str, RunRecord]) -> Iterator[StoreProblem]:
    """What leads to a version, or says that one was pruned, and is not so."""
    contents = named_versions(tuple(records.values()))
    for path, claim in (*false_pointers(bucket, contents), *false_tombstones(bucket, contents)):
        yield StoreProblem(kind="false", where=path, message=f"it {claim}")


def _lost_versions(
    bucket: Bucket, records: Mapping[str, RunRecord], named: Container[str]
) -> Iterator[StoreProblem]:
    """The versions that are gone, but for those that the log has named."""
    for path, lost in lost_versions(bucket, records.values()).items():
        if path not in named:
            advice = f"restore it from a backup, or enter that it is gone: {ENTER} {path}"
            yield StoreProblem(kind="gone", where=path, message=f"{lost}: somebody deleted it; {advice}")


def _damaged_objects(bucket: Bucket) -> dict[str, str]:
    """The digests of the damaged objects → a message."""
    digests = [entry.path.rpartition("/")[2] for entry in bucket.entries("objects/")]
    digests = [digest for digest in digests if DIGEST.fullmatch(digest)]
    said = bucket.each(lambda digest: _object_damage(bucket, digest), digests)
    return {digest: message for digest, message in zip(digests, said, strict=True) if message}


def _object_damage(bucket: Bucket, digest: str) -> str | None:
    try:
        for _ in objects.pieces(bucket, digest):
            pass
    except DamagedError as error:
        return str(error)
    return None


def _broken_versions(
    bucket: Bucket, alive: Iterable[Version], damaged: Mapping[str, str]
) -> Iterator[StoreProblem]:
    for version in alive:
        lost = False
        gone = set(objects.absent_digests(bucket, version.files.values()))
        for path, digest in sorted(version.files.items()):
            if digest in damaged:
                yield StoreProblem(kind="damaged", where=f"{version} {path}", message=damaged[digest])
            elif digest in gone:
                message = str(objects.missing_error(bucket, digest))
                yield StoreProblem(kind="missing", where=f"{version} {path}", message=message)
            lost = lost or digest in damaged or digest in gone
        if not lost:
            for claim in stored_false_claims(bucket, version):
                yield StoreProblem(kind="false", where=str(version), message=f"it {claim}; {CLAIM_ADVICE}")


def _false_makers(alive: Iterable[Version], records: Mapping[str, RunRecord]) -> Iterator[StoreProblem]:
    """The versions that a finished run did not make, whatever they say.

    A run that was killed may have stored a version before its record named one, and a run whose record is gone, or
    did not come with a bundle, can't be asked.
    """
    for version in alive:
        if disowns(records.get(version.producer or ""), version):
            message = f"it says that run {version.producer} made it, and that run's record names no such output"
            yield StoreProblem(kind="false", where=str(version), message=f"{message}; {MAKER_ADVICE}")


def _current_aliases(bucket: Bucket, name: str) -> Mapping[str, int]:
    with suppress(DamagedError):  # `_unreadable_documents` has named this alias already.
        return aliases.current_numbers(bucket, name)
    return {}


def _dangling_aliases(name: str, moved: Mapping[str, int], alive: set[int]) -> Iterator[StoreProblem]:
    for alias, number in moved.items():
        if number not in alive:
            message = f"is set to v{number}, which is not there; set it again (`relet artifacts alias`)"
            yield StoreProblem(kind="dangling", where=f"{name}:{alias}", message=message)


def _broken_runs(
    bucket: Bucket, known: Mapping[str, Version], records: Mapping[str, RunRecord]
) -> Iterator[StoreProblem]:
    code = StoredCode.of(bucket)
    for record in records.values():
        yield from _lost_run_objects(bucket, record)
        for wrong in (*false_record_claims(record, known.get, records.get), *code.false_claims(record)):
            yield StoreProblem(kind="false", where=f"run {record.id}", message=f"it {wrong}; {RECORD_ADVICE}")


def _false_keys(
    bucket: Bucket, keys: Iterable[str], known: Mapping[str, Version], records: Mapping[str, RunRecord]
) -> Iterator[StoreProblem]:
    for path in keys:
        with suppress(DamagedError):
            if claim := _false_key(bucket, path, known, records):
                yield StoreProblem(kind="false", where=path, message=f"it {claim}; {KEY_ADVICE}")


def _lost_run_objects(bucket: Bucket, record: RunRecord) -> Iterator[StoreProblem]:
    wanted = trees.objects_of(bucket, record)
    if record.format < SOURCES_STORED:
        wanted = {what: digest for what, digest in wanted.items() if digest not in record.sources.values()}
    gone = set(objects.absent_digests(bucket, wanted.values()))
    for what, digest in wanted.items():
        if digest in gone:
            message = f"object {digest} is missing, so the run can't be made again exactly"
            yield StoreProblem(kind="missing", where=f"run {record.id} {what}", message=message)
    if record.log and record.imported is None and objects.absent_digests(bucket, [record.log]):
        yield StoreProblem(kind="missing", where=f"run {record.id} log", message=f"object {record.log} is missing")


def _false_key(
    bucket: Bucket, path: str, known: Mapping[str, Version], records: Mapping[str, RunRecord]
) -> str | None:
    """What a key's document claims and no run has done, in words; None for a document that a run stands behind."""
    key = path.removeprefix("keys/").removesuffix(".json")
    document = bucket.document(path) or {}
    makers = [record for record in records.values() if record.key == key and record.status is Status.FINISHED]
    named = document.get("run")
    if not isinstance(named, str | None):
        return f"leads to {named!r}, which is no run"
    if named is not None:
        makers = [record for record in makers if record.id == named]
    if not makers:
        return f"leads to run {named}, which has another key" if named in records else "is no key of a stored run"
    if not any(runs.leads_to(record, document, known.get) for record in makers):
        return f"leads to {document.get('outputs')}, which run {makers[0].id} did not make"
    return None


def _unreadable_names(bucket: Bucket) -> Iterator[StoreProblem]:
    for name in bucket.unreadable_names():
        yield StoreProblem(kind="unreadable", where=name, message="its name is no UTF-8; move it away")
    for path in bucket.special_files():
        message = "it is a pipe or a device, no file; move it away"
        yield StoreProblem(kind="unreadable", where=path, message=message)


def _unreadable_documents(bucket: Bucket) -> Iterator[StoreProblem]:
    paths = [
        entry.path for prefix in ("artifacts/", "runs/", "keys/", "searches/") for entry in bucket.entries(prefix)
    ]
    for path, message in zip(paths, bucket.each(lambda path: _why_unreadable(bucket, path), paths), strict=True):
        if message is not None:
            yield StoreProblem(kind="unreadable", where=path, message=message)


def _why_unreadable(bucket: Bucket, path: str) -> str | None:
    parts = path.split("/")
    number = number_in_path(path)
    name = name_of_folder(parts[1]) if parts[0] == "artifacts" else ""
    try:
        if parts[0] == "runs":
            runs.read_record(bucket, path)
        elif name is None:
            return "relet stores nothing of that name; move it away"
        elif number and parts[2:3] == ["versions"] and len(parts) == 4:
            versions.read(bucket, name, number)
        elif parts[0] == "searches" and len(parts) == 3:
            check_piece(bucket, path)
        elif number and parts[2:3] == ["aliases"] and len(parts) == 5:
            aliases.read_move(bucket, name, parts[3], number)
        else:
            bucket.document(path)
    except StoreError as error:
        return str(error)
    return None
