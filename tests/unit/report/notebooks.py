"""Notebooks of marimo, written cell by cell."""

from __future__ import annotations

from pathlib import Path

HEAD = "import marimo\n\napp = marimo.App()\n\nwith app.setup:\n    import marimo as mo\n"


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook of these cells: `name(arguments): body`, and what the last line shows."""
    path = folder / "tour.py"
    written = [HEAD]
    for cell in cells:
        signature, _, body = cell.partition(":")
        lines = "\n    ".join(body.strip().split("\n"))
        written.append(f"\n\n@app.cell\ndef {signature}:\n    {lines}\n")
    path.write_text("".join(written))
    return path
