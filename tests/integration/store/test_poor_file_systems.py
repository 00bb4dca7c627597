"""A store on a file system without hard links or without locks works by another way, or says what is missing."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from relet.files import lock_holder, locked, locked_for_children
from relet.store import claims, open_store
from relet.store.address import open_bucket
from relet.store.claims import ClaimTiming
from tests.stored import add_file

QUICK = ClaimTiming(look=0.02, renew=0.05, gone=1.0)


def refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.fixture(params=[errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def no_links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> NoReturn:
        raise refusal(request.param)

    monkeypatch.setattr(os, "link", link)


@pytest.fixture(params=[errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK])
def no_flock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> NoReturn:
        raise refusal(request.param)

    monkeypatch.setattr(fcntl, "flock", flock)


def numbers_of_many_writers(url: Path) -> list[int]:
    numbers: list[int] = []

    def write(writer: int) -> None:
        for each in range(5):
            store = open_store(url)
            numbers.append(add_file(store, f"{writer} {each}".encode()).number)
            store.set_alias("sample", f"of{writer}-{each}", numbers[-1], by="test", why="")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(numbers)


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_no_number_is_given_twice(tmp_path: Path) -> None:
    assert numbers_of_many_writers(tmp_path / "store") == list(range(1, 21))
    store = open_store(tmp_path / "store")
    assert [version.number for version in store.versions("sample")] == list(range(1, 21))
    assert store.verify() == []
    assert [each.number for each in store.log()] == list(range(1, 22))
    assert list((tmp_path / "store").rglob("*#*")) == []


@pytest.mark.usefixtures("no_links", "no_flock")
@pytest.mark.sampled
def test_without_hard_links_and_without_locks_no_number_is_given_twice(tmp_path: Path) -> None:
    assert numbers_of_many_writers(tmp_path / "store") == list(range(1, 21))
    assert open_store(tmp_path / "store").verify() == []


@pytest.mark.usefixtures("no_flock")
def test_without_locks_one_at_a_time_holds_a_claim(tmp_path: Path) -> None:
    said: list[str] = []
    place = open_bucket(str(tmp_path))

    def work(number: int) -> None:
        with claims.claim(place, "ab12", pace=QUICK):
            said.append(f"{number}")
            threading.Event().wait(0.02)
            said.append(f"{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(said) == 8
    assert said[::2] == said[1::2]


@pytest.mark.usefixtures("no_flock")
def test_without_locks_a_lock_on_a_file_holds_all_the_same_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "it.lock"
    with locked(path):
        assert lock_holder(path) == str(os.getpid())
        with pytest.raises(TimeoutError), locked(path, timeout=0.05):
            pytest.fail("two hold it")
    with locked(path, timeout=1):
        assert path.exists()


@pytest.mark.usefixtures("no_flock")
def test_without_locks_what_needs_one_that_children_hold_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no file locks \(flock\)"), locked_for_children(tmp_path / "lock"):
        pytest.fail("it has no lock")


def test_a_link_that_is_refused_for_another_reason_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object, **__: object) -> NoReturn:
        raise refusal(errno.EDQUOT)

    store = open_store(tmp_path)
    monkeypatch.setattr(os, "link", link)
    with pytest.raises(Exception, match="the quota is used up"):
        add_file(store, b"rows")


def test_the_claim_of_a_holder_that_does_not_renew_it_is_taken_over(tmp_path: Path) -> None:
    """As a process that was stopped (SIGSTOP): it holds the lock of the kernel, and does nothing."""
    path = tmp_path / "claims" / "ab12"
    path.parent.mkdir()
    stopped = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(stopped, fcntl.LOCK_EX)
    waited: list[bool] = []
    with claims.claim(open_bucket(str(tmp_path)), "ab12", waiting=lambda: waited.append(True), pace=QUICK):
        assert not os.path.samestat(os.fstat(stopped), path.stat())
    os.close(stopped)
    assert waited == [True]


def test_a_holder_that_was_stopped_and_goes_on_leaves_the_claim_of_its_successor_alone(tmp_path: Path) -> None:
    place = open_bucket(str(tmp_path))
    never = ClaimTiming(renew=60)
    with claims.claim(place, "ab12", pace=never):
        successor = claims.claim(place, "ab12", pace=ClaimTiming(renew=60, gone=0.1))
        successor.__enter__()
    assert (tmp_path / "claims" / "ab12").exists()
    successor.__exit__(None, None, None)
    assert not (tmp_path / "claims" / "ab12").exists()


def test_a_holder_that_renews_keeps_its_claim_on_a_folder_however_long_it_takes(tmp_path: Path) -> None:
    place, order = open_bucket(str(tmp_path)), list[str]()

    def wait() -> None:
        with claims.claim(place, "ab12", pace=QUICK):
            order.append("the other")

    with claims.claim(place, "ab12", pace=QUICK):
        thread = threading.Thread(target=wait)
        thread.start()
        threading.Event().wait(2 * QUICK.gone)
        order.append("the holder")
    thread.join(10)
    assert order == ["the holder", "the other"]
