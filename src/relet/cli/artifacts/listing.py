"""`relet artifacts list` and `show`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from relet.cli.columns import UNBOUNDED, table_lines, text_column
from relet.cli.place import REFERENCE, STORE, open_default_store
from relet.cli.terminal import say, say_json
from relet.core.artifact import Reference, Version
from relet.core.wording import count, shorten
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
    versions = [store.versions(each) for each in names]
    if as_json:
        for each in versions:
            say_json([version.to_json() for version in each])
        return
    shown = [version for each in versions for version in (each if name else each[-1:])]
    for line in _listing_lines(store, shown):
        say(line)
    if not names:
        say("the store is empty")


def _listing_lines(store: Store, versions: Sequence[Version]) -> Iterator[str]:
    aliases = {name: store.aliases(name) for name in dict.fromkeys(each.name for each in versions)}

    columns = [
        text_column((str(each) for each in versions), least=26),
        text_column((each.type for each in versions), least=7),
        text_column((each.created[:16].replace("T", " ") for each in versions), least=16),
        text_column((_version_size(each) for each in versions), least=22),
        text_column(", ".join(_aliases_of(each, aliases[each.name])) for each in versions),
    ]
    return table_lines(columns, UNBOUNDED, headings=False)


def _aliases_of(version: Version, numbers: Mapping[str, int]) -> list[str]:
    """The aliases that name a version; `numbers` are all of its artifact's, alias → number."""
    return [alias for alias, number in numbers.items() if number == version.number]


def _version_size(version: Version) -> str:
    if "rows" in version.metadata:
        return f"{version.metadata['rows']:,} rows"
    if "passed" in version.metadata:
        return "passed" if version.metadata["passed"] else "refused"
    return count(len(version.files), "file")


@click.command("show")
@REFERENCE
@STORE
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show(reference: str, store_url: str | None, as_json: bool) -> None:
    """Show one version: what it is, what made it, from what, and which aliases it has."""
    store = open_default_store(store_url)
    version = store.version(reference)
    if as_json:
        say_json(version.to_json(), indent=1)
        return
    for line in _version_lines(store, version):
        say(line)


def _version_lines(store: Store, version: Version) -> Iterator[str]:
    yield f"{version}  {version.type}  {version.description}"
    yield f"aliases   {', '.join(_aliases_of(version, store.aliases(version.name))) or 'none'}"
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
    return shorten(value if isinstance(value, str) else json.dumps(value, default=str), 90)
