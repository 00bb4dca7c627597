"""The modules of packages that a call wants by its inputs and outputs, so that they can be imported before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relet.core.component import Component

# What is imported ahead is there for each call, whether its component imports it or not. So these are the packages
# that relet itself uses, and those that they need: to import one sets no generator, no variable that a component
# reads, and no option. Any other package is imported when a call asks for it.
# fmt: off
NEUTRAL = frozenset((
    "numpy", "pandas", "pyarrow", "pyarrow_hotfix", "scipy", "sklearn", "joblib",
    "threadpoolctl", "lightgbm", "polars", "narwhals", "duckdb", "ibis", "sqlglot", "dateutil", "six",
    "markupsafe", "cloudpickle", "packaging", "pytest", "_pytest", "pluggy", "iniconfig",
))
# fmt: on
# pyarrow imports pandas itself, where that is installed, as soon as it has values to convert.
_TABLE = ("pyarrow.parquet", "pyarrow.compute", "pandas")
# What is imported ahead before anybody knows which steps will run.
NEARLY_ALWAYS = _TABLE
# What it takes to read an input in a container, or to write an output of a type.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "table": _TABLE,
    "arrow": _TABLE,
    "reader": _TABLE,
    "rows": _TABLE,
    "pandas": _TABLE,
    "polars": ("polars", *_TABLE),
    "lazy": ("polars", *_TABLE),
    "array": ("numpy",),
    "ibis": (*_TABLE, "duckdb", "ibis", "ibis.backends.duckdb", "sqlglot.dialects.duckdb"),
}
# What models mostly consist of. In pieces: an answer and the next question wait until an import has ended.
_MODEL = (
    "scipy.sparse",
    "scipy.optimize",
    "scipy.ndimage",
    "scipy.stats",
    "joblib",
    "sklearn.preprocessing",
    "sklearn.pipeline",
)


def modules_needed(component: Component) -> Iterator[str]:
    """The modules without which its inputs can't be read and its outputs can't be written."""
    for container in _containers(component):
        yield from _NEEDED.get(container, ())


def modules_wanted(component: Component) -> Iterator[str]:
    """Those, and the modules that a call with these inputs and outputs mostly uses."""
    for container in _containers(component):
        yield from _NEEDED.get(container, _MODEL if container == "model" else ())


def _containers(component: Component) -> Iterator[str]:
    yield from (each.container for each in component.inputs)
    yield from (each.type for each in component.outputs)
