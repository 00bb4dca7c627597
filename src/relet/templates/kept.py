"""What `relet new` wrote into a project, kept there: `relet update` merges with it what a later relet writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from relet.errors import SettingError
from relet.files import write_whole
from relet.names import __version__

KEPT = ".relet-new.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class KeptPipeline:
    """What a pipeline was made from.

    `target` is the column that is predicted, by its name in code. `source` is the file's path as the configuration
    names it, `sha256` that of its content. `task` chooses the model's templates; `words` stand in the places of
    all templates, and were found out of the file.
    """

    target: str
    source: str
    sha256: str
    task: str
    words: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KeptTemplates:
    """What was written into a project: the texts of its files, path → text, and by which relet.

    Files of rows are left out: they are the user's data. `project` is the pipeline whose words stand in the
    project's own files, such as `README.md`.
    """

    relet: str
    project: str
    pipelines: Mapping[str, KeptPipeline]
    files: Mapping[str, str]

    def encoded(self) -> bytes:
        """The content of the file that holds it."""
        document = {"format": FORMAT, **asdict(self)}
        return f"{json.dumps(document, indent=1, ensure_ascii=False)}\n".encode()


def read_kept(root: Path) -> KeptTemplates | None:
    """What is kept in a project, None where nothing is. Raises SettingError where it can't be read."""
    path = root / KEPT
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] > FORMAT:
            raise SettingError(
                f"{path} was written by relet {stored['relet']}, and this is {__version__}: install that one"
            )
        return _from_json(stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SettingError(f"{path} is not what `relet new` wrote ({error}); put it back from git") from error


def _from_json(stored: Mapping[str, Any]) -> KeptTemplates:
    pipelines = {name: KeptPipeline(**each) for name, each in stored["pipelines"].items()}
    texts = [stored["relet"], stored["project"], *stored["files"].values()]
    texts += [text for each in pipelines.values() for text in (*each.words.values(), each.target, each.source)]
    if not all(isinstance(text, str) for text in texts) or stored["project"] not in pipelines:
        raise ValueError("a text is missing")
    return KeptTemplates(
        relet=stored["relet"], project=stored["project"], pipelines=pipelines, files=dict(stored["files"])
    )


def keep_pipeline(
    root: Path, before: KeptTemplates, name: str, made: KeptPipeline, files: Mapping[str, str]
) -> None:
    """Add one more pipeline to what is kept in a project."""
    after = replace(before, pipelines={**before.pipelines, name: made}, files={**before.files, **files})
    write_whole(root / KEPT, after.encoded())
