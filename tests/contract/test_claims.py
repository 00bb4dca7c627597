"""A claim on a name, wherever a store lies that several processes share."""

from __future__ import annotations

import threading
import time

import pytest

from relet.store import Store, claims
from relet.store.address import open_bucket
from relet.store.claims import ClaimTiming

QUICK = ClaimTiming(look=0.05, renew=0.1, gone=5.0)


@pytest.mark.parametrize("fresh_url", ["folder", "s3"], indirect=True)
def test_one_is_at_it_at_a_time(store: Store) -> None:
    at_it, most = 0, 0

    def work() -> None:
        nonlocal at_it, most
        with claims.claim(open_bucket(store.url), "key", pace=QUICK):
            at_it += 1
            most = max(most, at_it)
            time.sleep(0.05)
            at_it -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (at_it, most) == (0, 1)


def test_what_nobody_else_wants_is_had_at_once(store: Store) -> None:
    with store.claim("key", waiting=lambda: pytest.fail("it waits")):
        assert store.names() == []
