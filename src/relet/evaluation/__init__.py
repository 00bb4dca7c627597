"""Evaluation: metrics, slices and gates."""
