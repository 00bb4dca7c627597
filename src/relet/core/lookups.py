"""What a component asked about files without reading them, and whether the answer is another one now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256

from relet.core.record import RunRecord

NOTHING = "nothing"
FOLDER = "a folder"
NO_MODULE = "no module"
# How a record calls an installed distribution, and a module that packages import, or that is not there.
PACKAGE_MARK = "[package] "
MODULE_MARK = "[module] "
# What stands in place of a distribution's name for all of them, where somebody listed them.
ALL_PACKAGES = "*"
NOT_INSTALLED = "not installed"
# Where an import found a module of a package.
IN_PACKAGES = "in a folder of packages"
# What a record calls the folders that modules are imported from.
IMPORT_ROOTS = "[import roots]"
# How the words begin for a link whose target was read: where it leads, a comma, and what is there.
LINK = "a link to "
# A call that asked several times got more than one answer: no later state is known to be what it saw.
SEVERAL = "several answers"
# How the digest of what a folder holds begins: the names, and with them how large the files are.
NAMES = "names "
NAMES_AND_SIZES = "names and sizes "


def undeclared_change(
    made_by: RunRecord | None, digest_now: Callable[[str], str | None], place_now: Callable[[str, str], str]
) -> str | None:
    """In words, what a run read or asked for undeclared and would find changed now; None where nothing is."""
    if made_by is None:
        return None
    edited = (name for name, digest in made_by.undeclared.items() if digest_now(name) != digest)
    if (name := next(edited, None)) is not None:
        return f"{name} changed, which it reads undeclared"
    return changed_lookup(made_by.looked_at, place_now)


def changed_lookup(looked_at: Mapping[str, str], place_now: Callable[[str, str], str]) -> str | None:
    """In words, the first place of which a component would learn something else now; None where there is none.

    `looked_at` maps places to what was there, `place_now` gives what is there now, in the terms of what was there.

    >>> changed_lookup({"extra.txt": NOTHING}, lambda name, before: "a file of 3 bytes")
    'extra.txt is there now, and was not when it was looked for'
    """
    for name, before in looked_at.items():
        now = place_now(name, before)
        if now != before:
            return _change_in_words(name, before, now)
    return None


def package_now(
    name: str,
    before: str,
    *,
    installed: Mapping[str, str] | None,
    elsewhere: Callable[[str, str], str],
) -> str:
    """What is now at a place, as `elsewhere` gives it, but for packages of another environment than this one.

    `installed` are their versions there, None where nobody knows them. Whether a module is there that was missing
    when it was imported, nobody can tell from here.
    """
    if name.startswith(MODULE_MARK):
        return before
    if not name.startswith(PACKAGE_MARK):
        return elsewhere(name, before)
    if installed is None:
        return before
    package = name.removeprefix(PACKAGE_MARK)
    return packages_in_words(installed) if package == ALL_PACKAGES else installed.get(package, NOT_INSTALLED)


def packages_in_words(versions: Mapping[str, str]) -> str:
    """What a record says of all installed distributions: how many there are, and a digest of their versions."""
    lines = "\n".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    return f"{len(versions)} packages {sha256(lines.encode()).hexdigest()[:16]}"


def outside_key(looked_at: Mapping[str, str], packages: Collection[str]) -> dict[str, str]:
    """The places that a component looked at, without the packages that its key holds."""
    known = {f"{PACKAGE_MARK}{name}" for name in packages}
    return {name: there for name, there in looked_at.items() if name not in known}


def _change_in_words(name: str, before: str, now: str) -> str:
    if before == SEVERAL:
        return f"{name} changed while the step ran"
    if name == PACKAGE_MARK + ALL_PACKAGES:
        return "other packages are installed now than when it listed them all"
    if name.startswith(PACKAGE_MARK):
        return f"the package {name.removeprefix(PACKAGE_MARK)} is {now} now, and was {before} when it was used"
    if before == NO_MODULE:
        return f"the module {name.removeprefix(MODULE_MARK)} is there now, and was not when it was imported"
    if name.startswith(MODULE_MARK):
        return f"the module {name.removeprefix(MODULE_MARK)} is found {now} now, and was {before}"
    if name == IMPORT_ROOTS:
        return f"modules are imported from {now} now, and were from {before}"
    if before == NOTHING:
        return f"{name} is there now, and was not when it was looked for"
    if now == NOTHING:
        return f"{name} is gone, which it looked for"
    if before.startswith(LINK) or now.startswith(LINK):
        return f"{name} leads elsewhere now than when it was looked at, or to other files"
    if before.startswith((NAMES, NAMES_AND_SIZES)):
        return f"{name} holds other files now than when it was listed"
    return f"{name} is {now} now, and was {before} when it was looked at"
