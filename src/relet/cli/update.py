"""`relet update`: a project of an older relet, with what this one would write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relet.cli.terminal import say
from relet.core.wording import count

if TYPE_CHECKING:
    from relet.templates.update import ProjectUpdate

WORDS = {
    "rejected": "both changed the same lines; yours stay, and relet's change is in {path}.rej",
    "deleted": "you deleted it, and it stays so",
    "left": "relet no longer writes it; it is yours",
}


@click.command("update")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--allow-dirty", is_flag=True, help="Also where git could not take the update back.")
def command(dry_run: bool, allow_dirty: bool) -> None:
    """Merge what this relet would write into the project that an older `relet new` made.

    A file that nobody edited gets its new text, an edited one is merged (as by `git merge-file`). Where both
    changed the same lines, the project's file stays as it is, relet's change is written beside it, as NAME.rej,
    and the exit status is 1. A deleted file stays deleted. What was written when the project was made, or updated
    last, is in .relet-new.json, which belongs into git.
    """
    from relet.project.folder import find_root
    from relet.templates.update import apply_update, check_committed, plan_update

    root = find_root()
    update = plan_update(root)
    if not dry_run:
        if not allow_dirty:
            check_committed(root)
        apply_update(update)
    for line in _update_lines(update, dry_run=dry_run):
        say(line)
    sys.exit(1 if update.rejected else 0)


def _update_lines(update: ProjectUpdate, *, dry_run: bool) -> Iterator[str]:
    for remark in update.remarks:
        yield f"careful: {remark}"
    for each in update.files:
        words = WORDS.get(each.kind, "").format(path=each.path)
        yield f"{each.kind:<10}{each.path}{f': {words}' if words else ''}"
    if not update.files:
        yield f"nothing to do: the project is what relet {update.kept.relet} writes, with your changes"
        return
    yield f"relet {update.before} → {update.kept.relet}: {count(len(update.files), 'file')}"
    if dry_run:
        yield "nothing is written; go on with: relet update"
    else:
        yield "go on with: git diff   pytest   relet lock"
