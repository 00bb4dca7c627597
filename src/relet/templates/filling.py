"""Templates filled with words, and written as files: all of them, or none; nothing is overwritten."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from relet.errors import SettingError

FILES = Path(__file__).parent / "files"
# `{{ name }}`, but not the `${{ name }}` of a CI workflow.
_PLACE = re.compile(r"(?<!\$)\{\{ (\w+) \}\}")


def filled(template: str, words: Mapping[str, str]) -> str:
    """The text of a template, such as `project/README.md`, with a word in each place.

    Raises KeyError for a place that no word is given for.
    """
    text = (FILES / f"{template}.template").read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: words[place[1]], text).rstrip("\n") + "\n"


def write_files(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder, which is made where it is missing.

    Raises SettingError where one of them is there already, or can't be written; then none is written.
    """
    for name in files:
        if (root / name).exists() or (root / name).is_symlink():
            raise SettingError(f"{root / name} is there already, and nothing is overwritten; choose another name")
    written: list[Path] = []
    try:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise SettingError(f"{root} can't be written: {error}") from error
