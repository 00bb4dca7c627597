"""`relet … | head`: the reader goes before relet has said all."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["tune", "--help"]])
def test_a_process_whose_output_nobody_reads_ends_quietly(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-m", "relet", *words]
    try:
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")
