"""Make several tables in one pass over rows. Each is a stream of its own."""

# mypy: disable-error-code="import-untyped"
# pyarrow ships no stubs.
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from relet.data.rows import RowStream

if TYPE_CHECKING:
    import pyarrow as pa

Pieces = Mapping[str, "pa.RecordBatch"]
Pass = Callable[[], Iterable[Pieces]]

# At most so many batches wait for a stream that falls behind.
AHEAD = 2
# How many seconds the other streams wait for it before they go on alone.
PATIENCE = 10.0


@dataclass(frozen=True)
class ForkPart:
    """The part of a shared pass that a stream gives."""

    shared: _SharedPass
    name: str


def fork(
    schemas: Mapping[str, pa.Schema], once: Pass, *, normal: bool = False, patience: float = PATIENCE
) -> dict[str, RowStream]:
    """The parts of a table, by name, as streams.

    Streams that are read side by side share one pass over the rows. `once` starts a pass; every pass gives the
    same batches, each split into its parts. A stream that is not read with the others (`side_by_side`), or that
    falls behind for `patience` seconds, makes a pass of its own; no more than a few batches are kept for it. An
    error of a pass is raised in every stream that shares the pass. `normal` says that a pass gives rows in the
    normal form (`relet.data.normal`).

    >>> import pyarrow as pa
    >>> table = pa.table({"n": range(6)})
    >>> def once():
    ...     for batch in table.to_batches(max_chunksize=2):
    ...         yield {"first": batch.slice(0, 1), "second": batch.slice(1, 1)}
    >>> streams = fork(dict.fromkeys(["first", "second"], table.schema), once)
    >>> [stream.read_all()["n"].to_pylist() for stream in streams.values()]
    [[0, 2, 4], [1, 3, 5]]
    """
    shared = _SharedPass(schemas, once, patience)
    return {
        name: RowStream(schema, shared.stream(name), is_normal=normal, part=ForkPart(shared, name))
        for name, schema in schemas.items()
    }


def side_by_side(values: Mapping[str, Any]) -> list[str]:
    """The names of the values that are parts of a fork.

    From now on their pass waits for all of them: each is about to be read in a thread of its own.
    """
    parts = {name: value.part for name, value in values.items() if isinstance(value, RowStream) and value.part}
    for part in parts.values():
        part.shared.expect(part.name)
    return list(parts)


class _SharedPass:
    """One pass that several streams read. A stream that finds no batch ready advances the pass for all of them."""

    def __init__(self, names: Iterable[str], once: Pass, patience: float) -> None:
        self._once = once
        self._patience = patience
        self._change = threading.Condition()
        self._ready: dict[str, deque[pa.RecordBatch]] = {name: deque() for name in names}
        self._following = set(self._ready)
        self._expected: set[str] = set()
        self._pass: Iterator[Pieces] | None = None
        self._pulling = False
        self._done = False
        self._error: BaseException | None = None

    def expect(self, name: str) -> None:
        """Make the pass wait for this part: somebody reads the part, or is about to."""
        with self._change:
            self._expected.add(name)

    def stream(self, name: str) -> Iterator[pa.RecordBatch]:
        self.expect(name)
        taken = 0
        try:
            while (batch := self._next(name)) is not None:
                taken += 1
                yield batch
            if name in self._following:
                return
        finally:
            self._leave(name)
        for place, pieces in enumerate(self._once()):
            if place >= taken:
                yield pieces[name]

    def _next(self, name: str) -> pa.RecordBatch | None:
        """The next batch of a part. None at the end of the pass, and where the pass goes on without this part."""
        while True:
            with self._change:
                if self._ready[name]:
                    self._change.notify_all()
                    return self._ready[name].popleft()
                if name not in self._following:
                    return None
                if self._done:
                    if self._error is not None:
                        raise self._error
                    return None
                if self._pulling:
                    self._change.wait()
                    continue
                self._pulling = True
            self._pull(name)

    def _pull(self, puller: str) -> None:
        """Go one batch further, once every part that is read has room for it."""
        pieces = None
        try:
            self._make_room(puller)
            if self._pass is None:
                self._pass = iter(self._once())
            pieces = next(self._pass, None)
        except BaseException as error:
            self._error = error
        with self._change:
            for name in self._following if pieces else ():
                self._ready[name].append(pieces[name])  # type: ignore[index]
            self._done = pieces is None
            self._pulling = False
            self._change.notify_all()

    def _make_room(self, puller: str) -> None:
        with self._change:
            for name in self._following - {puller}:
                until = monotonic() + self._patience
                while len(self._ready[name]) >= AHEAD and name in self._following:
                    if name not in self._expected or not self._change.wait(max(0.0, until - monotonic())):
                        self._go_on_without(name)

    def _go_on_without(self, name: str) -> None:
        """Drop a part from the pass.

        Its stream still takes the batches that are ready, then makes a pass of its own.
        """
        self._following.discard(name)
        self._change.notify_all()

    def _leave(self, name: str) -> None:
        with self._change:
            self._following.discard(name)
            self._ready[name].clear()
            self._change.notify_all()
