"""Threads that take turns at the requests of one bucket, in an order that is chosen and can be run again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from obstore.store import MemoryStore

from relet.store.bucket import Bucket


class Killed(BaseException):
    """As if the process had ended at this request."""


class Turns:
    """Lets one worker at a time send one request. `order` says whose turn it is; when it is used up, the first's.

    A worker whose `dies_at` is k is killed at its request number k.
    """

    def __init__(self, order: Sequence[int], dies_at: Sequence[int | None]) -> None:
        self._order = iter(order)
        self._dies_at = dies_at
        self._sent = [0] * len(dies_at)
        self._may_go = [threading.Semaphore(0) for _ in dies_at]
        self._stands = threading.Semaphore(0)
        self._own = threading.local()

    def wait(self) -> None:
        """Called before each request, by the worker that sends it."""
        number = self._own.number
        self._stands.release()
        self._may_go[number].acquire()
        self._sent[number] += 1
        if self._sent[number] == self._dies_at[number]:
            raise Killed

    def run(self, workers: Sequence[Callable[[], None]]) -> None:
        """Run the workers to their ends; raises what one of them raised."""
        living = list(range(len(workers)))
        errors: list[BaseException] = []

        def work(number: int) -> None:
            self._own.number = number
            try:
                self.wait()
                workers[number]()
            except Killed:
                pass
            except BaseException as error:
                errors.append(error)
            living.remove(number)
            self._stands.release()

        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in living]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert self._stands.acquire(timeout=30)
        while living:
            self._may_go[living[next(self._order, 0) % len(living)]].release()
            assert self._stands.acquire(timeout=30)
        if errors:
            raise errors[0]


class TakingTurns:
    """A store in memory whose requests wait for their turn. As in a bucket, a move is a copy and a deletion."""

    def __init__(self, store: MemoryStore, turns: Turns) -> None:
        self._store = store
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        request = getattr(self._store, name)

        def in_turn(*arguments: Any, **options: Any) -> Any:
            self._turns.wait()
            return request(*arguments, **options)

        return in_turn

    def rename(self, path: str, to: str) -> None:
        self._turns.wait()
        content = bytes(self._store.get(path).bytes())
        self._turns.wait()
        self._store.put(to, content)
        self._turns.wait()
        self._store.delete(path)


def buckets(store: MemoryStore, turns: Turns) -> Iterator[Bucket]:
    """Handles on one store, each as if another process had opened it."""
    while True:
        yield Bucket("memory://turns", lambda _: TakingTurns(store, turns), root=None, remote=False)  # type: ignore[arg-type,return-value]


def plain_bucket(store: MemoryStore) -> Bucket:
    return Bucket("memory://turns", lambda _: store, root=None, remote=False)
