"""Folders whose files are none, lead elsewhere, or hold more than a model may."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.folders import edit_json, hostile, reseal


def _name_file(folder: Path, name: str) -> None:
    def named(about: dict[str, Any]) -> None:
        about["files"] = {name: "0" * 64, **about["files"]}

    edit_json(folder, "relet.json", named)


@hostile("linear")
def file_that_has_no_end(folder: Path) -> None:
    """The list of files names a device that gives zeros without an end."""
    _name_file(folder, "/dev/zero")


@hostile("linear")
def file_above_the_folder(folder: Path) -> None:
    """The list of files leads out of the folder."""
    _name_file(folder, "../../secret.txt")


@hostile("linear")
def file_of_another_name(folder: Path) -> None:
    """The list of files names one that no model has."""
    _name_file(folder, "start.py")


@hostile("linear")
def file_list_that_is_none(folder: Path) -> None:
    """The list of files is a text."""
    edit_json(folder, "relet.json", lambda about: about.update(files="inference.skops"))


@hostile("linear")
def golden_rows_in_a_pipe(folder: Path) -> None:
    """The golden rows are a pipe that nobody writes to."""
    (folder / "golden.json").unlink()
    os.mkfifo(folder / "golden.json")


@hostile("linear")
def golden_rows_in_a_link(folder: Path) -> None:
    """The golden rows are a link to a device."""
    (folder / "golden.json").unlink()
    (folder / "golden.json").symlink_to("/dev/zero")


@hostile("linear")
def archive_in_a_link(folder: Path) -> None:
    """The archive is a link to a file elsewhere."""
    (folder / "inference.skops").rename(folder.parent / f"{folder.name}.skops")
    (folder / "inference.skops").symlink_to(folder.parent / f"{folder.name}.skops")


@hostile("linear")
def archive_in_a_folder(folder: Path) -> None:
    """The archive is a folder."""
    (folder / "inference.skops").unlink()
    (folder / "inference.skops").mkdir()


@hostile("linear")
def description_in_a_link(folder: Path) -> None:
    """`relet.json` is a link to a device."""
    (folder / "relet.json").unlink()
    (folder / "relet.json").symlink_to("/dev/zero")


@hostile("linear")
def description_in_a_pipe(folder: Path) -> None:
    """`relet.json` is a pipe."""
    (folder / "relet.json").unlink()
    os.mkfifo(folder / "relet.json")


@hostile("linear")
def description_too_large(folder: Path) -> None:
    """`relet.json` has 100 MB that are not there."""
    os.truncate(folder / "relet.json", 100_000_000)


@hostile("linear")
def description_deeper_than_a_stack(folder: Path) -> None:
    """`relet.json` is a hundred thousand lists in each other."""
    (folder / "relet.json").write_text("[" * 100_000 + "]" * 100_000)


@hostile("linear")
def description_that_names_other_code(folder: Path) -> None:
    """The code that made the model lies somewhere else."""
    edit_json(folder, "relet.json", lambda about: about["code"].update({"../../etc/passwd": "0" * 64}))


@hostile("linear")
def description_of_another_format(folder: Path) -> None:
    """The format is a text."""
    edit_json(folder, "relet.json", lambda about: about.update(format="1"))


@hostile("linear")
def archive_larger_than_it_may_be(folder: Path) -> None:
    """The archive has 2 GiB that are not there."""
    os.truncate(folder / "inference.skops", 2**31)


def _edit_golden(folder: Path, **fields: Any) -> None:
    edit_json(folder, "golden.json", lambda golden: golden.update(fields))


@hostile("linear")
def golden_rows_without_end(folder: Path) -> None:
    """There are a million golden rows of one column and many that they do not have."""
    _edit_golden(folder, rows=[{"nights": 1}] * 1_000_000)


@hostile("linear")
def golden_rows_that_hold_lists(folder: Path) -> None:
    """A value of a golden row is a list."""
    edit_json(folder, "golden.json", lambda golden: golden["rows"][0].update(title=[["sunny"]]))


@hostile("linear")
def golden_rows_that_are_numbers(folder: Path) -> None:
    """The golden rows are numbers."""
    _edit_golden(folder, rows=[1, 2, 3])


@hostile("linear")
def golden_row_with_a_long_text(folder: Path) -> None:
    """A title has five million letters."""
    edit_json(folder, "golden.json", lambda golden: golden["rows"][0].update(title="x" * 5_000_000))


@hostile("linear")
def golden_rows_of_two_columns_of_one_name(folder: Path) -> None:
    """Two columns have one name."""
    edit_json(folder, "golden.json", lambda golden: golden.update(columns=["nights"] * 6))


@hostile("linear")
def golden_rows_without_predictions(folder: Path) -> None:
    """There are no predictions to repeat."""
    edit_json(folder, "golden.json", lambda golden: golden.pop("predictions"))


@hostile("linear")
def golden_predictions_of_another_number(folder: Path) -> None:
    """There is one prediction for many rows."""
    edit_json(folder, "golden.json", lambda golden: golden.update(predictions=golden["predictions"][:1]))


@hostile("linear")
def golden_coverage_that_is_none(folder: Path) -> None:
    """The interval of a golden row has a coverage of 300%."""
    edit_json(folder, "golden.json", lambda golden: golden["intervals"][0].update(coverage=3.0))


@hostile("linear")
def comparables_that_expand(folder: Path) -> None:
    """One text of a megabyte stands in 5,000 rows, and once in the file."""
    room = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 1_000_000]))
    numbers = {name: pa.array([1.0] * 5000) for name in ("id", "nights", "price")}
    pq.write_table(pa.table({"room": room, **numbers}), folder / "comparables.parquet", store_schema=False)
    reseal(folder)


@hostile("linear")
def comparables_that_are_none(folder: Path) -> None:
    """The comparable rows are no table."""
    (folder / "comparables.parquet").write_bytes(b"PAR1" + bytes(1000) + b"PAR1")
    reseal(folder)


@hostile("linear")
def interval_without_scores(folder: Path) -> None:
    """The intervals have no scores."""
    edit_json(folder, "interval.json", lambda held: held.update(scores=[]))


@hostile("linear")
def interval_by_what_is_no_column(folder: Path) -> None:
    """The intervals have groups by a column that is not there."""
    edit_json(folder, "interval.json", lambda held: held.update(by=["street"]))


@hostile("linear")
def explanation_of_other_columns(folder: Path) -> None:
    """The background rows have other columns than the model."""
    edit_json(folder, "explanation.json", lambda held: held.update(columns=["nights"]))


@hostile("linear")
def explanation_without_rows(folder: Path) -> None:
    """There are no background rows."""
    edit_json(folder, "explanation.json", lambda held: held.update(background=[]))


@hostile("linear")
def example_that_is_a_number(folder: Path) -> None:
    """The example is a number."""
    (folder / "input_example.json").write_text(json.dumps(3))
    reseal(folder)


@hostile("linear")
def example_of_fewer_columns(folder: Path) -> None:
    """The example's rows have fewer values than columns."""
    edit_json(folder, "input_example.json", lambda held: held.update(data=[[1]]))
