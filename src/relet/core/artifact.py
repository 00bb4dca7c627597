"""What components make and take: artifacts, their versions, and references to them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from relet.errors import BadDataError, NotFoundError

NAME = re.compile(r"[a-z][a-z0-9_]*")
# The name of a pipeline: that of its folder. A full name of an artifact begins with it: `nyc_rentals/model`.
PIPELINE_NAME = re.compile(r"\w[\w.\-]*")
# The metadata of a version that came with a bundle: which bundle, and the version's name and run there.
IMPORTED = "imported"
# The artifacts that hold relet's own verdicts on runs and steps: no output of a component has these names.
REPRODUCTION = "reproduction"
DETERMINISM = "determinism"


class ArtifactType(StrEnum):
    """The kinds of product that a component can make."""

    TABLE = "table"
    FILE = "file"
    FOLDER = "folder"
    FIGURE = "figure"
    METRICS = "metrics"
    MODEL = "model"
    VERDICT = "verdict"
    DOCUMENT = "document"
    TEXT = "text"
    ARRAY = "array"


def is_full_name(name: str) -> bool:
    """Whether an artifact's name has a pipeline's name before it."""
    pipeline, slash, name = name.partition("/")
    return bool(slash and PIPELINE_NAME.fullmatch(pipeline) and NAME.fullmatch(name))


def in_pipeline(pipeline: str, text: str) -> str:
    """The full name, or reference, that a short one means within a pipeline; a full one stays as it is.

    >>> in_pipeline("sales", "raw:latest"), in_pipeline("sales", "other/raw:v2")
    ('sales/raw:latest', 'other/raw:v2')
    """
    return text if "/" in text else f"{pipeline}/{text}"


def within_pipeline(pipeline: str, text: str) -> str:
    """The short name, or reference, of what belongs to a pipeline; what belongs to another keeps its full one.

    >>> within_pipeline("sales", "sales/raw:v1"), within_pipeline("sales", "other/raw:v2")
    ('raw:v1', 'other/raw:v2')
    """
    return text.removeprefix(f"{pipeline}/")


def short_name(name: str) -> str:
    """An artifact's name without its pipeline's: the name that signatures have.

    >>> short_name("sales/raw"), short_name("raw")
    ('raw', 'raw')
    """
    return name.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One stored version of an artifact.

    `name` is the full name, with the pipeline's (`nyc_rentals/model`). It is a short one where no pipeline made
    the version, and where an older relet stored it.
    `files` maps each relative path to the SHA-256 of its bytes. `content` is the digest that keys and verdicts
    use; for a table it is the digest of schema and rows, which does not depend on how the file was written.
    """

    name: str
    number: int
    type: ArtifactType
    content: str
    files: Mapping[str, str]
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    producer: str | None = None
    created: str = ""

    def __str__(self) -> str:
        return f"{self.name}:v{self.number}"

    @property
    def imported(self) -> Mapping[str, str] | None:
        """Where a version comes from that was not made in this store; None for one that was made here.

        `bundle` is the SHA-256 of the bundle's manifest, `version` the name in the store that it left, `run` the
        run that made it, as the bundle says. The content that came was worked out again from its files.
        """
        return self.metadata.get(IMPORTED)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Version:
        return cls(**{**stored, "type": ArtifactType(stored["type"])})


@dataclass(frozen=True)
class Reference:
    """The name of an artifact and one of its versions: a number, or an alias such as `latest` or `prod`.

    >>> Reference.parse("clean_sample:v3").number
    3
    >>> Reference.parse("nyc_rentals/model:prod").name
    'nyc_rentals/model'
    >>> str(Reference.parse("clean_sample"))
    'clean_sample:latest'
    """

    name: str
    selector: str = "latest"

    @classmethod
    def parse(cls, text: str) -> Reference:
        name, _, selector = text.partition(":")
        selector = selector or "latest"
        if not (NAME.fullmatch(name) or is_full_name(name)) or not re.fullmatch(
            r"[A-Za-z0-9][A-Za-z0-9_.\-]*", selector
        ):
            raise NotFoundError(
                f"{text!r} is no reference to an artifact; write name:v3 or name:alias, or pipeline/name:v3"
            )
        return cls(name, selector)

    @property
    def number(self) -> int | None:
        """The number of the version; None where the reference names an alias."""
        return int(self.selector[1:]) if re.fullmatch(r"v[1-9][0-9]{0,8}", self.selector) else None

    def __str__(self) -> str:
        return f"{self.name}:{self.selector}"


@dataclass(frozen=True)
class Stored:
    """Marks an input that is a stored version rather than this run's product.

    While `reference` does not exist yet, this run's artifact of the name `initially` is taken instead; where no
    verdict on it fails, the alias is then set to it: `Annotated[Table, Stored("clean:reference", "clean")]`.
    """

    reference: str
    initially: str | None = None


class Source:
    """Marks a parameter that names a source outside: a path or an http(s) URL.

    The digest of its content enters the key, its name does not; the component gets a local path. `builtin` are
    words that name no source, which the component gets as they are: `Annotated[str, Source("generated")]`.
    """

    def __init__(self, *builtin: str) -> None:
        self.builtin = builtin


class Module:
    """Marks a parameter that names one of a package's modules: `Annotated[str, Module("pipelines.p.families")]`.

    The chosen module and what it imports join the component's code, so that the component may import it by its
    name. An edit of another module of the package runs nothing again.
    """

    def __init__(self, package: str) -> None:
        self.package = package


class ChosenBy:
    """Marks a group of parameters whose class another parameter chooses: `Annotated[Learner, ChosenBy("family")]`.

    That other parameter names a module (`Module`), and the group is the one public frozen dataclass which that
    module defines.
    """

    def __init__(self, chosen_by: str) -> None:
        self.chosen_by = chosen_by


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A metric that was measured several times: its value after each number of steps.

    `points` are (step, value): steps are whole numbers from 0 on and ascend, values are finite. `x` names what the
    steps count, such as "rounds" or "rows". Where a plain number is needed, a curve counts as its last value.
    Raises BadDataError for other points.

    >>> error = Curve(points=[(1, 60.0), (2, 45.5)], x="rounds")
    >>> error.last
    45.5
    >>> Curve(points=[(2, 1.0), (1, 2.0)])
    Traceback (most recent call last):
    relet.errors.BadDataError: a curve's steps have to ascend, got 1 after 2; sort its points by their step
    """

    points: Sequence[tuple[int, float]]
    x: str = "step"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple(_points(self.points)))
        if not isinstance(self.x, str) or not self.x.strip():
            raise BadDataError(f'a curve\'s x names what its steps count, got {self.x!r}; write x="rounds"')

    @property
    def last(self) -> float:
        """The value after the last step."""
        return self.points[-1][1]

    def to_json(self) -> dict[str, Any]:
        return {"points": [list(point) for point in self.points], "x": self.x}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Curve:
        return cls(points=stored["points"], x=stored["x"])


def _points(given: Iterable[Any]) -> Iterator[tuple[int, float]]:
    before = -1
    for point in given:
        try:
            at, value = point
            step, number = int(at), float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadDataError(f"a point of a curve is a step and a value, got {point!r}: {error}") from error
        if step != at or step < 0:
            raise BadDataError(f"a curve's steps are whole numbers from 0 on, got {at!r}")
        if not math.isfinite(number):
            raise BadDataError(f"a curve's values have to be finite, got {number} at step {step}; leave it out")
        if step <= before:
            raise BadDataError(
                f"a curve's steps have to ascend, got {step} after {before}; sort its points by their step"
            )
        before = step
        yield step, number
    if before < 0:
        raise BadDataError("a curve has at least one point, got none; leave the metric out")


# Name → a number, or the curve that led to it.
Metrics = Mapping[str, float | Curve]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One test within a verdict: its name, whether it passed, one sentence, and the rows that failed it.

    `measured` is the result of a non-deterministic test, as JSON can hold it: the test's name, its statistic,
    p-value, effect and so on. A test that was `skipped` looked at nothing, and its message says why: it holds
    nothing back, so that it counts as passed. A test that failed where it `compared` the rows with a reference may
    pass with another one.
    """

    name: str
    passed: bool
    message: str = ""
    rows: tuple[Mapping[str, Any], ...] = ()
    p_value: float | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)
    skipped: bool = False
    compared: bool = False

    @property
    def deterministic_failure(self) -> bool:
        """Whether it failed by what the rows are, whatever they are compared with.

        A non-deterministic test may fail by an assertion of its own, too: then its message is not the sentence on
        what it measured.

        >>> Check(name="test_rows", passed=False, message="12 rows").deterministic_failure
        True
        >>> shifted = {"rejected": True, "sentence": "Dearer."}
        >>> Check(name="test_prices", passed=False, message="Dearer.", measured=shifted).deterministic_failure
        False
        """
        if self.passed or self.compared:
            return False
        if self.measured:
            return not (self.measured.get("rejected") and self.message == self.measured.get("sentence"))
        return self.p_value is None

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it; `skipped` and `compared` are there only where they are true."""
        return {
            name: value for name, value in asdict(self).items() if value or name not in ("skipped", "compared")
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of a gate, with its reason. A failed verdict is a value, not an exception."""

    passed: bool
    reason: str
    checks: tuple[Check, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)

    @property
    def skipped(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.skipped)

    @property
    def deterministic_failures(self) -> tuple[Check, ...]:
        """The failed checks that another reference would not let pass."""
        return tuple(check for check in self.checks if check.deterministic_failure)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "checks": tuple(check.to_json() for check in self.checks)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Verdict:
        checks = tuple(Check(**{**check, "rows": tuple(check["rows"])}) for check in stored["checks"])
        return cls(**{**stored, "checks": checks})


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing as SVG text, or as the text of an HTML page: one of both.

    A component may return a figure of matplotlib, Plotly or Altair instead; relet draws it. Raises BadDataError
    for both, or neither.

    >>> Figure(svg="<svg/>").html
    ''
    """

    svg: str = ""
    html: str = ""

    def __post_init__(self) -> None:
        if bool(self.svg) == bool(self.html):
            raise BadDataError("a figure is SVG text or an HTML page: write Figure(svg=…) or Figure(html=…)")
