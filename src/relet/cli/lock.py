"""`relet lock`: the versions and hashes of all that a project needs."""

from __future__ import annotations

import sys

import click

from relet.cli.terminal import say
from relet.core.wording import count
from relet.errors import SettingError


@click.command("lock")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 where the lock falls short.")
@click.option("--upgrade", is_flag=True, help="Take the newest versions that fit, not those that the lock has.")
@click.option("--installed", is_flag=True, help="Take the versions that are installed here, where they fit.")
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Lock this extra as well.")
def command(only_check: bool, upgrade: bool, installed: bool, extras: tuple[str, ...]) -> None:
    """Write requirements.lock: each package that pyproject.toml asks for, with its version and hashes.

    `relet reproduce` and `relet run REPOSITORY@TAG` make their environments from it. It fits each platform and
    Python that the project allows, and names no registry. uv makes it (`pip install uv`).
    """
    from relet.environments.locking import LOCK, check_lock, make_lock
    from relet.project.folder import find_root

    root = find_root()
    if upgrade and installed:
        raise SettingError(
            "--upgrade takes the newest versions and --installed those that are installed: choose one"
        )
    if not only_check:
        lock = make_lock(root, extras=extras, upgrade=upgrade, installed=installed)
        say(f"{LOCK} has {count(lock.count(b'=='), 'package')}")
    faults = check_lock(root)
    for each in faults:
        say(f"{LOCK}: {each}")
    if only_check and not faults:
        say(f"{LOCK} is whole: each package has a version and a hash")
    sys.exit(1 if faults else 0)
