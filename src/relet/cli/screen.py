"""What a person sees of a run: a line per component while it goes, one screen at its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

import click

from relet.cli.sparkline import sparkline
from relet.core.artifact import Check, Curve, Verdict
from relet.core.plan import Action, Step
from relet.core.record import Status
from relet.errors import ComponentError
from relet.project.job import ComponentResult, Job, RunOutcome, RunWatcher
from relet.tracking.courier import Delivery

# How many letters a curve is drawn in.
DRAWN = 24
_COLOURS = {Action.RUN: "green", Action.SKIP: "bright_black", Action.WAITS: "yellow"}


class RunScreen(RunWatcher, Protocol):
    """A watcher that also learns what is about to run, and how far a download is."""

    def begin(self, job: Job) -> None:
        """The job is known; nothing has run yet."""

    def fetched(self, done: int, total: int | None) -> None:
        """So many bytes of a source have come."""


@contextmanager
def watcher(*, as_json: bool) -> Iterator[RunScreen]:
    """The screen that fits: JSON lines, a live one on a terminal, plain lines elsewhere."""
    if as_json:
        yield JsonRunScreen()
    elif sys.stdout.isatty():
        with LiveRunScreen() as live:
            yield live
    else:
        yield PlainRunScreen()


class PlainRunScreen:
    """One plain line for each component, when it has ended."""

    def __init__(self) -> None:
        self.width = 16

    def begin(self, job: Job) -> None:
        self.width = max(len(each.name) for each in job.request.components) + 2

    def fetched(self, done: int, total: int | None) -> None: ...

    def started(self, step: Step) -> None: ...

    def ended(self, result: ComponentResult) -> None:
        click.echo(self.line(result))
        if result.verdict is not None and result.verdict.passed and result.action is Action.RUN:
            self.noted(result.verdict.reason)

    def noted(self, message: str) -> None:
        click.echo(f"{'':<{self.width}}{message}")

    def line(self, result: ComponentResult) -> str:
        made = "  ".join(f"{version}" for version in result.outputs.values())
        took = f"{result.seconds:.1f} s" if result.action is Action.RUN else ""
        action = click.style(f"{result.action:<6}", fg=_COLOURS[result.action])
        reason = _shorten_text(result.reason, 38)
        return f"{result.component:<{self.width}}{action}{reason:<40}{made:<46}{took:>7}".rstrip()


def _shorten_text(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


class LiveRunScreen(PlainRunScreen):
    """The same lines, with a moving one below them for what runs now."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.status import Status as Spinner

        super().__init__()
        self.console = Console(highlight=False)
        self.spinner: Spinner | None = None

    def __enter__(self) -> LiveRunScreen:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _show(self, text: str) -> None:
        if self.spinner is None:
            self.spinner = self.console.status(text)
            self.spinner.start()
        else:
            self.spinner.update(text)

    def _stop(self) -> None:
        if self.spinner is not None:
            self.spinner.stop()
            self.spinner = None

    def fetched(self, done: int, total: int | None) -> None:
        share = f" of {total / 1e6:.1f} MB ({done / total:.0%})" if total else " MB"
        self._show(f"fetching the source: {done / 1e6:.1f}{share}")

    def started(self, step: Step) -> None:
        self._show(f"{step.component}: {step.reason}")

    def ended(self, result: ComponentResult) -> None:
        self._stop()
        super().ended(result)

    def noted(self, message: str) -> None:
        self._stop()
        super().noted(message)


class JsonRunScreen:
    """One JSON object for each event."""

    def begin(self, job: Job) -> None: ...

    def fetched(self, done: int, total: int | None) -> None: ...

    def started(self, step: Step) -> None:
        _print_run_event("started", component=step.component, reason=step.reason)

    def ended(self, result: ComponentResult) -> None:
        _print_run_event(
            "ended",
            component=result.component,
            action=str(result.action),
            reason=result.reason,
            outputs={name: str(version) for name, version in result.outputs.items()},
            new=sorted(result.new),
            seconds=round(result.seconds, 3),
            metrics=dict(result.metrics),
            verdict=result.verdict.to_json() if result.verdict else None,
        )

    def noted(self, message: str) -> None:
        _print_run_event("noted", message=message)


def _print_run_event(event: str, **facts: Any) -> None:
    click.echo(json.dumps({"event": event, **facts}, default=str))


def finish(job: Job, outcome: RunOutcome, *, as_json: bool) -> None:
    """The last screen: what was made, what was skipped, the metrics, and the command that looks further."""
    if as_json:
        _print_run_event(
            "finished",
            run=outcome.run_id,
            status=str(outcome.status),
            seconds=round(outcome.seconds, 3),
            metrics=outcome.metrics,
            error=str(outcome.error) if outcome.error else None,
            exit_status=outcome.exit_status,
            trackers=[
                {"tracker": each.tracker, "queued": each.queued, "reason": each.reason}
                for each in outcome.deliveries
            ],
        )
        return
    click.echo()
    click.echo(_run_summary(outcome))
    for result in outcome.results:
        if result.verdict is not None and not result.verdict.passed:
            for line in _refusal_lines(result.component, result.verdict):
                click.echo(line)
    for line in _metric_lines(outcome.metrics, _curves_to_draw(job, outcome)):
        click.echo(line)
    for delivery in outcome.deliveries:
        click.echo(delivery_line(delivery))
    for line in _next_steps(job, outcome):
        click.echo(line)
    if outcome.error is not None:
        click.echo(f"relet: {outcome.error}", err=True)


def print_check(found: Check | Verdict, *, as_json: bool) -> None:
    """What came of doing a step a second time, or, as a verdict, of doing all of them."""
    if as_json:
        _print_run_event("checked" if isinstance(found, Check) else "determinism", **asdict(found))
    elif isinstance(found, Check):
        word = click.style("same" if found.passed else "differs", fg="green" if found.passed else "red")
        click.echo(f"{found.name:<18}{word}{'' if found.passed else f'  {found.message}'}")
    else:
        word = click.style("deterministic" if found.passed else "not deterministic", fg=None, bold=True)
        click.echo(f"{word}: {found.reason if found.passed else found.reason.partition(':')[0]}")


def _run_summary(outcome: RunOutcome) -> str:
    ran = sum(result.action is Action.RUN for result in outcome.results)
    skipped = sum(result.action is Action.SKIP for result in outcome.results)
    made = sum(len(result.new) for result in outcome.results)
    colour = "green" if outcome.status is Status.FINISHED else "red"
    status = click.style(str(outcome.status), fg=colour)
    return (
        f"{status} in {outcome.seconds:.1f} s: {ran} run, {skipped} skipped, "
        f"{made} new {'version' if made == 1 else 'versions'}  (run {outcome.run_id})"
    )


def _refusal_lines(component: str, verdict: Verdict) -> Iterator[str]:
    failed = [check for check in verdict.checks if not check.passed]
    # the checks are told below, one by one: the reason would tell them once more
    reason = f"{len(failed)} of {len(verdict.checks)} checks failed" if failed else verdict.reason
    yield click.style(f"{component} says no: {reason}", fg="red")
    for check in failed:
        yield f"  {check.name}: {check.message}"
        for row in check.rows:
            yield f"      {_check_row_line(row)}"


def _check_row_line(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{name}={_shorten_text(str(value), 40)}" for name, value in row.items())


def _curves_to_draw(job: Job, outcome: RunOutcome) -> dict[str, Curve]:
    """Which of the metrics are curves, and these."""
    from relet.store.curves import curves

    versions = (version for result in outcome.results for version in result.outputs.values())
    return {name: curve for version in versions for name, curve in curves(job.store, version).items()}


def _metric_lines(metrics: Mapping[str, float], drawn: Mapping[str, Curve]) -> Iterator[str]:
    """Each metric beside that of the baseline, where there is one; a curve as one, behind its last value."""
    rows = [
        (name, value, metrics.get(f"baseline_{name}"))
        for name, value in metrics.items()
        if not name.startswith("baseline_") and "baseline_" not in name
    ]
    width = max([14, *(len(name) for name, *_ in rows)]) + 2
    if rows:
        yield f"{'metric':<{width}}{'model':>12}{'baseline':>12}"
    for name, value, baseline in rows:
        beside = f"{baseline:>12.4g}" if baseline is not None else ""
        if name in drawn:
            beside = f"    {_curve_text(drawn[name])}"
        yield f"{name:<{width}}{value:>12.4g}{beside}"


def _curve_text(curve: Curve) -> str:
    first, last = curve.points[0][0], curve.points[-1][0]
    span = f"{first}" if first == last else f"{first} to {last}"
    return f"{sparkline(curve, width=DRAWN)} {span} {curve.x}"


def delivery_line(delivery: Delivery) -> str:
    """How a tracker took what was sent, in a line."""
    if delivery.complete:
        return f"tracked in {delivery.tracker}"
    log = f"; its log is {delivery.log}" if delivery.log else ""
    waiting = f"{delivery.queued} records wait for `relet sync`: " if delivery.queued else ""
    return f"{delivery.tracker}: {waiting}{delivery.reason}{log}"


def _next_steps(job: Job, outcome: RunOutcome) -> Iterator[str]:
    pipeline = job.request.pipeline.name
    match outcome.status:
        case Status.INTERRUPTED:
            yield "interrupted; every finished step is kept: the same command goes on from here"
        case Status.FAILED if isinstance(outcome.error, ComponentError):
            yield f"finished steps are kept; look inside with: relet run {pipeline} … --pdb"
        case Status.STOPPED:
            yield from _refusal_advice(job, outcome)
        case Status.FINISHED:
            versions = [version for result in outcome.results for version in result.outputs.values()]
            models = [version for version in versions if version.type == "model"]
            shown = (models or versions)[-1:]
            if shown:
                yield f"look further: relet artifacts show {shown[0]}   relet why {pipeline}   relet ui"
            yield from _page_hints(outcome)


def _refusal_advice(job: Job, outcome: RunOutcome) -> Iterator[str]:
    """How to look at what was refused, and how to accept it all the same."""
    refusals = [each for each in outcome.results if each.verdict is not None and not each.verdict.passed]
    for result in refusals:
        verdicts = [str(version) for version in result.outputs.values() if version.type == "verdict"]
        yield f"what was judged is stored; look at it with: relet artifacts show {verdicts[0]}"
    yield from _page_hints(outcome)
    for result in refusals:
        for each in job.request.pipeline.component(result.component).inputs:
            taken = result.inputs.get(each.stored.initially or "") if each.stored else None
            if taken:
                yield f'if it is as it should be: relet accept {taken} --why "…"'


def _page_hints(outcome: RunOutcome) -> Iterator[str]:
    """The pages that this run wrote, and how to open them."""
    for result in outcome.results:
        for name, version in result.outputs.items():
            if (
                name in result.new
                and version.type == "file"
                and any(file.endswith(".html") for file in version.files)
            ):
                yield f"a page to open: relet artifacts get {version}"
