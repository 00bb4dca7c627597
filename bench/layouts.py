"""Look for stale results: projects in many layouts, whose helper is edited between two runs.

    python bench/layouts.py [--only src_editable_hatchling,star] [--keep FOLDER]

relet is installed from a wheel in a fresh environment. Each project has one step, which writes down what a helper
gives. The helper is found in another way in each: beside the step, in `src/`, installed for editing, by
PYTHONPATH, by a link, by a name that is worked out. After an edit that changes what the helper gives, the step has
to run again; where relet can't see that, the run has to say so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).parent / "uv"
STEP = """
import tempfile
from pathlib import Path
from typing import NamedTuple
from relet import component
{imports}

class Made(NamedTuple):
    made: Path

@component(job_type="make")
def make() -> Made:
    {before}
    path = Path(tempfile.mkdtemp()) / "made.txt"
    path.write_text(str({value}))
    return Made(path)
"""
PROJECT = {
    "project/pipelines/p/pipeline.py": "from relet import Pipeline\nfrom pipelines.p.make import make\n\n"
    "pipeline = Pipeline([make])\n",
    "project/pipelines/p/conf/config.yaml": "main: {experiment_name: p, seed: 1, evaluate: false}\n"
    "store: {url: .relet}\ntracking: []\n",
}
ONE, TWO = "def f():\n    return 1\n", "def f():\n    return 2\n"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A project: its files, how the step takes the helper, and the edit that makes 2 of 1.

    `edit` maps files to their new contents, None for a file that is deleted. `editable` is the folder that is
    installed for editing, `path` the folders on PYTHONPATH, all relative to the folder that holds the project.
    """

    files: Mapping[str, str]
    imports: str = ""
    value: str = "f()"
    before: str = "pass"
    edit: Mapping[str, str | None] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    editable: str = ""
    path: Sequence[str] = ()
    pth: str = ""


def _helper(file: str, imports: str, *, inits: bool = True, files: Mapping[str, str] = {}, **more: Any) -> Layout:
    """A layout whose helper is one module that is rewritten; with `inits`, its folder is a package."""
    init = {f"{Path(file).parent}/__init__.py": ""} if inits else {}
    return Layout(files={**init, file: ONE, **files}, imports=imports, edit={file: TWO}, **more)


def _built(backend: str, name: str, tables: str = "") -> str:
    """The pyproject.toml of a package that is built by a backend."""
    requires = {
        "hatchling.build": "hatchling",
        "setuptools.build_meta": "setuptools",
        "poetry.core.masonry.api": "poetry-core",
        "uv_build": "uv_build",
        "flit_core.buildapi": "flit_core",
    }[backend]
    return (
        f'[project]\nname = "{name}"\nversion = "1"\n\n[build-system]\nrequires = ["{requires}"]\n'
        f'build-backend = "{backend}"\n{tables}'
    )


HATCH_SRC = _built("hatchling.build", "own", '[tool.hatch.build.targets.wheel]\npackages = ["src/mylib"]\n')
SETUP_SRC = _built("setuptools.build_meta", "own", '[tool.setuptools.packages.find]\nwhere = ["src"]\n')
SETUP_FLAT = _built("setuptools.build_meta", "own", '[tool.setuptools]\npackages = ["mylib"]\n')
POETRY_SRC = _built(
    "poetry.core.masonry.api", "own", '[tool.poetry]\npackages = [{include = "mylib", from = "src"}]\n'
)
UV_SRC = _built("uv_build", "mylib")
SRC, LIB = "project/src/mylib/helper.py", "project/lib/helper.py"
FROM_SRC, FROM_LIB = "from mylib.helper import f", "from lib.helper import f"

LAYOUTS: dict[str, Layout] = {
    "beside": _helper("project/pipelines/p/helper.py", "from pipelines.p.helper import f"),
    "relative": _helper("project/pipelines/p/helper.py", "from .helper import f"),
    "shared_by_pipelines": _helper("project/pipelines/common/helper.py", "from pipelines.common.helper import f"),
    "package_in_root": _helper(LIB, FROM_LIB),
    "module_in_root": _helper("project/helper.py", "from helper import f", inits=False),
    "src_declared_hatchling": _helper(SRC, FROM_SRC, files={"project/pyproject.toml": HATCH_SRC}),
    "src_declared_setuptools": _helper(SRC, FROM_SRC, files={"project/pyproject.toml": SETUP_SRC}),
    "src_declared_poetry": _helper(SRC, FROM_SRC, files={"project/pyproject.toml": POETRY_SRC}),
    "src_declared_uv": _helper(SRC, FROM_SRC, files={"project/pyproject.toml": UV_SRC}),
    "src_editable_hatchling": _helper(
        SRC, FROM_SRC, files={"project/pyproject.toml": HATCH_SRC}, editable="project"
    ),
    "src_editable_setuptools": _helper(
        SRC, FROM_SRC, files={"project/pyproject.toml": SETUP_SRC}, editable="project"
    ),
    "flat_editable_setuptools": _helper(
        "project/mylib/helper.py", FROM_SRC, files={"project/pyproject.toml": SETUP_FLAT}, editable="project"
    ),
    "editable_beside_the_project": _helper(
        "other/src/mylib/helper.py", FROM_SRC, files={"other/pyproject.toml": HATCH_SRC}, editable="other"
    ),
    "editable_finder_beside_the_project": _helper(
        "other/mylib/helper.py", FROM_SRC, files={"other/pyproject.toml": SETUP_FLAT}, editable="other"
    ),
    "src_on_pythonpath": _helper(SRC, FROM_SRC, path=["project/src"]),
    "pythonpath_beside_the_project": _helper("other/mylib/helper.py", FROM_SRC, path=["other"]),
    "pth_file": _helper("other/mylib/helper.py", FROM_SRC, pth="other"),
    "namespace_package": _helper("project/space/deep/helper.py", "from space.deep.helper import f", inits=False),
    "namespace_in_two_places": _helper(
        "other/space/two/helper.py",
        "import space.one.first\nfrom space.two.helper import f",
        inits=False,
        files={"project/space/one/first.py": ""},
        path=["other"],
    ),
    "star": _helper(LIB, "from lib.helper import *"),
    "re_export": _helper(
        LIB, "from lib import f", files={"project/lib/__init__.py": "from lib.helper import f\n"}
    ),
    "re_export_by_getattr": _helper(
        LIB,
        "import lib",
        value="lib.f()",
        files={
            "project/lib/__init__.py": "import importlib\n\ndef __getattr__(name):\n"
            "    return getattr(importlib.import_module('lib.helper'), name)\n"
        },
    ),
    "lazy": _helper(LIB, "", before=FROM_LIB),
    "importlib_with_a_literal": _helper(
        LIB, "import importlib\nhelper = importlib.import_module('lib.helper')", value="helper.f()"
    ),
    "importlib_with_a_computed_name": _helper(
        LIB,
        "import importlib",
        before="helper = importlib.import_module('.'.join(['lib', 'helper']))",
        value="helper.f()",
    ),
    "dunder_import": _helper(LIB, "helper = __import__('lib.helper', fromlist=['f'])", value="helper.f()"),
    "run_path": _helper(
        LIB, "import runpy", before="found = runpy.run_path(str(Path('lib') / 'helper.py'))", value="found['f']()"
    ),
    "exec_of_a_file": _helper(
        LIB, "", before="names = {}; exec(Path('lib/helper.py').read_text(), names)", value="names['f']()"
    ),
    "spec_from_file": _helper(
        LIB,
        "import importlib.util",
        before="spec = importlib.util.spec_from_file_location('h', 'lib/helper.py'); "
        "h = importlib.util.module_from_spec(spec); spec.loader.exec_module(h)",
        value="h.f()",
    ),
    "fallback_that_is_there_later": Layout(
        files={"project/lib/__init__.py": "", "project/lib/slow.py": ONE},
        imports="try:\n    from lib.fast import f\nexcept ImportError:\n    from lib.slow import f",
        edit={"project/lib/fast.py": TWO},
    ),
    "init_that_comes_later": Layout(
        files={"project/space/helper.py": "from space import *\n\ndef f():\n    return globals().get('N', 1)\n"},
        imports="from space.helper import f",
        edit={"project/space/__init__.py": "N = 2\n"},
    ),
    "plugins_that_are_walked": Layout(
        files={"project/plugins/__init__.py": "", "project/plugins/a.py": ""},
        imports="import pkgutil\nimport plugins",
        value="len(list(pkgutil.iter_modules(plugins.__path__)))",
        edit={"project/plugins/b.py": ""},
    ),
    "files_that_are_globbed": Layout(
        files={"project/words/a.txt": "a"},
        value="len(list(Path('words').glob('*.txt')))",
        edit={"project/words/b.txt": "b"},
    ),
    "data_read_at_import": Layout(
        files={
            "project/lib/__init__.py": "",
            "project/lib/data.json": "1",
            LIB: "import json\nfrom pathlib import Path\n\n"
            "N = json.loads(Path(__file__).with_name('data.json').read_text())\n\ndef f():\n    return N\n",
        },
        imports=FROM_LIB,
        edit={"project/lib/data.json": "2"},
    ),
    "data_by_importlib_resources": Layout(
        files={"project/lib/__init__.py": "", "project/lib/data.txt": "1"},
        imports="from importlib import resources",
        value="resources.files('lib').joinpath('data.txt').read_text()",
        edit={"project/lib/data.txt": "2"},
    ),
    "data_in_an_installed_src": Layout(
        files={
            "project/pyproject.toml": HATCH_SRC,
            "project/src/mylib/__init__.py": "",
            "project/src/mylib/data.txt": "1",
        },
        imports="from importlib import resources",
        value="resources.files('mylib').joinpath('data.txt').read_text()",
        edit={"project/src/mylib/data.txt": "2"},
        editable="project",
    ),
    "linked_module": Layout(
        files={"project/lib/__init__.py": "", "project/shared/helper.py": ONE},
        links={LIB: "project/shared/helper.py"},
        imports=FROM_LIB,
        edit={"project/shared/helper.py": TWO},
    ),
    "linked_package_of_elsewhere": Layout(
        files={"other/lib/__init__.py": "", "other/lib/helper.py": ONE},
        links={"project/lib": "other/lib"},
        imports=FROM_LIB,
        edit={"other/lib/helper.py": TWO},
    ),
    "constant_of_a_settings_module": Layout(
        files={"project/lib/__init__.py": "", "project/lib/settings.py": "N = 1\n"},
        imports="from lib import settings",
        value="settings.N",
        edit={"project/lib/settings.py": "N = 2\n"},
    ),
    "base_class_of_a_helper": Layout(
        files={
            "project/lib/__init__.py": "",
            "project/lib/base.py": "class Base:\n    def f(self):\n        return 1\n",
            LIB: "from lib.base import Base\n\nclass Own(Base):\n    pass\n",
        },
        imports="from lib.helper import Own",
        value="Own().f()",
        edit={"project/lib/base.py": "class Base:\n    def f(self):\n        return 2\n"},
    ),
    "script_that_is_started": Layout(
        files={"project/tools/helper.py": "print(1, end='')\n"},
        imports="import subprocess, sys",
        value="subprocess.run([sys.executable, 'tools/helper.py'], capture_output=True, text=True).stdout",
        edit={"project/tools/helper.py": "print(2, end='')\n"},
    ),
}


@dataclass(frozen=True)
class Environment:
    """An environment with relet from a wheel."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self, *words: str) -> None:
        subprocess.run(
            [UV, "pip", "install", "-q", "--python", self.python, *words],
            check=True,
            capture_output=True,
            text=True,
        )

    def uninstall(self, name: str) -> None:
        subprocess.run([UV, "pip", "uninstall", "-q", "--python", self.python, name], check=True)

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))


def make_environment(folder: Path) -> Environment:
    """A fresh environment with a wheel of this tree and what it needs."""
    subprocess.run([UV, "build", "-q", "--wheel", "--out-dir", folder / "dist", ROOT], check=True)
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    made = Environment(folder / "venv")
    made.install(str(next((folder / "dist").glob("*.whl"))))
    return made


def is_stale(layout: Layout, folder: Path, environment: Environment) -> str:
    """What was wrong, in words: empty where the edit was seen, or named as what relet can't see."""
    (folder / "project").mkdir(parents=True)
    step = STEP.format(imports=layout.imports, before=layout.before, value=layout.value)
    _write(folder, {**PROJECT, "project/pipelines/p/make.py": step, **layout.files})
    for link, target in layout.links.items():
        (folder / link).symlink_to(os.path.relpath(folder / target, (folder / link).parent))
    if layout.editable:
        environment.install("-e", str(folder / layout.editable))
    if layout.pth:
        (environment.packages / "bench.pth").write_text(f"{folder / layout.pth}\n")
    try:
        first, told = _made(layout, folder, environment)
        if first == "":
            return f"does not run: {told}"
        again, _ = _made(layout, folder, environment)
        _write(folder, layout.edit)
        second, after = _made(layout, folder, environment)
    finally:
        if layout.pth:
            (environment.packages / "bench.pth").unlink()
        if layout.editable:
            environment.uninstall("mylib" if "uv_build" in str(layout.files) else "own")
    if (first, again, second) == ("1", "1", "2"):
        return ""
    return "" if "can't see" in after else f"stale: {first}, {again} and after the edit {second}"


def _write(folder: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def _made(layout: Layout, folder: Path, environment: Environment) -> tuple[str, str]:
    """What the step made, as the run that just ended says, and what relet printed."""
    unset = ("PYTHONPATH", "VIRTUAL_ENV", "RELET_PROJECT", "PYTHONDONTWRITEBYTECODE")
    variables = {name: value for name, value in os.environ.items() if name not in unset}
    if layout.path:
        variables["PYTHONPATH"] = os.pathsep.join(str(folder / each) for each in layout.path)

    def relet(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment.folder / "bin" / "relet", *words],
            cwd=folder / "project",
            env=variables,
            capture_output=True,
            text=True,
        )

    run = relet("run", "p", "--json")
    if run.returncode:
        return "", (run.stderr or run.stdout).strip()[-400:]
    shutil.rmtree(folder / "out", ignore_errors=True)
    events = map(json.loads, run.stdout.splitlines())
    reference = next(
        each["outputs"]["made"] for each in events if each.get("component") == "make" and each["event"] == "ended"
    )
    relet("artifacts", "get", reference, str(folder / "out"))
    return (folder / "out" / "made.txt").read_text(), run.stdout + run.stderr


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the layouts, separated by commas; all without it")
    parser.add_argument("--keep", type=Path, help="the folder in which the projects are made, and stay")
    chosen = parser.parse_args(arguments)
    names = chosen.only.split(",") if chosen.only else list(LAYOUTS)
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="relet-layouts-"))
    try:
        environment = make_environment(folder)
        found = {}
        for name in names:
            found[name] = is_stale(LAYOUTS[name], folder / name, environment)
            print(f"{name:36} {found[name] or 'seen'}", flush=True)
    finally:
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    wrong = sum(map(bool, found.values()))
    print(f"{wrong} of {len(names)} layouts wrong (must: 0)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
