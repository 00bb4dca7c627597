"""Data segregation: a rule assigns rows to training, validation and test, and a report checks the result."""

from __future__ import annotations

from relet.segregation.assignment import Assignment, assign, folds
from relet.segregation.parts import Segregation, segregate, split, split_fold, streams
from relet.segregation.report import SegregationReport, report_on
from relet.segregation.rule import METHODS, Rule

__all__ = [
    "METHODS",
    "Assignment",
    "Rule",
    "Segregation",
    "SegregationReport",
    "assign",
    "folds",
    "report_on",
    "segregate",
    "split",
    "split_fold",
    "streams",
]
