"""`relet why`: the plan and its reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from relet.cli.terminal import say, say_document
from relet.core.artifact import within_pipeline
from relet.core.change import Change
from relet.core.pipeline import Pipeline
from relet.core.plan import Action, Plan, Step, plan


@click.command("why", context_settings={"ignore_unknown_options": True})
@click.argument("target")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[steps=a,b] [OVERRIDES]...")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def command(target: str, words: tuple[str, ...], as_json: bool) -> None:
    """Say what a run would do now, and which part of each key changed, old and new value.

    TARGET is a pipeline (`nyc_rentals`), or one step (`train_model`, `nyc_rentals.train_model`).
    """
    from relet.engine.isolation import isolated_job
    from relet.project.folder import open_project, pipeline_and_step
    from relet.project.order import read_order
    from relet.project.request import prepare

    pipeline, step = pipeline_and_step(target)
    if step and not any(word.startswith("steps=") for word in words):
        words = (*words, _steps_including(step, open_project(pipeline).pipeline))
    job = prepare(read_order(pipeline, words))
    with isolated_job(job) as settled:
        decided = plan(settled.request, settled.store)
    shown = [decided[step]] if step else list(decided)
    if as_json:
        say_document(steps=[_as_json(each) for each in shown])
        return
    for line in _plan_lines(pipeline, decided, shown):
        say(line)


def _steps_including(step: str, pipeline: Pipeline) -> str:
    """The word `steps=` with every component that may run before a step, and the step itself."""
    names = [each.name for each in pipeline.select(None, all_of_them=True)]
    return f"steps={','.join([*names, *({step} - set(names))])}"


def _plan_lines(pipeline: str, decided: Plan, shown: list[Step]) -> Iterator[str]:
    width = max((len(step.component) for step in shown), default=0) + 2
    for step in shown:
        versions = "  ".join(within_pipeline(pipeline, str(version)) for version in step.outputs.values())
        yield f"{step.component:<{width}}{step.action:<7}{step.reason:<40}{versions}".rstrip()
        for change in step.changes:
            yield f"{'':<{width}}  {_change_line(change)}"
        if step.action is Action.WAITS and len(shown) == 1:
            for other in decided:
                if other.action is Action.RUN:
                    yield f"{'':<{width}}  {other.component} runs first: {other.reason}"


def _change_line(change: Change) -> str:
    if change.part in ("code", "resources"):
        old, new = (str(value)[:12] if value else "absent" for value in (change.old, change.new))
        return f"{change.part}: {change.name} {old} → {new}"
    return f"{change.part}: {change}"


def _as_json(step: Step) -> dict[str, Any]:
    return {
        "component": step.component,
        "action": str(step.action),
        "reason": step.reason,
        "key": step.key,
        "changes": [
            {"part": each.part, "name": each.name, "old": each.old, "new": each.new} for each in step.changes
        ],
        "outputs": {name: str(version) for name, version in step.outputs.items()},
    }
