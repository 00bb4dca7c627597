"""Plant forgeries, one at a time, in a bundle or in a small store, and see who believes each.

    python bench/forgeries.py

A bundle is met by `import`. A store is met by `verify`, by `show` (`relet artifacts show`, `relet runs`) and by
`run`: whether the key of the honest step still leads to what is there, or a component is given it. The last line
counts the kinds that somebody believed.
The forgeries are those of tests/forgeries.py, and of tests/log_forgeries.py: what the log alone shows. Three of
these take a head of the log that was kept elsewhere (`--log-head`).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from click.testing import CliRunner  # noqa: E402

from relet.cli import relet  # noqa: E402
from relet.engine.workspace import Workspace  # noqa: E402
from relet.errors import DamagedError, StoreError  # noqa: E402
from relet.store import Store, log_checks, open_store  # noqa: E402
from tests.forged_bundle import ForgedBundle  # noqa: E402
from tests.forgeries import IN_A_BUNDLE, IN_A_STORE, key_of  # noqa: E402
from tests.honest_store import honest_store  # noqa: E402
from tests.log_forgeries import IN_A_LOG  # noqa: E402

BELIEVED = "BELIEVED"
Line = tuple[str, str, str]


def bundle_lines(scratch: Path) -> Iterator[Line]:
    store = open_store(f"memory://{uuid4()}")
    honest_store(store, scratch / "honest")
    store.export_history("model", scratch / "model.tar")
    for kind, change in IN_A_BUNDLE.items():
        forged = ForgedBundle.of(scratch / "model.tar")
        change(forged)
        other = open_store(f"memory://{uuid4()}")
        try:
            other.import_bundle(forged.write(scratch / "forged.tar"))
            answer = BELIEVED
        except StoreError as error:
            answer = str(error).partition(": ")[2]
        yield f"bundle, {kind}", "import", answer


def store_lines(scratch: Path) -> Iterator[Line]:
    for number, (kind, forgery) in enumerate(IN_A_STORE.items()):
        store = open_store(scratch / f"store{number}")
        honest_store(store, scratch / f"scratch{number}")
        key = key_of(forgery.key_of, store) if forgery.key_of else None
        forgery.change(store)
        if key:
            yield f"store, {kind}", "run", BELIEVED if store.key(key) else "the step is not skipped"
        if forgery.loaded:
            yield f"store, {kind}", "run", laid_out_answer(store, forgery.loaded, scratch)
        if forgery.shown:
            yield f"store, {kind}", "show", shown_answer(store, forgery.shown)
        problems = store.verify()
        yield f"store, {kind}", "verify", str(problems[0]) if problems else BELIEVED


def log_lines(scratch: Path) -> Iterator[Line]:
    for number, (kind, forgery) in enumerate(IN_A_LOG.items()):
        store = open_store(scratch / f"logged{number}")
        honest_store(store, scratch / f"scratch-logged{number}")
        head = store.log_head() if forgery.with_head else None
        forgery.change(store)
        problems = store.verify(head)
        yield f"store, {kind}", "verify" if head is None else "verify --log-head", str((problems or [BELIEVED])[0])


def laid_out_answer(store: Store, name: str, scratch: Path) -> str:
    try:
        Workspace(scratch, store).lay_out(store.version(name))
    except DamagedError as error:
        return str(error)
    return BELIEVED


def shown_answer(store: Store, words: tuple[str, ...]) -> str:
    done = CliRunner().invoke(relet, [*words, "--store", store.url])
    lines = f"{done.output}\n{done.exception or ''}".splitlines()
    return next((line for line in lines if "FALSE" in line or "can't be read" in line), BELIEVED)


def main() -> None:
    log_checks.SETTLING = 0.0  # nobody writes meanwhile
    with tempfile.TemporaryDirectory(prefix="relet-forgeries-") as folder:
        (Path(folder) / "bundle").mkdir()
        lines = [*bundle_lines(Path(folder) / "bundle"), *store_lines(Path(folder)), *log_lines(Path(folder))]
    for kind, door, answer in lines:
        print(f"{kind:<58}{door:<18}{' '.join(answer.split())[:130]}")
    kinds = {kind for kind, *_ in lines}
    print(f"{len(kinds)} kinds; believed: {len({kind for kind, _, answer in lines if answer == BELIEVED})}")


if __name__ == "__main__":
    main()
