"""Compare a reproduced artifact with the recorded one, within a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from relet.core.artifact import ArtifactType
from relet.errors import BadDataError
from relet.evaluation.comparison.arrays import compare_arrays
from relet.evaluation.comparison.documents import (
    compare_documents,
    compare_figures,
    compare_metrics,
    compare_texts,
    compare_verdicts,
)
from relet.evaluation.comparison.files import compare_files
from relet.evaluation.comparison.models import compare_models
from relet.evaluation.comparison.outcome import Comparison, Difference, conclude
from relet.evaluation.comparison.tables import compare_tables

__all__ = ["Comparison", "compare"]

_OF_NUMBERS: dict[ArtifactType, Callable[[Path, Path, float | None], Iterable[Difference]]] = {
    ArtifactType.TABLE: compare_tables,
    ArtifactType.METRICS: compare_metrics,
    ArtifactType.FIGURE: compare_figures,
    ArtifactType.VERDICT: compare_verdicts,
    ArtifactType.DOCUMENT: compare_documents,
    ArtifactType.TEXT: compare_texts,
    ArtifactType.ARRAY: compare_arrays,
}


def compare(
    type: ArtifactType,
    recorded: Path,
    reproduced: Path,
    *,
    tolerance: float | None,
    rows: Sequence[Path] = (),
    trusted: bool = True,
) -> Comparison:
    """Compare two folders, each with the files of an artifact of this type.

    Two numbers are within the tolerance where they differ by at most `tolerance` × max(1, |recorded number|); None
    allows no difference. Whole numbers in tables and arrays are compared exactly, as text is. `rows` are Parquet
    tables on which two models predict, where the tables have the columns that the models need. With `trusted`
    false, for a recorded model that came from elsewhere, it is tried in a process of its own before it is loaded.
    An artifact that can't be read is not within the tolerance; no error is raised for it.

    >>> import tempfile
    >>> from relet.core.artifact import ArtifactType
    >>> recorded, reproduced = (Path(tempfile.mkdtemp()) for _ in range(2))
    >>> _ = (recorded / "metrics.json").write_text('{"mae": 10.0}')
    >>> _ = (reproduced / "metrics.json").write_text('{"mae": 10.001}')
    >>> found = compare(ArtifactType.METRICS, recorded, reproduced, tolerance=0.001)
    >>> found.within, found.differences
    (True, ('mae: 10.0 → 10.001 (relative 0.0001)',))
    """
    missing = [side for side, at in (("recorded", recorded), ("reproduced", reproduced)) if not at.is_dir()]
    if missing:
        return conclude([Difference(f"the {missing[0]} {type} has no folder")])
    try:
        if type is ArtifactType.MODEL:
            return conclude(compare_models(recorded, reproduced, tolerance, rows, trusted=trusted))
        if type in _OF_NUMBERS:
            return conclude(_OF_NUMBERS[type](recorded, reproduced, tolerance))
        return conclude(compare_files(recorded, reproduced, single=type is ArtifactType.FILE))
    except (BadDataError, OSError, RecursionError) as error:
        # since Python 3.12, JSON may be nested deeper than Python code can follow
        return conclude([Difference(str(error))])
