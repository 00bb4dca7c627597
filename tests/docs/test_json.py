"""docs/json.md shows what commands print, and how to read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.json_output import CLOSED, RUN, SCHEMA, check

TEXT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_each_example_is_as_the_schema_says() -> None:
    stream, document = blocks("json")
    for line in map(json.loads, stream.splitlines()):
        check(line, RUN[line["event"]])
    check(json.loads(document), "head_document")
    assert Draft202012Validator(SCHEMA).is_valid(json.loads(document))


def test_each_event_and_each_member_of_a_document_is_named() -> None:
    for name, each in CLOSED.items():
        members = each.get("properties", {})
        if "event" in members:
            assert f"`{members['event']['const']}`" in TEXT, name
        elif name.endswith("_document"):
            assert [member for member in members if member != "schema" and f"`{member}`" not in TEXT] == [], name


def test_the_programs_of_jq_find_what_they_say(tmp_path: Path) -> None:
    if not shutil.which("jq"):
        pytest.skip("this machine has no jq")
    (code,) = blocks("bash")
    metrics, error, verdict, newest, idle = re.findall(r"jq -?[re]* ?'(.*)'", code)
    refused = {"event": "ended", "component": "check", "verdict": {"passed": False, "reason": "too few"}}
    lines = [refused, {"event": "finished", "metrics": {"mae": 3}, "error": "no rows"}]
    stream = "\n".join(map(json.dumps, lines))

    def jq(program: str, text: str) -> str:
        done = subprocess.run(["jq", "-r", program], input=text, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert json.loads(jq(metrics, stream)) == {"mae": 3}
    assert jq(error, stream) == "no rows"
    assert jq(verdict, stream) == "check: too few"
    listed = {"artifacts": [{"name": "model", "versions": [{"number": 1}, {"number": 2}]}]}
    assert jq(newest, json.dumps(listed)) == "model:v2"
    assert jq(idle, json.dumps({"steps": [{"action": "skip"}, {"action": "run"}]})) == "false"
