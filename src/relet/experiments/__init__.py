"""Runs as trials that are laid side by side: what each was set to, what came of it, which are shown."""
