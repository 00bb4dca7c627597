"""Commands that are called in the process of a test."""

from __future__ import annotations

import sys

import pytest


def exit_status(*words: str) -> int:
    """The exit status of `relet` with these words."""
    from relet.cli import main

    before = sys.argv
    sys.argv = ["relet", *words]
    try:
        main()
        return 0
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before


def relet(capture: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit status of `relet` with these words, and what it alone printed to both streams."""
    capture.readouterr()
    status = exit_status(*words)
    printed = capture.readouterr()
    return status, printed.out, printed.err


def out_of(capture: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints that ends well and warns of nothing."""
    status, out, err = relet(capture, *words)
    assert (status, err) == (0, "")
    return out
