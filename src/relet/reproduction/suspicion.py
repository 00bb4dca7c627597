"""Check records for content that relet never writes, since others may write into a store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from relet.core.record import CodeState, RunRecord
from relet.errors import StoreError
from relet.store.layout import DIGEST, file_path

_NAME = re.compile(r"\w[\w\-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def unfit_part(record: RunRecord) -> str | None:
    """The first part of a record that must not be laid out, given to git or started. None where there is none."""
    return next(_unfit_parts(record), None)


def _unfit_parts(record: RunRecord) -> Iterator[str]:
    for name in (record.pipeline, record.component):
        if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
            yield f"the pipeline or the step {name!r}"
    yield from _unfit_code(record.code)
    if not isinstance(record.undeclared, Mapping):
        yield f"the undeclared files {record.undeclared!r}"
        return
    yield from (f"the file {path!r}" for path in record.modules_kept if leads_outside(path))
    for what, digest in record.objects.items():
        if not (isinstance(digest, str) and DIGEST.fullmatch(digest)):
            yield f"the {what} {digest!r}"
    environment = record.machine.get("environment") or {}
    if not isinstance(environment, Mapping) or not all(isinstance(each, str) for each in environment.values()):
        yield f"the environment {environment!r}"


def _unfit_code(code: CodeState) -> Iterator[str]:
    if code.commit is not None and not (isinstance(code.commit, str) and _COMMIT.fullmatch(code.commit)):
        yield f"the commit {code.commit!r}"
    if code.folder and leads_outside(code.folder):
        yield f"the folder {code.folder!r}"
    if not isinstance(code.untracked, Mapping):
        yield f"the files {code.untracked!r}"
        return
    yield from (f"the file {path!r}" for path in code.untracked if leads_outside(path))


def leads_outside(path: object) -> bool:
    """Whether a path leads outside the project's repository, or into git's own folder."""
    try:
        return ".git" in file_path(str(path)).lower().split("/")
    except StoreError:
        return True
