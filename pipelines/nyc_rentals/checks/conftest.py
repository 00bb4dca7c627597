"""What both suites ask before they test a column: whether the file has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def needs(columns: dict[str, Any]) -> Callable[..., None]:
    """Skip the test where the setting etl.columns leaves one of these columns out."""

    def skip_without(*names: str) -> None:
        for name in names:
            if columns.get(name, name) is None:
                pytest.skip(f"the file has no {name}: etl.columns.{name}=null")

    return skip_without
