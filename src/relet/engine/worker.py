"""The process that calls components for another one: `python -P -m relet.engine.worker`.

It imports packages, and no first-party module. A copy of this process, which is forked off, answers each question
and ends with it: no call finds anything that another one left behind.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import select
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

from relet.engine import disturbance
from relet.engine.ahead import NEUTRAL
from relet.engine.answering import own_streams, send_answer
from relet.engine.descent import adopt_orphans, end_orphans, leave_interruptions_to_copies
from relet.engine.forked import ForkedCopy
from relet.engine.packages import learn_owners
from relet.engine.preloaded import packages_ahead
from relet.engine.progress import Send, reporting
from relet.engine.questions import answer_to, checked_files, note_loaded_modules, place_of
from relet.environments import integrity
from relet.project.importing import set_library_defaults
from relet.project.surroundings import machine

# Raised when a question or an answer changes its meaning: whoever asks may be a newer relet than this one.
PROTOCOL = 2
# Where installed packages lie.
_INSTALLED = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib"))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    disturbance.add_options(parser)
    chosen = parser.parse_args(arguments)
    questions, answers = own_streams()
    set_library_defaults()
    gc.disable()  # this process only imports
    adopt_orphans()
    packages_ahead.install()
    disturbance.disturb_process(chosen)
    # Whoever asks is interrupted as well, and ends this process; the copy that calls says that it was interrupted.
    leave_interruptions_to_copies()
    send_answer(answers, {"protocol": PROTOCOL, "machine": machine()})
    _serve(chosen, questions, answers)
    sys.stderr.flush()
    # Unloading the packages would take a while, and some complain of what was set aside for the copies.
    os._exit(0)


def _serve(chosen: argparse.Namespace, questions: TextIO, answers: TextIO) -> None:
    tasks: deque[Callable[[], object]] = deque()
    ahead = True
    checked_files.update(integrity.recall_checked())
    while True:
        while tasks and not select.select([questions], [], [], 0)[0]:
            tasks.popleft()()
        if not (line := questions.readline()):
            return
        question = json.loads(line)
        if question["ask"] == "prepare":
            ahead = question["ahead"]
            tasks += _preparations(question)
            continue
        if ahead:
            # Before this process is copied: or else the copy imports them, and this process once more.
            for name in question.get("needed", ()):
                _import_package(name)
        # whoever asks may be an older relet, which hears the answer alone
        report = partial(_send_progress, answers) if question.get("progress") else None
        copy = ForkedCopy(partial(_answer, question, chosen), report)
        answer = copy.answer(questions.fileno(), tasks)
        # What the packages are is the same for each call: the next one finds those of this one imported.
        packages = answer.pop("packages", ())
        tasks += (partial(_import_package, name) for name in packages if ahead)
        checked = {file: tuple(stamp) for file, stamp in answer.pop("checked", {}).items()}
        checked_files.update(checked)
        send_answer(answers, answer)
        copy.end()
        end_orphans()  # what the call left running could edit what the next one reads
        if checked:
            integrity.keep_checked(checked_files)


def _send_progress(answers: TextIO, report: Mapping[str, Any]) -> None:
    send_answer(answers, {"progress": report})


def _answer(question: Mapping[str, Any], chosen: argparse.Namespace, report: Send | None) -> dict[str, Any]:
    """The answer of a copy, which reports how far it is."""
    note_loaded_modules()
    disturbance.disturb_call(chosen)
    packages_ahead.begin_call()
    with reporting(report):
        return answer_to(question, chosen.working_folder)


def _preparations(question: Mapping[str, Any]) -> Iterator[Callable[[], object]]:
    yield from (partial(_import_package, name) for name in question["packages"])
    if "folder" not in question:
        return
    place = place_of(question)
    yield from (partial(place.compile, path) for path in place.modules.values())
    yield learn_owners


def _import_package(name: str) -> None:
    """Import a module ahead, if it is of an installed package: any other may be edited between two calls."""
    if name.partition(".")[0] not in NEUTRAL:
        return
    with suppress(Exception, SystemExit):
        spec = importlib.util.find_spec(name.partition(".")[0])
        places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
        if any(str(each).startswith(_INSTALLED) for each in places if each):
            packages_ahead.import_ahead(name)


if __name__ == "__main__":
    main()
