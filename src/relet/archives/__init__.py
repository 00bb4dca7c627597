"""Estimators as archives of plain values: written, checked, and made again; nothing in them is executed."""
