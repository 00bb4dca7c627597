"""Uploads recorded runs by `wandb sync`, W&B's own command, in a process that has a time limit."""

from __future__ import annotations

import netrc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from relet.tracking.wandb import ledger

# The process ends itself after its time limit, even where the process that waits for it was killed.
PROGRAM = (
    "import signal, sys; signal.alarm(int(sys.argv.pop(1))); "
    "from wandb.cli.cli import cli; cli(prog_name='wandb', args=sys.argv[1:])"
)
# `wandb login` may have written either of W&B's own hosts.
HOSTS = ("api.wandb.ai", "api.forge.coreweave.com")
# Seconds for a server to answer at all: `wandb sync` itself tries a dead one for days.
ANSWER = 5
# Seconds beyond its time limit that the process has to end itself.
GRACE = 5.0


@dataclass(frozen=True, kw_only=True)
class UploadResult:
    """How many runs were uploaded, how many are left, and why."""

    done: int
    left: int
    reason: str = ""


def is_logged_in() -> bool:
    """Whether W&B's client would find a key on this machine. Asks neither a person nor a server."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    try:
        known = netrc.netrc(os.environ.get("NETRC") or _netrc())
    except (OSError, netrc.NetrcParseError):
        return False
    own = os.environ.get("WANDB_BASE_URL")
    hosts = [urlsplit(own).netloc] if own else HOSTS
    return any(found[2] for host in hosts if (found := known.authenticators(host)))


def _netrc() -> Path:
    home = Path.home()
    return home / ".netrc" if (home / ".netrc").exists() else home / "_netrc"


def upload(wandb: Path, *, patience: float) -> UploadResult:
    """Upload the runs that wait in a `wandb/` folder, for `patience` seconds at most; the others go on waiting."""
    waiting = ledger.waiting_entries(wandb)
    until = time.monotonic() + patience
    reason = why_unreachable() if waiting else ""
    for group in ledger.in_order(waiting):
        left = int(until - time.monotonic())
        if reason or left < 1:
            reason = reason or _timeout_reason(patience, b"")
            break
        folders = [wandb / each.folder for each in group]
        said = _sync(wandb, folders, left)
        if not all(map(ledger.is_uploaded, folders)):
            reason = said
    still = ledger.waiting_entries(wandb)
    ledger.drop_objects(wandb)
    return UploadResult(done=len(waiting) - len(still), left=len(still), reason=reason if still else "")


def why_unreachable() -> str:
    """Why W&B's server can't be reached; "" where it answers anything at all."""
    import requests

    url = os.environ.get("WANDB_BASE_URL") or _configured_url()
    try:
        requests.head(url, timeout=ANSWER).close()
    except (requests.RequestException, ValueError) as error:
        return f"{url} can't be reached: {type(error).__name__}"
    return ""


def _configured_url() -> str:
    import wandb

    return str(wandb.setup().settings.base_url)


def _sync(wandb: Path, folders: Sequence[Path], patience: int) -> str:
    """Run `wandb sync` on folders, and return the last line that it wrote."""
    command = [sys.executable, "-P", "-c", PROGRAM, str(patience), "sync", *map(str, folders)]
    # These variables belong to the process that recorded: this process uploads, whatever they say.
    environment = {k: v for k, v in os.environ.items() if k not in ("WANDB_SERVICE", "WANDB_MODE", "WANDB_SILENT")}
    # `wandb sync` writes a log, which would else lie below the current folder.
    environment["WANDB_DIR"] = str(wandb.parent)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            timeout=patience + GRACE,
        )
    except subprocess.TimeoutExpired as error:
        return _timeout_reason(patience, error.stdout or b"")
    if done.returncode == -signal.SIGALRM:
        return _timeout_reason(patience, done.stdout)
    return _last_line(done.stdout) or f"it ended with status {done.returncode}"


def _timeout_reason(patience: float, wrote: bytes) -> str:
    line = _last_line(wrote)
    return f"it was not done in {patience:g} s{f', and said last: {line}' if line else ''}"


def _last_line(wrote: bytes) -> str:
    lines = [line.removeprefix("wandb:").strip() for line in wrote.decode("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")
