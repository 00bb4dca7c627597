"""Estimators, and the model that a training makes: an inference pipeline that can be exported and loaded."""
