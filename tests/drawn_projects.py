"""Projects as people write them, right and wrong, for a test that draws many of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

INPUTS = [
    *("pd.DataFrame", "Table", "Path", "dict", "list", "str", "Metrics", "pd.DataFrame | None", "'pd.DataFrame'"),
    *("Optional[pd.DataFrame]", "Annotated[Table, Stored('y:prod')]", "Annotated[Table, Stored('y:prod', 'y')]"),
    *(
        "Annotated[Table]",
        "Annotated[Table, Stored()]",
        "Annotated[Table, Stored(1)]",
        "Annotated[Table, Stored('')]",
    ),
    *(
        "Annotated[Table, Stored(a=1)]",
        "Annotated[Table, Stored('y', 'y', 'y')]",
        "Annotated[Table, Stored(NAME)]",
    ),
    *("'not valid ('", "''", "None", "undefined.Name", "int", "3", "lambda: 0", "[int]", "Literal['a']", "x[0]"),
    *("Bounds", "Colour", "np.ndarray", "'Table | '", "Annotated['Table', 3]", "Annotated[(), 3]", "Table[int]"),
    *("Annotated[Table, Stored('Y:prod')]", "Annotated[Table, Stored('y:')]", "Annotated[Table, Stored('y:a b')]"),
    *("Annotated[Table, Stored(None)]", "Annotated[Table, Stored('y', initially=3)]", "(yield)", "await x"),
]
PARAMETERS = [
    *(
        "int",
        "float",
        "str",
        "bool",
        "int | None",
        "list[int]",
        "dict[str, float]",
        "tuple[int, ...]",
        "tuple[()]",
    ),
    *("Literal['a', 1]", "Literal[NAME]", "Literal[()]", "Literal['a'", "date", "datetime", "Path", "Colour"),
    *("Missing", "Bounds", "'int'", "'in t'", "''", "Annotated[str, Source('generated')]", "Annotated[int, 3]"),
    *("Annotated[str, Module('pipelines.drawn.families')]", "Annotated[str, Module('no.such')]", "Annotated[str]"),
    *("Annotated[str, Module(3)]", "Annotated[Bounds, ChosenBy('x')]", "Annotated[Bounds, ChosenBy('family')]"),
    *("Annotated[str, Source(3)]", "list[list[list[int]]]", "Callable", "set[int]", "Any", "object", "type"),
    *("Union[int, str]", "Optional[int]", "float | list[Bounds]", "list[Colour]", "dict[int, str]", "dict[str]"),
    *("list[int, str]", "tuple[int, ..., str]", "tuple[...]", "...", "3", "lambda: 0", "pd.DataFrame", "list[]x"),
    *("Recursive", "Odd", "Annotated[Recursive, ChosenBy('family')]", "dict[Colour, int]", "None", "Empty"),
]
DEFAULTS = [
    *(
        "",
        "",
        "",
        "1",
        "1.5",
        "'a'",
        "None",
        "[]",
        "{}",
        "(1, 2)",
        "Colour.RED",
        "Colour.NO",
        "Colour",
        "Bounds()",
    ),
    *("Bounds(1)", "Bounds(size='x')", "Bounds(no=1)", "Bounds(*x)", "Bounds(**x)", "date(2020, 1, 1)"),
    *("date(2020, 13, 1)", "date('x')", "Path('a')", "Path()", "Path('a') / 'b'", "NAME", "undefined", "1 + 1"),
    *("-1", "1 / 0", "f''", "f'{x}'", "lambda: 0", "float('nan')", "float('inf')", "1e400", "10 ** 1000"),
    *("{1: 2}", "{'a': {'b': 1}}", "{'a'}", "b'x'", "...", "1j", "'\\ud800'", "'\\0'", "[1, 'a']", "True"),
    *("{'a': [None]}", "not 1", "[*x]", "{**x}", "x if y else z", "-'a'", "(yield)", "{[]: 1}", "'x' * 3"),
]
NAMES = [
    *("x", "x", "y", "z", "self", "name", "steps", "main", "store", "seed", "ä", "X", "_", "__x", "search"),
    *("tracking", "hydra", "defaults", "family", "type", "help", "inputs", "workers", "a", "b", "reproduction"),
]
DECORATORS = [
    *('@component(job_type="a")',) * 6,
    *("@component()", "@component(job_type=1)", "@component", "", '@component(job_type="a", resources=("nope",))'),
    *('@component(job_type="a", resources="x")', '@component(job_type="a", resources=(1,))'),
    *('@component(job_type="a", judges=("x",))', '@component(job_type="a", judges=3)', '@component("a")'),
    *('@component(job_type="a", tolerance="a")', '@component(job_type="a", tolerance={"y": -1})'),
    *('@component(job_type="a", environment="uv:nope")', '@component(job_type="a", environment=3)'),
    *('@component(**{"job_type": "a"})', '@component(job_type="a", no=1)', '@component(job_type="")'),
    *('@relet.component(job_type="a")', '@component(job_type="a", resources=("..",))', "@cached\n@component()"),
    *('@component(job_type="a", tolerance={1: 1})', '@component(job_type="a", resources=("",))'),
    *('@component(job_type="a", tolerance={"y": float("nan")})', '@component(job_type="a", resources=("/etc",))'),
]
OUTPUTS = [
    *("y: pd.DataFrame", "y: Metrics", "y: Path", "y: Verdict", "y: 'pd.DataFrame'", "y: Table = None", "y: int"),
    *("z: pd.DataFrame", "y: Figure\n    z: Metrics", "pass", "x: Table", "y: undefined", "Y: Metrics", "y: ''"),
    *("y: 'a b'", "y: Metrics | None", "ä: Metrics", "y: Metrics\n    y: Metrics", "y: Annotated[Table, 3]"),
    *("reproduction: Verdict", "def y(self): ...", "y = 3", "y: dict", "y: list[int]", "y: Bounds"),
]
RETURNS = [
    *("Made",) * 8,
    "None",
    "",
    "Table",
    "'Made'",
    "'Ma de'",
    "tuple[Table]",
    "Bounds",
    "3",
    "typing.Made",
    "''",
]
RETURNED = ["None", "1", "Made()", "Made(1)", "Made({'x': 1.0})", "{'x': 1.0},", "(1, 2)", "1 / 0", "exit()", "[]"]
DEFINITIONS = [*("def",) * 8, "async def", "class", "lambda"]
PIPELINES = [
    *("Pipeline([a, b])",) * 4,
    *("Pipeline([a])", "Pipeline([b])", "Pipeline([a, a])", "Pipeline([a, b], on_request=[b])", "Pipeline([])"),
    *("Pipeline([a, b.using('c', y='z', x='y')])", "Pipeline([a, a.using('c', y='q', z='r')])", "Pipeline()"),
    *("Pipeline([a, b.using(3)])", "Pipeline([a, b.using(y=NAME)])", "Pipeline([a, b.using()])", "Pipeline(a)"),
    *("Pipeline([a, b], settings={'x': 'a.x'})", "Pipeline([a, b], settings={'x': 3})", "Pipeline([a()])"),
    *("Pipeline([a, b], settings={1: 'a'})", "Pipeline([a, b], settings={'': ''})", "Pipeline([a, *b])"),
    *("Pipeline([a, b], settings={'q.{a.x}': 'a.x'})", "Pipeline([a, b], settings={'x': []})", "Pipeline(*x)"),
    *("Pipeline([a, b], settings=dict(x=1))", "Pipeline([a, b], on_request=b)", "Pipeline([a, b], no=3)"),
    *("Pipeline([a, b], by_name=['c', 3])", "Pipeline([a, b], on_request=['a'])", "Pipeline([a, b], **x)"),
    *("Pipeline(components=[a, b], name='q')", "Pipeline([a, 'b'])", "Pipeline([a.b.c])", "Pipeline([x[0]])"),
    *("[a, b]", "None", "make()", "Pipeline([a, b], settings={'x': ['a.x', 3]})", "Pipeline([a, b], settings=3)"),
    *("Pipeline([a, b], settings={('x',): 'a.x'})", "Pipeline([a, b], settings={'q': {'r': 'a.x'}})"),
    *(
        "Pipeline([a, b], settings={'{': 'a.x'})",
        "Pipeline([a, b], settings={'{no.x}': 'a.x'})",
        "Pipeline([a for a in b])",
    ),
]
CONFIGURATIONS = [
    *("", "", "x: 1", "a: {x: 1}", "[", "- a", "main: 3", "main: {seed: null}", "main: {seed: x}", "store: 3"),
    *(
        "store: {url: 3}",
        "store: {url: ''}",
        "tracking: 3",
        "tracking: [nope]",
        "tracking: []",
        "a: null",
        "a: [1]",
    ),
    *("a: {x: '${nope}'}", "a: {x: '${oc.env:NOPE}'}", "defaults: [nope]", "defaults: 3", "? [a, b]\n: c"),
    *("1: 2", "a.b: 3", "x: !!python/object/apply:os.getcwd []", "\0", "\tx: 1", "x: &a [*a]", "a: {x: .nan}"),
    *(
        "main: {experiment_name: ''}",
        "main: {experiment_name: [1]}",
        "x: 1\nx: 2",
        "'': 1",
        "null: 1",
        "a: {1: 2}",
    ),
    *("x: 2020-01-01", "x: {y: {z: 1}}", "a: {x: '???'}", "???: 1", "a: {x: [1, {b: 2}]}", "search: 3", "~", "3"),
    *(
        "main: {evaluate: maybe}",
        "search: {metric: 3, direction: up}",
        "a: {x: '${a.x}'}",
        "x: '${'",
        "\ud800",
        "x: 1e999",
    ),
    *(
        "defaults: [{model: nope}]",
        "defaults: [_self_, {override hydra/x: y}]",
        "hydra: 3",
        "hydra: {run: {dir: x}}",
    ),
    *(
        "# @package x\nx: 1",
        "a: {x: '${now:%Y}'}",
        "store: {no: 1}",
        "main: {no: 1}",
        "b: {x: 1}\na: {y: 2}",
        "x: 0x_",
    ),
]
WORDS = [
    *("a.x=1", "b.x=1", "x=", "=1", "+x=1", "~x", "x=[", "a.x={", "steps=", "steps=a,b,nope", "steps=a", "x='"),
    *(
        "x=${y}",
        "a=1",
        "main=1",
        "main.seed=x",
        "ä=ö",
        "x=1,2",
        "hydra.run=1",
        "model=nope",
        "a.x=null",
        "a.x=[1,2]",
    ),
    *(
        "a.x={b:1}",
        "++a.x=1",
        "a.y=1",
        "a.x.y=1",
        "nope",
        "a..x=1",
        ".=1",
        "x=\0",
        "x=\ud800",
        "main.evaluate=true",
    ),
    *("store.url=", "store.url=3", "tracking=3", "y=y:v1", "y=nope", "a.x=1e999", "a.x=nan", "inputs=1", "@x=1"),
    *(
        "a.x=2020-01-01",
        "workers=2",
        "steps=[a]",
        "steps=null",
        "main.seed=1.5",
        "x=range(1,3)",
        "a@b=1",
        "a.x=''",
    ),
]
PROJECTS = [
    *("", "", "", "[", "[tool.relet]\n", "[tool.relet]\ntrust = 3\n", "[tool]\nrelet = 3\n", "tool = 3\n", "\0"),
    *("[project]\nname = 3\n", "[tool.setuptools.package-dir]\n'' = 3\n", "[build-system]\nbuild-backend = 3\n"),
    *("[tool.relet]\nno = 1\n", "[tool.hatch.build.targets.wheel]\npackages = 3\n", "project = []\n", "\ud800"),
]
MODULE = """
import typing
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Callable, Literal, NamedTuple, Optional, Union
import numpy as np
import pandas as pd
import relet
from relet import ChosenBy, Figure, Metrics, Model, Module, Source, Stored, Table, Verdict, component

NAME = "name"

class Colour(Enum):
    RED = "red"

@dataclass(frozen=True)
class Bounds:
    size: int = 1

@dataclass(frozen=True)
class Recursive:
    inside: "Recursive | None" = None

@dataclass(frozen=True)
class Odd:
    size: {annotation}{default}

    def __post_init__(self):
        raise ValueError("odd")

@dataclass(frozen=True)
class Empty:
    pass

class Made(NamedTuple):
    {outputs}

{decorator}
{definition} {function}({arguments}){returns}:
    return {returned}
"""


@dataclass(frozen=True, kw_only=True)
class DrawnProject:
    """The files of a project, path → text, and the words that a person gives a command."""

    files: dict[str, str]
    words: tuple[str, ...]

    def write(self, root: Path) -> None:
        for name, text in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode(errors="surrogatepass"))


def _argument(name: str, annotation: str, default: str) -> str:
    return f"{name}{f': {annotation}' if annotation else ''}{f' = {default}' if default else ''}"


@st.composite
def modules(draw: st.DrawFn, function: str) -> str:
    """The module of a component, most of it usual."""

    def odd(usual: list[str], others: list[str]) -> str:
        return draw(st.sampled_from(usual if draw(st.integers(0, 11)) else others))

    takes = [
        _argument(odd(["y"], NAMES), odd(["pd.DataFrame"], INPUTS), odd([""], DEFAULTS))
        for _ in range(draw(st.integers(0, 1 if function == "a" else 2)))
    ]
    if function == "a" and draw(st.integers(0, 3)):
        takes = []
    given = [
        _argument(odd(["x"], NAMES), odd(["int"], PARAMETERS), odd(["1"], DEFAULTS))
        for _ in range(draw(st.integers(0, 2)))
    ]
    star = ["*", *given] if given else odd([""], ["", "*args", "**kwargs", "*"]).split()
    returns = odd(["Made"], RETURNS)
    return MODULE.format(
        annotation=odd(["int"], PARAMETERS),
        default=odd([" = 1"], [f" = {each}" for each in DEFAULTS if each]),
        outputs=odd(["y: Metrics" if function == "b" else "y: pd.DataFrame"], OUTPUTS).replace(
            "y:", "y:" if function == "a" else "z:"
        ),
        decorator=odd(DECORATORS[:1], DECORATORS),
        definition=odd(["def"], DEFINITIONS),
        function=function,
        arguments=", ".join([*takes, *star]),
        returns=f" -> {returns}" if returns else "",
        returned=draw(st.sampled_from(RETURNED)),
    )


@st.composite
def projects(draw: st.DrawFn) -> DrawnProject:
    """A project with the pipeline `drawn` of two components, `a` and `b`."""
    pipeline = draw(st.sampled_from(PIPELINES[:1] if draw(st.integers(0, 2)) else PIPELINES))
    return DrawnProject(
        files={
            "pipelines/drawn/pipeline.py": "from relet import Pipeline\nfrom pipelines.drawn.a import a\n"
            f"from pipelines.drawn.b import b\npipeline = {pipeline}\n",
            "pipelines/drawn/a.py": draw(modules("a")),
            "pipelines/drawn/b.py": draw(modules("b")),
            "pipelines/drawn/families/__init__.py": "",
            "pipelines/drawn/families/one.py": draw(st.sampled_from(["", "from dataclasses import dataclass\n"])),
            "pipelines/drawn/conf/config.yaml": draw(
                st.sampled_from(CONFIGURATIONS if draw(st.booleans()) else [""])
            ),
            "pyproject.toml": "" if draw(st.integers(0, 9)) else draw(st.sampled_from(PROJECTS)),
        },
        words=tuple(draw(st.lists(st.sampled_from(WORDS), max_size=2))),
    )
