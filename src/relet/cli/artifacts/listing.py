"""`relet artifacts list` and `show`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from relet.cli.artifacts.reference import REFERENCE
from relet.cli.place import STORE, open_default_store
from relet.core.artifact import Reference, Version
from relet.errors import NotFoundError
from relet.store.reproductions import latest_on

if TYPE_CHECKING:
    from relet.store import Store


@click.command("list")
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
        for line in _listing_lines(store, each, versions if name else versions[-1:]):
            click.echo(line)
    if not names:
        click.echo("the store is empty")


def _listing_lines(store: Store, name: str, versions: list[Version]) -> Iterator[str]:
    aliases = store.aliases(name)
    for version in versions:
        held = ", ".join(alias for alias, number in aliases.items() if number == version.number)
        yield (
            f"{version!s:<28}{version.type:<9}{version.created[:16].replace('T', ' '):<18}"
            f"{_version_size(version):<24}{held}"
        ).rstrip()


def _version_size(version: Version) -> str:
    if "rows" in version.metadata:
        return f"{version.metadata['rows']:,} rows"
    if "passed" in version.metadata:
        return "passed" if version.metadata["passed"] else "refused"
    return f"{len(version.files)} file{'s' if len(version.files) != 1 else ''}"


@click.command("show")
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
    for line in _version_lines(store, version):
        click.echo(line)


def _version_lines(store: Store, version: Version) -> Iterator[str]:
    yield f"{version}  {version.type}  {version.description}"
    held = [alias for alias, number in store.aliases(version.name).items() if number == version.number]
    yield f"aliases   {', '.join(held) or 'none'}"
    yield f"created   {version.created}"
    yield f"content   {version.content}"
    if judged := latest_on(store, str(version)):
        yield f"again     {judged}"
    for name, value in version.metadata.items():
        yield f"  {name:<10}{_brief_value(value)}"
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
        yield f"  parameter {name:<24}{_brief_value(value)}"
    for name, value in run.metrics.items():
        yield f"  metric    {name:<24}{value:.6g}"


def _brief_value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 90 else f"{text[:89]}…"
