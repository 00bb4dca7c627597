"""A page that a command writes where a person wants it."""

from __future__ import annotations

from pathlib import Path

from relet.errors import BadDataError


def write_page(html: str, path: Path) -> Path:
    """Write it. Raises BadDataError where that can't be done, saying which option chooses another place."""
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise BadDataError(
            f"the page can't be written to {path}: {error.strerror}; choose a file by -o"
        ) from error
    return path
