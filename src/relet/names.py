"""The names that `import relet` offers, where each lives, and the version."""

from __future__ import annotations

from pathlib import Path

__version__ = "0.1.0"

# The folder that this relet's own code lies in.
PACKAGE = Path(__file__).parent

# Where each public name lives. Importing relet imports none of them: `relet --help` stays fast, and the code
# closure of a component that says `from relet import Table` holds the room that Table lives in.
EXPORTS = {
    "Check": "relet.core.artifact",
    "ChosenBy": "relet.core.artifact",
    "Curve": "relet.core.artifact",
    "Figure": "relet.core.artifact",
    "Metrics": "relet.core.artifact",
    "Module": "relet.core.artifact",
    "Source": "relet.core.artifact",
    "Stored": "relet.core.artifact",
    "Verdict": "relet.core.artifact",
    "component": "relet.core.component",
    "Pipeline": "relet.core.pipeline",
    "RowStream": "relet.data.rows",
    "Table": "relet.data.table",
    "Model": "relet.training.model",
    "load": "relet.engine.notebook",
    "progress": "relet.engine.progress",
    "run": "relet.engine.notebook",
}
