"""`relet artifacts get`, `export` and `import`: a version as its files; alone or with its history as one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.cli.place import REFERENCE, STORE, open_default_store
from relet.cli.terminal import say
from relet.core.artifact import Reference, Version, short_name
from relet.core.wording import count
from relet.errors import SettingError

if TYPE_CHECKING:
    from relet.store import Store


@click.command("get")
@REFERENCE
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@STORE
def get(reference: str, folder: Path | None, store_url: str | None) -> None:
    """Write the files of one version to FOLDER (NAME-vN in this folder if nothing else is said).

    A page such as batch_report can be opened there, a table is Parquet. A folder that has files in it is refused.
    """
    store = open_default_store(store_url)
    version = store.version(reference)
    folder = folder or Path(f"{short_name(version.name)}-v{version.number}")
    if folder.is_dir() and any(folder.iterdir()):
        raise SettingError(f"{folder} has files in it; name another folder: relet artifacts get {version} FOLDER")
    store.materialize(version, folder)
    for file in sorted(version.files):
        say(folder / file)


@click.command("export")
@REFERENCE
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-history", is_flag=True, help="With all that is needed to make it again elsewhere.")
@STORE
def export(reference: str, path: Path, with_history: bool, store_url: str | None) -> None:
    """Write one version to a tar file.

    With its history go the records of the runs that made it and what those took, back to the beginning: the
    versions, locks, diffs, files that were not committed, and sources from outside. `relet reproduce` makes it
    again from that, without this store. It is refused where something that this takes is gone. Aliases stay here.
    """
    store = open_default_store(store_url)
    if not with_history:
        store.export_version(reference, path)
        say(f"{store.version(reference)} is in {path}")
        return
    history = store.export_history(reference, path)
    bundle = history.bundle
    say(
        f"{bundle.version} is in {path} with its history: {count(len(bundle.versions), 'version')}, "
        f"{count(len(bundle.records), 'run')}"
    )
    for note in history.notes:
        say(note)
    if aliases := ", ".join(_exported_aliases(store, bundle.versions)):
        say(f"aliases stay here; set there what you need of: {aliases}")


def _exported_aliases(store: Store, versions: Iterable[Version]) -> Iterator[str]:
    """The aliases of these versions, without `latest`: an import sets that one itself."""
    exported = {str(version): version for version in versions}
    for name in sorted({version.name for version in exported.values()}):
        for alias, number in store.aliases(Reference(name)).items():
            if alias != "latest" and f"{name}:v{number}" in exported:
                yield f"{name}:{alias} (v{number})"


@click.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@STORE
def import_(path: Path, store_url: str | None) -> None:
    """Store what a tar file holds: a version, and its history where that was exported with it.

    Versions get the next numbers here, and run records name them by those. Nothing that is here is changed:
    equal versions and runs are not stored again, and `latest` is set only for names that are new here.
    """
    arrival = open_default_store(store_url).import_bundle(path)
    say(f"{arrival.version} is stored")
    for doubt in arrival.doubts:
        say(doubt)
    if not arrival.runs and not arrival.known:
        return
    for exported, version in arrival.versions.items():
        say(f"  {exported:<28}is {version} here")
    for missing in arrival.gone:
        say(f"  {missing:<28}was gone when this was exported")
    known = f"; {count(len(arrival.known), 'run')} were here already" if arrival.known else ""
    say(f"{count(len(arrival.runs), 'run')} stored{known}")
    say(f"look further: relet artifacts show {arrival.version}   relet reproduce {arrival.version} --trust")
