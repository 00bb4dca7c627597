"""Whatever a person writes in a project, relet answers in words: no traceback of its own."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from relet.engine import run as engine
from relet.errors import ReletError
from relet.project.job import RunOutcome
from tests.command import exit_status
from tests.drawn_projects import DrawnProject, projects

TAKING_WORDS = [("why", "drawn"), ("run", "drawn", "--cfg"), ("run", "drawn")]
LOOKING = [
    ("why", "drawn"),
    ("graph", "drawn"),
    ("run", "drawn", "--help"),
    ("run", "drawn.a", "--help"),
    ("run", "drawn", "--cfg"),
    ("mlproject", "drawn"),
]


def statuses(project: DrawnProject, *commands: tuple[str, ...]) -> list[int]:
    """What commands end with in a folder with that project; each raises what relet raises and does not tell."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        project.write(Path(folder))
        os.chdir(folder)
        try:
            return [exit_status(*words, *(project.words if words in TAKING_WORDS else ())) for words in commands]
        finally:
            os.chdir(before)


@settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(projects())
@pytest.mark.long
def test_what_only_looks_at_a_project_ends_with_words(project: DrawnProject) -> None:
    assert set(statuses(project, *LOOKING)) <= {0, 2}


@pytest.mark.long
@settings(max_examples=1000, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(projects())
def test_what_only_looks_at_many_projects_ends_with_words(project: DrawnProject) -> None:
    assert set(statuses(project, *LOOKING)) <= {0, 2}


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(projects())
def test_a_run_ends_with_words(project: DrawnProject) -> None:
    ended: list[RunOutcome] = []
    execute = engine.execute

    def watched(*given: object, **named: object) -> RunOutcome:
        ended.append(execute(*given, **named))  # type: ignore[arg-type]
        return ended[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "execute", watched)
        (status,) = statuses(project, ("run", "drawn"))
    assert status in (0, 1, 2, 3)
    # an error that relet did not raise on purpose would be told without its place
    assert all(each.error is None or isinstance(each.error, ReletError) for each in ended)
