"""The installed distributions: which of them a module comes from, what they need, and what their files are."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote, urlsplit

# How the version of a distribution reads that was installed from a folder, a repository or a file: many contents
# have one version.
_WITH_CONTENT = " with content "
_INFO = ".dist-info"
_UNKNOWN = "unknown"
# What a folder of source holds beside source.
_PASSED_OVER = frozenset(("__pycache__", "node_modules", "build", "dist"))
_CODE = (".py", ".so", ".pyd")
# What the `__init__.py` of a namespace calls, where it has one: of `pkgutil`, or of `pkg_resources`.
_SHARING = (b"extend_path(", b"declare_namespace(")


@dataclass(frozen=True)
class Distributions:
    """The installed distributions, read from the names of their folders: normalized name → version and folder.

    The folder is the one that ends in `.dist-info`.
    """

    found: Mapping[str, tuple[str, Path]]
    _owners: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def installed(cls) -> Distributions:
        found: dict[str, tuple[str, Path]] = {}
        for entry in dict.fromkeys(sys.path):
            folder = entry or "."
            with suppress(OSError):
                for each in os.listdir(folder):  # noqa: PTH208  (what lists is seen by its module)
                    if each.endswith(_INFO):
                        name, _, version = each.removesuffix(_INFO).partition("-")
                        found.setdefault(normalized_name(name), (version, Path(folder, each)))
        return cls(found)

    def closure(self, modules: Iterable[str]) -> dict[str, str]:
        """The versions of the distributions that `modules` come from, and of all that these need.

        `modules` are names as `CodeClosure.third_party` has them. The version of a distribution that was installed
        from a folder, a repository or a file has the digest of its content: "1.0 with content 0a1b2c3d4e5f6071".
        """
        names = sorted(modules)
        # Sorted, a name stands before those below it; what has one below it was imported on the way to that one.
        last = [name for name, after in zip_longest(names, names[1:], fillvalue="") if not _is_below(after, name)]
        waiting = [owner for name in last for owner in self.owners(name)]
        versions: dict[str, str] = {}
        while waiting:
            name = waiting.pop()
            if name in versions or name == "relet" or name not in self.found:
                continue
            versions[name] = str(self.version(name))
            waiting.extend(_requirements(self.found[name][1]))
        return dict(sorted(versions.items()))

    def version(self, name: str) -> str | None:
        """The version of a distribution as `closure` gives it; None where it is not installed."""
        if (known := self.found.get(normalized_name(name))) is None:
            return None
        version, folder = known
        return version + _content_suffix(folder)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all of them but relet, as `closure` gives them."""
        return {name: str(self.version(name)) for name in sorted(self.found) if name != "relet"}

    def owners(self, module: str) -> tuple[str, ...]:
        """The distributions that a module, or a member of a module, comes from.

        Where the name ends at a folder without `__init__.py`, these are all that have files below it.
        """
        for name in _with_names_above(module):
            if name not in self._owners:
                self._owners[name] = self._module_owners(name)
            if self._owners[name]:
                return self._owners[name]
        return self._folder_owners(module)

    def has(self, place: Path) -> bool:
        """Whether a distribution has a file or folder that lies beside the `.dist-info`."""
        if normalized_name(place.name.partition(".")[0]) in self.found:
            return True
        return bool(self.owners_of(place))

    def owners_of(self, place: Path) -> tuple[str, ...]:
        """The distributions that have such a file, or files in such a folder, beside their `.dist-info`."""
        return tuple(self._matching(rb"\n" + re.escape(place.name.encode()) + rb"[/,]"))

    def _module_owners(self, module: str) -> tuple[str, ...]:
        """The distribution that has a file for this module: source, `__init__` or an extension.

        The first one where several have it, but none where they share a folder of namespaces.
        """
        path = module.replace(".", "/")
        name = normalized_name(module)
        if "." not in module and name in self.found and not _is_namespace(self.found[name][1].parent / path):
            return (name,)
        pattern = rb"\n" + re.escape(path.encode()) + rb"(?:/__init__)?(?:\.[^/,\n]+)?\.(?:py|so|pyd),"
        owner = next(self._matching(pattern), None)
        return (owner,) if owner and not _is_namespace(self.found[owner][1].parent / path) else ()

    def _folder_owners(self, module: str) -> tuple[str, ...]:
        """The distributions that have files below the last name above `module`, or itself, that is a folder."""
        for name in reversed(list(_with_names_above(module))):
            if owners := tuple(self._matching(rb"\n" + re.escape(name.replace(".", "/").encode()) + rb"/")):
                return owners
        return ()

    def _matching(self, pattern: bytes) -> Iterator[str]:
        """The distributions whose RECORD holds a line of this pattern, one after the other."""
        wanted = re.compile(pattern)
        yield from (name for name, (_, folder) in self.found.items() if wanted.search(_known_record(folder)))


@cache
def _known_record(folder: Path) -> bytes:
    """What RECORD says, each line after a line's end. Which modules a version brings does not change."""
    return b"\n" + _record_content(folder)


def _record_content(folder: Path) -> bytes:
    try:
        return (folder / "RECORD").read_bytes()
    except OSError:
        return b""


def recorded_digests(folder: Path) -> dict[str, str]:
    """The files of a distribution, by their paths from the folder above `folder` → SHA-256 in URL-safe base 64.

    `folder` is its `.dist-info`. A file that RECORD names without a SHA-256, as RECORD itself, is left out.
    """
    lines = csv.reader(_record_content(folder).decode(errors="replace").splitlines())
    marked = ((line[0], line[1].partition("=")) for line in lines if len(line) > 1)
    return {path: digest for path, (kind, _, digest) in marked if kind == "sha256"}


def has_unknown_content(version: str) -> bool:
    """Whether a version that `Distributions.closure` gave has the mark of a content that can't be read."""
    return version.endswith(_WITH_CONTENT + _UNKNOWN)


def is_direct_reference(version: str) -> bool:
    """Whether a version that `Distributions.closure` gave is that of something that no index gave."""
    return _WITH_CONTENT in version


def _content_suffix(folder: Path) -> str:
    """What distinguishes contents of one version, where PEP 610's `direct_url.json` says that no index gave it."""
    try:
        told = (folder / "direct_url.json").read_bytes()
    except FileNotFoundError:
        return ""
    try:
        return _WITH_CONTENT + (_direct_content(folder, json.loads(told)) or _UNKNOWN)
    except (OSError, ValueError):
        return _WITH_CONTENT + _UNKNOWN


def _direct_content(folder: Path, told: object) -> str | None:
    """The digest of a distribution's code: of its source where it is edited in place, else as RECORD has it."""
    about = told if isinstance(told, Mapping) else {}
    if isinstance(kind := about.get("dir_info"), Mapping) and kind.get("editable"):
        source = Path(unquote(urlsplit(str(about.get("url"))).path))
        digests = {path.relative_to(source).as_posix(): _digest_now(path) for path in _source_files(source)}
    else:
        own = f"{folder.name}/"
        digests = {path: each for path, each in recorded_digests(folder).items() if not path.startswith(own)}
    return sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()[:16] if digests else None


def _source_files(folder: Path) -> Iterator[Path]:
    """The files of code below a folder, but for hidden folders and environments."""
    for place, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [each for each in folders if not each.startswith(".") and each not in _PASSED_OVER]
        yield from (file for name in files if name.endswith(_CODE) and (file := Path(place, name)).is_file())


def _digest_now(path: Path) -> str:
    state = path.stat()
    return _digest_then(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


@lru_cache(maxsize=1 << 14)
def _digest_then(path: Path, *_: int) -> str:
    """SHA-256 of a file, read once for each of its states."""
    return sha256(path.read_bytes()).hexdigest()


def _is_namespace(folder: Path) -> bool:
    """Whether this is a package that several distributions may fill: it has no `__init__`, or one that says so."""
    if not folder.is_dir():
        return False
    try:
        return any(sign in (folder / "__init__.py").read_bytes() for sign in _SHARING)
    except OSError:
        return not any(folder.glob("__init__.*"))


def _is_below(name: str, other: str) -> bool:
    return name.startswith(f"{other}.")


def _with_names_above(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[: length + 1]) for length in range(len(parts)))


def normalized_name(name: str) -> str:
    """A distribution's name as all spellings of it are compared: PEP 503.

    >>> normalized_name("Ruamel_YAML.clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _requirements(folder: Path) -> tuple[str, ...]:
    header = (folder / "METADATA").read_text(encoding="utf-8").partition("\n\n")[0]
    return tuple(
        normalized_name(match[1])
        for match in re.finditer(r"^Requires-Dist: ([A-Za-z0-9._-]+)([^\n]*)", header, re.MULTILINE)
        if "extra ==" not in match[2]
    )
