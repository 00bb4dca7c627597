"""What keeps an environment from being made again from a lock, in words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING, Any

from relet.core.installed import normalized_name
from relet.core.wording import count

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# How many packages a sentence names.
NAMED = 5
_OPTION = re.compile(r"\s+--?[a-z][a-z-]*[= ]")
_INDEXES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")
_EXTRA = re.compile(r"\bextra\b")


@dataclass(frozen=True, kw_only=True)
class LockedPackage:
    """A line of a lock: the requirement, and whether a hash says which files it may be installed from."""

    requirement: Requirement
    has_hash: bool

    @property
    def name(self) -> str:
        return normalized_name(self.requirement.name)

    @property
    def version(self) -> str | None:
        """The one version that the line allows; None where it allows several, or names an address."""
        pins = [each.version for each in self.requirement.specifier if each.operator in ("==", "===")]
        return pins[0] if len(pins) == 1 and not pins[0].endswith(".*") else None


def lock_faults(lock: bytes, pyproject: bytes | None = None) -> tuple[str, ...]:
    """Why `relet reproduce` could not make the environment from this lock: sentences, none where it can.

    `pyproject` is the project's `pyproject.toml`, whose dependencies the lock has to hold. relet itself may be
    missing, but not what it needs.

    >>> lock_faults(b"numpy==2.4.6\\n")
    ('it has no hash for numpy: no environment is made of it',)
    """
    packages: list[LockedPackage] = []
    faults: list[str] = []
    for line in _logical_lines(lock.decode(errors="replace")):
        read = _locked_package(line)
        (faults if isinstance(read, str) else packages).append(read)  # type: ignore[arg-type]
    loose = [each.name for each in packages if not each.version and not each.requirement.url]
    if loose:
        faults.append(f"it leaves the version of {_listed_packages(loose)} open")
    unhashed = [each.name for each in packages if not each.has_hash and each.name not in loose]
    if unhashed:
        faults.append(f"it has no hash for {_listed_packages(unhashed)}: no environment is made of it")
    return (*faults, *_unmet(packages, pyproject))


def _logical_lines(text: str) -> Iterator[str]:
    """The lines of a file of requirements, without comments; one that a backslash continues is one line."""
    kept = (re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in text.splitlines())
    joined = re.sub(r"\\\n\s*", " ", "\n".join(kept))
    return (line.strip() for line in joined.splitlines() if line.strip())


def _locked_package(line: str) -> LockedPackage | str:
    """What a line of a lock says; in words where that can't be installed elsewhere."""
    from packaging.requirements import InvalidRequirement, Requirement

    option = line.split("=")[0].split()[0]
    if option in ("-e", "--editable") or line.startswith((".", "/", "file:")) or "@ file:" in line:
        return "it names a folder or file of one machine, which another one does not have"
    if option in _INDEXES:
        return f"it says where packages come from ({option}): each machine has settings of its own for that"
    if option.startswith("-"):
        return f"it has a line {option}, which is no package"
    words = _OPTION.split(line, maxsplit=1)[0]
    try:
        requirement = Requirement(words)
    except InvalidRequirement:
        return f"it has a line that is no package: {words[:60]!r}"
    if requirement.url and re.match(r"(git|hg|svn|bzr)\+", requirement.url):
        return f"it takes {requirement.name} from a repository, whose files no hash can stand for"
    return LockedPackage(requirement=requirement, has_hash="--hash=" in line or "#sha256=" in line)


def _unmet(packages: Iterable[LockedPackage], pyproject: bytes | None) -> Iterator[str]:
    """What the project asks for, and the lock does not hold or holds in another version."""
    held: dict[str, list[LockedPackage]] = {}
    for each in packages:
        held.setdefault(each.name, []).append(each)
    missing = []
    for wanted, asked_by in _wanted(pyproject, held):
        found = held.get(normalized_name(wanted.name))
        versions = [each.version for each in found or () if each.version]
        if not found:
            missing.append(f"{wanted.name}, which {asked_by} asks for")
        elif versions and not any(wanted.specifier.contains(each, prereleases=True) for each in versions):
            yield f"it has {wanted.name} {' and '.join(versions)}, but {asked_by} asks for {wanted.specifier}"
    if missing:
        yield f"it does not hold {_listed_packages(missing)}"


def _wanted(pyproject: bytes | None, held: Mapping[str, Any]) -> Iterator[tuple[Requirement, str]]:
    """Each requirement that holds on this machine, and who asks for it."""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in declared_dependencies(pyproject):
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue
        if normalized_name(wanted.name) == "relet" and "relet" not in held:
            yield from ((Requirement(each), "relet") for each in relet_needs(wanted.extras))
        elif wanted.marker is None or wanted.marker.evaluate():
            yield wanted, "pyproject.toml"


def declared_dependencies(pyproject: bytes | None) -> tuple[str, ...]:
    """The dependencies of the table `[project]`; none where it can't be read."""
    try:
        declared = tomllib.loads((pyproject or b"").decode())["project"]["dependencies"]
    except (KeyError, TypeError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return ()
    return tuple(each for each in declared if isinstance(each, str)) if isinstance(declared, list) else ()


def relet_needs(extras: Iterable[str] = ()) -> tuple[str, ...]:
    """What the installed relet needs, and its extras; nothing where it is not installed as a package."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(each) for each in requires("relet") or ()]
    except PackageNotFoundError:
        return ()
    found = []
    for each in asked:
        if each.marker and _EXTRA.search(str(each.marker)):
            if not any(each.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            each.marker = None
        elif each.marker and not each.marker.evaluate():
            continue
        found.append(str(each))
    return tuple(found)


def _listed_packages(names: list[str]) -> str:
    first = ", ".join(dict.fromkeys(names[:NAMED]))
    more = len(names) - NAMED
    return first if more <= 0 else f"{first} and {count(more, 'more package')}"
