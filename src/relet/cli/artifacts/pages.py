"""`relet artifacts card` and `diff`: what is in a table, and what differs between two."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.cli.pages import write_page
from relet.cli.place import REFERENCE, STORE, open_default_store
from relet.cli.terminal import say, say_document
from relet.core.artifact import ArtifactType, Reference, Version, short_name
from relet.errors import BadDataError

if TYPE_CHECKING:
    from relet.store import Store

HTML = click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where the page is written."
)


@click.command("card")
@REFERENCE
@HTML
@STORE
def card(reference: str, html: Path | None, store_url: str | None) -> None:
    """Write a page on a table: types, what is missing, how values are spread, what goes with what.

    One file that opens without a network, NAME-vN.html in this folder if nothing else is said.
    """
    from relet.data.profile import profile
    from relet.report.card import profile_card
    from relet.report.provenance import provenance

    store = open_default_store(store_url)
    version = store.version(reference)
    with _stored_table_file(store, version) as path:
        table_profile = profile(path)
    page = profile_card(
        table_profile, title=str(version), subtitle=version.description, head=provenance(store, version)
    )
    path = html or Path(f"{_file_stem(store, version)}.html")
    say(f"{version} is described in {write_page(page, path, option='--html')}")


def _file_stem(store: Store, version: Version) -> str:
    """What a file about a version is called: with the pipeline's name where several have such an artifact."""
    name = short_name(version.name)
    others = [each for each in store.names() if short_name(each) == name and each != version.name]
    return f"{version.name.replace('/', '.') if others else name}-v{version.number}"


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@HTML
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@STORE
def diff(before: str, after: str, html: Path | None, as_json: bool, store_url: str | None) -> None:
    """Compare two artifacts of one type, A before and B after: two versions of one, or versions of two.

    Of tables: columns, rows, and how values are spread. Rows are matched by a column whose values are unique in
    both. With --html FILE the same is written as a page, with drawings. Of documents, arrays, metrics and other
    types: what differs, and where.
    """
    from relet.data.difference import difference
    from relet.report.difference import difference_lines, difference_page

    store = open_default_store(store_url)
    old, new = store.version(before), store.version(after)
    if html is None and old.type is new.type and old.type is not ArtifactType.TABLE:
        _say_difference(store, old, new, as_json=as_json)
        return
    with _stored_table_file(store, old) as old_path, _stored_table_file(store, new) as new_path:
        found = difference(old_path, new_path)
    if html:
        write_page(difference_page(found, before=str(old), after=str(new)), html, option="--html")
    if as_json:
        say_document(before=str(old), after=str(new), difference=found.to_json())
        return
    for line in difference_lines(found, str(old), str(new)):
        say(line)
    if html:
        say(f"with drawings in {html}")


def _say_difference(store: Store, old: Version, new: Version, *, as_json: bool) -> None:
    """Print what differs between two versions of one type that is no table."""
    from relet.evaluation.comparison import compare

    with tempfile.TemporaryDirectory(prefix="relet-diff-") as scratch:
        folders = [Path(scratch) / side for side in ("before", "after")]
        for version, folder in zip((old, new), folders, strict=True):
            store.materialize(version, folder)
        # A model is compared as the files it is: none is loaded to look at it.
        type_ = ArtifactType.FOLDER if old.type is ArtifactType.MODEL else old.type
        found = compare(type_, *folders, tolerance=None)
    if as_json:
        difference = {"largest": found.largest, "differences": list(found.differences)}
        say_document(before=str(old), after=str(new), difference=difference)
        return
    say(f"{old} → {new}")
    for line in found.differences or ("nothing differs",):
        say(f"  {line}")


@contextmanager
def _stored_table_file(store: Store, version: Version) -> Iterator[Path]:
    """A stored table's file, in a temporary folder. Raises BadDataError where the version is no table."""
    if version.type is not ArtifactType.TABLE:
        tables = [
            name for name in store.names() if (store.versions(Reference(name)) or [version])[-1].type == "table"
        ]
        raise BadDataError(
            f"{version} is a {version.type}, and only tables have values to look at; "
            f"tables here are {', '.join(tables) or 'none'}; "
            f"`relet artifacts show {version}` says what this one is"
        )
    with tempfile.TemporaryDirectory(prefix="relet-table-") as folder:
        store.materialize(version, Path(folder))
        (name,) = version.files
        yield Path(folder) / name
