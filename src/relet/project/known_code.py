"""What is known of a project's code, kept between processes.

The summaries of modules: to parse all modules would take a third of an idle run. And which values the classes of
groups have accepted: to ask them again, their modules would have to be imported.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from relet.core import code
from relet.core.code import ModuleSummary
from relet.files import write_whole

NAME = "code.json"
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
    """Add what earlier processes kept in `folder`.

    A damaged file, and one that another relet or another Python wrote, counts as absent.
    """
    try:
        stored = (folder / NAME).read_bytes()
    except OSError:
        return
    seal, _, content = stored.partition(b"\n")
    if seal != _modules_seal(content):
        return
    held = json.loads(content)
    summaries = held["modules"]
    _accepted.update(dict.fromkeys(held["accepted"]))
    _recalled.update(held["accepted"])
    for key, (digest, imports, at_once) in summaries.items():
        pairs = tuple((name, member) for name, member in imports)
        _known.setdefault(key, ModuleSummary(digest=digest, imports=pairs, at_once=tuple(at_once)))
    _recalled.update(summaries)


def keep(folder: Path) -> None:
    """Keep what this process knows in `folder`, where that exists and some of it is new."""
    if (_known.keys() | _accepted.keys()) <= _recalled or not folder.is_dir():
        return
    latest = list(_known.items())[-LIMIT:]
    summaries = {key: [summary.digest, summary.imports, summary.at_once] for key, summary in latest}
    held = {"modules": summaries, "accepted": list(_accepted)[-LIMIT:]}
    content = json.dumps(held, separators=(",", ":")).encode()
    with suppress(OSError):  # where the file can't be written, the next process parses again
        write_whole(folder / NAME, _modules_seal(content) + b"\n" + content)


def _modules_seal(content: bytes) -> bytes:
    """The digest of the content, of the Python that parsed the modules, and of the code that reads and keeps."""
    seal = sha256(Path(code.__file__).read_bytes() + Path(__file__).read_bytes())
    seal.update(sys.version.encode())
    seal.update(content)
    return seal.hexdigest().encode()
