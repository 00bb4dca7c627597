"""The page of a batch of listings."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.nyc_rentals.components.basic_cleaning import basic_cleaning
from pipelines.nyc_rentals.components.report_batch import report_batch
from pipelines.nyc_rentals.generated import simulate
from relet import Check, Verdict
from relet.data.table import read_table, write_table
from tests.unit.report.reading import Reading, stands_alone

YES = Verdict(passed=True, reason="19 checks passed, smallest family-wise p 0.31")
MEASURED = {
    "test": "Kolmogorov-Smirnov",
    "effect": 0.09,
    "effect_name": "D",
    "floor": 0.05,
    "p_value": 1e-7,
    "adjusted": 1e-6,
    "rejected": True,
    "sentence": "H0: price is distributed as in the reference. D = 0.09, which chance alone hardly makes.",
}
NO = Verdict(
    passed=False,
    reason="1 of 2 checks failed",
    checks=(
        Check(name="test_prices", passed=False, message="prices moved", measured=MEASURED),
        Check(name="test_ids_are_unique", passed=True),
    ),
)


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two batches of generated listings, the second dearer and without Staten Island, each as a run leaves it."""
    folder = tmp_path_factory.mktemp("batches")
    first, second = simulate(4000, 1), simulate(3000, 2)
    second = second.filter(pc.not_equal(second.column("neighbourhood_group"), "Staten Island"))
    price = second.schema.get_field_index("price")
    dearer = pc.cast(pc.multiply(second.column("price"), 1.2), pa.int64(), safe=False)
    second = second.set_column(price, "price", dearer)
    for number, listings in enumerate((first, second), 1):
        write_table(listings, folder / f"sample{number}")
        cleaned = basic_cleaning(read_table(folder / f"sample{number}", "ibis"))
        write_table(cleaned.clean_sample, folder / f"clean{number}")
        write_table(cleaned.quarantine, folder / f"quarantine{number}")
    return folder


def reported(
    batches: Path, number: int, verdict: Verdict, quarantine: Path | None = None
) -> tuple[Reading, bytes]:
    path = report_batch(
        batches / f"sample{number}",
        batches / f"clean{number}",
        quarantine or batches / f"quarantine{number}",
        verdict,
        batches / "clean1",
    ).batch_report
    assert path.name == "batch_report.html"
    return stands_alone(path.read_text()), path.read_bytes()


def test_a_person_reads_what_arrived_what_left_what_the_tests_said_and_what_shifted(batches: Path) -> None:
    reading, _ = reported(batches, 2, NO)
    for words in (
        "The tests say no: 1 of 2 tests failed: prices.",
        "failed prices: H0: price is distributed as in the reference.",
        "listings arrived in 16 columns",
        "price above 350: the first 3 of",
        "price (",
        "gone: Staten Island",
        "dollars – reference: ",
        "Median price by place",
        "1 deterministic test passed",
    ):
        assert words in reading.words
    assert reading.words.index("The tests say no") < reading.words.index("listings arrived")


def test_the_first_batch_is_not_compared_with_itself(batches: Path) -> None:
    reading, _ = reported(batches, 1, YES)
    assert "4,000 listings arrived" in reading.words
    assert "This batch is the reference itself" in reading.words
    assert "Side by side" not in reading.headings


def test_an_empty_quarantine_reads_well(batches: Path, tmp_path: Path) -> None:
    write_table(read_table(batches / "quarantine1", "arrow").slice(0, 0), tmp_path / "none")
    reading, _ = reported(batches, 2, YES, tmp_path / "none")
    assert "Nothing left: all" in reading.words


def test_the_same_batch_has_the_same_page_to_the_byte(batches: Path) -> None:
    assert reported(batches, 2, NO)[1] == reported(batches, 2, NO)[1]


def test_listings_of_no_known_place_have_a_page_without_a_map(batches: Path, tmp_path: Path) -> None:
    listings = read_table(batches / "clean1", "arrow").slice(0, 3)
    write_table(listings, tmp_path / "few")
    path = report_batch(tmp_path / "few", tmp_path / "few", batches / "quarantine1", YES, batches / "clean1")
    assert "no places to show" in stands_alone(path.batch_report.read_text()).words
