"""Aliases. Each is a folder with one file per move, written put-if-absent, so that no move is ever lost."""

from __future__ import annotations

from dataclasses import dataclass

from relet.core.record import now
from relet.errors import DamagedError
from relet.store import log
from relet.store.bucket import Bucket
from relet.store.fields import is_time
from relet.store.layout import (
    alias_folder,
    aliases_folder,
    encode,
    is_alias_name,
    number_in_path,
    numbers_in_folder,
)


@dataclass(frozen=True, kw_only=True)
class AliasMove:
    """One move of an alias.

    `move` counts the moves of the alias from 1, `number` is the version's, `by` names the run or the command.
    """

    move: int
    number: int
    when: str
    by: str
    why: str


def move(bucket: Bucket, name: str, alias: str, number: int, *, by: str, why: str) -> None:
    """Set an alias to a version's number. Nothing is written where the alias has that number already."""
    last = _last_move(bucket, name, alias)
    while last == 0 or _number_at_move(bucket, name, alias, last) != number:
        last += 1
        document = {"number": number, "when": now(), "by": by, "why": why}
        if log.create_logged(bucket, _move_path(name, alias, last), encode(document), log.ALIAS):
            return


def current(bucket: Bucket, name: str, alias: str) -> int | None:
    """The number of the version that an alias is set to, or None where there is no such alias."""
    last = _last_move(bucket, name, alias)
    return _number_at_move(bucket, name, alias, last) if last else None


def current_numbers(bucket: Bucket, name: str) -> dict[str, int]:
    """Each alias of an artifact → the number of the version that it is set to."""
    last: dict[str, int] = {}
    folder = aliases_folder(name)
    for entry in bucket.entries(folder):
        alias, _, file = entry.path.removeprefix(folder).partition("/")
        if is_alias_name(alias) and "/" not in file:
            last[alias] = max(last.get(alias, 0), number_in_path(file) or 0)
    found = {alias: _number_at_move(bucket, name, alias, at) for alias, at in sorted(last.items()) if at}
    return {alias: number for alias, number in found.items() if number is not None}


def history(bucket: Bucket, name: str, alias: str) -> list[AliasMove]:
    """All moves of an alias, the first one first."""
    return [read_move(bucket, name, alias, number) for number in _move_numbers(bucket, name, alias)]


def _move_numbers(bucket: Bucket, name: str, alias: str) -> list[int]:
    folder = alias_folder(name, alias)
    return numbers_in_folder(folder, (entry.path for entry in bucket.entries(folder)))


def _last_move(bucket: Bucket, name: str, alias: str) -> int:
    return max(_move_numbers(bucket, name, alias), default=0)


def _number_at_move(bucket: Bucket, name: str, alias: str, last: int) -> int:
    return read_move(bucket, name, alias, last).number


def read_move(bucket: Bucket, name: str, alias: str, at: int) -> AliasMove:
    path = _move_path(name, alias, at)
    document = bucket.document(path)
    try:
        found = AliasMove(**{"move": at, **(document or {})})
    except TypeError as error:
        raise DamagedError(f"{bucket.url}: {path} can't be read as a move of an alias: {error}") from error
    if type(found.number) is not int or found.move != at or not is_time(found.when):
        raise DamagedError(f"{bucket.url}: {path} can't be read as a move of an alias: it is {document}")
    if not (isinstance(found.by, str) and isinstance(found.why, str)):
        raise DamagedError(f"{bucket.url}: {path} can't be read as a move of an alias: it is {document}")
    return found


def _move_path(name: str, alias: str, at: int) -> str:
    return f"{alias_folder(name, alias)}{at}.json"
