"""Runs straight from git: a revision of a repository, in its own environment, for the caller's store."""
