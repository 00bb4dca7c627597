"""Estimators, and the model artifact: a trained inference pipeline that can be exported and loaded."""
