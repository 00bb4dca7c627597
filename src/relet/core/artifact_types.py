"""The type of an artifact, as an annotation of a component's inputs and outputs spells it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from relet.core.artifact import ArtifactType
from relet.core.groups import is_dataclass
from relet.core.source import ParsedModule, annotation_members, says_none

# Every way to spell an artifact's type in a signature → the container that the function gets.
CONTAINERS = {
    "relet.Table": "ibis",
    "relet.data.table.Table": "ibis",
    "ibis.Table": "ibis",
    "ibis.expr.types.Table": "ibis",
    "pandas.DataFrame": "pandas",
    "polars.DataFrame": "polars",
    "polars.LazyFrame": "lazy",
    "pyarrow.Table": "arrow",
    "pyarrow.RecordBatchReader": "reader",
    "relet.RowStream": "rows",
    "relet.data.rows.RowStream": "rows",
    "numpy.ndarray": "array",
    "numpy.typing.NDArray": "array",
    "dict": "document",
    "list": "document",
    "typing.Dict": "document",
    "typing.List": "document",
    "typing.Mapping": "document",
    "typing.Sequence": "document",
    "collections.abc.Mapping": "document",
    "collections.abc.Sequence": "document",
    "str": "text",
    "pathlib.Path": "path",
    "relet.Model": "model",
    "relet.training.model.Model": "model",
    "relet.Metrics": "metrics",
    "relet.core.artifact.Metrics": "metrics",
    "relet.Figure": "figure",
    "relet.core.artifact.Figure": "figure",
    "relet.Verdict": "verdict",
    "relet.core.artifact.Verdict": "verdict",
}
# The figures of these libraries are outputs only: they are stored as drawings, which no library reads back.
DRAWN = frozenset(
    (
        "matplotlib.figure.Figure",
        "matplotlib.pyplot.Figure",
        "plotly.graph_objects.Figure",
        "plotly.graph_objs.Figure",
        *(f"altair.{name}Chart" for name in ("", "Layer", "Concat", "HConcat", "VConcat", "Facet", "Repeat")),
    )
)
TYPES = {
    "ibis": ArtifactType.TABLE,
    "pandas": ArtifactType.TABLE,
    "polars": ArtifactType.TABLE,
    "lazy": ArtifactType.TABLE,
    "arrow": ArtifactType.TABLE,
    "reader": ArtifactType.TABLE,
    "rows": ArtifactType.TABLE,
    "array": ArtifactType.ARRAY,
    "document": ArtifactType.DOCUMENT,
    "text": ArtifactType.TEXT,
    "path": ArtifactType.FILE,
    "model": ArtifactType.MODEL,
    "metrics": ArtifactType.METRICS,
    "figure": ArtifactType.FIGURE,
    "verdict": ArtifactType.VERDICT,
}
# What an error says that got another annotation.
KNOWN = (
    "Table, pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table, pa.RecordBatchReader, RowStream (tables), "
    "np.ndarray, dict, list or a dataclass of this project (JSON documents), str (text), "
    "Path (a file or a folder), Model, Metrics, Figure, Verdict"
)
KNOWN_FIGURES = "a figure of matplotlib (matplotlib.figure.Figure), Plotly (go.Figure) or Altair (alt.Chart)"


@dataclass(frozen=True, kw_only=True)
class AnnotatedArtifact:
    """What an annotation says of an artifact: the container, and of a document what it is as a value.

    `document` is "dict", "list", or a dataclass as `module:Class`; "" for every other container.
    """

    container: str
    document: str = ""

    @property
    def type(self) -> ArtifactType:
        return TYPES[self.container]


def annotated_artifact(
    source: ParsedModule, annotation: ast.expr, *, is_output: bool = False
) -> AnnotatedArtifact | None:
    """The artifact that an annotation stands for; None where it stands for none, or for several."""
    members = [each for each in annotation_members(source, annotation) if not says_none(each)]
    if len(members) != 1:
        return None
    base = members[0].value if isinstance(members[0], ast.Subscript) else members[0]
    name = source.dotted(base)
    if is_output and name in DRAWN:
        return AnnotatedArtifact(container="figure")
    if found := CONTAINERS.get(name):
        kind = "list" if name.rpartition(".")[2] in ("list", "List", "Sequence") else "dict"
        return AnnotatedArtifact(container=found, document=kind if found == "document" else "")
    return _document_class(source, base)


def _document_class(source: ParsedModule, node: ast.expr) -> AnnotatedArtifact | None:
    """The document that a dataclass or a TypedDict of the project is."""
    found = source.class_of(node) if isinstance(node, ast.Name | ast.Attribute) else None
    if found is None:
        return None
    home, defined = found
    if any(home.dotted(base) == "typing.TypedDict" for base in defined.bases):
        return AnnotatedArtifact(container="document", document="dict")
    if not is_dataclass(home, defined):
        return None
    return AnnotatedArtifact(container="document", document=f"{home.name}:{defined.name}")
