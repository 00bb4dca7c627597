"""The MLflow project files: made from the signatures and the lock, so that they can't say something else."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from relet.core.component import Component, Input
from relet.core.parameter import ChosenGroup, Parameter
from relet.core.pipeline import Pipeline
from relet.core.wording import printable, without_credentials
from relet.environments.docker import dockerfile
from relet.errors import ReletError, SettingError, SetUpError
from relet.project.folder import SETTING, find_root, open_project
from relet.project.stores import STORE, callers_store, configured_store, names_store
from relet.tracking.mlflow import local_folder, tracking_uri

# MLflow's virtualenv takes an exact version only; uv and conda take it too.
PYTHON = "3.11.7"

_PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.\-]*)==(?P<version>\S+)(?P<marker> ; .*?)?(?: \\)?$")


def generate(pipeline: Pipeline, root: Path) -> dict[Path, str]:
    """Each file's path and text: the project of the whole pipeline in `root`, and one for each component."""
    files = {
        root / "MLproject": _pipeline_project(pipeline),
        root / "python_env.yaml": {"python": PYTHON, "dependencies": pins(root)},
        root / "conda.yaml": {
            "name": pipeline.name,
            "channels": ["conda-forge"],
            "dependencies": [f"python={PYTHON}", "pip", {"pip": pins(root)}],
        },
    }
    for each in pipeline.components:
        folder = Path("pipelines", pipeline.name, "mlprojects", each.name)
        files[root / folder / "MLproject"] = _component_project(
            pipeline, each, "/".join([".."] * len(folder.parts))
        )
    header = f"# Made by `relet mlproject {pipeline.name}` from the signatures and the lock: change those.\n"
    texts = {path: header + _yaml(content) for path, content in files.items()}
    return texts | {root / "Dockerfile": header + dockerfile(PYTHON)}


def out_of_date(files: Mapping[Path, str]) -> list[Path]:
    """The files that are missing, or that say something else."""
    return [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write_files(files: Mapping[Path, str]) -> None:
    """Write the files, with the folders they need."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def pins(root: Path) -> list[str]:
    """What relet needs to run, each at the version that `requirements.lock` names, with its marker.

    What only its tests and tools need is left out: the lock says what each package is needed by. Raises SetUpError
    where the lock or pyproject.toml is missing, can't be read, or names no package that the other one has.
    """
    lock = _text_of(
        root / "requirements.lock", "write it with: uv pip compile pyproject.toml -o requirements.lock"
    )
    locked = list(_locked_packages(lock))
    declared = {
        re.sub(r"[-_.]+", "-", found[0].lower()): ";" in found.string
        for found in map(re.compile(r"[\w.\-]+").match, _dependencies(root / "pyproject.toml"))
        if found
    }
    needed = set(declared)
    # A dependency with a marker may be for another platform, and not in this lock.
    unpinned = sorted(needed - {name for name, _, _ in locked} - {name for name in needed if declared[name]})
    if unpinned:
        raise SetUpError(
            f"{root / 'requirements.lock'} pins no version of {', '.join(unpinned)}, which pyproject.toml depends "
            "on; write it anew: uv pip compile pyproject.toml -o requirements.lock"
        )
    while more := {name for name, _, needed_by in locked if needed_by & needed} - needed:
        needed |= more
    return [pin for name, pin, _ in locked if name in needed]


def _text_of(path: Path, advice: str) -> str:
    """A file's text. Raises SetUpError, with the advice, where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"it can't be read ({error})"
        raise SetUpError(
            f"{path}: {reason}; the environments of MLflow's projects are made from it: {advice}"
        ) from error


def _dependencies(path: Path) -> list[str]:
    """What a pyproject.toml depends on, with what the extras need that `[tool.relet] extras` names."""
    advice = 'write [project] with dependencies = ["relet", …]'
    try:
        document = tomllib.loads(_text_of(path, advice))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SetUpError(f"{path} can't be read as TOML: {error}") from error
    declared = _value_at(document, "project", "dependencies")
    if not _are_words(declared):
        raise SetUpError(f"{path} declares no dependencies; {advice}")
    extras = _value_at(document, "tool", "relet", "extras") or []
    if not _are_words(extras):
        raise SetUpError(f'{path}: write [tool.relet] extras as names of extras: extras = ["mlflow"]')
    for extra in extras:
        more = _value_at(document, "project", "optional-dependencies", extra)
        if not _are_words(more):
            raise SetUpError(f"{path}: [tool.relet] extras names {extra}, which is no extra of the project")
        declared = [*declared, *more]
    return list(declared)


def _value_at(document: object, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _locked_packages(lock: str) -> Iterator[tuple[str, str, set[str]]]:
    """Each pin of a lock: the package, the pin, and the packages that need it. A package has one a platform."""
    name, pin, needed_by = "", "", set[str]()
    for line in lock.splitlines():
        found = _PIN.match(line)
        if found:
            if name:
                yield name, pin, needed_by
            name, needed_by = found["name"], set()
            pin = f"{name}=={found['version']}{found['marker'] or ''}"
        elif line.lstrip().startswith("#"):
            needed_by.add(line.strip("# ").removeprefix("via").strip())
    if name:
        yield name, pin, needed_by


def _pipeline_project(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "python_env": "python_env.yaml",
        "entry_points": {
            "main": {
                "parameters": {
                    "steps": {"type": "string", "default": "all"},
                    "hydra_options": {"type": "string", "default": ""},
                },
                "command": _command(".", pipeline.name, "steps={steps} {hydra_options}"),
            }
        },
    }


def _component_project(pipeline: Pipeline, component: Component, up: str) -> dict[str, Any]:
    values = _values_by_mlflow_name(component)
    words = [f"{each.name}={{{each.name}}}" for each in component.inputs]
    words += [f"{each.name}={{{name}}}" for name, each in values.items()]
    parameters = {each.name: {"type": "string", "default": _default_reference(each)} for each in component.inputs}
    return {
        "name": f"{pipeline.name}.{component.name}",
        "python_env": f"{up}/python_env.yaml",
        "entry_points": {
            "main": {
                "parameters": parameters | {name: _hyperparameter(each) for name, each in values.items()},
                "command": _command(up, f"{pipeline.name}.{component.name}", " ".join(words)),
            }
        },
    }


def _values_by_mlflow_name(component: Component) -> dict[str, Parameter | ChosenGroup]:
    """The parameters under names that MLflow can put into a command: `segregation_method`.

    A group that another parameter chooses is one value, a mapping of its fields.
    """
    found: dict[str, Parameter | ChosenGroup] = {}
    values: tuple[Parameter | ChosenGroup, ...] = (*component.parameters, *component.chosen_groups)
    for each in values:
        name = each.name.replace(".", "_")
        if name in found:
            raise SettingError(
                f"{component.name}: MLflow would call both {found[name].name} and {each.name} {name}; rename one"
            )
        found[name] = each
    return found


def _command(up: str, target: str, words: str) -> str:
    # relet is found in the checkout: MLflow's own environments hold only what it needs. MLflow quotes each value.
    return f'PYTHONPATH="$PWD/{up}/src:$PYTHONPATH" python -m relet.mlproject {target} {words}'.strip()


def _hyperparameter(parameter: Parameter | ChosenGroup) -> dict[str, Any] | str:
    if isinstance(parameter, ChosenGroup):
        return {"type": "string", "default": "{}"}
    numeric = bool({int, float} & {*parameter.types})
    kind = "float" if numeric else "string"
    return kind if parameter.required else {"type": kind, "default": _default_value(parameter.default)}


def _default_value(value: Any) -> Any:
    """A default as MLflow hands it on: numbers and text as they are, the rest as JSON, which relet reads."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return value if plain else json.dumps(value)


def _default_reference(each: Input) -> str:
    """The version that an input takes where none is asked for."""
    return each.stored.reference if each.stored else f"{each.name}:latest"


def _yaml(content: Mapping[str, Any]) -> str:
    import yaml

    dumped: str = yaml.safe_dump(dict(content), sort_keys=False, width=10_000, allow_unicode=True)
    return dumped


def run_words(target: str, given: Sequence[str]) -> list[str]:
    """What `relet run` is to be called with, from what an MLproject's command hands over.

    For a pipeline the last word holds several, split as a shell would, without running anything; for a component,
    an input that is asked for at its own default is left out: it may be absent then, as in any other run; and an
    empty mapping leaves the configuration's own.

    >>> run_words("nyc_rentals", ["steps=all", "model=boosted 'etl.source=a b.csv'"])
    ['run', 'nyc_rentals', 'steps=all', 'model=boosted', 'etl.source=a b.csv']
    """
    name, _, component = target.partition(".")
    if component:
        contract = open_project(name).pipeline.component(component)
        defaults = {f"{each.name}={_default_reference(each)}" for each in contract.inputs}
        defaults |= {f"{each.name}={{}}" for each in contract.parameters if dict in each.types}
        defaults |= {f"{each.name}={{}}" for each in contract.chosen_groups}
        return ["run", target, *(word for word in given if word not in defaults)]
    *steps, options = given
    return ["run", target, *steps, *shlex.split(options)]


def go_to_caller(root: Path, asked: Sequence[str]) -> None:
    """Make this process one that was started by whoever had MLflow clone `root`, and runs its project.

    MLflow clones into a temporary folder, where a store would be lost. Its local database lies where the caller
    is: what is relative is relative to its folder then. Raises SettingError where there is none, and neither the
    words that relet is asked with nor the environment name a store that lies elsewhere.
    """
    folder = local_folder(tracking_uri(root))
    if folder is None:
        _check_store(root, asked)
        return
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    if not names_store(asked):
        os.environ[STORE] = callers_store()
    os.environ[SETTING] = str(root)


def _check_store(root: Path, asked: Sequence[str]) -> None:
    given = [word.partition("=")[2] for word in asked if names_store([word])]
    url = given[-1] if given else os.environ.get(STORE) or configured_store(root)
    if "://" not in url and (root / url).is_relative_to(root):
        raise SettingError(
            f"MLflow cloned the project into {root}, where a store would be lost: set {STORE} to a bucket or to a "
            "folder's whole path, or store.url=… in hydra_options"
        )


def cloned_by_mlflow(root: Path) -> bool:
    """Whether a project's folder is a temporary one that MLflow made to clone it into."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if "MLFLOW_RUN_ID" not in os.environ or temporary not in root.parents:
        return False
    return re.fullmatch(r"tmp[a-z0-9_]{8}", root.relative_to(temporary).parts[0]) is not None


def main(target: str, given: Sequence[str]) -> None:
    """Become the run that an MLproject's command asks for: signals and the exit status are relet's own."""
    # a project that is named elsewhere is not the one that MLflow runs
    os.environ.pop(SETTING, None)
    asked = run_words(target, given)
    if cloned_by_mlflow(root := find_root()):
        go_to_caller(root, asked)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "relet", *asked])


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except ReletError as error:
        said = printable(without_credentials(str(error)), keep="\n")
        print(f"relet: {said}", file=sys.stderr)
        sys.exit(error.exit_status)
