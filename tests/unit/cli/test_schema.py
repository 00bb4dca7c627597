"""The schema of what --json prints names what the source prints, and says of each field what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import relet
from relet.cli.terminal import JSON_SCHEMA
from tests.json_output import RUN, SCHEMA, SEARCH, SWEEP

SOURCE = Path(relet.__file__).parent
DEFINITIONS = SCHEMA["$defs"]


def calls(*names: str) -> Iterator[ast.Call]:
    """Each call in the source of a function or method with one of these names."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", None))
                if name in names:
                    yield node


def test_each_event_of_the_source_is_in_the_schema_and_each_of_the_schema_in_the_source() -> None:
    printed = {
        node.args[0].value
        for node in calls("event", "print_event")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    described = {name: each["properties"]["event"]["const"] for name, each in streamed().items()}
    assert printed == set(described.values())
    assert set(described) == {*RUN.values(), *SWEEP.values(), *SEARCH.values()}


def test_the_members_of_each_document_are_in_the_schema_and_the_other_way_round() -> None:
    printed = {frozenset(each.arg for each in node.keywords) for node in calls("say_document")}
    described = {
        frozenset(each["properties"]) - {"schema"}
        for name, each in DEFINITIONS.items()
        if name.endswith("_document")
    }
    assert printed == described


def test_each_event_and_document_is_named_at_the_top_and_has_the_number_that_is_printed() -> None:
    named = [each["$ref"].rpartition("/")[2] for each in SCHEMA["anyOf"]]
    assert sorted(named) == sorted([*streamed(), *(name for name in DEFINITIONS if name.endswith("_document"))])
    assert DEFINITIONS["schema"]["const"] == JSON_SCHEMA
    assert all("schema" in DEFINITIONS[name]["required"] for name in named)


def test_the_schema_is_one_and_each_field_says_what_it_is() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for name, each in DEFINITIONS.items():
        assert described(each), name
        for field, schema in each.get("properties", {}).items():
            assert described(schema) or "const" in schema, (name, field)


def test_a_program_may_ignore_fields_that_a_later_relet_adds() -> None:
    event = {"schema": 1, "event": "noted", "message": "well", "added_later": 1}
    assert Draft202012Validator(SCHEMA).is_valid(event)


def streamed() -> dict[str, Any]:
    return {name: each for name, each in DEFINITIONS.items() if "event" in each.get("properties", {})}


def described(schema: dict[str, Any]) -> bool:
    if "$ref" in schema and "description" not in schema:
        return described(DEFINITIONS[schema["$ref"].rpartition("/")[2]])
    return schema.get("description", "").endswith((".", ":"))
