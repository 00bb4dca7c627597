"""`relet artifacts list` and `show`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from relet.cli.columns import UNBOUNDED, table_lines, text_column
from relet.cli.place import REFERENCE, STORE, open_default_store
from relet.cli.terminal import say, say_document
from relet.core.artifact import IMPORTED, ArtifactType, Reference, Version, is_full_name, short_name
from relet.core.wording import count, shorten
from relet.errors import DamagedError, NotFoundError, StoreError
from relet.store.reproductions import determinism_on, latest_on

if TYPE_CHECKING:
    from relet.store import Store

# So many lines of a document or of a text are shown.
VALUE_LINES = 12


@click.command("list")
@click.argument("name", required=False)
@STORE
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_(name: str | None, store_url: str | None, as_json: bool) -> None:
    """List every artifact with its aliases; or all versions of one NAME, or of all artifacts of a pipeline."""
    store = open_default_store(store_url)
    names = _listed_names(store, name) if name else store.names()
    unread: list[str] = []
    versions = [store.versions(Reference(each), unread) for each in names]
    if unread:
        say(f"{', '.join(unread)} can't be read; relet artifacts verify says why", err=True)
    if name and not versions[0]:
        store.version(Reference(names[0]))
    if as_json:
        listed = zip(names, versions, strict=True)
        artifacts = [{"name": each, "versions": [one.to_json() for one in held]} for each, held in listed]
        say_document(artifacts=artifacts, unread=unread)
        return
    shown = [
        (artifact, version)
        for artifact, each in zip(names, versions, strict=True)
        for version in (each if name else each[-1:])
    ]
    for line in _listing_lines(store, shown):
        say(line)
    if not names:
        say("the store is empty")


def _listed_names(store: Store, name: str) -> list[str]:
    """The artifacts of that name in each pipeline, or else those of a pipeline of that name."""
    if not is_full_name(name):
        stored = store.names()
        found = [each for each in stored if is_full_name(each) and short_name(each) == name]
        found = found or [each for each in stored if each.startswith(f"{name}/")]
        if len(found) > 1:
            return found
    return [store.full_reference(name).name]


def _listing_lines(store: Store, listed: Sequence[tuple[str, Version]]) -> Iterator[str]:
    """A line for each version, which is listed under the name of an artifact."""
    aliases = {name: _readable_aliases(store, name) for name in dict.fromkeys(name for name, _ in listed)}
    versions = [version for _, version in listed]
    columns = [
        text_column((str(each) for each in versions), least=26),
        text_column((each.type for each in versions), least=7),
        text_column((each.created[:16].replace("T", " ") for each in versions), least=16),
        text_column((_version_size(each) for each in versions), least=22),
        text_column(_aliases_and_origin(store, name, each, aliases[name]) for name, each in listed),
    ]
    return table_lines(columns, UNBOUNDED, headings=False)


def _readable_aliases(store: Store, name: str) -> dict[str, int]:
    """The aliases of an artifact; none where one of them can't be read, which is told on standard error."""
    try:
        return store.aliases(Reference(name))
    except StoreError as error:
        say(f"the aliases of {name} can't be read: {error}", err=True)
        return {}


def _readable_aliases_of(store: Store, version: Version) -> list[str]:
    """The aliases that are set to a version; none where one of them can't be read, which is told."""
    try:
        return store.aliases_of(version)
    except StoreError as error:
        say(f"the aliases of {version.name} can't be read: {error}", err=True)
        return []


def _aliases_of(version: Version, numbers: Mapping[str, int]) -> list[str]:
    """The aliases that name a version; `numbers` are all of its artifact's, alias → number."""
    return [alias for alias, number in numbers.items() if number == version.number]


def _aliases_and_origin(store: Store, name: str, version: Version, numbers: Mapping[str, int]) -> str:
    """The aliases of a version that is listed under a name; of a short one those that its pipelines set."""
    held = _aliases_of(version, numbers) if is_full_name(name) else _readable_aliases_of(store, version)
    return ", ".join([*held, *(["(imported)"] if version.imported else [])])


def _version_size(version: Version) -> str:
    if version.type is ArtifactType.TABLE and "rows" in version.metadata:
        return f"{version.metadata['rows']:,} rows"
    if version.type is ArtifactType.VERDICT and "passed" in version.metadata:
        return "passed" if version.metadata["passed"] else "refused"
    if version.type is ArtifactType.ARRAY and "shape" in version.metadata:
        return " × ".join(map(str, version.metadata["shape"])) or "one value"
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
        say_document(version=version.to_json())
        return
    for line in _version_lines(store, version):
        say(line)


def _version_lines(store: Store, version: Version) -> Iterator[str]:
    yield f"{version}  {version.type}  {version.description}"
    yield f"aliases   {', '.join(_readable_aliases_of(store, version)) or 'none'}"
    yield f"created   {version.created}"
    yield f"content   {version.content}"
    yield from _value_lines(store, version)
    if judged := latest_on(store, str(version)):
        yield f"again     {judged}"
    if checked := determinism_on(store, str(version)):
        yield f"twice     {checked}"
    yield from _doubt_lines(store, version)
    if origin := version.imported:
        yield f"imported  as {origin['version']} from bundle {origin['bundle'][:12]}; another store made it"
    for name, value in version.metadata.items():
        if name == IMPORTED:
            continue
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
    except StoreError as error:
        yield f"made by   run {version.producer}: {error}"
        return
    yield f"made by   {run.component} of {run.pipeline}, run {run.id}"
    yield f"commit    {run.code.commit_in_words}"
    for caveat in run.caveats:
        yield f"  not promised: {caveat}"
    for link in run.inputs.values():
        yield f"  from      {link.version:<24}{link.content[:16]}"
    width = max((24, *(len(name) + 2 for name in (*run.parameters, *run.metrics))))
    for name, value in run.parameters.items():
        yield f"  parameter {name:<{width}}{_brief_value(value)}"
    for name, value in run.metrics.items():
        yield f"  metric    {name:<{width}}{value:.6g}"


def _value_lines(store: Store, version: Version) -> Iterator[str]:
    """The first lines of a document or of a text."""
    if version.type not in (ArtifactType.DOCUMENT, ArtifactType.TEXT):
        return
    try:
        (digest,) = version.files.values()
        lines = store.read_object(digest).decode(errors="replace").splitlines()
    except (StoreError, NotFoundError, ValueError):
        return
    for number, line in enumerate(lines[:VALUE_LINES]):
        yield f"{'value' if number == 0 else '':<10}{shorten(line, 90)}"
    if len(lines) > VALUE_LINES:
        yield f"{'':<10}… and {len(lines) - VALUE_LINES:,} lines more; relet artifacts get {version} writes all"


def _doubt_lines(store: Store, version: Version) -> Iterator[str]:
    """A line for each thing that a version claims of its files and that is not so."""
    try:
        for claim in store.false_claims(version):
            yield f"FALSE     it {claim}"
    except DamagedError as error:
        yield f"damaged   {error}"


def _brief_value(value: object) -> str:
    return shorten(value if isinstance(value, str) else json.dumps(value, default=str), 90)
