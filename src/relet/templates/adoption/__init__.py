"""Scripts and projects of others that `relet adopt` wraps, read from their source and never run."""
