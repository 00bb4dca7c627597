"""What the README promises is there: its commands, its component, its table."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from relet.cli import COMMANDS
from relet.core.code import FirstPartyCode
from relet.core.signature import read_component

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEAD = "from dataclasses import dataclass\nfrom typing import NamedTuple\nfrom relet import Table, component\n"


def blocks(kind: str = "") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [content for language, content in found if language == kind]


def commands() -> list[list[str]]:
    """Every line that starts with `relet`, without what explains it after two spaces."""
    lines = [line.split("  ")[0] for block in blocks() for line in block.splitlines()]
    found = [line.split()[1:] for line in lines if line.startswith("relet ")]
    assert len(found) >= 8
    return found


def test_the_first_screen_has_the_two_commands_and_make_knows_them() -> None:
    first = "\n".join(README.splitlines()[:12])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target} " in first
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_one(words: list[str]) -> None:
    assert words[0] in COMMANDS
    command = import_module(f"relet.cli.{words[0]}").command
    if isinstance(command, click.Group):
        assert set(words[1].split("|")) <= set(command.commands)


def test_the_component_can_be_read(tmp_path: Path) -> None:
    (block,) = blocks("python")
    (tmp_path / "step.py").write_text(HEAD + block)
    found = read_component("basic_cleaning", "step", tmp_path / "step.py", FirstPartyCode((tmp_path,)))
    assert [each.name for each in found.outputs] == ["clean_sample", "quarantine"]
    assert {"prices.min_price": 10, "prices.max_price": 350}.items() <= found.defaults.items()


def test_each_file_it_points_to_is_there() -> None:
    named = [*re.findall(r"\]\(([^)]+)\)", README), *re.findall(r"`((?:tests|bench)/[^`]+)`", README)]
    named += re.findall(r"python (bench/\S+?)`", README)
    assert len(named) >= 4
    for path in named:
        assert (ROOT / path).exists(), path


@pytest.mark.long
def test_the_commands_do_on_the_flagship_what_they_are_said_to(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))

    def run(*words: str) -> str:
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "7 run, 0 skipped" in run("-m", "relet", "run", "nyc_rentals", "main.evaluate=true")
    assert "0 run, 7 skipped" in run("-m", "relet", "run", "nyc_rentals", "main.evaluate=true")
    assert "same key" in run("-m", "relet", "why", "train_model")
    assert "first batch" in run("-m", "relet", "artifacts", "alias", "clean_sample:reference")
    assert "nothing is broken" in run("-m", "relet", "artifacts", "verify")
    suite = (
        "-m",
        "pytest",
        "pipelines/nyc_rentals/checks",
        "--data",
        "clean_sample:latest",
        "--kl-threshold",
        "0.2",
    )
    assert "19 passed" in run(*suite)
    notebook = (
        "import relet\n"
        "outcome = relet.run('nyc_rentals', 'etl.max_price=300', 'tracking=[]')\n"
        "print(len(relet.load('clean_sample:latest')), relet.load('model').predict(relet.load('test'))[:2])\n"
    )
    assert "[" in run("-c", notebook)
