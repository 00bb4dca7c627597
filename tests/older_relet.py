"""A store as a relet of layout 1 left it: names of artifacts had no pipeline, and neither had keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from relet.core import plan, verdicts
from relet.core.pipeline import Pipeline
from relet.core.record import KeyParts
from relet.store import Store
from tests.stored import overwrite, stored_bytes


@contextmanager
def older_relet(store: Store) -> Iterator[None]:
    """What runs in this process meanwhile names and keys artifacts as an older relet did."""
    key_parts = plan.key_parts

    def without_pipeline(*given: Any) -> KeyParts:
        return replace(key_parts(*given), pipeline="")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "full", lambda self, text: text)
        patch.setattr(verdicts, "in_pipeline", lambda pipeline, text: text)
        patch.setattr(plan, "key_parts", without_pipeline)
        yield
    assert not any("/" in name for name in store.names())
    overwrite(store, "format", b"1\n")
    assert stored_bytes(store, "format") == b"1\n"
