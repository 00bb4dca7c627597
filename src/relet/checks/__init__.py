"""Data tests in pytest: a suite gets the batch, its reference and every hyperparameter as fixtures."""

from __future__ import annotations

from relet.checks.suite import run_suite

__all__ = ["run_suite"]
