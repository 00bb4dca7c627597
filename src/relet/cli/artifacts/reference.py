"""How a command line names a version."""

from __future__ import annotations

import click

REFERENCE = click.argument("reference", metavar="REFERENCE")
