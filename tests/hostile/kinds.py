"""All kinds of hostile models."""

from tests.hostile import archives, boosters, ensembles, estimators, files, parts, trees
from tests.hostile.folders import KINDS, HostileKind

__all__ = ["KINDS", "HostileKind", "archives", "boosters", "ensembles", "estimators", "files", "parts", "trees"]
