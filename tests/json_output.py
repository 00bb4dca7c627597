"""What commands print with --json, held to the schema with nothing in it that the schema does not name."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from relet.cli.schema import FILE

SCHEMA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
# Each kind of stream → its events → their definitions in the schema.
SHARED = {"error": "error", "doing": "doing"}
RUN = {each: each for each in ("run", "started", "progress", "ended", "noted", "checked", "determinism", "error")}
RUN |= {"finished": "run_finished"}
SWEEP = {**SHARED, "sweep": "sweep", "trial": "sweep_trial", "finished": "sweep_finished"}
SEARCH = {**SHARED, "search": "search", "measured": "measured"}
SEARCH |= {"trial": "search_trial", "finished": "search_finished"}


def closed(schema: Any) -> Any:
    """The same schema, in which an object has no other members than those that are named."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    return {"additionalProperties": False, **found} if isinstance(found.get("properties"), dict) else found


CLOSED = closed(SCHEMA["$defs"])


def check(value: Any, definition: str) -> None:
    """Raise jsonschema's ValidationError where a value is not what a definition says, or holds more."""
    Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": CLOSED}).validate(value)


def events_of(out: str, kind: dict[str, str]) -> list[dict[str, Any]]:
    """The events of a stream, each held to its definition."""
    found = [json.loads(line, parse_constant=_refuse) for line in out.splitlines()]
    for each in found:
        check(each, kind[each["event"]])
    return found


def document_of(out: str, name: str) -> dict[str, Any]:
    """The document that a command printed, held to the definition NAME_document."""
    found: dict[str, Any] = json.loads(out, parse_constant=_refuse)
    check(found, f"{name}_document")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
