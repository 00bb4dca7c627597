"""The content digest of an artifact's files, and the metadata that these files decide: worked out, never believed.

`relet.engine.values` writes both into a version. A version from elsewhere is compared with what its files say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.core.artifact import ArtifactType, Curve, Verdict
from relet.core.reproduction import Reproduction
from relet.errors import BadDataError, ReletError

TABLE = "table.parquet"
FIGURE = "figure.svg"
# A figure that is drawn in a browser is a page instead.
FIGURE_PAGE = "figure.html"
DOCUMENT = "document.json"
TEXT = "text.txt"
ARRAY = "array.npy"
METRICS = "metrics.json"
VERDICT = "verdict.json"
# The findings of a reproduction lie beside its verdict; their SHA-256 is the content of both.
REPORT = "reproduction.json"
# Beside a verdict on determinism: the versions that it speaks of, each with the step that made it.
CHECKED = "checked.json"
# The one file that an artifact of these types is.
ONLY_FILES = {
    ArtifactType.TABLE: TABLE,
    ArtifactType.DOCUMENT: DOCUMENT,
    ArtifactType.TEXT: TEXT,
    ArtifactType.ARRAY: ARRAY,
}
# A document of metrics or of a verdict is read as a whole, and refused above this size, in bytes.
LARGEST_DOCUMENT = 64 * 1024 * 1024


def folder_digest(folder: Path) -> str:
    """SHA-256 over the relative paths and bytes of a folder's files, in hex."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return files_digest({path.relative_to(folder).as_posix(): _file_digest(path) for path in files})


def files_digest(files: Mapping[str, str]) -> str:
    """The same digest from relative path → SHA-256 of the bytes, in hex.

    >>> files_digest({})[:8]
    'e3b0c442'
    """
    digest = sha256()
    for path in sorted(files, key=lambda path: path.split("/")):
        digest.update(f"{path}\0".encode())
        digest.update(bytes.fromhex(files[path]))
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()


def content_of(type_: ArtifactType, folder: Path) -> str:
    """The content digest of the files in a folder, worked out from them. Raises BadDataError for a torn table."""
    if type_ is ArtifactType.TABLE:
        from relet.data.table import content_digest

        return content_digest(folder / TABLE)
    return folder_digest(folder)


def table_metadata(path: Path) -> dict[str, Any]:
    """The number of rows and the names of the columns of a table's file."""
    import pyarrow.parquet

    about = pyarrow.parquet.read_metadata(path)
    return {"rows": about.num_rows, "columns": about.schema.names}


def metrics(stored: bytes) -> dict[str, Any]:
    """A file of metrics as name → number or Curve.

    >>> metrics(b'{"mae": 30.5, "error": {"points": [[1, 60.0]], "x": "rounds"}}')
    {'mae': 30.5, 'error': Curve(points=((1, 60.0),), x='rounds')}
    """
    held = json.loads(stored)
    return {name: Curve.from_json(each) if isinstance(each, dict) else each for name, each in held.items()}


def metrics_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    """The number of each metric, which is the last value of a curve, and the names of the curves."""
    curves = sorted(name for name, each in values.items() if isinstance(each, Curve))
    numbers = {name: each.last if isinstance(each, Curve) else each for name, each in values.items()}
    return {"metrics": numbers, **({"curves": curves} if curves else {})}


def verdict_metadata(verdict: Verdict) -> dict[str, Any]:
    """Whether a verdict passed, and its reason."""
    return {"passed": verdict.passed, "reason": verdict.reason}


def decided_metadata(type_: ArtifactType, files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    """The metadata that files of this type decide; `files` maps names in the artifact to files here, or to bytes.

    Tables give `rows` and `columns`, arrays `dtype` and `shape`, metrics `metrics` and `curves`, verdicts `passed`
    and `reason`, and verdicts on reproductions the words on runs and versions too. Other types decide nothing.
    Raises BadDataError where the files are not what relet writes for the type.
    """
    if type_ not in _DECIDERS:
        return {}
    try:
        return _DECIDERS[type_](files)
    except ReletError:
        raise
    except KeyError as error:
        raise BadDataError(f"its files lack {error.args[0]!r}") from error
    except Exception as error:  # whatever a reader raises of bytes that somebody made up
        raise BadDataError(f"its files can't be read as a {type_}: {error}") from error


def _table_decides(files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    path = files[TABLE]
    assert isinstance(path, Path)  # pyarrow reads a table from its file, a part at a time
    return table_metadata(path)


def _array_decides(files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    from relet.data.arrays import array_outline

    return array_outline(files[ARRAY])


def _metrics_decide(files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    return metrics_metadata(metrics(_document(files[METRICS])))


def _verdict_decides(files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    verdict = Verdict.from_json(json.loads(_document(files[VERDICT])))
    if not isinstance(verdict.passed, bool) or not isinstance(verdict.reason, str):
        raise BadDataError(f"{VERDICT} says passed {verdict.passed!r}, reason {verdict.reason!r}")
    found = verdict_metadata(verdict)
    if CHECKED in files:
        found["checked"] = json.loads(_document(files[CHECKED]))
    if REPORT not in files:
        return found
    report = Reproduction.from_json(json.loads(_document(files[REPORT])))
    if verdict_metadata(report.verdict()) != found:
        raise BadDataError(f"{VERDICT} says {found['reason']!r}, and {REPORT} says {report.verdict().reason!r}")
    return found | reproduction_metadata(report)


def reproduction_metadata(report: Reproduction) -> dict[str, Any]:
    """What a reproduction found, beside the verdict: its word, and the words on runs and versions."""
    return {
        "verdict": str(report.likeness),
        "run": report.run,
        "target": report.target,
        "runs": report.words_on_runs,
        "judged": report.words_on_versions,
        "when": report.when,
        "environment": report.environment,
    }


def _document(path: Path | bytes) -> bytes:
    if isinstance(path, bytes):
        return path
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise BadDataError(f"{path.name} has more than {LARGEST_DOCUMENT} bytes")
    return path.read_bytes()


_DECIDERS: Mapping[ArtifactType, Callable[[Mapping[str, Path | bytes]], dict[str, Any]]] = {
    ArtifactType.TABLE: _table_decides,
    ArtifactType.ARRAY: _array_decides,
    ArtifactType.METRICS: _metrics_decide,
    ArtifactType.VERDICT: _verdict_decides,
}
