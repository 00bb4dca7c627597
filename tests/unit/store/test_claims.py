"""A claim: one at a time at what two would otherwise both make."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.store import claims, open_store, upkeep
from relet.store.address import open_bucket
from relet.store.bucket import Bucket
from relet.store.claims import ClaimTiming

NAME = "ab12"
QUICK = ClaimTiming(look=0.02, renew=0.05, gone=0.5)


@pytest.fixture
def bucket() -> Bucket:
    found = open_bucket(f"memory://claims-{time.monotonic_ns()}")
    found.remote = True
    return found


def at_once(bucket: Bucket, pace: ClaimTiming = QUICK, count: int = 6) -> list[str]:
    """What `count` threads that want the same do, in the order they do it."""
    said: list[str] = []

    def work(number: int) -> None:
        with claims.claim(bucket, NAME, pace=pace):
            said.append(f"{number} begins")
            time.sleep(0.02)
            said.append(f"{number} ends")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said


def nobody_was_there_with_another(said: list[str]) -> bool:
    return all(
        begins.replace("begins", "ends") == ends for begins, ends in zip(said[::2], said[1::2], strict=True)
    )


def test_on_a_folder_one_is_at_it_at_a_time_and_nothing_is_left_behind(tmp_path: Path) -> None:
    said = at_once(open_bucket(str(tmp_path)))
    assert len(said) == 12
    assert nobody_was_there_with_another(said)
    assert not list((tmp_path / "claims").iterdir())


def test_who_comes_new_waits_for_whoever_had_waited(tmp_path: Path) -> None:
    place = open_bucket(str(tmp_path))
    said: list[str] = []
    waits, has_it = threading.Event(), threading.Event()

    def wait() -> None:
        with claims.claim(place, NAME, waiting=waits.set):
            said.append("the one who waited begins")
            has_it.set()
            time.sleep(0.3)
            said.append("the one who waited ends")

    thread = threading.Thread(target=wait)
    with claims.claim(place, NAME):
        thread.start()
        assert waits.wait(10)
    assert has_it.wait(10)
    with claims.claim(place, NAME):
        said.append("the new one")
    thread.join(10)
    assert said == ["the one who waited begins", "the one who waited ends", "the new one"]


def test_in_a_bucket_one_is_at_it_at_a_time_and_the_last_one_says_that_it_is_over(bucket: Bucket) -> None:
    said = at_once(bucket)
    assert len(said) == 12
    assert nobody_was_there_with_another(said)
    assert [each.path for each in bucket.entries("claims/")] == [f"claims/{NAME}/6.json"]


def test_in_a_bucket_a_holder_that_renews_keeps_its_claim_however_long_it_takes(bucket: Bucket) -> None:
    waited: list[float] = []
    began = time.monotonic()

    def wait() -> None:
        with claims.claim(bucket, NAME, pace=QUICK):
            waited.append(time.monotonic() - began)

    with claims.claim(bucket, NAME, pace=QUICK):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(3 * QUICK.gone)
    thread.join(10)
    assert waited[0] >= 3 * QUICK.gone


def test_in_a_bucket_the_claim_of_a_holder_that_died_is_taken_over(bucket: Bucket) -> None:
    bucket.create(f"claims/{NAME}/1.json", b'{"renewed": "long ago"}')
    began = time.monotonic()
    with claims.claim(bucket, NAME, pace=QUICK):
        took = time.monotonic() - began
        assert [each.path for each in bucket.entries("claims/")] == [f"claims/{NAME}/2.json"]
    assert QUICK.gone <= took < QUICK.gone + 2


def test_who_waits_is_told_so_once(tmp_path: Path, bucket: Bucket) -> None:
    for place in (open_bucket(str(tmp_path)), bucket):
        told: list[str] = []
        with claims.claim(place, NAME, waiting=lambda: told.append("alone"), pace=QUICK):  # noqa: B023
            thread = threading.Thread(target=wait_for(place, lambda: told.append("waits")))  # noqa: B023
            thread.start()
            time.sleep(0.2)
        thread.join(10)
        assert told == ["waits"]


def wait_for(place: Bucket, waiting: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        with claims.claim(place, NAME, waiting=waiting, pace=QUICK):
            pass

    return work


def test_garbage_collection_removes_claims_that_nobody_holds_and_no_others(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.claim("held"):
        for name in ("left", "young"):
            (tmp_path / "claims" / name).touch()
        for name in ("held", "left"):
            os.utime(tmp_path / "claims" / name, (0, 0))
        assert store.gc() == ["claims/left"]
        assert sorted(each.name for each in (tmp_path / "claims").iterdir()) == ["held", "young"]


def test_in_a_bucket_garbage_collection_removes_claims_that_were_given_up(bucket: Bucket) -> None:
    with claims.claim(bucket, NAME, pace=QUICK):
        assert upkeep.collect(bucket, timedelta(0)) == []
    assert upkeep.collect(bucket) == []
    assert upkeep.collect(bucket, timedelta(0)) == [f"claims/{NAME}/1.json"]
    assert list(bucket.entries("claims/")) == []
    with claims.claim(bucket, NAME, pace=QUICK):
        pass


def test_different_names_do_not_wait_for_each_other(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    waited: list[str] = []
    with (
        store.claim("one", waiting=lambda: waited.append("one")),
        store.claim("two", waiting=lambda: waited.append("two")),
    ):
        assert waited == []


def test_a_claim_costs_less_than_a_millisecond(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.claim(NAME):
        pass
    took = []
    for _ in range(200):
        began = time.perf_counter()
        with store.claim(NAME):
            pass
        took.append(time.perf_counter() - began)
    assert sorted(took)[100] < 0.001


def test_a_store_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "claims").write_text("no folder")
    with (
        pytest.raises(StoreError, match=r"claims can't be written .* set store.url"),
        open_store(tmp_path).claim(NAME),
    ):
        pass


def test_a_name_that_leads_out_of_the_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the name of a claim"), open_store(tmp_path).claim("../evil"):
        pass
