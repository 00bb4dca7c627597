"""A process that answers questions, a line of JSON each: whole lines, long lines, no JSON, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from relet.engine.answering import AnsweringProcess

ECHO = """
import json
from relet.engine.answering import own_streams, send_answer
questions, answers = own_streams()
for line in questions:
    question = json.loads(line)
    exec(question.get("do", ""))
    send_answer(answers, {"text": question.get("text", "") * question.get("times", 1)})
"""

Start = Callable[[str], AnsweringProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[AnsweringProcess] = []

    def begin(program: str) -> AnsweringProcess:
        process = AnsweringProcess([sys.executable, "-c", program], environment=dict(os.environ))
        started.append(process)
        return process

    yield begin
    for each in started:
        each.kill()
        each.end(5)


def test_a_question_is_answered_in_a_line_however_long_it_is(start: Start) -> None:
    process = start(ECHO)
    for times in (1, 300_000):
        process.ask({"text": "é", "times": times})
        assert process.next_answer() == {"text": "é" * times}
    assert not process.closed


def test_answers_that_come_together_are_given_one_by_one(start: Start) -> None:
    process = start('print(\'{"first": 1}\\n{"second": 2}\')')
    assert [process.next_answer() for _ in range(3)] == [{"first": 1}, {"second": 2}, None]


def test_a_line_that_comes_in_two_halves_is_one_answer(start: Start) -> None:
    process = start("import time; print('{\"half\":', end='', flush=True); time.sleep(0.5); print(' 1}')")
    assert process.next_answer() == {"half": 1}


def test_where_nothing_has_come_there_are_no_answers_and_nobody_waits(start: Start) -> None:
    began = time.monotonic()
    assert start("import time; time.sleep(60)").answers() == []
    assert time.monotonic() - began < 10


def test_a_line_that_is_no_json_is_an_error(start: Start) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        start("print('hello')").next_answer()


def test_what_the_process_prints_or_reads_itself_is_no_answer_and_no_question(start: Start) -> None:
    process = start(ECHO)
    process.ask({"do": "print('{}'); import sys; question['text'] = sys.stdin.read()", "text": "unread"})
    process.ask({"text": "second"})
    assert [process.next_answer(), process.next_answer()] == [{"text": ""}, {"text": "second"}]


def test_a_process_that_has_ended_gives_no_answer_and_says_how_it_ended(start: Start) -> None:
    process = start("raise SystemExit(3)")
    assert process.next_answer() is None
    assert process.how_it_ended(5, by_itself="ended") == "ended with status 3"
    process.ask({"text": "too late"})
    assert process.next_answer() is None
    killed = start("import os; os.kill(os.getpid(), 9)")
    assert killed.next_answer() is None
    assert killed.how_it_ended(5, by_itself="ended") == "was ended by SIGKILL (no memory left?)"


def test_a_process_that_closes_its_line_and_stays_is_killed(start: Start) -> None:
    process = start("import os, time; os.close(1); time.sleep(60)")
    assert process.next_answer() is None
    assert process.how_it_ended(0.1, by_itself="ended") == "closed the line to whoever asks, and was killed"
    assert process.exit_status == -9


def test_a_process_ends_with_its_input_and_is_killed_where_it_does_not(start: Start) -> None:
    process = start(ECHO)
    process.end(30)
    assert process.exit_status == 0
    deaf = start("import time; time.sleep(60)")
    deaf.end(0.1)
    assert deaf.exit_status == -9


def test_a_forked_process_that_outlives_it_does_not_hold_the_line(start: Start) -> None:
    process = start(ECHO)
    process.ask({"do": "import os, time\nif os.fork() == 0: time.sleep(3); os._exit(0)"})
    assert process.next_answer() == {"text": ""}
    began = time.monotonic()
    process.close_input()
    assert process.next_answer() is None
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("shielded", [True, False])
def test_ctrl_c_waits_until_a_shielded_process_takes_it(shielded: bool) -> None:
    blocked = "signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])"
    program = (
        "import json, signal\nfrom relet.engine.answering import own_streams, send_answer\n"
        "from relet.engine.descent import leave_interruptions_to_copies\nquestions, answers = own_streams()\n"
        f"before = {blocked}\nleave_interruptions_to_copies()\nafter = {blocked}\n"
        "send_answer(answers, dict(before=before, after=after))\n"
    )
    command = [sys.executable, "-c", program]
    process = AnsweringProcess(command, environment=dict(os.environ), shielded=shielded)
    try:
        assert process.next_answer(30) == {"before": shielded, "after": False}
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    finally:
        process.end(5)
