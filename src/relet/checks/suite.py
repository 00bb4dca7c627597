"""Run a pytest suite on data, in this process, and turn its result into a verdict."""

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
from relet.core.imports import imports
from relet.core.wording import count
from relet.errors import ComponentError

if TYPE_CHECKING:
    from relet.checks.collector import CheckCollector

# A suite means the same wherever it runs: no configuration of the project, no other plugins, nothing written. Two
# plugins are left out because they would undo the set-up of an outer pytest, two because they collect garbage.
_LEFT_OUT = ("cacheprovider", "doctest", "faulthandler", "logging", "threadexception", "unraisableexception")
_ALONE = (
    f"-c{os.devnull}",
    "--import-mode=importlib",
    "--capture=sys",
    "--color=no",
    "--continue-on-collection-errors",
    *(f"-pno:{name}" for name in _LEFT_OUT),
)
# Modules that running a suite imports, and those that a room of relet imports on first use.
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
    """The verdict of the suite in `folder` on a table. It passes where no test failed, and not all were skipped.

    `data` and `reference` are Parquet or CSV files, `options` the values of the hyperparameters' fixtures. The
    outcomes that tests hand in to `judge` are one family, judged at the end by the options `alpha`, `correction`
    and `min_effect` (see `relet.checks.family.FamilyRules`, which raises SettingError for an impossible value).
    The suite is read anew; the project's pytest configuration and plugins have no effect. A test file that can't
    be imported is a failed check. Raises ComponentError where no test ran or pytest itself failed. Only one thread
    may call this at a time, since pytest takes over the process's standard streams.
    """
    import pytest

    from relet.checks.collector import CheckCollector, OutcomeCollector
    from relet.checks.family import FamilyRules, judge_family
    from relet.checks.fixtures import fixture_plugin

    rules = FamilyRules.of(options or {})
    folder = folder.resolve()
    if not folder.is_dir():
        raise ComponentError(f"there is no folder of data tests {folder}")
    collector, handed_in = CheckCollector(), OutcomeCollector()
    fixtures = fixture_plugin(lambda: data, lambda: reference, options or {}, rules)
    _import_what_suite_needs(folder)
    words = [str(folder), f"--rootdir={folder}", f"--confcutdir={folder}", *_ALONE]
    with _isolated_process_state(folder), _captured_output() as printed:
        status = pytest.main(words, plugins=[fixtures, collector, handed_in])
    if collector.interrupted:
        raise KeyboardInterrupt
    _check_that_it_spoke(folder, int(status), collector, printed.getvalue())
    return judge_checks(collector.judged(judge_family(handed_in.entries, rules)))


def judge_checks(checks: tuple[Check, ...]) -> Verdict:
    """One verdict on all checks.

    It passes where none failed and one at least was not skipped; its reason counts the skipped ones, and names the
    smallest corrected p-value.

    >>> judge_checks((Check(name="test_prices", passed=False, message="2 rows: a price of 0"),)).reason
    '1 of 1 check failed: test_prices (2 rows: a price of 0)'
    """
    failed = [check for check in checks if not check.passed]
    skipped = sum(check.skipped for check in checks)
    aside = f", {skipped} skipped" if skipped else ""
    if checks and skipped == len(checks):
        why = "; ".join(dict.fromkeys(check.message for check in checks))
        return Verdict(passed=False, reason=f"nothing was tested{aside}: {why}", checks=checks)
    if not failed:
        adjusted = [p for check in checks if (p := check.measured.get("adjusted")) is not None]
        smallest = f", smallest family-wise p {min(adjusted):.2g}" if adjusted else ""
        passed = count(len(checks) - skipped, "check")
        return Verdict(passed=True, reason=f"{passed} passed{aside}{smallest}", checks=checks)
    named = "; ".join(f"{check.name} ({check.message})" if check.message else check.name for check in failed)
    of_all = f"{len(failed)} of {count(len(checks), 'check')}"
    return Verdict(passed=False, reason=f"{of_all} failed{aside}: {named}", checks=checks)


def _check_that_it_spoke(folder: Path, status: int, collector: CheckCollector, printed: str) -> None:
    """Raise unless both the exit status and the collected tests say that tests ran."""
    if collector.checks and collector.complete and status in (0, 1, 2, 5):
        # where each file is skipped, pytest says that there was no test
        of_status = {0: True, 5: all(check.skipped for check in collector.checks)}
        if of_status.get(status, any(not check.passed for check in collector.checks)):
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


def _import_what_suite_needs(folder: Path) -> None:
    """Import the packages that the suite's files import, before the suite runs.

    While it runs no byte code is read, so that pandas and SciPy would be compiled again, which takes seconds. An
    import that fails is left for the suite to report.
    """
    wanted: set[tuple[str, str | None]] = set(_FIRST)
    for path in folder.rglob("*.py"):
        with contextlib.suppress(SyntaxError, ValueError, OSError):
            wanted |= set(imports(ast.parse(path.read_bytes()), ""))
    for module, member in sorted(wanted, key=str):
        with contextlib.suppress(Exception):
            if _package_holds(module.partition(".")[0], folder):
                continue  # a package that contains the suite: its modules are read anew
            found = importlib.import_module(module)
            if member:
                getattr(found, member)  # reading an attribute may import its module, as relet.Table does
            for later in (*_LATER.get(module, ()), *_LATER.get(f"{module}.{member}", ())):
                importlib.import_module(later)


def _package_holds(package: str, folder: Path) -> bool:
    spec = importlib.util.find_spec(package)
    return spec is not None and any(map(folder.is_relative_to, spec.submodule_search_locations or ()))


@contextlib.contextmanager
def _captured_output() -> Iterator[io.StringIO]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield printed


@contextlib.contextmanager
def _isolated_process_state(folder: Path) -> Iterator[None]:
    """Shield the suite from the state of this process, and restore that state afterwards."""
    environment = dict(os.environ)
    writes, prefix = sys.dont_write_bytecode, sys.pycache_prefix
    path = sys.path.copy()
    modules = _take_out_modules(folder)
    for name in _TOLD_BY_ENVIRONMENT:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        with tempfile.TemporaryDirectory(prefix="relet-checks-") as elsewhere:
            # A module that was edited twice within a second must not be read from the byte code of its first
            # version.
            sys.dont_write_bytecode, sys.pycache_prefix = True, elsewhere
            yield
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = writes, prefix
        sys.path[:] = path
        _take_out_modules(folder)
        sys.modules.update(modules)
        for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", *_TOLD_BY_ENVIRONMENT):
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]


def _take_out_modules(folder: Path) -> dict[str, ModuleType]:
    """Remove the modules that came from the folder, and return them by name."""
    start = f"{folder}{os.sep}"
    found = [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).startswith(start)
    ]
    return {name: sys.modules.pop(name) for name in found}
