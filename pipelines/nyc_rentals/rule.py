"""How listings are told apart: for the test, for validation, and for the folds of a search."""

from __future__ import annotations

from dataclasses import dataclass

from relet.segregation import Rule


@dataclass(frozen=True, kw_only=True)
class ListingsRule(Rule):
    """A rule that knows the columns of a listing; the method and the seed are those of every rule."""

    stratify_by: str | None = "neighbourhood_group"
    group_by: str | None = "host_id"
    time_by: str | None = "last_review"
