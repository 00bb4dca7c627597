"""Run a pytest suite on data, in this process, and turn what it found into a verdict."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from relet.core.artifact import Check, Verdict
from relet.core.code import imports
from relet.core.wording import count
from relet.errors import ComponentError

if TYPE_CHECKING:
    from relet.checks.collector import CheckCollector

# A suite means the same wherever it runs: no configuration of the project, no plugin but these, nothing written.
# Two plugins are left out because they would undo what an outer pytest set up, two because they collect garbage.
_LEFT_OUT = ("cacheprovider", "doctest", "faulthandler", "logging", "threadexception", "unraisableexception")
_ALONE = (
    f"-c{os.devnull}",
    "--import-mode=importlib",
    "--capture=sys",
    "--color=no",
    "--continue-on-collection-errors",
    *(f"-pno:{name}" for name in _LEFT_OUT),
)
# What a suite is run with, and what a room of relet imports when it is first used.
_FIRST = (("pandas", None), ("pyarrow.parquet", None), ("relet.data.table", None))
_LATER = {
    "relet.checks.statistics": ("scipy.stats",),
    "relet.Table": (
        "ibis.backends.duckdb.converter",
        "ibis.backends.sql.compilers.duckdb",
        "ibis.expr.types.groupby",
        "sqlglot.dialects.duckdb",
    ),
}
_TOLD_BY_ENVIRONMENT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_CURRENT_TEST", "PYTEST_VERSION")


def run_suite(folder: Path, *, data: Path, reference: Path, options: Mapping[str, Any] | None = None) -> Verdict:
    """The verdict of the suite in `folder` on a table: yes where every test of it passed.

    `data` and `reference` are Parquet or CSV files, `options` the values of the hyperparameters' fixtures. All
    that the tests hand in to `judge` is one family, judged at the end by the options `alpha`, `correction` and
    `min_effect` (see `relet.checks.family.FamilyRules`; SettingError for a value that can't be). The suite is read
    anew, and neither configuration nor plugins of the project around it have a say. A test file that can't be
    imported is a failed check. Raises ComponentError where no test was run, or pytest itself failed: such a suite
    has said nothing, which is not a yes. Not for two threads at a time: pytest takes over the process's standard
    streams while it runs.
    """
    import pytest

    from relet.checks.collector import CheckCollector, OutcomeCollector
    from relet.checks.family import FamilyRules
    from relet.checks.family import judge as judge_family
    from relet.checks.fixtures import plugin

    rules = FamilyRules.of(options or {})
    folder = folder.resolve()
    if not folder.is_dir():
        raise ComponentError(f"there is no folder of data tests {folder}")
    collector, handed_in = CheckCollector(), OutcomeCollector()
    fixtures = plugin(lambda: data, lambda: reference, options or {}, rules)
    _import_before(folder)
    words = [str(folder), f"--rootdir={folder}", f"--confcutdir={folder}", *_ALONE]
    with _alone(folder), _silenced() as printed:
        status = pytest.main(words, plugins=[fixtures, collector, handed_in])
    if collector.interrupted:
        raise KeyboardInterrupt
    _check_that_it_spoke(folder, int(status), collector, printed.getvalue())
    return judge(collector.judged(judge_family(handed_in.entries, rules)))


def judge(checks: tuple[Check, ...]) -> Verdict:
    """One verdict on all checks: yes where each of them says yes. The reason names the smallest corrected p-value.

    >>> judge((Check(name="test_prices", passed=False, message="2 rows: a price of 0"),)).reason
    '1 of 1 check failed: test_prices (2 rows: a price of 0)'
    """
    failed = [check for check in checks if not check.passed]
    if not failed:
        adjusted = [p for check in checks if (p := check.measured.get("adjusted")) is not None]
        smallest = f", smallest family-wise p {min(adjusted):.2g}" if adjusted else ""
        return Verdict(passed=True, reason=f"{count(len(checks), 'check')} passed{smallest}", checks=checks)
    named = "; ".join(f"{check.name} ({check.message})" if check.message else check.name for check in failed)
    return Verdict(
        passed=False, reason=f"{len(failed)} of {count(len(checks), 'check')} failed: {named}", checks=checks
    )


def _check_that_it_spoke(folder: Path, status: int, collector: CheckCollector, printed: str) -> None:
    """Raise unless the exit status and what was collected agree that tests were run."""
    if collector.checks and collector.complete and status in (0, 1, 2):
        if status == 0 or any(not check.passed for check in collector.checks):
            return
    elif not collector.checks and status in (0, 5):
        raise ComponentError(
            f"the data tests in {folder} say nothing: no test was found; its files are test_*.py, and their "
            "tests functions test_*"
        )
    said = [line for line in printed.splitlines() if line.strip()]
    raise ComponentError(
        f"the data tests in {folder} broke off, pytest's status {status}: " + "\n".join(said[-8:])
    )


def _import_before(folder: Path) -> None:
    """Import what the suite's files import from elsewhere, as Python does it outside of a suite.

    Within one no byte code is read: pandas and SciPy would be compiled anew, which takes seconds. What can't be
    imported is left for the suite to say.
    """
    wanted: set[tuple[str, str | None]] = set(_FIRST)
    for path in folder.rglob("*.py"):
        with contextlib.suppress(SyntaxError, ValueError, OSError):
            wanted |= set(imports(ast.parse(path.read_bytes()), ""))
    for module, member in sorted(wanted, key=str):
        with contextlib.suppress(Exception):
            if _holds(module.partition(".")[0], folder):
                continue  # a package around the suite: its modules are read anew
            found = importlib.import_module(module)
            if member:
                getattr(found, member)  # a name may bring its module when it is asked for: relet.Table does
            for later in (*_LATER.get(module, ()), *_LATER.get(f"{module}.{member}", ())):
                importlib.import_module(later)


def _holds(package: str, folder: Path) -> bool:
    spec = importlib.util.find_spec(package)
    return spec is not None and any(map(folder.is_relative_to, spec.submodule_search_locations or ()))


@contextlib.contextmanager
def _silenced() -> Iterator[io.StringIO]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep out what belongs to the process around, and leave it as it was found."""
    environment = dict(os.environ)
    writes, prefix = sys.dont_write_bytecode, sys.pycache_prefix
    path = sys.path.copy()
    modules = _take_out(folder)
    for name in _TOLD_BY_ENVIRONMENT:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        with tempfile.TemporaryDirectory(prefix="relet-checks-") as elsewhere:
            # A module edited twice within a second must not be met as the byte code of its first form.
            sys.dont_write_bytecode, sys.pycache_prefix = True, elsewhere
            yield
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = writes, prefix
        sys.path[:] = path
        _take_out(folder)
        sys.modules.update(modules)
        for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", *_TOLD_BY_ENVIRONMENT):
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]


def _take_out(folder: Path) -> dict[str, ModuleType]:
    """Remove the modules that came from the folder, and return them by name."""
    start = f"{folder}{os.sep}"
    found = [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).startswith(start)
    ]
    return {name: sys.modules.pop(name) for name in found}
