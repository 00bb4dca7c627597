"""A script, a notebook or an MLflow project is read, and a pipeline written that runs it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner

from relet.cli.adopt import command
from relet.errors import BadDataError, ReletError, SettingError
from relet.project.folder import open_project
from relet.templates.adoption.adopting import Adoption, adopt_script
from relet.templates.adoption.mlflow_project import adopt_mlproject

TRAIN = """
import argparse, json
import numpy
from own_part import load

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--rows", "-n", type=int, default=3, help="how many")
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--kind", choices=["a", "b"], default="a")
    parser.add_argument("--columns", nargs="+", default=["x"])
    parser.add_argument("--depth", type=int, required=True)
    parser.add_argument("--name")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
    parser.add_argument("--model-out", default="models/model.json")
    args = parser.parse_args()
    rows = load(args.data)
    if args.fast:
        open("notes.txt", "w").write("fast")
    json.dump(rows, open(args.model_out, "w"))

main()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project to be; scripts lie beside it."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


def write(here: Path, name: str, text: str) -> Path:
    path = here.parent / "old" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(dedent(text))
    return path


def adopted(here: Path, text: str = TRAIN, **more: Any) -> Adoption:
    write(here, "own_part.py", "import pandas\n\ndef load(path):\n    return len(open(path).read())\n")
    return adopt_script(write(here, "train.py", text), **more)


def test_arguments_are_hyperparameters_with_their_types_and_defaults(here: Path) -> None:
    adopted(here)
    (step,) = open_project("train", here).pipeline.components
    assert {each.name: (each.annotation, each.default) for each in step.parameters} == {
        "data": ("str", None),
        "rows": ("int", 3),
        "share": ("float", 1.0),
        "kind": ("Literal['a', 'b']", "a"),
        "columns": ("list[str]", ["x"]),
        "depth": ("int", None),
        "name": ("str | None", None),
        "fast": ("bool", False),
        "shuffle": ("bool", True),
    }
    assert next(each for each in step.parameters if each.name == "data").source is not None
    assert [each.name for each in step.outputs] == ["model"]
    assert step.resources == ("scripts",)


def test_the_script_and_its_own_modules_are_copied_as_they_are(here: Path) -> None:
    made = adopted(here)
    scripts = here / "pipelines/train/scripts"
    assert {path.name for path in scripts.iterdir()} == {"train.py", "own_part.py"}
    assert (scripts / "train.py").read_text() == (here.parent / "old/train.py").read_text()
    source = (here / "pipelines/train/components/train.py").read_text()
    assert "import numpy  # noqa: F401" in source and "import pandas  # noqa: F401" in source
    assert "import own_part" not in source
    assert '"--no-shuffle": not shuffle,' in source and '"data": data,' in source
    assert any(each.startswith("notes.txt is written only where args.fast") for each in made.advice)


def test_what_has_to_be_set_stands_in_the_configuration(here: Path) -> None:
    adopted(here)
    text = (here / "pipelines/train/conf/config.yaml").read_text()
    assert "train:\n  data: ???   # a path or an http(s) URL\n  depth: ???" in text


def test_a_file_that_a_script_reads_by_its_own_name_is_a_source(here: Path) -> None:
    write(here, "data/rows.csv", "a\n1\n")
    write(here, "big/rows.csv", "a\n1\n")
    adopt_script(
        write(here, "quick.py", "import pandas as pd\npd.read_csv('data/rows.csv').to_csv('out/made.csv')\n")
    )
    source = (here / "pipelines/quick/components/quick.py").read_text()
    assert 'reads={"data/rows.csv": rows},' in source
    assert 'writes={"made": "out/made.csv"},' in source and 'folders=["out"],' in source
    assert "quick:\n  rows: data/rows.csv" in (here / "pipelines/quick/conf/config.yaml").read_text().replace(
        '"', ""
    )
    assert (here / "data/rows.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize("path", ["/srv/made.csv", "../made.csv", "s3://bucket/made.csv"])
def test_a_file_that_a_script_writes_outside_its_folder_is_no_output(here: Path, path: str) -> None:
    text = f"import pandas as pd\nframe = pd.DataFrame()\nframe.to_csv({path!r})\nframe.to_csv('own.csv')\n"
    adopt_script(write(here, "quick.py", text))
    (step,) = open_project("quick", here).pipeline.components
    assert [each.name for each in step.outputs] == ["own"]


WORDS = """
import sys
import pandas as pd

if len(sys.argv) < 2:
    sys.exit("usage")
infile = sys.argv[1]
alpha = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
if len(sys.argv) > 3:
    rounds = int(sys.argv[3])
pd.read_csv(infile).to_csv("made.csv")
"""


def test_words_of_the_command_line_are_hyperparameters_named_by_their_variables(here: Path) -> None:
    made = adopt_script(write(here, "quick.py", WORDS))
    (step,) = open_project("quick", here).pipeline.components
    assert {each.name: (each.annotation, each.default) for each in step.parameters} == {
        "infile": ("str", None),
        "alpha": ("float", 0.5),
        "rounds": ("int | None", None),
    }
    assert next(each for each in step.parameters if each.name == "infile").source is not None
    source = (here / "pipelines/quick/components/quick.py").read_text()
    assert source.index('"infile": infile,') < source.index('"alpha": alpha,') < source.index('"rounds": rounds,')
    assert not any("sys.argv" in each for each in made.advice)


@pytest.mark.parametrize(
    "line",
    ["main(sys.argv[1:])", "first = sys.argv[2]", "print(sys.argv[1])", "first, last = sys.argv[1], sys.argv[2]"],
)
def test_words_of_the_command_line_that_have_no_names_are_told(here: Path, line: str) -> None:
    made = adopt_script(write(here, "quick.py", f"import sys\n{line}\n"))
    (step,) = open_project("quick", here).pipeline.components
    assert not step.parameters
    assert made.advice[0].startswith("line 2: it takes words of its command line (sys.argv), and gets none")


@pytest.mark.parametrize("line", ["print(sys.argv[0])", "import argparse; argparse.ArgumentParser().parse_args()"])
def test_a_script_that_takes_no_words_is_told_nothing_of_them(here: Path, line: str) -> None:
    assert adopt_script(write(here, "quick.py", f"import sys\n{line}\n")).advice == ()


def test_a_step_without_a_file_of_its_own_says_how_its_script_ended(here: Path) -> None:
    adopt_script(write(here, "check.py", "import sys\nsys.exit(0)\n"))
    (step,) = open_project("check", here).pipeline.components
    assert [(each.name, str(each.type)) for each in step.outputs] == [("check_report", "verdict")]


def test_a_notebook_is_a_script_of_its_cells_without_what_only_a_notebook_understands(here: Path) -> None:
    cells = [
        "%matplotlib inline\nx = 1",
        "!ls",
        "%%bash\nls -la",
        ["y = x % 2\n", "open('y.txt', 'w').write(str(y))"],
    ]
    notebook = {"cells": [{"cell_type": "code", "source": each} for each in cells]}
    notebook["cells"].append({"cell_type": "markdown", "source": "# %%"})
    made = adopt_script(write(here, "look.ipynb", json.dumps(notebook)))
    script = (here / "pipelines/look/scripts/look.py").read_text()
    assert [line for line in script.splitlines() if line and not line.startswith("#")] == [
        "x = 1",
        "y = x % 2",
        "open('y.txt', 'w').write(str(y))",
    ]
    assert made.advice[0].startswith("4 lines of the notebook are no Python")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("train.py", "def (:\n", r"train\.py, line 1: this is no Python that relet can read"),
        ("train.ipynb", "{}", "is no notebook: it holds no cells"),
        ("train.ipynb", "no json", "is no notebook"),
        ("train.R", "x <- 1", r"relet adopts a script \(\.py\) or a notebook \(\.ipynb\)"),
    ],
)
def test_what_is_no_script_is_told_and_nothing_is_written(here: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(BadDataError, match=told):
        adopt_script(write(here, name, text))
    assert not list(here.iterdir())


def test_nothing_is_overwritten(here: Path) -> None:
    adopted(here)
    with pytest.raises(SettingError, match=r"there is a pipeline train in .* already; choose another name"):
        adopted(here)
    assert adopted(here, name="second").name == "second"
    with pytest.raises(SettingError, match="is no name for a pipeline"):
        adopted(here, name="No name")


FIT = "python run.py -v --rows {rows} --settings {settings} --depth {depth} --kind {kind} --out {out}"
STEPS = {
    "get": ("python run.py --source {source} --out {out}", "{source: string, out: string}"),
    "fit": (FIT, "{rows: path, settings: path, depth: string, kind: {type: string, default: plain}, out: path}"),
    "check": ("python -m pytest . -q --csv {csv}", "{csv: string}"),
    "shell": ("bash run.sh", "{}"),
}
FILES = {
    "common.py": "import numpy\nimport shutil\n",
    "get/run.py": "import sys; sys.path.insert(0, '..')\nfrom common import *\nshutil.copy(a.source, a.out)\n",
    "fit/run.py": "import json\njson.load(open(a.settings))\nopen(a.rows)\nopen(a.out, 'w')\n",
    "check/test_rows.py": "def test(data): open(data.csv)\n",
    "config.yaml": "etl:\n  depth: 7\n  source: ???\nforest: {trees: 3}\n",
}
DRIVER = """
def go(c):
    work = c["work"]
    step("get", source=c.etl.source, out=work + "/raw.csv")
    mlflow.run(os.path.join(root, "src", "check"), "main", parameters={"csv": work + "/raw.csv"})
    json.dump(dict(c.forest), open(work + "/rf.json", "w"))
    step("fit", rows=work + "/raw.csv", settings=work + "/rf.json", depth=c["etl"]["depth"], out=work + "/model")
"""


def course(here: Path) -> Path:
    """Steps, and the program that drives them."""
    for name, (words, parameters) in STEPS.items():
        point = f"  main:\n    parameters: {parameters}\n    command: '{words}'\n"
        write(here, f"{name}/MLproject", f"entry_points:\n{point}")
    for name, text in FILES.items():
        write(here, name, text)
    return write(here, "main.py", DRIVER).parent


def test_steps_of_mlflow_are_wired_as_their_program_calls_them(here: Path) -> None:
    made = adopt_mlproject(course(here), name="course")
    pipeline = open_project("course", here).pipeline
    assert pipeline.names == ("get", "check", "fit")
    get, check, fit = pipeline.components
    assert [each.name for each in get.outputs] == ["raw"]
    assert [each.name for each in check.inputs] == [each.name for each in fit.inputs] == ["raw"]
    assert check.judges == ("raw",) and check.gates
    assert {each.name: each.default for each in fit.parameters} == {"settings": None, "depth": 7, "kind": "plain"}
    assert json.loads((here / "data/rf.json").read_text()) == {"trees": 3}
    assert get.resources == ("steps/get", "steps/common.py") and fit.resources == ("steps/fit",)
    source = (here / "pipelines/course/components/fit.py").read_text()
    assert '"-v": True,' in source and '"--rows": raw,' in source and '"--out": "model",' in source
    configuration = (here / "pipelines/course/conf/config.yaml").read_text()
    assert "get:\n  source: ???" in configuration and "data/rf.json" in configuration
    assert "shell: 'bash run.sh' runs no Python; write this step by hand" in made.advice


@pytest.mark.parametrize("text", ["- 1\n", "entry_points: 3\n", "entry_points: {main: {}}\n", "a: [\n"])
def test_a_file_of_mlflow_that_says_nothing_is_told(here: Path, text: str) -> None:
    folder = write(here, "get/MLproject", text).parents[1]
    with pytest.raises(BadDataError, match="MLproject can't be read as an MLflow project"):
        adopt_mlproject(folder)


def test_a_folder_without_a_step_is_told(here: Path) -> None:
    with pytest.raises(BadDataError, match="nor has a folder in it: there is no step to adopt"):
        adopt_mlproject(write(here, "main.py", "").parent)
    with pytest.raises(BadDataError, match="there is no such folder"):
        adopt_mlproject(here / "nowhere")


def test_the_command_says_what_it_found_and_what_to_take_apart(here: Path) -> None:
    write(here, "own_part.py", "")
    file = write(here, "train.py", TRAIN + "\nmodel.fit(rows)\n")
    output = CliRunner().invoke(command, [str(file)], catch_exceptions=False).output
    assert "  writes    model (models/model.json)" in output
    assert "to be set train.data: the file that it reads" in output
    lines = output.splitlines()
    assert "it fits a model" in "".join(lines[lines.index("to take apart next:") :])
    assert output.endswith("  relet run train train.data=… train.depth=…\n")
    plain = write(here, "plain.py", "x = 1\n")
    assert "to take apart" not in CliRunner().invoke(command, [str(plain)], catch_exceptions=False).output
    for words in ([], [str(file), "--mlproject", "x"]):
        error = CliRunner().invoke(command, words).exception
        assert isinstance(error, ReletError) and "takes a script or a notebook" in str(error)
