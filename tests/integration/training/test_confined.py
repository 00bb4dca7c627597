"""What a model tries in the confined process is told, whatever the model makes of the refusal."""

import sys

import pytest

from relet.errors import ModelError
from relet.training import quarantine
from relet.training.quarantine import try_model
from tests.integration.training.test_quarantine import INSTEAD

HIDING = "def act(folder):\n try: Path('/etc/passwd').read_bytes()\n except OSError: pass"


def test_what_a_model_tried_is_told_though_it_went_on_as_if_nothing_were(tmp_path, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text(INSTEAD.format(code=HIDING))
    monkeypatch.setattr(quarantine, "PROGRAM", (sys.executable, "-P", "-B", str(program)))
    with pytest.raises(ModelError, match=r"it tried what no model needs: open /etc/passwd$"):
        try_model(tmp_path)
