"""What modules say, kept between processes: to parse them all again is a third of a run that has nothing to do."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from relet.core import code
from relet.files import write_whole
from relet.project.folder import KEPT

NAME = "code.json"
# How many modules are remembered, those that were asked for last: a tenth of a megabyte for a hundred.
LIMIT = 2000


def recall(place: Path) -> None:
    """Remember what earlier processes learned of modules. A damaged file, or another relet's, says nothing."""
    try:
        stored = (place / KEPT / NAME).read_bytes()
    except OSError:
        return
    seal, _, held = stored.partition(b"\n")
    if seal == _modules_seal(held):
        code.recall(json.loads(held))


def keep(place: Path) -> None:
    """Keep what this process learned, where something is kept already and it can be written."""
    folder = place / KEPT
    if not code.has_news() or not folder.is_dir():
        return
    held = json.dumps(dict(list(code.known_modules().items())[-LIMIT:]), separators=(",", ":")).encode()
    with suppress(OSError):  # where it can't be written, the next process parses again
        write_whole(folder / NAME, _modules_seal(held) + b"\n" + held)


def _modules_seal(held: bytes) -> bytes:
    """The digest of what is held, of the Python that parsed it, and of the code that read the trees."""
    way = sha256(Path(code.__file__).read_bytes())
    way.update(sys.version.encode())
    way.update(held)
    return way.hexdigest().encode()
