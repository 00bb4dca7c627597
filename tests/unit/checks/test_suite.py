"""A suite of data tests becomes a verdict, whatever surrounds it."""

import os
import py_compile
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from relet import Verdict
from relet.checks import run_suite
from relet.data.table import write_table
from relet.errors import ComponentError

ROWS = pd.DataFrame(
    {"id": range(8), "rent": [900, 0, 700, 0, 0, 0, 0, 0], "since": pd.to_datetime(["2019-07-08"] * 8)}
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "batch.parquet"
    write_table(ROWS, path)
    return path


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "checks"
    folder.mkdir(parents=True)
    return folder


def verdict(suite: Path, table: Path, text: str, **options: object) -> Verdict:
    (suite / "test_rents.py").write_text(text)
    return run_suite(suite, data=table, reference=table, options=options)


def test_every_test_is_a_check_that_says_what_it_tests(suite: Path, table: Path) -> None:
    found = verdict(suite, table, "def test_rows(data):\n    'There are rows.'\n    assert len(data)\n")
    assert found.passed and found.reason == "1 check passed"
    assert [(check.name, check.message) for check in found.checks] == [("test_rows", "There are rows.")]


def test_offending_rows_are_kept_five_of_them_as_json_holds_them(suite: Path, table: Path) -> None:
    text = "def test_rent(data, offending, low):\n    offending(data[data.rent < low], f'a rent below {low}')\n"
    found = verdict(suite, table, text, low=10)
    assert found.reason == "1 of 1 check failed: test_rent (6 rows: a rent below 10)"
    assert len(found.checks[0].rows) == 5
    assert found.checks[0].rows[0] == {"id": 1, "rent": 0, "since": "2019-07-08"}
    assert Verdict.from_json(found.to_json()) == found


def test_no_offending_row_is_a_pass(suite: Path, table: Path) -> None:
    assert verdict(
        suite, table, "def test_rent(data, offending):\n    offending(data[data.rent < 0], '')\n"
    ).passed


def test_a_plain_assertion_says_what_it_compared(suite: Path, table: Path) -> None:
    found = verdict(suite, table, "def test_few(data):\n    assert len(data) == 3\n")
    assert not found.passed and found.checks[0].message.startswith("assert 8 == 3")


def test_a_test_reads_the_types_and_the_reference(suite: Path, table: Path) -> None:
    text = """
def test_both(data, reference, schema):
    assert data.equals(reference)
    assert schema == {"id": "int64", "rent": "int64", "since": "timestamp[us]"}
"""
    assert verdict(suite, table, text).passed


def test_what_one_test_changes_no_other_sees(suite: Path, table: Path) -> None:
    text = "def test_a(data):\n    data['rent'] = 5\n    data.loc[0, 'id'] = 99\n"
    text += "def test_b(data):\n    assert data.rent[0] == 900 and data.id[0] == 0\n"
    assert verdict(suite, table, text).passed


def test_a_csv_file_is_read_with_inferred_types(suite: Path, tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text('id,name,since\n1,"two\nlines",2019-07-08\n2,,\n')
    text = """
def test_types(data, schema):
    assert schema == {"id": "int64", "name": "string", "since": "date32[day]"}
    assert list(data.name.isna()) == [False, True]
"""
    assert verdict(suite, path, text).passed


def test_a_p_value_joins_its_check(suite: Path, table: Path) -> None:
    found = verdict(suite, table, "def test_p(record_property):\n    record_property('p_value', 0.25)\n")
    assert found.checks[0].p_value == 0.25


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this_name\ndef test_a(): pass\n", "can't be collected: ModuleNotFoundError"),
        ("def test_a(:\n", "can't be collected"),
        ("def test_a(no_such_fixture): pass\n", "in its setup"),
        ("def test_a(): raise RuntimeError('broken')\n", "RuntimeError: broken"),
        ("import pytest\ndef test_a(): pytest.skip('not now')\n", "nothing was tested, 1 skipped: not now"),
        ("import pytest\npytest.skip('not here', allow_module_level=True)\n", "1 skipped: not here"),
        (
            "import pytest\n@pytest.mark.xfail(reason='odd')\ndef test_a(): assert 0\n",
            "expected to fail, and it did: odd",
        ),
        (
            "import pytest\n@pytest.fixture\ndef f():\n    yield\n    1/0\ndef test_a(f): pytest.skip('x')\n",
            "in its teardown",
        ),
        ("import sys\ndef test_a(): sys.exit(0)\n", "SystemExit"),
        ("import pytest\n@pytest.fixture\ndef f():\n    yield\n    1/0\ndef test_a(f): pass\n", "in its teardown"),
    ],
    ids=[
        "import",
        "syntax",
        "fixture",
        "crash",
        "skip",
        "skip_file",
        "xfail",
        "skip_teardown",
        "exit",
        "teardown",
    ],
)
def test_a_suite_that_breaks_is_no_pass(suite: Path, table: Path, text: str, said: str) -> None:
    found = verdict(suite, table, text)
    assert not found.passed
    assert said in found.reason


def test_what_is_skipped_holds_nothing_back_and_says_why(suite: Path, table: Path) -> None:
    (suite / "test_other.py").write_text("import pytest\npytest.importorskip('nothing_of_this_name')\n")
    text = (
        "import pytest\ndef test_rows(data): assert len(data)\ndef test_rent(): pytest.skip('no rents\\nhere')\n"
    )
    found = verdict(suite, table, text)
    assert found.passed and found.reason == "1 check passed, 2 skipped"
    told = {check.name: check.message for check in found.skipped}
    assert told["test_rent"] == "no rents" and "nothing_of_this_name" in told["test_other.py"]
    assert Verdict.from_json(found.to_json()) == found
    assert ["skipped" in check for check in found.to_json()["checks"]] == [True, False, True]
    worse = verdict(suite, table, text + "def test_more(): assert not 'enough'\n")
    assert not worse.passed and worse.reason.startswith("1 of 4 checks failed, 2 skipped: test_more")


def test_only_what_shifted_may_be_another_market(suite: Path, table: Path) -> None:
    text = """
from relet.checks.statistics import kolmogorov_smirnov
def measured(judge, factor):
    judge(kolmogorov_smirnov([float(n * factor) for n in range(2000)], [float(n) for n in range(2000)]))
def test_same(judge): measured(judge, 1)
def test_shifted(judge): measured(judge, 3)
def test_shifted_and_broken(judge):
    measured(judge, 3)
    assert not 'whole'
def test_broken(judge):
    measured(judge, 1)
    assert not 'whole'
def test_p(record_property):
    record_property('p_value', 0.001)
    assert not 'likely'
def test_rows(data): assert not 'enough'
def test_none_new(data, reference): assert not 'known'
"""
    found = verdict(suite, table, text)
    failed = {check.name for check in found.failed}
    assert failed == {
        "test_shifted",
        "test_shifted_and_broken",
        "test_broken",
        "test_p",
        "test_rows",
        "test_none_new",
    }
    deterministic = [check.name for check in found.deterministic_failures]
    assert deterministic == ["test_shifted_and_broken", "test_broken", "test_rows"]
    assert [each["name"] for each in found.to_json()["checks"] if "compared" in each] == ["test_none_new"]


def test_one_broken_file_does_not_hide_what_the_others_say(suite: Path, table: Path) -> None:
    (suite / "test_broken.py").write_text("1/0\n")
    found = verdict(suite, table, "def test_rows(data):\n    assert len(data)\n")
    assert {check.name: check.passed for check in found.checks} == {"test_broken.py": False, "test_rows": True}


@pytest.mark.parametrize("text", ["", "def check_nothing(): pass\n"])
def test_a_suite_without_tests_has_said_nothing(suite: Path, table: Path, text: str) -> None:
    with pytest.raises(ComponentError, match="no test was found"):
        verdict(suite, table, text)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, table: Path) -> None:
    with pytest.raises(ComponentError, match=r"no folder of data tests .*nowhere"):
        run_suite(tmp_path / "nowhere", data=table, reference=table)


def test_pytest_breaking_off_is_an_error_that_says_so(suite: Path, table: Path) -> None:
    (suite / "conftest.py").write_text("raise RuntimeError('the house is on fire')\n")
    with pytest.raises(ComponentError, match="on fire"):
        verdict(suite, table, "def test_a(): pass\n")


def test_ending_pytest_half_way_is_no_pass(suite: Path, table: Path) -> None:
    with pytest.raises(ComponentError, match="broke off"):
        verdict(suite, table, "import pytest\ndef test_a(): pass\ndef test_b(): pytest.exit('enough', 0)\n")


def test_ctrl_c_in_a_data_test_reaches_the_caller(suite: Path, table: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        verdict(suite, table, "def test_a(): raise KeyboardInterrupt\n")


def test_byte_code_of_an_earlier_form_is_not_taken(suite: Path, table: Path) -> None:
    module = suite / "bound_of_rents.py"
    for form in ("LOW = 1\n", "LOW = 2\n"):  # of one size, within one second
        module.write_text(form)
        os.utime(module, (1_000, 1_000))
        if "1" in form:
            py_compile.compile(str(module))
    head = f"import sys; sys.path.insert(0, {str(suite)!r})\nfrom bound_of_rents import LOW\n"
    assert verdict(suite, table, head + "def test_a(): assert LOW == 2\n").passed


def test_a_module_beside_the_tests_is_read_anew_and_what_was_loaded_is_put_back(
    suite: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite / "bounds_of_rents.py").write_text("LOW = 1\n")
    stale = ModuleType("bounds_of_rents")
    stale.__file__ = str(suite / "bounds_of_rents.py")
    monkeypatch.setitem(sys.modules, "bounds_of_rents", stale)
    head = f"import sys; sys.path.insert(0, {str(suite)!r})\nfrom bounds_of_rents import LOW\n"
    assert verdict(suite, table, head + "def test_a(): assert LOW == 1\n").passed
    assert sys.modules["bounds_of_rents"] is stale
    monkeypatch.delitem(sys.modules, "bounds_of_rents")
    assert verdict(suite, table, head + "def test_a(): assert LOW == 1\n").passed
    assert "bounds_of_rents" not in sys.modules and str(suite) not in sys.path


def test_the_project_around_has_no_say(suite: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = suite.parent
    (home / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\npython_functions = other_*\n")
    (home / "conftest.py").write_text("raise RuntimeError\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    monkeypatch.chdir(home)
    assert verdict(suite, table, "def test_a(): pass\n").passed
    assert os.environ["PYTEST_ADDOPTS"] == "--collect-only"
    assert os.environ["PYTEST_PLUGINS"] == "no_such_plugin"


def test_nothing_is_printed_nor_written_nor_left(
    suite: Path, table: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before, hooks = dict(os.environ), sys.meta_path.copy()
    verdict(suite, table, "def test_a():\n    print('to be seen')\n    assert False\n")
    assert capfd.readouterr() == ("", "")
    assert [file.name for file in suite.parent.rglob("*")] == ["checks", "test_rents.py"]
    assert dict(os.environ) == before
    assert sys.meta_path == hooks


def test_a_verdict_is_the_same_every_time(suite: Path, table: Path) -> None:
    text = "def test_a(data):\n    assert object() is data\n"
    text += "def test_b(offending, data):\n    offending(data, 'all')\n"
    assert verdict(suite, table, text) == verdict(suite, table, text)
    assert "0x" not in verdict(suite, table, text).reason
