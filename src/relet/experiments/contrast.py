"""Runs side by side: the parameters, metrics, inputs, code and packages in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relet.core.artifact import Curve
from relet.core.record import KeyParts, RunRecord
from relet.experiments.experiment import Trial


@dataclass(frozen=True, kw_only=True)
class ContrastedRun:
    """One of the runs, with its label, its record, and the key parts of its steps.

    `parts` are component → the parts of its key. They are there for a skipped step, too: an earlier run made what
    that step has.
    """

    label: str
    record: RunRecord
    trial: Trial
    parts: Mapping[str, KeyParts] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ContrastRow:
    """One name with its value in each run, None where a run has no such value."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] for value in self.values)

    @property
    def apart(self) -> float | None:
        """How far the second of two numbers is from the first; None unless there are two numbers."""
        if len(self.values) != 2 or not all(isinstance(v, int | float) for v in self.values):
            return None
        if any(isinstance(value, bool) for value in self.values):
            return None
        return float(self.values[1] - self.values[0])


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What differs between runs.

    `basis` are the rows that differ of "code", "packages", "resources", "inputs", "sources", "commit" and
    "machine"; the rows of the first five are about the steps that all runs have. `curves` are metric → label →
    curve. `same` are parameters, metrics and kinds of basis → how many rows are equal in all runs and left out.
    """

    labels: tuple[str, ...]
    facts: tuple[ContrastRow, ...]
    parameters: tuple[ContrastRow, ...]
    metrics: tuple[ContrastRow, ...]
    basis: Mapping[str, tuple[ContrastRow, ...]]
    curves: Mapping[str, Mapping[str, Curve]]
    same: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a program, each row as run → value."""

        def rows(held: Sequence[ContrastRow]) -> dict[str, Any]:
            return {row.name: dict(zip(self.labels, row.values, strict=True)) for row in held}

        return {
            "runs": rows(self.facts),
            "parameters": rows(self.parameters),
            "metrics": rows(self.metrics),
            "basis": {kind: rows(held) for kind, held in self.basis.items()},
            "curves": {
                name: {label: curve.to_json() for label, curve in held.items()}
                for name, held in self.curves.items()
            },
            "same": dict(self.same),
        }


def contrast(sides: Sequence[ContrastedRun], *, everything: bool = False) -> Contrast:
    """What differs between runs; with `everything` also what is equal."""
    trials = [side.trial for side in sides]
    steps = set.intersection(*(set(side.parts) for side in sides))
    # a run says nothing of the code and inputs of a step that it never reached
    shared = [
        replace(side, parts={name: side.parts[name] for name in side.parts if name in steps}) for side in sides
    ]
    parameters = list(_rows_by_name([trial.settings for trial in trials]))
    metrics = list(_rows_by_name([trial.metrics for trial in trials]))
    basis = {kind: list(_rows_by_name([of(side) for side in shared])) for kind, of in _BASIS.items()}
    same = {"parameters": _equal_count(parameters), "metrics": _equal_count(metrics)}
    same |= {kind: _equal_count(rows) for kind, rows in basis.items()}

    def shown(rows: Sequence[ContrastRow]) -> tuple[ContrastRow, ...]:
        return tuple(row for row in rows if everything or row.differs)

    return Contrast(
        labels=tuple(side.label for side in sides),
        facts=tuple(_fact_rows(sides)),
        parameters=shown(parameters),
        metrics=shown(metrics),
        basis={kind: held for kind, rows in basis.items() if (held := shown(rows))},
        curves=_curves_by_metric(sides),
        same={kind: count for kind, count in same.items() if count and not everything},
    )


def _fact_rows(sides: Sequence[ContrastedRun]) -> Iterator[ContrastRow]:
    trials = [side.trial for side in sides]
    steps = list(dict.fromkeys(step for side in sides for step in side.parts))
    of: dict[str, Callable[[Trial], Any]] = {
        "run": lambda each: each.id,
        "experiment": lambda each: each.experiment,
        "started": lambda each: each.started[:19].replace("T", " "),
        "status": lambda each: str(each.status),
        "seconds": lambda each: each.seconds,
        "model": lambda each: each.model,
        "reason": lambda each: each.reason or None,
    }
    for name, value in of.items():
        row = ContrastRow(name=name, values=tuple(value(each) for each in trials))
        if any(each is not None for each in row.values):
            yield row
    lacking = ContrastRow(name="without", values=tuple(_steps_not_reached(side, steps) for side in sides))
    if lacking.differs:
        yield lacking


def _steps_not_reached(side: ContrastedRun, steps: Sequence[str]) -> str | None:
    """The steps that another run reached and this one did not."""
    return ", ".join(step for step in steps if step not in side.parts) or None


def _rows_by_name(held: Sequence[Mapping[str, Any]]) -> Iterator[ContrastRow]:
    for name in dict.fromkeys(name for each in held for name in each):
        yield ContrastRow(name=name, values=tuple(each.get(name) for each in held))


def _equal_count(rows: Sequence[ContrastRow]) -> int:
    return sum(not row.differs for row in rows)


def _code(side: ContrastedRun) -> dict[str, str]:
    return {module: digest for parts in side.parts.values() for module, digest in parts.code.items()}


def _packages(side: ContrastedRun) -> dict[str, str]:
    return {package: version for parts in side.parts.values() for package, version in parts.packages.items()}


def _resources(side: ContrastedRun) -> dict[str, str]:
    return {path: digest for parts in side.parts.values() for path, digest in parts.resources.items()}


def _inputs(side: ContrastedRun) -> dict[str, str | None]:
    """Input → its content's digest: equal rows with another version number are the same input."""
    return {name: content for parts in side.parts.values() for name, content in parts.inputs.items()}


def _source_digests(side: ContrastedRun) -> dict[str, str]:
    return {
        f"{component}.{name}": value["sha256"]
        for component, parts in side.parts.items()
        for name, value in parts.parameters.items()
        if isinstance(value, Mapping) and value.keys() == {"sha256"}
    }


def _commit_facts(side: ContrastedRun) -> dict[str, Any]:
    code = side.record.code
    return {"commit": code.commit, "uncommitted changes": code.diff or ("yes" if code.dirty else None)}


def _machine(side: ContrastedRun) -> dict[str, Any]:
    found = {"lock": side.record.lock}
    for name, value in side.record.machine.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": each for key, each in value.items()}
        elif name != "mlflow_run_id":
            found[name] = value
    return found


_BASIS: Mapping[str, Callable[[ContrastedRun], Mapping[str, Any]]] = {
    "code": _code,
    "packages": _packages,
    "resources": _resources,
    "inputs": _inputs,
    "sources": _source_digests,
    "commit": _commit_facts,
    "machine": _machine,
}


def _curves_by_metric(sides: Sequence[ContrastedRun]) -> dict[str, dict[str, Curve]]:
    names = dict.fromkeys(name for side in sides for name in side.curves)
    return {name: {side.label: side.curves[name] for side in sides if name in side.curves} for name in names}
