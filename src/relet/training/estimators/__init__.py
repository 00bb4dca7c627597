"""Estimators that keep what they learned as plain text or arrays.

Each has a file of its own, so that a model depends only on its own code.
"""
