"""Each type of artifact on its way: component, stored version, next component, command line, reproduction."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import relet
from relet.cli import relet as relet_command
from relet.errors import DamagedError, ReletError
from relet.store import open_store
from relet.store.contents import files_digest
from tests.sums_project import Sums, likenesses
from tests.tiny_project import Tiny

FILES = {
    "pipelines/kinds/pipeline.py": """
from relet import Pipeline
from pipelines.kinds.make import make
from pipelines.kinds.take import take

pipeline = Pipeline([make, take])
""",
    "pipelines/kinds/conf/config.yaml": """
main: {experiment_name: kinds, seed: 42, evaluate: false}
store: {url: .relet}
tracking: []
scale: 1.0
""",
    "pipelines/kinds/fit.py": """
from dataclasses import dataclass
from datetime import date

@dataclass(frozen=True)
class Bounds:
    low: float
    high: float

@dataclass(frozen=True)
class Fit:
    name: str
    bounds: Bounds
    weights: tuple[float, ...]
    day: date
""",
    "pipelines/kinds/make.py": """
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import NamedTuple
import numpy as np
from numpy.typing import NDArray
from relet import component
from pipelines.kinds.fit import Bounds, Fit

class Made(NamedTuple):
    settings: dict[str, float]
    names: list[str]
    fit: Fit
    note: str
    weights: NDArray[np.float64]
    pages: Path

@component(job_type="make", tolerance=0.001)
def make(*, scale: float = 1.0) -> Made:
    '''Make one of each.'''
    nudged = scale + float(os.environ.get("OMP_NUDGE", 0))
    pages = Path(tempfile.mkdtemp()) / "pages"
    (pages / "more").mkdir(parents=True)
    (pages / "more" / "a.txt").write_text("a")
    (pages / "b.txt").write_text("b")
    return Made(
        {"b": nudged, "a": 0.1 + 0.2},
        ["x", "y"],
        Fit("line", Bounds(0.0, nudged), (1.0, 2.5), date(2026, 1, 31)),
        f"scaled by {nudged}\\r\\n",
        np.arange(6.0).reshape(2, 3).T * nudged,
        pages,
    )
""",
    "pipelines/kinds/take.py": """
from pathlib import Path
from typing import NamedTuple
import numpy as np
from relet import Metrics, component
from pipelines.kinds.fit import Fit

class Taken(NamedTuple):
    said: dict
    sums: Metrics

@component(job_type="take", tolerance=0.001)
def take(
    settings: dict, names: list, fit: Fit, note: str, weights: np.ndarray, pages: Path
) -> Taken:
    '''Say what came.'''
    said = {
        "settings": settings, "names": names, "class": type(fit).__name__, "bounds": type(fit.bounds).__name__,
        "weights": list(fit.weights), "tuple": type(fit.weights) is tuple, "day": fit.day.year, "note": note,
        "shape": list(weights.shape), "pages": sorted(p.name for p in pages.rglob("*.txt")),
    }
    return Taken(said, {"sum": float(weights.sum())})
""",
    ".gitignore": ".relet\n",
    "requirements.lock": f"numpy==2 --hash=sha256:{'0' * 64}\n",
}


FIT_PROMISED = "make: fit is a dict, and the signature promises a Fit"


@pytest.fixture
def kinds(tiny: Tiny) -> Sums:
    shutil.rmtree(tiny.root / "pipelines")
    for name, content in FILES.items():
        path = tiny.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.removeprefix("\n"))
    found = Sums(tiny.root)
    found.git("init", "-q", "-b", "main")
    found.commit("first")
    return found


def run(*overrides: str) -> Any:
    return relet.run("kinds", *overrides)


def shown(*words: str) -> str:
    done = CliRunner().invoke(relet_command, ["artifacts", *words])
    assert done.exit_code == 0, done.output
    return done.output


def edit(kinds: Sums, name: str, old: str, new: str) -> None:
    path = kinds.root / "pipelines" / "kinds" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.long
def test_every_type_is_stored_taken_shown_compared_and_made_again(
    kinds: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run()
    assert relet.load("said") == {
        "settings": {"a": 0.1 + 0.2, "b": 1.0},
        "names": ["x", "y"],
        "class": "Fit",
        "bounds": "Bounds",
        "weights": [1.0, 2.5],
        "tuple": True,
        "day": 2026,
        "note": "scaled by 1.0\r\n",
        "shape": [3, 2],
        "pages": ["a.txt", "b.txt"],
    }
    assert relet.load("fit")["bounds"] == {"low": 0.0, "high": 1.0}
    assert relet.load("note") == "scaled by 1.0\r\n"
    assert np.array_equal(relet.load("weights"), np.arange(6.0).reshape(2, 3).T)
    store = open_store(kinds.root / ".relet")
    types = {name.removeprefix("kinds/"): str(store.version(name).type) for name in store.names()}
    assert types == {
        "settings": "document",
        "names": "document",
        "fit": "document",
        "note": "text",
        "weights": "array",
        "pages": "folder",
        "said": "document",
        "sums": "metrics",
    }
    assert store.version("weights").metadata == {"dtype": "float64", "shape": [3, 2]}
    assert all(store.false_claims(store.version(name)) == [] for name in store.names())

    assert [str(each.action) for each in run().results] == ["skip", "skip"]
    run("scale=2.0")
    listed = shown("list")
    assert "3 × 2" in listed
    assert '"high": 2.0' in shown("show", "fit")
    assert "['bounds']['high']: 1.0 → 2.0" in shown("diff", "fit:v1", "fit:v2")
    assert "the text: 1 of 1 numbers differ" in shown("diff", "note:v1", "note:v2")
    assert "5 of 6 numbers differ, most of all at [0, 1]: 3.0 → 6.0" in shown("diff", "weights:v1", "weights:v2")
    assert "nothing differs" in shown("diff", "names:v1", "names:v1")
    assert json.loads(shown("diff", "fit:v1", "fit:v2", "--json"))["difference"]["largest"] == 1.0
    shown("get", "weights:v2", "here")
    assert np.load(kinds.root / "here" / "array.npy", allow_pickle=False)[2, 1] == 10.0

    assert set(likenesses(kinds.again(outcome)).values()) == {"IDENTICAL"}
    monkeypatch.setenv("OMP_NUDGE", "0.0001")
    found = kinds.again(outcome)
    assert likenesses(found)["make"] == "EQUIVALENT"
    monkeypatch.setenv("OMP_NUDGE", "0.1")
    assert likenesses(kinds.again(outcome))["make"] == "DIVERGED"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"a": 0.1 + 0.2', '"a": [1, {2: 3}]', r"make: settings: \['a'\]\[1\] has the name 2"),
        ('"a": 0.1 + 0.2', '"a": float("nan")', r"make: settings: \['a'\] is nan"),
        ("Bounds(0.0, nudged)", "Bounds(0.0, object())", r"make: fit: \.bounds\.high is object"),
        ('Fit("line", Bounds(0.0, nudged), (1.0, 2.5), date(2026, 1, 31))', '{"name": "line"}', FIT_PROMISED),
        ('["x", "y"],\n', '{"x": "y"},\n', "make: names is a dict, and the signature promises a list"),
        ('f"scaled by {nudged}\\r\\n"', "3", "make: note: a int can't be stored as a text: return a str"),
        ("* nudged,\n", ".astype(object),\n", "make: weights: the array holds objects"),
    ],
)
@pytest.mark.sampled
def test_an_error_names_the_component_the_output_and_the_place(kinds: Sums, old: str, new: str, said: str) -> None:
    edit(kinds, "make.py", old, new)
    with pytest.raises(ReletError, match=said):
        run()
    assert open_store(kinds.root / ".relet").names() == []


def test_a_class_that_lost_a_field_since_says_so(kinds: Sums) -> None:
    edit(kinds, "take.py", "import Fit", "import Fit, Bounds")
    edit(kinds, "take.py", "fit: Fit,", "fit: Bounds,")
    with pytest.raises(ReletError, match="the input fit: Bounds has bounds, day, name, weights, which"):
        run()


def test_a_version_that_says_it_is_of_a_type_has_its_file(kinds: Sums) -> None:
    run()
    store = open_store(kinds.root / ".relet")
    files = {"other.bin": store.put_object(b"other")}
    forged = store.add_version(name="forged", type="array", content=files_digest(files), files=files)
    assert "array artifacts have one file, array.npy" in str(store.false_claims(forged)[0])
    with pytest.raises(DamagedError, match="forged:v1 is not what it claims"):
        relet.load("forged")


FRAME = """
import pandas as pd
from typing import NamedTuple
from relet import component

class Made(NamedTuple):
    sample: pd.DataFrame

@component(job_type="make")
def make(*, scale: float = 1.0) -> Made:
    frame = pd.DataFrame({"city": pd.Categorical(["a", "b", "a"]), "n": [1, 2, 3]})
    frame["day"] = pd.Categorical(pd.to_datetime(["2024-01-01"] * 3))
    return Made(frame[frame["n"] > 1])
"""


def test_a_filtered_frame_is_taken_and_the_run_says_what_becomes_of_a_category(kinds: Sums) -> None:
    folder = kinds.root / "pipelines" / "kinds"
    (folder / "make.py").write_text(FRAME)
    edit(kinds, "pipeline.py", "[make, take]", "[make]")
    edit(kinds, "pipeline.py", "from pipelines.kinds.take import take\n", "")
    done = CliRunner().invoke(relet_command, ["run", "kinds"])
    assert done.exit_code == 0, done.output
    assert "sample: day: timestamp[us] from here on instead of a category" in done.output
    assert "city:" not in done.output
    found = relet.load("sample")
    assert found.drop(columns="day").to_dict("list") == {"city": ["a", "b"], "n": [3, 2]}
    assert list(found["city"].cat.categories) == ["a", "b"]


MODES = """
from enum import Enum

class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"
"""
TYPED = """
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Literal, NamedTuple
from relet import component
from pipelines.kinds.modes import Mode

class Made(NamedTuple):
    said: dict

@component(job_type="make")
def make(
    *, mode: Mode = Mode.FAST, day: date = date(2026, 1, 31), place: Path = Path("a"),
    sizes: tuple[int, ...] = (1, 2), kind: Literal["x", "y"] = "x", also: Mode | None = None,
) -> Made:
    given = (mode, day, place, sizes, kind, also)
    return Made({"types": [type(each).__name__ for each in given], "values": [str(each) for each in given]})
"""


def test_parameters_of_all_types_come_from_settings_and_are_given_as_their_types(kinds: Sums) -> None:
    folder = kinds.root / "pipelines" / "kinds"
    (folder / "make.py").write_text(TYPED)
    (folder / "modes.py").write_text(
        "from enum import Enum\nclass Mode(Enum):\n    FAST = 'fast'\n    SLOW = 'slow'\n"
    )
    edit(kinds, "pipeline.py", "[make, take]", "[make]")
    edit(kinds, "pipeline.py", "from pipelines.kinds.take import take\n", "")
    edit(kinds, "conf/config.yaml", "scale: 1.0", "day: 2026-02-01\nplace: a/b")
    kinds.commit()
    outcome = run("+make.mode=slow", "+make.sizes=[3]", "+make.also=fast")
    assert relet.load("said") == {
        "types": ["Mode", "date", "PosixPath", "tuple", "str", "Mode"],
        "values": ["Mode.SLOW", "2026-02-01", "a/b", "(3,)", "x", "Mode.FAST"],
    }
    recorded = kinds.record(outcome, "make").parameters
    assert (recorded["mode"], recorded["day"], recorded["place"]) == ("slow", "2026-02-01", "a/b")
    assert likenesses(kinds.again(outcome)) == {"make": "IDENTICAL"}
    assert [str(each.action) for each in run("make.mode=slow", "make.sizes=[3]", "make.also=fast").results] == [
        "skip"
    ]
    with pytest.raises(ReletError, match=r"make\.mode got 'fastt': did you mean fast"):
        run("make.mode=fastt")
    with pytest.raises(ReletError, match="takes a date such as 2026-01-31, got 'soon'"):
        run("day=soon")


OPTIONAL = """
from typing import NamedTuple
from relet import component

class Made(NamedTuple):
    said: dict

@component(job_type="make")
def make(before: dict | None, *, scale: float = 1.0) -> Made:
    return Made({"before": before, "scale": scale})
"""


def test_an_input_that_nothing_makes_is_none_and_a_person_may_name_a_version_for_it(kinds: Sums) -> None:
    (kinds.root / "pipelines" / "kinds" / "make.py").write_text(OPTIONAL)
    edit(kinds, "pipeline.py", "[make, take]", "[make]")
    edit(kinds, "pipeline.py", "from pipelines.kinds.take import take\n", "")
    kinds.commit()
    done = CliRunner().invoke(relet_command, ["run", "kinds"])
    assert "make runs without before, which nothing here makes" in done.output
    assert relet.load("said") == {"before": None, "scale": 1.0}
    done = CliRunner().invoke(relet_command, ["run", "kinds.make", "before=said:v1", "scale=2"])
    assert done.exit_code == 0, done.output
    assert relet.load("said") == {"before": {"before": None, "scale": 1.0}, "scale": 2.0}
    for found in (kinds.again("said:v1"), kinds.again("said:v2")):
        assert likenesses(found) == {"make": "IDENTICAL"}
    asked = CliRunner().invoke(relet_command, ["run", "kinds.make", "--help"]).output
    assert "none: nothing makes it" in asked


def test_a_version_of_another_type_is_refused_by_the_input_s_name(kinds: Sums) -> None:
    (kinds.root / "pipelines" / "kinds" / "make.py").write_text(OPTIONAL)
    edit(kinds, "pipeline.py", "[make, take]", "[make]")
    edit(kinds, "pipeline.py", "from pipelines.kinds.take import take\n", "")
    store = open_store(kinds.root / ".relet")
    files = {"text.txt": store.put_object(b"a note")}
    store.add_version(name="note", type="text", content=files_digest(files), files=files)
    done = CliRunner().invoke(relet_command, ["run", "kinds.make", "before=note:v1"])
    assert "the input before: a text can't be taken as 'document'" in done.output
    with pytest.raises(ReletError, match="a text can't be taken as 'array'"):
        relet.load("note:v1", as_="array")
