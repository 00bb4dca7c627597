"""Runs straight from git: a revision of a repository, in its own environment, on the caller's store."""
