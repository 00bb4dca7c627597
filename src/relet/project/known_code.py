"""The summaries of modules, kept between processes: to parse all modules would take a third of an idle run."""

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
# The keys of those that came from a file.
_recalled: set[str] = set()


def process_memory() -> dict[str, ModuleSummary]:
    """The summaries that all code of this process shares, for `FirstPartyCode`."""
    return _known


def recall(folder: Path) -> None:
    """Add the summaries that earlier processes kept in `folder`.

    A damaged file, and one that another relet or another Python wrote, counts as absent.
    """
    try:
        stored = (folder / NAME).read_bytes()
    except OSError:
        return
    seal, _, content = stored.partition(b"\n")
    if seal != _modules_seal(content):
        return
    summaries = json.loads(content)
    for key, (digest, imports) in summaries.items():
        pairs = tuple((name, member) for name, member in imports)
        _known.setdefault(key, ModuleSummary(digest=digest, imports=pairs))
    _recalled.update(summaries)


def keep(folder: Path) -> None:
    """Keep the summaries of this process in `folder`, where it exists and some of them are new."""
    if _known.keys() <= _recalled or not folder.is_dir():
        return
    latest = list(_known.items())[-LIMIT:]
    summaries = {key: [summary.digest, summary.imports] for key, summary in latest}
    content = json.dumps(summaries, separators=(",", ":")).encode()
    with suppress(OSError):  # where the file can't be written, the next process parses again
        write_whole(folder / NAME, _modules_seal(content) + b"\n" + content)


def _modules_seal(content: bytes) -> bytes:
    """The digest of the content, of the Python that parsed the modules, and of the code that read the trees."""
    seal = sha256(Path(code.__file__).read_bytes())
    seal.update(sys.version.encode())
    seal.update(content)
    return seal.hexdigest().encode()
