"""Runs that are tried side by side: sweeps, searches, and the processes that run them."""
