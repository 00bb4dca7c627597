"""A page that a command writes to a file."""

from __future__ import annotations

from pathlib import Path

from relet.errors import BadDataError


def write_page(html: str, path: Path, *, option: str = "-o") -> Path:
    """Write a page, and return its path.

    Raises BadDataError where the file can't be written. The message names the `option` that chooses another file.
    """
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise BadDataError(
            f"the page can't be written to {path}: {error.strerror}; choose a file by {option}"
        ) from error
    return path
