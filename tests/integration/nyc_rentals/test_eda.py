"""The flagship's notebook says what is in the listings: held against counts that are made another way.

The last tests start it in processes of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pipelines.nyc_rentals.bounds import Bounds, Prices
from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.explore import NOTEBOOK, explore
from pipelines.nyc_rentals.generated import simulate
from relet.data.table import read_table, write_table

ROOT = Path(__file__).parents[3]
SECTIONS = [
    "Columns and their types",
    "Missing values",
    "Prices, and where they end",
    "Prices by place",
    "Room types by borough",
    "Hosts with many listings",
    "What cleaning changed",
    "Reviews and availability",
    "Correlations",
]

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch's three tables, and the rows in them."""

    sample: Path
    clean_sample: Path
    quarantine: Path

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        return self.sample, self.clean_sample, self.quarantine

    def rows(self) -> Rows:
        return list(read_table(self.sample, "arrow").to_pylist())

    def clean(self) -> Rows:
        return list(read_table(self.clean_sample, "arrow").to_pylist())


def cleaned(folder: Path, table: Any, **groups: Any) -> Batch:
    batch = Batch(**{name: folder / f"{name}.parquet" for name in ("sample", "clean_sample", "quarantine")})
    write_table(table, batch.sample)
    parts = basic_cleaning(read_table(batch.sample, "ibis"), **groups)
    write_table(parts.clean_sample, batch.clean_sample)
    write_table(parts.quarantine, batch.quarantine)
    return batch


def divided(folder: Path, table: Any, kept: int) -> Batch:
    """A batch of which the first rows were kept, whatever cleaning would say of them."""
    import pyarrow as pa

    batch = Batch(**{name: folder / f"{name}.parquet" for name in ("sample", "clean_sample", "quarantine")})
    left = table.slice(kept)
    write_table(table, batch.sample)
    write_table(table.slice(0, kept), batch.clean_sample)
    write_table(left.append_column("reason", pa.array(["too dear"] * len(left), pa.string())), batch.quarantine)
    return batch


def page_of(batch: Batch) -> str:
    """The page, made without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return (explore(*batch.paths).exploration / "exploration.html").read_text()


def sections(page: str) -> dict[str, str]:
    """The words of each section, those in drawings and tables too."""
    found = re.findall(r"<section[^>]*><h2>(.*?)</h2>(.*?)</section>", page, re.DOTALL)
    plain = ((title, re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)) for title, html in found)
    return {unescape(title): " ".join(unescape(words).split()) for title, words in plain}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return cleaned(tmp_path_factory.mktemp("batch"), simulate(3_000, 5))


@pytest.fixture(scope="module")
def page(batch: Batch) -> str:
    return page_of(batch)


@pytest.fixture(scope="module")
def said(page: str) -> dict[str, str]:
    return sections(page)


def share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}"


def test_the_page_has_every_section_with_its_drawings(page: str, said: dict[str, str], batch: Batch) -> None:
    assert list(said) == SECTIONS
    assert page.count("<svg") >= 12
    assert f"3,000 listings by {len({row['host_id'] for row in batch.rows()}):,} hosts" in page
    assert len(page.encode()) < 3_000_000


def test_what_the_notebook_writes_as_markup_is_markup(page: str) -> None:
    assert "<figcaption>Median price, in dollars a night</figcaption>" in page
    assert "<h3>The highest</h3>" in page
    assert not re.search(r"&lt;/?[a-z]", page)


def test_columns_are_told_with_their_types_and_ranges(said: dict[str, str], batch: Batch) -> None:
    words, rows = said["Columns and their types"], batch.rows()
    assert "16 columns: 1 × date, 3 × number, 5 × text, 7 × whole number. Different in every row: id." in words
    prices = sorted(row["price"] for row in rows)
    middle = prices[(len(prices) - 1) // 2]
    assert f"{prices[0]:,} to {prices[-1]:,}, median {middle:,}" in words
    (borough, often), *_ = Counter(row["neighbourhood_group"] for row in rows).most_common(1)
    assert f"{borough} ({often:,})" in words


def test_what_is_missing_together_is_explained(said: dict[str, str], batch: Batch) -> None:
    rows = batch.rows()
    without = sum(row["last_review"] is None for row in rows)
    where = f"in the same {without:,} rows ({share(without, len(rows))}): exactly those without a review."
    assert f"last_review and reviews_per_month are missing {where}" in said["Missing values"]
    assert f"name ({sum(row['name'] is None for row in rows)})" in said["Missing values"]


def test_prices_outside_of_the_bounds_are_counted_and_weighed(said: dict[str, str], batch: Batch) -> None:
    words, rows = said["Prices, and where they end"], batch.rows()
    low, high = (choose(row["price"] for row in batch.clean()) for choose in (min, max))
    above = [row for row in rows if row["price"] > high]
    assert (
        f"Cleaning keeps {low} to {high} dollars a night. {share(len(above), len(rows))} of the listings" in words
    )
    assert f"({len(above)}) cost more and {sum(row['price'] < low for row in rows)} less" in words
    dollars = sum(row["price"] for row in rows)
    assert f"ask for {share(sum(row['price'] for row in above), dollars)} of all dollars" in words
    mean = dollars / len(rows)
    squares = [sum((row["price"] - mean) ** 2 for row in each) for each in (above, rows)]
    assert f"make {share(*squares)} of the variance" in words
    assert f"{share(sum(not row['number_of_reviews'] for row in above), len(above))} of them were never" in words
    assert f"{max(row['price'] for row in rows):,}" in words


def test_hosts_with_many_listings_are_counted_and_what_a_random_split_leaks(
    said: dict[str, str], batch: Batch
) -> None:
    words = said["Hosts with many listings"]
    sizes = sorted(Counter(row["host_id"] for row in batch.clean()).values(), reverse=True)
    rows, top = sum(sizes), round(len(sizes) / 100)
    assert f"The largest 1% ({top} hosts) hold {share(sum(sizes[:top]), rows)} of the rows" in words
    leaked = sum(size * (1 - 0.2 ** (size - 1)) for size in sizes)
    assert f"{share(leaked, rows)} of the test rows have their host in training too" in words


def test_what_cleaning_changed_is_told_with_its_reasons(said: dict[str, str], batch: Batch) -> None:
    words, rows, clean = said["What cleaning changed"], batch.rows(), batch.clean()
    reasons = Counter(row["reason"] for row in read_table(batch.quarantine, "arrow").to_pylist())
    assert f"{len(rows) - len(clean)} rows ({share(len(rows) - len(clean), len(rows))}) left" in words
    for reason, left in reasons.items():
        assert f"{left} for “{reason}”" in words
    assert f"listings {len(rows):,} {len(clean):,} mean price" in words
    assert "belong together" not in words


def test_closed_listings_and_long_stays_are_counted(said: dict[str, str], batch: Batch) -> None:
    words, clean = said["Reviews and availability"], batch.clean()
    assert share(sum(not row["availability_365"] for row in clean), len(clean)) in words
    assert share(sum(row["minimum_nights"] >= 30 for row in clean), len(clean)) in words


def test_the_folder_holds_the_notebooks_code_beside_the_page(batch: Batch) -> None:
    folder = explore(*batch.paths).exploration
    assert sorted(path.name for path in folder.iterdir()) == ["eda.py", "exploration.html"]
    assert (folder / "eda.py").read_bytes() == NOTEBOOK.read_bytes()


def test_tables_that_do_not_belong_together_are_told_apart(tmp_path: Path, batch: Batch) -> None:
    other = cleaned(tmp_path, simulate(500, 6))
    page = page_of(Batch(sample=batch.sample, clean_sample=other.clean_sample, quarantine=other.quarantine))
    assert "These tables do not belong together: 3,000 rows came" in sections(page)["What cleaning changed"]


def test_a_batch_of_which_nothing_is_kept_is_explored_as_far_as_it_goes(tmp_path: Path) -> None:
    said = sections(page_of(divided(tmp_path, simulate(200, 6), kept=0)))
    assert list(said) == [
        "Columns and their types",
        "Missing values",
        "Clean listings",
        "What cleaning changed",
    ]
    assert "200 rows (100%) left" in said["What cleaning changed"]


@pytest.mark.parametrize("rows", [1, 3, 200])
@pytest.mark.sampled
def test_a_small_batch_is_explored(tmp_path: Path, rows: int) -> None:
    wide = Prices(min_price=0, max_price=1e6)
    said = sections(page_of(cleaned(tmp_path, simulate(rows, 6), prices=wide, bounds=Bounds(east=-73))))
    assert list(said) == SECTIONS
    assert "0 rows (0%) left." in said["What cleaning changed"]


@pytest.mark.parametrize(
    ("columns", "where", "words"),
    [
        (("latitude", "longitude"), "Prices by place", "no places to show"),
        (("name",), "Missing values", "own, in so many rows: name (300)"),
        (("last_review", "reviews_per_month"), "Reviews and availability", "No listing has a review."),
        (("availability_365",), "Columns and their types", "availability_365 whole number 100% 0 –"),
    ],
)
@pytest.mark.sampled
def test_columns_without_a_single_value_are_explored_too(
    tmp_path: Path, columns: tuple[str, ...], where: str, words: str
) -> None:
    import pyarrow as pa

    table = simulate(300, 6)
    for name in columns:
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.nulls(table.num_rows, table.schema.field(name).type))
    # coordinates that are missing are outside for this cleaning; what the notebook does with them is asked here
    said = sections(page_of(divided(tmp_path, table, kept=table.num_rows)))
    assert list(said) == SECTIONS
    assert words in said[where]


def test_what_stands_in_the_data_is_never_markup(tmp_path: Path) -> None:
    import pyarrow as pa

    table = simulate(300, 6)
    for name in ("name", "neighbourhood_group", "neighbourhood", "room_type"):
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array([f"<script>{name}</script>|*a*`"] * table.num_rows))
    page = page_of(cleaned(tmp_path, table))
    assert "<script" not in page
    assert "<script>room_type</script>|*a*`" in sections(page)["Columns and their types"]


def test_two_processes_write_the_same_bytes(batch: Batch, page: str) -> None:
    program = (
        "import sys; from pathlib import Path; from pipelines.nyc_rentals.components.explore import explore\n"
        "folder = explore(*map(Path, sys.argv[1:])).exploration\n"
        "sys.stdout.buffer.write((folder / 'exploration.html').read_bytes())"
    )
    command = [sys.executable, "-W", "error", "-c", program, *map(str, batch.paths)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100)
    assert done.stderr.decode() == ""
    assert done.stdout.decode() == page


def test_marimo_finds_nothing_wrong_with_the_notebook() -> None:
    command = [sys.executable, "-m", "marimo", "check", "--strict", str(NOTEBOOK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@pytest.mark.long
def test_the_exploration_is_deterministic_and_the_notebook_is_a_script_too(tmp_path: Path) -> None:
    environment = {**os.environ, "RELET_STORE": str(tmp_path / "store")}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    run("-m", "relet", "run", "nyc_rentals", "steps=get_data,basic_cleaning", "etl.rows=2000", "tracking=[]")
    assert "deterministic: 1 step" in run("-m", "relet", "run", "nyc_rentals.explore", "--check-determinism")
    assert run(str(NOTEBOOK)) == ""
