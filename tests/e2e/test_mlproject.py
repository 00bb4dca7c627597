"""The MLflow project files: what they say, and what `mlflow run` does with them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from relet.core.code import FirstPartyCode
from relet.core.pipeline import Pipeline
from relet.core.signature import read_component
from relet.errors import SettingError
from relet.mlproject import PYTHON, generate, out_of_date, pins, run_words, write_files
from relet.project.folder import open_project

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def files() -> dict[Path, str]:
    return generate(open_project("nyc_rentals", ROOT).pipeline, ROOT)


def entry(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["entry_points"]["main"]
    return found


def test_the_files_in_the_repository_are_what_signatures_and_lock_say(files: dict[Path, str]) -> None:
    stale = [str(path.relative_to(ROOT)) for path in out_of_date(files)]
    assert stale == [], "run `relet mlproject nyc_rentals`"


def test_no_component_s_folder_is_left_over(files: dict[Path, str]) -> None:
    there = {*(ROOT / "pipelines" / "nyc_rentals" / "mlprojects").glob("*/*")}
    assert there == {path for path in files if "mlprojects" in path.parts}


def test_a_changed_file_is_out_of_date_until_it_is_written(tmp_path: Path) -> None:
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    files = generate(open_project("nyc_rentals", ROOT).pipeline, tmp_path)
    assert out_of_date(files) == list(files)
    write_files(files)
    assert out_of_date(files) == []
    changed = tmp_path / "MLproject"
    changed.write_text(changed.read_text().replace("hydra_options", "options"))
    assert out_of_date(files) == [changed]


def test_a_component_s_project_has_its_inputs_and_hyperparameters(files: dict[Path, str]) -> None:
    pipeline = open_project("nyc_rentals", ROOT).pipeline
    for each in pipeline.components:
        main = entry(files[ROOT / "pipelines" / "nyc_rentals" / "mlprojects" / each.name / "MLproject"])
        values = [p.name for p in each.parameters] + [group.name for group in each.chosen_groups]
        names = {name.replace(".", "_"): name for name in [*(i.name for i in each.inputs), *values]}
        assert list(main["parameters"]) == list(names)
        # a dot can't be in what MLflow substitutes
        assert all(f"{name}={{{given}}}" in main["command"] for given, name in names.items())
    cleaning = entry(files[ROOT / "pipelines/nyc_rentals/mlprojects/basic_cleaning/MLproject"])["parameters"]
    assert cleaning["sample"] == {"type": "string", "default": "sample:latest"}
    assert cleaning["prices_min_price"] == {"type": "float", "default": 10}
    training = entry(files[ROOT / "pipelines/nyc_rentals/mlprojects/train_model/MLproject"])["parameters"]
    assert training["segregation_method"] == {"type": "string", "default": "keyed"}
    assert training["learner"] == {"type": "string", "default": "{}"}


def test_two_parameters_that_mlflow_would_call_the_same_are_told(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text(
        "from dataclasses import dataclass\nfrom relet import component\n\n"
        "@dataclass(frozen=True)\nclass A:\n    b: int = 1\n\n"
        "@component(job_type='x')\ndef step(*, a: A, a_b: int = 1) -> None: ...\n"
    )
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    step = read_component("step", "steps", tmp_path / "steps.py", FirstPartyCode((tmp_path,)))
    with pytest.raises(SettingError, match=r"step: MLflow would call both a\.b and a_b a_b; rename one"):
        generate(Pipeline([step]), tmp_path)


def test_the_environments_hold_the_locked_versions(files: dict[Path, str]) -> None:
    environment = yaml.safe_load(files[ROOT / "python_env.yaml"])
    conda = yaml.safe_load(files[ROOT / "conda.yaml"])
    assert environment["python"] == PYTHON
    assert conda["dependencies"] == [f"python={PYTHON}", "pip", {"pip": environment["dependencies"]}]
    lock = (ROOT / "requirements.lock").read_text()
    assert all(f"\n{pin} \\\n" in f"\n{lock}" for pin in environment["dependencies"])


def test_the_dockerfile_makes_the_same_python_from_the_same_lock(files: dict[Path, str]) -> None:
    text = files[ROOT / "Dockerfile"]
    assert f"\nFROM python:{PYTHON}-slim\n" in text
    assert "\nCOPY requirements.lock " in text
    assert text.startswith("# Made by `relet mlproject nyc_rentals`")
    assert "://" not in text, "which index is asked is the user's own setting"


def test_the_conda_environment_is_one_that_conda_takes(files: dict[Path, str]) -> None:
    conda = yaml.safe_load(files[ROOT / "conda.yaml"])
    assert {*conda} == {"name", "channels", "dependencies"}
    *specs, from_pip = conda["dependencies"]
    assert all(re.fullmatch(r"[a-z0-9_.\-]+(=[0-9.]+)?", spec) for spec in specs)
    assert all(Requirement(pin).specifier for pin in from_pip["pip"])


def test_a_package_that_only_the_tests_need_is_left_out() -> None:
    names = {pin.partition("==")[0] for pin in pins(ROOT)}
    assert {"hydra-core", "antlr4-python3-runtime", "mlflow-skinny", "numpy", "pytest"} <= names
    assert not {"hypothesis", "moto", "ruff", "uv"} & names


def test_every_pin_of_a_package_with_two_is_kept() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert sum(pin.startswith("numpy==") for pin in pins(ROOT)) == lock.count("\nnumpy==")


def test_options_are_split_as_a_shell_would_without_running_anything() -> None:
    given = ["steps=a", """model=boosted 'etl.source=a b.csv' x=$(touch\\ y);z `w`"""]
    assert run_words("nyc_rentals", given)[3:] == ["model=boosted", "etl.source=a b.csv", "x=$(touch y);z", "`w`"]


def test_an_empty_mapping_leaves_the_configuration_s_own() -> None:
    given = ["family=boosted", "learner={}"]
    assert run_words("nyc_rentals.train_model", given)[2:] == ["family=boosted"]
    assert run_words("nyc_rentals.train_model", ["learner={max_bin: 63}"])[2:] == ["learner={max_bin: 63}"]
    assert run_words("nyc_rentals.get_data", ["columns={}"])[2:] == []


def test_an_input_at_its_default_is_left_to_the_run() -> None:
    given = ["sample=sample:latest", "min_price=50"]
    assert run_words("nyc_rentals.basic_cleaning", given) == ["run", "nyc_rentals.basic_cleaning", "min_price=50"]
    given = ["sample=sample:v1"]
    assert run_words("nyc_rentals.basic_cleaning", given)[2:] == given


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project in a folder of its own, with a store of its own."""
    copy = tmp_path / "project"
    ignored = shutil.ignore_patterns(".git", ".venv", ".relet", "mlruns", "mlflow.db*", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


def mlflow_run(
    checkout: Path, *arguments: str, folder: str = ".", manager: str = "local"
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{checkout / 'mlflow.db'}",
        "MLFLOW_ENV_ROOT": str(checkout.parent / "envs"),
        "PYTHONPATH": "",
    }
    command = [BIN / "mlflow", "run", folder, "--env-manager", manager, *arguments]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=800, check=False
    )


def artifacts(checkout: Path) -> set[str]:
    return {path.name.removeprefix("nyc_rentals.") for path in (checkout / ".relet" / "artifacts").glob("*")}


SMALL = "etl.rows=300 data_check.min_rows=10"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_mlflow_runs_the_steps_that_are_asked_for(checkout: Path) -> None:
    options = f"model=random_forest etl.min_price=50 {SMALL}"
    done = mlflow_run(checkout, "-P", "steps=get_data,basic_cleaning", "-P", f"hydra_options={options}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert artifacts(checkout) == {"sample", "clean_sample", "quarantine"}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_mlflow_runs_a_sweep_below_its_own_run(checkout: Path) -> None:
    small = f"{SMALL} modeling.boosted.n_estimators=20"
    options = f"-m modeling.boosted.num_leaves=4,8 workers=2 {small}"
    done = mlflow_run(checkout, "-P", f"hydra_options={options}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the best one: relet run nyc_rentals etl.rows=300" in done.stdout
    records = [json.loads(path.read_text()) for path in (checkout / ".relet" / "runs").glob("*.json")]
    (sweep,) = (each for each in records if each["job_type"] == "sweep")
    assert sweep["machine"]["mlflow_run_id"]
    assert sorted(each["overrides"] for each in records if each["parent"] == sweep["id"]) == [
        ["modeling.boosted.num_leaves=4"],
        ["modeling.boosted.num_leaves=8"],
    ]
    ran = Counter(each["component"] for each in records if each["component"])
    assert (ran["get_data"], ran["data_split"], ran["train_model"]) == (1, 1, 2)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_component_s_folder_runs_it_alone(checkout: Path) -> None:
    folder = "pipelines/nyc_rentals/mlprojects"
    done = mlflow_run(checkout, "-P", "rows=300", folder=f"{folder}/get_data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert artifacts(checkout) == {"sample"}
    done = mlflow_run(checkout, "-P", "prices_min_price=50", folder=f"{folder}/basic_cleaning")
    assert done.returncode == 0, done.stdout + done.stderr
    assert artifacts(checkout) == {"sample", "clean_sample", "quarantine"}
    records = [json.loads(path.read_text()) for path in (checkout / ".relet" / "runs").glob("*.json")]
    assert {50} == {r["parameters"]["prices.min_price"] for r in records if r["component"] == "basic_cleaning"}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_parameter_is_never_executed(checkout: Path) -> None:
    evil = """x'; touch harm; echo " $(touch harm) `touch harm` {steps} && touch harm #"""
    for arguments in ([f"steps={evil}"], ["steps=get_data", "-P", f"hydra_options={evil}"]):
        done = mlflow_run(checkout, "-P", *arguments)
        assert done.returncode != 0
    assert not list(checkout.rglob("harm"))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_mlflow_makes_an_environment_of_the_locked_versions(checkout: Path) -> None:
    """uv takes the index that the user configured for it; without that exact Python there is nothing to test."""
    if subprocess.run([BIN / "uv", "python", "find", PYTHON], capture_output=True).returncode:
        pytest.skip(f"no Python {PYTHON} on this machine")
    done = mlflow_run(checkout, "-P", "steps=get_data", "-P", f"hydra_options={SMALL}", manager="uv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert artifacts(checkout) == {"sample"}
    (python,) = (checkout.parent / "envs").glob("*/bin/python")
    version = "import hydra, sys; print(sys.version.split()[0], hydra.__version__)"
    shown = subprocess.run([python, "-c", version], capture_output=True, text=True).stdout.split()
    assert shown == [PYTHON, next(pin for pin in pins(ROOT) if pin.startswith("hydra-core==")).partition("==")[2]]
