"""What every test may ask for."""

from tests.tiny_project import tiny

__all__ = ["tiny"]
