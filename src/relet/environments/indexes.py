"""The package indexes in pip's configuration, passed on to uv, which does not read it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

# pip's setting → uv's variables for it; the second one is an older name that uv still reads.
_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "cert": ("SSL_CERT_FILE",),
}


def for_uv() -> dict[str, str]:
    """The environment variables that give uv the settings of pip. What the user has set for uv itself wins."""
    untold = {name: theirs[0] for name, theirs in _NAMES.items() if not any(map(os.environ.get, theirs))}
    asked = _pip_settings() if untold else {}
    return {
        # Every file is checked by its hash, so it does not matter which index offers it.
        "UV_INDEX_STRATEGY": os.environ.get("UV_INDEX_STRATEGY") or "unsafe-best-match",
        "UV_HTTP_TIMEOUT": os.environ.get("UV_HTTP_TIMEOUT") or "180",
        **{theirs: asked[name] for name, theirs in untold.items() if asked.get(name)},
    }


def for_container(told: Mapping[str, str]) -> dict[str, str]:
    """The variables for pip and uv inside a container: those for uv here, without folders of this machine."""
    reached = {name: _network_indexes(told.get(name, "")) for name in ("UV_DEFAULT_INDEX", "UV_INDEX")}
    reached |= {"PIP_INDEX_URL": reached["UV_DEFAULT_INDEX"], "PIP_EXTRA_INDEX_URL": reached["UV_INDEX"]}
    strategy = {name: told[name] for name in ("UV_INDEX_STRATEGY", "UV_HTTP_TIMEOUT")}
    return {name: value for name, value in (reached | strategy).items() if value}


def _network_indexes(addresses: str) -> str:
    return " ".join(each for each in addresses.split() if not each.startswith(("file:", "/", ".")))


def _pip_settings() -> dict[str, str]:
    """pip's settings, from its files and its environment variables; without a pip, from the variables alone.

    An environment that uv made has no pip; the Python that it was made from may have one.
    """
    for python in dict.fromkeys([sys.executable, getattr(sys, "_base_executable", sys.executable)]):
        # -P: a folder named pip where the user happens to be is not pip.
        command = [python, "-P", "-m", "pip", "config", "list"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return _parse_pip_listing(done.stdout)
    return {name: value for name in _NAMES if (value := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"))}


def _parse_pip_listing(listing: str) -> dict[str, str]:
    """The settings that `pip config list` shows; one for `install` alone wins over one for every command."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        setting, _, shown = line.partition("=")
        section, _, name = setting.rpartition(".")
        if section in found:
            found[section][name] = " ".join(str(ast.literal_eval(shown)).split())
    return {**found["global"], **found["install"], **found[":env:"]}
