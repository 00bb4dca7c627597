"""What differs between two keys, and how a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relet.core.artifact import Version, within_pipeline
from relet.core.definitions import REST
from relet.core.record import KeyParts, RunRecord


@dataclass(frozen=True, kw_only=True)
class Change:
    """One part of a key that differs: `old` is None for what was added, `new` is None for what was removed.

    A parameter may have the value None: one that was added or removed has the word "absent" instead.
    """

    part: str
    name: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        match self.part:
            case "parameters":
                return f"{self.name} {_parameter_text(self.old)} → {_parameter_text(self.new)}"
            case "inputs" | "packages":
                return f"{self.name} {self.old or 'absent'} → {self.new or 'absent'}"
            case "component":
                return f"{self.name} {self.old} → {self.new}"
            case "machine":
                return f"{self.name} {_value_or_not_set(self.old)} → {_value_or_not_set(self.new)}"
            case "code" if self.old and self.new and _is_in_parts(self.old) != _is_in_parts(self.new):
                return f"code of {self.name} is held in another form: by its definitions, or as a whole"
            case "code":
                return f"code of {self.name} {_change_verb(self.old, self.new)}"
        return f"{self.name} {_change_verb(self.old, self.new)}"


def _is_in_parts(digest: Any) -> bool:
    return str(digest).startswith(REST)


def _value_or_not_set(value: Any) -> str:
    return "not set" if value is None else str(value)


def _parameter_text(value: Any) -> str:
    """A value as a person writes it; a source's digest is cut to eight letters."""
    if isinstance(value, Mapping) and "sha256" in value:
        return str(value["sha256"])[:8]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _change_verb(old: Any, new: Any) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def differences(old: KeyParts, new: KeyParts) -> tuple[Change, ...]:
    """What changed between two keys, in the order that a person asks for it.

    >>> differences(KeyParts(component="c", parameters={"a": 1}), KeyParts(component="c", parameters={"a": 2}))
    (Change(part='parameters', name='a', old=1, new=2),)
    """
    used = [Change(part="component", name="used as", old=old.component, new=new.component)]
    return (*(used if old.component != new.component else ()), *_differing_parts(old, new))


def _differing_parts(old: KeyParts, new: KeyParts) -> Iterator[Change]:
    yield from (
        Change(part=part, name=name, old=old_values.get(name, missing), new=new_values.get(name, missing))
        for part in ("parameters", "inputs", "resources", "code", "packages")
        for old_values, new_values in [(getattr(old, part), getattr(new, part))]
        for missing in ["absent" if part == "parameters" else None]
        for name in dict.fromkeys((*old_values, *new_values))
        if old_values.get(name, missing) != new_values.get(name, missing)
        and not (part == "code" and _is_of_another_form(name, old_values, new_values))
    )


def _is_of_another_form(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a definition is named by one key alone since the other one holds its module as a whole."""
    module, _, definition = name.partition(":")
    in_both = bool(definition) and module in old and module in new
    return in_both and _is_in_parts(old[module]) != _is_in_parts(new[module])


def changes_since_run(
    last: RunRecord, parts: KeyParts, inputs: Mapping[str, Version | None]
) -> tuple[Change, ...]:
    """What differs from the last run; inputs are named by the numbers of their versions, not by their digests, and
    by the full name where another pipeline made them.
    """
    if last.parts is None:
        return ()

    def shown(reference: str) -> str:
        own = within_pipeline(last.pipeline, reference)
        return own if "/" in own else own.partition(":")[2]

    versions = {name: shown(str(version)) for name, version in inputs.items() if version}
    before = {name: shown(link.version) for name, link in last.inputs.items()}
    return tuple(
        replace(change, old=before.get(change.name), new=versions.get(change.name))
        if change.part == "inputs"
        else change
        for change in differences(last.parts, parts)
    )


def reason_to_run(last: RunRecord | None, changes: tuple[Change, ...]) -> str:
    """Why a component runs that ran last as `last` says, in words."""
    if last is None:
        return "first run"
    if not changes:
        return "its outputs are not stored"
    shown = "; ".join(str(change) for change in changes[:2])
    return shown if len(changes) <= 2 else f"{shown} and {len(changes) - 2} more"
