"""A table as it is written: its digest and its bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from relet.data.table import content_digest, write_table


def written(value: Any) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        digest = write_table(value, path)
        assert content_digest(path) == digest
        assert list(Path(folder).iterdir()) == [path]
        return digest, path.read_bytes()
