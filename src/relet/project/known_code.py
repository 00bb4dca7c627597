"""What is known of a project's code, kept between processes.

The summaries of modules: to parse all modules would take a third of an idle run. And which values the classes of
groups have accepted: to ask them again, their modules would have to be imported.

Keys are made of what the file says, and it lies beside the store, which others may write to. So it is sealed with
a secret of this machine's user: a file from elsewhere counts for nothing. Another one in the user's cache holds
the summaries of relet's own modules, which are most of those that the first run in a project would have to parse.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from relet.core import code, definitions, imports, naming, normal_form, separation
from relet.core.code import ModuleSummary
from relet.core.definitions import parts_as_json, parts_from_json
from relet.environments.cache import cache_folder
from relet.files import create_whole, write_whole
from relet.store.disk import is_special_file

NAME = "code.json"
# The file in the user's cache that holds the secret, and how many bytes it takes.
SECRET = "code.secret"
SECRET_BYTES = 32
# How many modules the file holds, those that were asked for last: a hundred take a tenth of a megabyte.
LIMIT = 2000

# The modules that this process knows, whichever project they belong to: a notebook, a sweep and a search ask for
# the same modules again and again.
_known: dict[str, ModuleSummary] = {}
# The digests of values that the class of a group has accepted, with the code that accepted them.
_accepted: dict[str, None] = {}
# The keys and digests that came from a file.
_recalled: set[str] = set()


def process_memory() -> dict[str, ModuleSummary]:
    """The summaries that all code of this process shares, for `FirstPartyCode`."""
    return _known


def is_accepted(digest: str) -> bool:
    """Whether the class of a group has accepted values of this digest; those asked for last are kept longest."""
    if digest not in _accepted:
        return False
    _accepted[digest] = _accepted.pop(digest)
    return True


def accept(digest: str) -> None:
    """Remember that the class of a group has accepted values of this digest."""
    _accepted[digest] = None


def recall(folder: Path) -> None:
    """Add what earlier processes kept in `folder`, or what is known of relet's own modules where nothing was kept.

    A damaged file, and one that another user, another relet or another Python wrote, counts for nothing.
    """
    try:
        stored = _regular_file(folder / NAME)
    except FileNotFoundError:
        with suppress(OSError, RuntimeError):  # without a home there is no cache
            _take(_regular_file(cache_folder() / NAME))
    except OSError:
        return
    else:
        _take(stored)


def _regular_file(path: Path) -> bytes:
    """The bytes of a file, none of a pipe or the like: a read of that might never end."""
    return b"" if is_special_file(path) else path.read_bytes()


def _take(stored: bytes) -> None:
    """Add what a sealed file holds."""
    seal, _, content = stored.partition(b"\n")
    secret = _secret()
    if secret is None or not hmac.compare_digest(seal, _modules_seal(content, secret)):
        return
    held = json.loads(content)
    summaries = held["modules"]
    _accepted.update(dict.fromkeys(held["accepted"]))
    _recalled.update(held["accepted"])
    for key, summary in summaries.items():
        _known.setdefault(key, _summary_from_list(summary))
    _recalled.update(summaries)


def keep(folder: Path) -> None:
    """Keep what this process knows in `folder`, where that exists, some of it is new, and the user has a cache."""
    if (_known.keys() | _accepted.keys()) <= _recalled or not folder.is_dir():
        return
    secret = _secret(create=True)
    if secret is None:
        return
    _write(folder, _known, _accepted, secret)
    # of relet's own modules, for the first run of the next project
    own = {key: summary for key, summary in _known.items() if key.partition(" ")[2].partition(".")[0] == "relet"}
    if not own.keys() <= _recalled:
        _write(cache_folder(), own, {}, secret)


def _write(
    folder: Path, summaries: Mapping[str, ModuleSummary], accepted: Mapping[str, None], secret: bytes
) -> None:
    latest = list(summaries.items())[-LIMIT:]
    modules = {key: _summary_as_list(summary) for key, summary in latest}
    held = {"modules": modules, "accepted": list(accepted)[-LIMIT:]}
    content = json.dumps(held, separators=(",", ":")).encode()
    with suppress(OSError):  # where the file can't be written, the next process parses again
        write_whole(folder / NAME, _modules_seal(content, secret) + b"\n" + content)


def _summary_as_list(summary: ModuleSummary) -> list[Any]:
    parts = [parts_as_json(summary.parts)] if summary.parts else []
    return [summary.digest, summary.imports, summary.at_once, *parts]


def _summary_from_list(held: list[Any]) -> ModuleSummary:
    digest, imported, at_once, *parts = held
    return ModuleSummary(
        digest=digest,
        imports=tuple((name, member) for name, member in imported),
        at_once=tuple(at_once),
        parts=parts_from_json(parts[0]) if parts else None,
    )


def _modules_seal(content: bytes, secret: bytes) -> bytes:
    """The user's seal on the content, the Python that parsed the modules, and the code that reads and keeps."""
    readers = (code, definitions, imports, naming, normal_form, separation)
    reading = (*(str(each.__file__) for each in readers), __file__)
    seal = hmac.new(secret, b"".join(Path(each).read_bytes() for each in reading), "sha256")
    seal.update(sys.version.encode())
    seal.update(content)
    return seal.hexdigest().encode()


def _secret(*, create: bool = False) -> bytes | None:
    """The random secret of this machine's user, which no other may read; None where there is none.

    None, too, for a file that another user owns, or that others may read or write. `create` makes one where there
    is no file.
    """
    with suppress(OSError, RuntimeError):  # without a home there is no cache
        path = cache_folder() / SECRET
        if create and not path.exists():
            _create_secret(path)
        if is_special_file(path):
            return None
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            ours = stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o077
            secret = file.read(SECRET_BYTES + 1)
        return secret if ours and len(secret) == SECRET_BYTES else None
    return None


def _create_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    create_whole(path, os.urandom(SECRET_BYTES), part=part)
