"""The pytest plugin that runs a suite of data tests by hand.

    pytest pipelines/nyc_rentals/checks --data clean_sample:latest --kl-threshold 0.2

The plugin acts only where a folder or file on the command line belongs to the suite of a pipeline's component: to
a resource of a component that gives a verdict. Then each hyperparameter of that component is an option. The
options `--alpha`, `--correction` and `--min-effect` say how the outcomes are judged at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from relet.core.artifact import in_pipeline
from relet.core.wording import printable
from relet.errors import ReletError

if TYPE_CHECKING:
    from relet.checks.family import JudgedOutcome
    from relet.core.component import Component
from relet.core.parameter import Parameter

# The prefix that keeps the hyperparameters' options apart from pytest's own.
DEST = "relet_"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    try:
        suite = next(_suites_among(early_config.invocation_params.dir, args), None)
    except ReletError as error:
        raise pytest.UsageError(printable(str(error), keep="\n")) from error
    if suite is None:
        return
    root, pipeline, component = suite
    data, reference = _default_references(component)
    group = parser.getgroup("relet", f"the data tests of {component.name}")
    group.addoption("--data", default=data, help=f"the batch: name:alias or a file; else {data}")
    group.addoption("--reference", default=reference, help=f"what it is compared with; else {reference}")
    group.addoption("--store", default=str(root / ".relet"), help="the store that references are looked up in")
    for each in _suite_options(component):
        option = f"--{each.field.replace('_', '-')}"
        taken = {"dest": _option_destination(each), "metavar": each.field.upper(), "help": f"else {each.default}"}
        # Where pytest itself has an option of that name, the hyperparameter keeps its default.
        with contextlib.suppress(ValueError, argparse.ArgumentError):
            group.addoption(option, type=_option_type(each), default=each.default, **taken)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # the suite may import what its pipeline imports
    early_config.pluginmanager.register(_SuitePlugin(component, pipeline))


class _SuitePlugin:
    """Gives the fixtures their values once the options are parsed, and judges the outcomes at the end."""

    def __init__(self, component: Component, pipeline: str) -> None:
        self.component = component
        self.pipeline = pipeline
        self.judged: tuple[JudgedOutcome, ...] = ()

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        from relet.checks.collector import OutcomeCollector
        from relet.checks.family import FamilyRules
        from relet.checks.fixtures import fixture_plugin

        data, reference, store = (config.getoption(name) for name in ("--data", "--reference", "--store"))
        options = {
            each.field: config.getoption(_option_destination(each), each.default)
            for each in _suite_options(self.component)
        }
        try:
            self.rules = FamilyRules.of(options)
        except ReletError as error:
            raise pytest.UsageError(
                f"{printable(str(error))}; set --alpha, --correction or --min-effect"
            ) from error
        self.handed_in = OutcomeCollector()
        config.pluginmanager.register(self.handed_in)
        config.pluginmanager.register(
            fixture_plugin(
                lambda: locate_table(data, store, self.pipeline),
                lambda: locate_table(reference, store, self.pipeline),
                options,
                self.rules,
            )
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        from relet.checks.family import judge_family

        self.judged = judge_family(self.handed_in.entries, self.rules)
        if exitstatus == 0 and any(each.rejected for each in self.judged):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.judged:
            return
        rejected = sum(each.rejected for each in self.judged)
        terminalreporter.section(f"{rejected} of {len(self.judged)} null hypotheses rejected")
        for each in self.judged:
            line = f"{each.node.partition('::')[2]}: {each.sentence}"
            terminalreporter.write_line(printable(line), red=each.rejected)


def _suite_options(component: Component) -> tuple[Parameter, ...]:
    """The component's hyperparameters, completed by the rules for judging a family."""
    from relet.checks.family import FamilyRules
    from relet.core.parameter import Parameter

    own = {each.field for each in component.parameters}
    others = (
        Parameter(name=name, annotation=type(value).__name__, types=(type(value),), default=value)
        for name, value in vars(FamilyRules()).items()
        if name not in own
    )
    return (*component.parameters, *others)


@functools.cache
def locate_table(text: str, store: str, pipeline: str) -> Path:
    """The file that a path or a pipeline's reference into the store names. Ends pytest where neither exists."""
    if Path(text).is_file():
        return Path(text)
    from relet.store import open_store

    if "://" not in store and not Path(store).is_dir():
        pytest.exit(f"there is neither a file {text} nor a store {store}; set --data, --reference or --store", 4)
    try:
        opened = open_store(store)
        folder = Path(tempfile.mkdtemp(prefix="relet-checks-"))
        opened.materialize(opened.version(in_pipeline(pipeline, text)), folder)
    except ReletError as error:
        pytest.exit(f"{printable(str(error))}; set --data, --reference or --store", 4)
    return next(file for file in folder.rglob("*") if file.is_file())


def _suites_among(here: Path, words: Sequence[str]) -> Iterator[tuple[Path, str, Component]]:
    """The project's root, the pipeline's name and the component for each word of the command line that lies in a
    component's suite.
    """
    for word in words:
        path = (here / word.partition("::")[0]).resolve()
        if not path.exists():
            continue
        for home in (path, *path.parents):
            if (home / "pipeline.py").is_file() and home.parent.name == "pipelines":
                root = home.parents[1]
                found = _checking_components(root, home, path.relative_to(home))
                yield from ((root, home.name, component) for component in found)


def _checking_components(root: Path, home: Path, path: Path) -> Iterator[Component]:
    from relet.core.pipeline import read_pipeline
    from relet.core.roots import project_code

    code, _ = project_code(root)
    for component in read_pipeline(home.name, home / "pipeline.py", code).components:
        if component.gates and any(path.is_relative_to(resource) for resource in component.resources):
            yield component


def _default_references(component: Component) -> tuple[str, str]:
    """The default batch and reference: those that the component's own inputs name."""
    judged = [*component.judges, *(each.name for each in component.inputs if not each.stored)]
    data = f"{judged[0]}:latest"
    return data, next((each.stored.reference for each in component.inputs if each.stored), data)


def _option_destination(parameter: Parameter) -> str:
    return f"{DEST}{parameter.field}"


def _option_type(parameter: Parameter) -> Any:
    """The function that parses an option's text into the parameter's type. It raises ValueError for other text.

    A list is written with commas, a mapping as JSON.
    """
    if bool in parameter.types:
        return _parse_bool
    if list in parameter.types or tuple in parameter.types:
        return _parse_list
    if dict in parameter.types:
        return _parse_mapping
    return next((kind for kind in parameter.types if kind in (float, int)), str)


def _parse_list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _parse_mapping(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"a mapping as JSON, got {text}")
    return found


def _parse_bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"true or false, got {text}")
    return text.lower() == "true"
