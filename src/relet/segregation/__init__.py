"""Data segregation: which rows are trained on, validated on and tested on, by a rule; and what became of it."""

from __future__ import annotations

from relet.segregation.assignment import Assignment, assign, folds
from relet.segregation.parts import Segregation, segregate, split, streams
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
    "streams",
]
