"""Estimators that keep what they learned in plain text or arrays, a file each: a model's code is its own."""
