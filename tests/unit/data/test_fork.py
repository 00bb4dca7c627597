"""Several streams out of one pass: the same rows however they are read, and few batches kept."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relet.data.fork import AHEAD, fork, side_by_side
from relet.data.rows import RowStream
from relet.errors import BadDataError

SCHEMA = pa.schema([("n", pa.int64())])
PARTS = ("even", "third", "none")


class Source:
    """Numbers in batches, that counts its passes and how far each went."""

    def __init__(self, sizes: list[int], fails_at: int | None = None) -> None:
        self.sizes = sizes
        self.fails_at = fails_at
        self.passes: list[int] = []

    def __call__(self) -> Iterator[dict[str, pa.RecordBatch]]:
        self.passes.append(0)
        mine, start = len(self.passes) - 1, 0
        for place, size in enumerate(self.sizes):
            if place == self.fails_at:
                raise BadDataError(f"batch {place} is torn")
            numbers = range(start, start + size)
            start += size
            self.passes[mine] += 1
            yield {
                "even": batch([n for n in numbers if n % 2 == 0]),
                "third": batch([n for n in numbers if n % 3 == 0]),
                "none": batch([]),
            }

    def expected(self, part: str) -> list[int]:
        every = range(sum(self.sizes))
        return {"even": [*every[::2]], "third": [*every[::3]], "none": []}[part]


def batch(numbers: list[int]) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(numbers, pa.int64())}, schema=SCHEMA)


def streams(source: Source, **options: Any) -> dict[str, RowStream]:
    return fork(dict.fromkeys(PARTS, SCHEMA), source, **options)


def numbers_of(stream: Any) -> list[int]:
    return pa.Table.from_batches(list(stream), SCHEMA)["n"].to_pylist()  # type: ignore[no-any-return]


@given(st.lists(st.integers(0, 7), max_size=12), st.permutations(PARTS))
@settings(max_examples=60, deadline=None)
def test_read_one_after_the_other_each_holds_its_rows(sizes: list[int], order: list[str]) -> None:
    source = Source(sizes)
    parts = streams(source)
    for part in order:
        assert numbers_of(parts[part]) == source.expected(part)


@given(st.lists(st.integers(0, 7), max_size=12))
@settings(max_examples=60, deadline=None)
def test_read_side_by_side_they_share_one_pass(sizes: list[int]) -> None:
    source = Source(sizes)
    parts = streams(source)
    assert side_by_side(parts) == list(PARTS)
    with ThreadPoolExecutor(len(PARTS)) as threads:
        found = dict(zip(PARTS, threads.map(numbers_of, parts.values()), strict=True))
    assert found == {part: source.expected(part) for part in PARTS}
    assert source.passes == [len(sizes)]


@given(st.lists(st.sampled_from(PARTS), max_size=30))
@settings(max_examples=60, deadline=None)
def test_whoever_falls_behind_loses_nothing(turns: list[str]) -> None:
    """One thread takes from all of them in turns, so that those who wait are never answered."""
    source = Source([3] * 9)
    parts = streams(source, patience=0)
    side_by_side(parts)
    found: dict[str, list[int]] = {part: [] for part in PARTS}
    for part in turns:
        try:
            found[part] += next(parts[part])["n"].to_pylist()
        except StopIteration:
            continue
    for part in PARTS:
        assert found[part] + numbers_of(parts[part]) == source.expected(part)


def test_nothing_is_kept_for_a_part_that_nobody_reads() -> None:
    source = Source([2] * 20)
    parts = streams(source)
    first = parts["even"]
    for _ in range(10):
        next(first)
    assert numbers_of(parts["third"]) == source.expected("third")
    assert source.passes == [10, 20], "a pass of its own, from the start"


def test_the_pass_waits_for_a_part_that_is_read() -> None:
    source = Source([2] * 20)
    parts = streams(source, patience=60)
    side_by_side(parts)
    reading = threading.Thread(target=numbers_of, args=(parts["even"],), daemon=True)
    reading.start()
    reading.join(0.3)
    assert source.passes == [AHEAD], "no further than the others have room for"
    with ThreadPoolExecutor(2) as threads:
        third, none = threads.map(numbers_of, (parts["third"], parts["none"]))
    reading.join(10)
    assert (third, none) == (source.expected("third"), [])
    assert source.passes == [20]


def test_a_part_that_is_given_up_holds_nobody_up() -> None:
    source = Source([2] * 20)
    parts = streams(source, patience=60)
    side_by_side({name: parts[name] for name in ("even", "third")})
    next(parts["third"])
    del parts["third"]
    began = monotonic()
    assert numbers_of(parts["even"]) == source.expected("even")
    assert monotonic() - began < 30, "nobody waits for it"
    assert source.passes == [20]


def test_an_error_of_the_pass_is_raised_in_every_stream_as_it_was() -> None:
    parts = streams(Source([2] * 6, fails_at=4))
    side_by_side(parts)

    def outcome(stream: Any) -> str:
        with pytest.raises(BadDataError) as error:
            numbers_of(stream)
        return str(error.value)

    with ThreadPoolExecutor(len(PARTS)) as threads:
        assert set(threads.map(outcome, parts.values())) == {"batch 4 is torn"}


def test_only_streams_of_a_fork_are_read_side_by_side() -> None:
    plain = pa.RecordBatchReader.from_batches(SCHEMA, [batch([1])])
    assert side_by_side({"plain": plain, "number": 1, "table": pa.table({"n": [1]})}) == []
