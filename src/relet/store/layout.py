"""The paths in a store, the words that may be a part of a path, and the number of the layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from relet.core.artifact import NAME, Reference, is_full_name
from relet.errors import StoreError

FORMAT = 2
# The layouts whose documents a store of today's layout may hold: a write to such a store sets its number to
# today's, and what is there stays as it is. Layout 1 had no full names.
EARLIER = frozenset((1,))
FORMAT_PATH = "format"
LONGEST_NAME = 200
DIGEST = re.compile(r"[0-9a-f]{64}")
# The field that the document in the place of a pruned version has: when it was pruned.
TOMBSTONE = "pruned"
# Where objects lie that a garbage collection is about to delete (decision 29).
CONDEMNED = "condemned/"
LOG = "log/"
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,199}")

Document = dict[str, Any]

# For each layout, the function from a document's path and content to the content in today's layout. A new layout
# gets a line here, and a store of the old one joins the tests' fixtures.
READERS: Mapping[int, Callable[[str, Document], Document]] = {
    number: lambda _, document: document for number in (*EARLIER, FORMAT)
}


def number_of_format(stored: bytes, url: str) -> int:
    """The layout's number in the file `format`. Raises StoreError where this relet can't read that layout.

    >>> number_of_format(b"2\\n", ".relet")
    2
    """
    text = stored.decode(errors="replace").strip()
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
    if number is not None and number in READERS:
        return number
    if number is not None and number > FORMAT:
        raise StoreError(
            f"{url} was written by a newer relet: its layout is number {number}, this relet reads up to {FORMAT}; "
            "upgrade relet (pip install --upgrade relet) or set store.url to another store"
        )
    raise StoreError(
        f"{url}/{FORMAT_PATH} should hold the layout's number, got {text[:20]!r}; "
        "set store.url to a folder that relet made, or to an empty one"
    )


def encode(document: Mapping[str, Any]) -> bytes:
    """A document as JSON. Its keys are sorted: equal documents give equal bytes."""
    return (json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def parse_json(stored: bytes) -> Any:
    """The value that JSON bytes hold. Raises ValueError, for what nests too deep and for half a letter too.

    >>> parse_json(b'{"a": 1}')
    {'a': 1}
    """
    try:
        value = json.loads(stored)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
    if b"\\ud" in stored.lower():  # an escape that may stand for half a letter, which nothing can print
        json.dumps(value, ensure_ascii=False).encode()
    return value


def artifact_name(name: str) -> str:
    """The name, full or short, once it is checked."""
    if len(name) > LONGEST_NAME:
        raise StoreError(f"{name[:20]!r}… can't be an artifact's name; it may have {LONGEST_NAME} letters")
    if is_full_name(name):
        return name
    return _checked_word(name, NAME, "an artifact's name", "lower-case letters, digits and _, a letter first")


def is_artifact_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and bool(NAME.fullmatch(name) or is_full_name(name))


def artifact_folder(name: str) -> str:
    """The folder of an artifact.

    A relet that does not know full names passes over the folder of one, and its garbage collection spares what the
    versions there need.

    >>> artifact_folder("sample"), artifact_folder("sales/sample")
    ('artifacts/sample/', 'artifacts/sales.sample/')
    """
    return f"artifacts/{artifact_name(name).replace('/', '.')}/"


def name_of_folder(folder: str) -> str | None:
    """The name of the artifact whose folder it is; None for any other folder.

    >>> name_of_folder("sample"), name_of_folder("sales.sample"), name_of_folder(".hidden")
    ('sample', 'sales/sample', None)
    """
    pipeline, _, short = folder.rpartition(".")
    name = f"{pipeline}/{short}" if pipeline else folder
    return name if is_artifact_name(name) else None


def alias_name(alias: str) -> str:
    """The alias, once it is checked. `v3` is refused: it reads as a version's number.

    >>> alias_name("prod")
    'prod'
    """
    if Reference("any", alias).number is not None:
        raise StoreError(f"{alias!r} can't be an alias: it reads as a version's number")
    return _checked_word(alias, WORD, "an alias", "letters, digits, _, . and -")


def is_alias_name(alias: str) -> bool:
    return bool(WORD.fullmatch(alias)) and Reference("any", alias).number is None


def word(text: str, what: str) -> str:
    return _checked_word(text, WORD, what, "letters, digits, _, . and -")


def _checked_word(text: str, pattern: re.Pattern[str], what: str, allowed: str) -> str:
    if not pattern.fullmatch(text):
        raise StoreError(f"{text!r} can't be {what}; it may have {allowed}")
    return text


def file_path(path: str) -> str:
    """The relative path of a version's file, once it is known to stay below the folder that it is written to.

    >>> file_path("data/part-0.parquet")
    'data/part-0.parquet'
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path:
        raise StoreError(
            f"{path!r} can't be a file of a version; write a relative path with /, and without .. or \\"
        )
    return path


def file_paths(paths: Mapping[str, str]) -> None:
    """Raise StoreError unless all the paths fit in one folder: no path is both a file and a folder."""
    for path in paths:
        for folder in PurePosixPath(file_path(path)).parents:
            if str(folder) in paths:
                raise StoreError(f"a version can't have both a file {str(folder)!r} and a file {path!r}")


def object_path(digest: str) -> str:
    """The path of an object, below a folder that is named by the first two digits.

    >>> object_path("ab" + 62 * "0")[:13]
    'objects/ab/ab'
    """
    _checked_word(digest, DIGEST, "an object's SHA-256", "64 lower-case hexadecimal digits")
    return f"objects/{digest[:2]}/{digest}"


def damaged_path(digest: str) -> str:
    return f"damaged/{_checked_word(digest, DIGEST, 'a SHA-256', '64 hexadecimal digits')}"


def condemned_path(digest: str, collection: str) -> str:
    """The path of an object that a garbage collection has moved out of the readers' sight."""
    return f"{CONDEMNED}{_checked_word(digest, DIGEST, 'a SHA-256', '64 hexadecimal digits')}.{collection}"


def versions_folder(name: str) -> str:
    return f"{artifact_folder(name)}versions/"


def version_path(name: str, number: int) -> str:
    return f"{versions_folder(name)}{number}.json"


def contents_folder(name: str) -> str:
    return f"{artifact_folder(name)}contents/"


def content_path(name: str, content: str) -> str:
    return f"{contents_folder(name)}{word(content, 'a content digest')}.json"


def aliases_folder(name: str) -> str:
    return f"{artifact_folder(name)}aliases/"


def alias_folder(name: str, alias: str) -> str:
    return f"{aliases_folder(name)}{alias_name(alias)}/"


def run_path(run_id: str) -> str:
    return f"runs/{word(run_id, 'a run id')}.json"


def key_path(key: str) -> str:
    return f"keys/{word(key, 'a key')}.json"


def outbox_folder(tracker: str) -> str:
    word(tracker, "the name of a tracker")
    return f"outbox/{tracker}/"


def searches_folder(search: str) -> str:
    return f"searches/{word(search, 'the id of a search')}/"


def log_path(number: int) -> str:
    """The path of an entry of the log.

    >>> log_path(12)
    'log/000000012.json'
    """
    return f"{LOG}{number:09}.json"


def log_number(path: str) -> int | None:
    """The number of the entry at a path, or None for any other path.

    >>> log_number("log/000000012.json"), log_number("log/12.json")
    (12, None)
    """
    found = re.fullmatch(rf"{LOG}([0-9]{{9,200}})\.json", path)
    number = int(found[1]) if found else 0
    return number if number and log_path(number) == path else None


def is_logged_path(path: str) -> bool:
    """Whether the log has an entry for each document that is put at a path; of versions only for verdicts.

    >>> is_logged_path("runs/r.json"), is_logged_path("keys/ab.json")
    (True, False)
    """
    folder, *below = path.split("/")
    if folder == "runs" and len(below) == 1:
        return below[0].endswith(".json") and bool(WORD.fullmatch(below[0].removesuffix(".json")))
    is_move = len(below) == 4 and below[1] == "aliases" and is_alias_name(below[2])
    named = folder == "artifacts" and is_move and name_of_folder(below[0]) is not None
    return is_version_path(path) or (named and number_in_path(path) is not None)


def is_version_path(path: str) -> bool:
    folder, *below = path.split("/")
    named = folder == "artifacts" and len(below) == 3 and below[1] == "versions"
    return named and name_of_folder(below[0]) is not None and number_in_path(path) is not None


def numbers_in_folder(folder: str, paths: Iterable[str]) -> list[int]:
    """The numbers of the numbered documents right below a folder, in ascending order.

    >>> numbers_in_folder("versions/", ["versions/2.json", "versions/1.json", "versions/x/3.json"])
    [1, 2]
    """
    inside = (path.removeprefix(folder) for path in paths)
    found = (number_in_path(name) for name in inside if "/" not in name)
    return sorted(number for number in found if number is not None)


def number_in_path(path: str) -> int | None:
    """The number in the name of a numbered document, or None for any other file.

    >>> number_in_path("artifacts/model/versions/12.json")
    12
    """
    found = re.fullmatch(r"([1-9][0-9]{0,8})\.json", path.rpartition("/")[2])
    return int(found[1]) if found else None
