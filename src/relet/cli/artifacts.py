"""`relet artifacts`: what the store holds."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterable, Iterator, Sized
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relet.cli.place import STORE, open_default_store
from relet.core.artifact import Reference, Version
from relet.errors import NotFoundError
from relet.store.reproductions import latest_on

if TYPE_CHECKING:
    from relet.store import Store

REFERENCE = click.argument("reference", metavar="REFERENCE")


@click.group("artifacts")
def command() -> None:
    """List, show, name, check, move and tidy what the store holds.

    A REFERENCE is a name with a version or an alias: clean_sample:v3, clean_sample:latest, model:prod.
    """


@command.command("list")
@click.argument("name", required=False)
@STORE
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_(name: str | None, store_url: str | None, as_json: bool) -> None:
    """List every artifact with its aliases; or all versions of one NAME."""
    store = open_default_store(store_url)
    names = [Reference.parse(name).name] if name else store.names()
    if name and not store.versions(names[0]):
        store.version(name)
    for each in names:
        versions = store.versions(each)
        if as_json:
            click.echo(json.dumps([version.to_json() for version in versions]))
            continue
        for line in _listed(store, each, versions if name else versions[-1:]):
            click.echo(line)
    if not names:
        click.echo("the store is empty")


def _listed(store: Store, name: str, versions: list[Version]) -> Iterator[str]:
    aliases = store.aliases(name)
    for version in versions:
        held = ", ".join(alias for alias, number in aliases.items() if number == version.number)
        yield (
            f"{version!s:<28}{version.type:<9}{version.created[:16].replace('T', ' '):<18}"
            f"{_size(version):<24}{held}"
        ).rstrip()


def _size(version: Version) -> str:
    if "rows" in version.metadata:
        return f"{version.metadata['rows']:,} rows"
    if "passed" in version.metadata:
        return "passed" if version.metadata["passed"] else "refused"
    return f"{len(version.files)} file{'s' if len(version.files) != 1 else ''}"


@command.command("show")
@REFERENCE
@STORE
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show(reference: str, store_url: str | None, as_json: bool) -> None:
    """Show one version: what it is, what made it, from what, and which aliases it has."""
    store = open_default_store(store_url)
    version = store.version(reference)
    if as_json:
        click.echo(json.dumps(version.to_json(), indent=1))
        return
    for line in _shown(store, version):
        click.echo(line)


def _shown(store: Store, version: Version) -> Iterator[str]:
    yield f"{version}  {version.type}  {version.description}"
    held = [alias for alias, number in store.aliases(version.name).items() if number == version.number]
    yield f"aliases   {', '.join(held) or 'none'}"
    yield f"created   {version.created}"
    yield f"content   {version.content}"
    if judged := latest_on(store, str(version)):
        yield f"again     {judged}"
    for name, value in version.metadata.items():
        yield f"  {name:<10}{_brief(value)}"
    for path, sha in version.files.items():
        yield f"  file      {path:<24}{sha[:16]}"
    if version.producer is None:
        return
    try:
        run = store.run(version.producer)
    except NotFoundError:
        yield f"made by   run {version.producer}, whose record is gone"
        return
    yield f"made by   {run.component} of {run.pipeline}, run {run.id}"
    yield f"commit    {run.code.commit or 'none'}{' with changes not committed' if run.code.dirty else ''}"
    for caveat in run.caveats:
        yield f"  not promised: {caveat}"
    for link in run.inputs.values():
        yield f"  from      {link.version:<24}{link.content[:16]}"
    for name, value in run.parameters.items():
        yield f"  parameter {name:<24}{_brief(value)}"
    for name, value in run.metrics.items():
        yield f"  metric    {name:<24}{value:.6g}"


def _brief(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 90 else f"{text[:89]}…"


@command.command("alias")
@REFERENCE
@click.argument("alias", required=False)
@STORE
@click.option("--why", default="", help="The reason, kept with the move.")
def alias(reference: str, alias: str | None, store_url: str | None, why: str) -> None:
    """Set ALIAS to the version that REFERENCE names; without ALIAS, show the moves of REFERENCE's alias.

    relet artifacts alias model:v3 prod --why "better on the test split"
    """
    store = open_default_store(store_url)
    if alias is None:
        wanted = Reference.parse(reference)
        for move in store.alias_history(wanted.name, wanted.selector):
            click.echo(f"{move.when}  v{move.number}  by {move.by}  {move.why}".rstrip())
        return
    version = store.version(reference)
    store.set_alias(version.name, alias, version.number, by=getpass.getuser(), why=why)
    click.echo(f"{version.name}:{alias} is {version} now")


@command.command("verify")
@STORE
def verify(store_url: str | None) -> None:
    """Read everything back and name what is broken; exit 1 if anything is."""
    problems = open_default_store(store_url).verify()
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{len(problems)} broken" if problems else "nothing is broken")
    sys.exit(1 if problems else 0)


@command.command("prune")
@STORE
@click.option("--keep", default=10, show_default=True, help="How many of the newest versions of each to keep.")
def prune(store_url: str | None, keep: int) -> None:
    """Forget old versions; what an alias or a release holds stays."""
    pruned = open_default_store(store_url).prune(keep)
    for each in pruned:
        click.echo(each)
    click.echo(f"{len(pruned)} versions forgotten; `relet artifacts gc` frees their space")


@command.command("gc")
@STORE
@click.option("--older-than", default=60.0, show_default=True, help="Spare what is younger, in minutes.")
def gc(store_url: str | None, older_than: float) -> None:
    """Delete what no version, run or alias refers to."""
    deleted = open_default_store(store_url).gc(timedelta(minutes=older_than))
    click.echo(f"{len(deleted)} files deleted")


@command.command("export")
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
        click.echo(f"{store.version(reference)} is in {path}")
        return
    history = store.export_history(reference, path)
    bundle = history.bundle
    click.echo(
        f"{bundle.version} is in {path} with its history: {_count(bundle.versions, 'version')}, "
        f"{_count(bundle.records, 'run')}"
    )
    for note in history.notes:
        click.echo(note)
    if held := ", ".join(_held(store, bundle.versions)):
        click.echo(f"aliases stay here; set there what you need of: {held}")


def _held(store: Store, versions: Iterable[Version]) -> Iterator[str]:
    """The aliases of versions, but for `latest`, which an import sets."""
    found = {str(version): version for version in versions}
    for name in sorted({version.name for version in found.values()}):
        for alias, number in store.aliases(name).items():
            if alias != "latest" and f"{name}:v{number}" in found:
                yield f"{name}:{alias} (v{number})"


@command.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@STORE
def import_(path: Path, store_url: str | None) -> None:
    """Store what a tar file holds: a version, and its history where that was exported with it.

    Versions get the next numbers here, and run records name them by those. Nothing that is here is changed:
    equal versions and runs are not stored again, and `latest` is set only for names that are new here.
    """
    arrival = open_default_store(store_url).import_bundle(path)
    click.echo(f"{arrival.version} is stored")
    if not arrival.runs and not arrival.known:
        return
    for was, version in arrival.versions.items():
        click.echo(f"  {was:<28}is {version} here")
    for gone in arrival.gone:
        click.echo(f"  {gone:<28}was gone when this was exported")
    known = f"; {_count(arrival.known, 'run')} were here already" if arrival.known else ""
    click.echo(f"{_count(arrival.runs, 'run')} stored{known}")
    click.echo(f"look further: relet artifacts show {arrival.version}   relet reproduce {arrival.version}")


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
