"""Configuration: Hydra's files and overrides become typed values here, at the door, and stop here."""

from relet.config.binding import Settings, settings

__all__ = ["Settings", "settings"]
