"""A project of its own, or one more pipeline of a project, made for a file."""

from __future__ import annotations

import csv
import hashlib
import io
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from relet.core.installed import normalized_name
from relet.data.dialect import csv_records
from relet.environments.lock_faults import relet_needs
from relet.errors import BadDataError, SettingError
from relet.names import __version__
from relet.project.folder import enclosing_root, find_root, pipelines
from relet.templates.example import TARGET, flats
from relet.templates.filling import filled, write_files
from relet.templates.kept import KEPT, KeptPipeline, KeptTemplates, keep_pipeline, read_kept
from relet.templates.literals import python_literal
from relet.templates.roles import Roles, Task, find_roles
from relet.templates.typed_file import TypedFile, read_typed
from relet.templates.words import pipeline_words

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# A larger file stays where it is.
COPIED_BYTES = 50 * 1024**2
# How many rows the project's own tests run on.
TEST_ROWS = 400
# The words that are not found out of the file: what held when the project was made holds for it.
FIRST_WORDS = ("file_text", "extras")
_PROJECT = {
    "pyproject.toml": "project/pyproject.toml",
    "README.md": "project/README.md",
    "AGENTS.md": "project/AGENTS.md",
    ".gitignore": "project/gitignore",
    ".github/workflows/ci.yml": "project/ci.yml",
}
_PIPELINE = (
    "pipeline.py",
    "columns.py",
    "conf/config.yaml",
    "checks/test_rows.py",
    "checks/test_like_the_reference.py",
    "components/get_data.py",
    "components/clean.py",
    "components/check_data.py",
    "components/split_data.py",
)
_BY_TASK = {
    "model.py": "",
    **dict.fromkeys(("train_model.py", "validate_model.py", "evaluate_model.py"), "components/"),
}


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """What was written: the project's folder, its pipeline's name, the files, and what the columns are for.

    `from_csv` says whether a file was given; `copied` is its place in the project, None where it was not copied.
    """

    root: Path
    name: str
    files: tuple[str, ...]
    roles: Roles
    from_csv: bool
    copied: Path | None


def new_project(name: str, *, into: Path, file: Path | None = None, target: str | None = None) -> NewProject:
    """Write a project into the folder `name` below `into`, which is made; of an example's rows without a file.

    Raises SettingError for a name that is none, a folder that is not empty, a place within another project, and a
    file without a target; BadDataError for a file that can't be read, and a target that can't be predicted.
    """
    check_name(name, "a project")
    _check_package_name(name)
    root = into / name
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise SettingError(f"{root} is there and not empty, and nothing is overwritten; choose another name")
    around = enclosing_root(into.resolve())
    if around and pipelines(around):
        raise SettingError(
            f"{into.resolve()} lies in the project {around}; write relet new pipeline {name}, or go elsewhere"
        )
    return _written(root, name, file, target, whole=True)


def new_pipeline(name: str, *, file: Path | None = None, target: str | None = None) -> NewProject:
    """Write one more pipeline into the project around the current folder. Raises what `new_project` raises, and
    NotFoundError outside of a project.
    """
    check_name(name, "a pipeline")
    root = find_root()
    if (root / "pipelines" / name).exists():
        raise SettingError(f"there is a pipeline {name} in {root} already; choose another name")
    return _written(root, name, file, target, whole=False)


def check_name(name: str, what: str) -> None:
    """Raise SettingError for what can't be the name of a module of Python that people type."""
    if name == "pipelines":
        raise SettingError(f"{name!r} is no name for {what}: it is the folder of a project's pipelines")
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        plain = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]+", "_", name.lower())).strip("_")[:40].lstrip("0123456789_")
        meant = f" (did you mean {plain}?)" if NAME.fullmatch(plain) and not keyword.iskeyword(plain) else ""
        raise SettingError(
            f"{name!r} is no name for {what}{meant}: it has lower-case letters, digits and underscores, at most "
            "40, and begins with a letter"
        )


def _check_package_name(name: str) -> None:
    """Raise SettingError for the name of a package that the project needs: pip holds one package of a name."""
    from packaging.requirements import Requirement

    needed = (Requirement(each).name for each in relet_needs(("mlflow",)))
    if normalized_name(name) in {"relet", *map(normalized_name, needed)}:
        raise SettingError(
            f"{name!r} is no name for a project: it is a package that the project needs, and pip would take one "
            "for the other; choose another name"
        )


def _written(root: Path, name: str, file: Path | None, target: str | None, *, whole: bool) -> NewProject:
    if file is None and target is not None:
        raise SettingError("--target names a column of a file: add --from-csv FILE")
    if file is not None:
        return _written_for(root, name, file, target, whole=whole)
    with TemporaryDirectory(prefix="relet-new-") as folder:
        example = Path(folder) / f"{name}.csv"
        example.write_text(flats(), encoding="utf-8")
        return replace(_written_for(root, name, example, TARGET, whole=whole), from_csv=False)


def _written_for(root: Path, name: str, file: Path, target: str | None, *, whole: bool) -> NewProject:
    typed, roles = look_at(file, target)
    kept = None if whole else read_kept(root)
    is_copied = file.stat().st_size <= COPIED_BYTES
    place = f"data/{name}.csv" if is_copied else str(file.resolve())
    made = kept_pipeline(name, file, typed, roles, source=place, file_name=file.name)
    texts = template_files(name, made, whole=whole)
    files: dict[str, str | bytes] = {**texts, f"tests/{name}.csv": _few_rows(typed, roles)}
    if is_copied:
        files[f"data/{name}.csv"] = file.read_bytes()
    if whole:
        first = KeptTemplates(relet=__version__, project=name, pipelines={name: made}, files=texts)
        files[KEPT] = first.encoded()
    write_files(root, files)
    if kept is not None:
        keep_pipeline(root, kept, name, made, texts)
    copied = root / place if is_copied else None
    return NewProject(root=root, name=name, files=tuple(files), roles=roles, from_csv=True, copied=copied)


def look_at(file: Path, target: str | None) -> tuple[TypedFile, Roles]:
    """The types of a file's columns, and what the columns are for.

    Raises BadDataError for a file that can't be read and a target that can't be predicted, SettingError without a
    target.
    """
    if not file.is_file():
        raise BadDataError(f"{file}: there is no such file")
    typed = read_typed(file)
    if target is None:
        names = ", ".join(str(each.origin.column) for each in typed.columns)
        raise SettingError(f"which column is to be predicted? add --target with one of: {names}")
    return typed, find_roles(typed, target)


def kept_pipeline(
    name: str, file: Path, typed: TypedFile, roles: Roles, *, source: str, file_name: str
) -> KeptPipeline:
    """What a pipeline is made from: `source` is the file's path in the configuration, `file_name` its own name."""
    words = pipeline_words(name, typed, roles, source=source)
    words |= {"file_text": python_literal(file_name), "extras": "[mlflow]" if find_spec("mlflow") else ""}
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return KeptPipeline(target=roles.target, source=source, sha256=digest, task=str(roles.task), words=words)


def template_files(name: str, made: KeptPipeline, *, whole: bool) -> dict[str, str]:
    """The texts of a pipeline's files by their paths in the project; with `whole`, those of the project, too.

    Raises KeyError for a place of a template that has no word.
    """
    words = {**made.words, "relet": __version__}
    home = f"pipelines/{name}"
    found = {path: filled(template, words) for path, template in _PROJECT.items()} if whole else {}
    found |= {f"{home}/{each}": filled(f"pipeline/{each}", words) for each in _PIPELINE}
    for each, folder in _BY_TASK.items():
        found[f"{home}/{folder}{each}"] = filled(f"pipeline/{made.task}/{each}", words)
    found[f"tests/test_{name}.py"] = filled("pipeline/test_pipeline.py", words)
    return found


def _few_rows(file: TypedFile, roles: Roles) -> bytes:
    """Rows of the file for tests, as the file has them: evenly spaced, of each class as many."""
    records = csv_records(file.path, file.dialect)
    header = next(records)
    chosen = _chosen_places(file, roles)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=file.dialect.separator or ",", lineterminator="\n")
    writer.writerow(header)
    writer.writerows(record for place, record in enumerate(records) if place in chosen)
    return text.getvalue().encode(file.dialect.encoding or "utf-8")


def _chosen_places(file: TypedFile, roles: Roles) -> set[int]:
    if roles.task is Task.REGRESSION:
        return set(_spread(range(roles.rows), TEST_ROWS))
    places: dict[object, list[int]] = {}
    for place, value in enumerate(file.rows.column(roles.target).to_pylist()):
        places.setdefault(value, []).append(place)
    each = max(1, TEST_ROWS // len(places))
    return {place for held in places.values() for place in _spread(held, each)}


def _spread(places: Sequence[int], most: int) -> list[int]:
    return [places[number * len(places) // most] for number in range(most)] if len(places) > most else list(places)
