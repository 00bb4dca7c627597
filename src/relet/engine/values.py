"""The values of a function as the files of artifacts, and back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import ArtifactType, Curve, Figure, Verdict
from relet.core.artifact_types import TYPES
from relet.errors import BadDataError, ComponentError, ReletError, nearest
from relet.files import folder_state
from relet.project.call import InputFolder, WrittenOutput
from relet.store.contents import (
    ARRAY,
    DOCUMENT,
    FIGURE,
    FIGURE_PAGE,
    METRICS,
    TABLE,
    TEXT,
    VERDICT,
    folder_digest,
    metrics,
    metrics_metadata,
    table_metadata,
    verdict_metadata,
)

if TYPE_CHECKING:
    from relet.core.component import Output
    from relet.data.rows import FileState, RowStream


def write_artifact(name: str, type_: ArtifactType, value: Any, folder: Path) -> WrittenOutput:
    """Write what a component returned as the files of an artifact.

    Raises ComponentError where the value is not what the signature promises.
    """
    folder.mkdir(parents=True)
    try:
        return replace(_WRITERS[type_](value, folder), state=folder_state(folder))
    except ReletError as error:
        raise type(error)(f"{name}: {error}") from error
    except (TypeError, AttributeError, FileNotFoundError) as error:
        raise ComponentError(f"{name}: a {type(value).__name__} can't be stored as a {type_}: {error}") from error


def write_artifacts(
    outputs: Iterable[Output], values: Mapping[str, Any], folder: Path
) -> dict[str, WrittenOutput]:
    """Write what a component returned, each artifact in a folder of its name.

    Streams that share one pass over their source are written side by side.
    """
    from relet.data.fork import side_by_side

    types = {output.name: output.type for output in outputs}
    together = side_by_side({name: values[name] for name in types})
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, len(together)), thread_name_prefix="relet-outputs") as beside:
        writing = {
            name: beside.submit(
                write_artifact, name, types[name], _stream_until(values[name], stop), folder / name
            )
            for name in together
        }
        try:
            return {
                name: writing[name].result()
                if name in writing
                else write_artifact(name, type_, values[name], folder / name)
                for name, type_ in types.items()
            }
        finally:
            stop.set()


def _stream_until(stream: RowStream, stop: threading.Event) -> RowStream:
    """The same stream, which fails once `stop` is set: another output could not be written."""
    from relet.data.rows import RowStream

    def batches() -> Iterator[Any]:
        for batch in stream:
            if stop.is_set():
                raise ComponentError("another output could not be written")
            yield batch

    return RowStream(stream.schema, batches(), is_normal=stream.is_normal)


def _write_table(value: Any, folder: Path) -> WrittenOutput:
    from relet.data.normal import altered_columns
    from relet.data.table import write_table

    path = folder / TABLE
    content = write_table(value, path)
    return WrittenOutput(
        type=ArtifactType.TABLE,
        folder=folder,
        content=content,
        metadata=table_metadata(path),
        notes=tuple(altered_columns(value)),
    )


def _write_file(value: Any, folder: Path) -> WrittenOutput:
    source = Path(value)
    if source.is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return WrittenOutput(type=ArtifactType.FOLDER, folder=folder, content=folder_digest(folder))
    shutil.copy(source, folder / source.name)
    return WrittenOutput(type=ArtifactType.FILE, folder=folder, content=folder_digest(folder))


def _write_metrics(value: Any, folder: Path) -> WrittenOutput:
    """Write numbers and curves as one file; the metadata has the last value of each curve, and its name."""
    values = {str(name): each if isinstance(each, Curve) else float(each) for name, each in value.items()}
    curves = {name: each for name, each in values.items() if isinstance(each, Curve)}
    _write_json(folder / METRICS, values | {name: curve.to_json() for name, curve in curves.items()})
    return WrittenOutput(
        type=ArtifactType.METRICS,
        folder=folder,
        content=folder_digest(folder),
        metadata=metrics_metadata(values),
    )


def _write_figure(value: Any, folder: Path) -> WrittenOutput:
    from relet.report.figure import drawn_figure

    figure = drawn_figure(value)
    file = folder / (FIGURE if figure.svg else FIGURE_PAGE)
    file.write_text(figure.svg or figure.html, encoding="utf-8", newline="")
    return WrittenOutput(type=ArtifactType.FIGURE, folder=folder, content=folder_digest(folder))


def _write_document(value: Any, folder: Path) -> WrittenOutput:
    if is_dataclass(value) and not isinstance(value, type):
        from relet.data.dataclass_documents import dataclass_text

        text = dataclass_text(value)
    else:
        from relet.data.documents import document_text

        text = document_text(value)
    (folder / DOCUMENT).write_bytes(text.encode())
    return WrittenOutput(type=ArtifactType.DOCUMENT, folder=folder, content=folder_digest(folder))


def _write_text(value: Any, folder: Path) -> WrittenOutput:
    from relet.data.documents import checked_text

    if not isinstance(value, str):
        raise TypeError("return a str; a Path is an artifact of the type Path")
    (folder / TEXT).write_bytes(checked_text(value).encode())
    return WrittenOutput(type=ArtifactType.TEXT, folder=folder, content=folder_digest(folder))


def _write_array(value: Any, folder: Path) -> WrittenOutput:
    from relet.data.arrays import array_outline, write_array

    write_array(value, folder / ARRAY)
    return WrittenOutput(
        type=ArtifactType.ARRAY,
        folder=folder,
        content=folder_digest(folder),
        metadata=array_outline(folder / ARRAY),
    )


def _write_verdict(value: Any, folder: Path) -> WrittenOutput:
    if not isinstance(value, Verdict):
        raise TypeError("return a relet.Verdict")
    _write_json(folder / VERDICT, value.to_json())
    return WrittenOutput(
        type=ArtifactType.VERDICT,
        folder=folder,
        content=folder_digest(folder),
        metadata=verdict_metadata(value),
    )


def _write_model(value: Any, folder: Path) -> WrittenOutput:
    from relet.training.model import export_model

    export_model(value, folder)
    return WrittenOutput(type=ArtifactType.MODEL, folder=folder, content=folder_digest(folder))


_WRITERS = {
    ArtifactType.TABLE: _write_table,
    ArtifactType.FILE: _write_file,
    ArtifactType.FOLDER: _write_file,
    ArtifactType.METRICS: _write_metrics,
    ArtifactType.FIGURE: _write_figure,
    ArtifactType.VERDICT: _write_verdict,
    ArtifactType.MODEL: _write_model,
    ArtifactType.DOCUMENT: _write_document,
    ArtifactType.TEXT: _write_text,
    ArtifactType.ARRAY: _write_array,
}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")


def read_artifact(place: InputFolder, container: str) -> Any:
    """A laid-out artifact as the value that a function takes; `container` is that of `core.component.Input`.

    Raises BadDataError for a container of another type of artifact.
    """
    folder, type_, verified = place.folder, place.type, place.verified
    if type_ is ArtifactType.TABLE:
        from relet.data.rows import StoredTablePath
        from relet.data.table import read_table

        path = folder / TABLE
        return read_table(StoredTablePath.of(path, verified) if verified else path, container)
    if container == "path":
        return _single_file(folder, type_)
    if TYPES.get(container) is not type_:
        known = [each for each, of in TYPES.items() if of is type_]
        raise BadDataError(f"a {type_} can't be taken as {container!r}; {nearest(container, [*known, 'path'])}")
    if type_ is ArtifactType.MODEL:
        from relet.training.model import load_model

        return load_model(folder, trusted=place.trusted)
    return _READERS[type_](folder)


def _read_document(folder: Path) -> Any:
    from relet.data.documents import document_value

    return document_value((folder / DOCUMENT).read_bytes())


def _read_array(folder: Path) -> Any:
    from relet.data.arrays import read_array

    return read_array(folder / ARRAY)


def _read_figure(folder: Path) -> Figure:
    if (folder / FIGURE).exists():
        return Figure(svg=(folder / FIGURE).read_text(encoding="utf-8"))
    return Figure(html=(folder / FIGURE_PAGE).read_bytes().decode())


_READERS: Mapping[ArtifactType, Callable[[Path], Any]] = {
    ArtifactType.METRICS: lambda folder: metrics((folder / METRICS).read_bytes()),
    ArtifactType.VERDICT: lambda folder: Verdict.from_json(json.loads((folder / VERDICT).read_bytes())),
    ArtifactType.FIGURE: _read_figure,
    ArtifactType.DOCUMENT: _read_document,
    ArtifactType.TEXT: lambda folder: (folder / TEXT).read_bytes().decode(),
    ArtifactType.ARRAY: _read_array,
}


def table_state(folder: Path, type_: ArtifactType) -> FileState | None:
    """The state of a table's file now; None for any other artifact."""
    if type_ is not ArtifactType.TABLE:
        return None
    from relet.data.rows import FileState

    return FileState.of(folder / TABLE)


def _single_file(folder: Path, type_: ArtifactType) -> Path:
    if type_ in (ArtifactType.FOLDER, ArtifactType.MODEL):
        return folder
    (path,) = folder.iterdir()
    return path
