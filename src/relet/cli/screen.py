"""What a command shows of a run: a line for each component while it goes, and a summary at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from time import monotonic
from typing import Any

from relet.cli.offered import offered_lines
from relet.cli.progress import ProgressDisplay, download_text, elapsed_text, print_event, progress_display
from relet.cli.sparkline import sparkline
from relet.cli.terminal import error_text, say, style
from relet.cli.ui import has_interface
from relet.core.artifact import Check, Curve, Verdict, within_pipeline
from relet.core.plan import Action, Step
from relet.core.record import LOCK, LOCKFILE, NO_LOCK, NOT_LOCKED, Status
from relet.core.wording import count, shorten
from relet.errors import CodeLine, ComponentError
from relet.project.call import ProgressReport
from relet.project.job import ComponentResult, Job, RunOutcome
from relet.tracking.courier import Delivery

# How many letters a curve is drawn in.
CURVE_WIDTH = 24
# Seconds after which a line says of a component that it still runs, where nothing on the screen moves.
STILL = 60.0
_COLOURS = {Action.RUN: "green", Action.SKIP: "bright_black", Action.WAITS: "yellow"}


@contextmanager
def run_screen(*, as_json: bool) -> Iterator[RunScreen]:
    """The screen of a run, on the display that fits where its output goes."""
    with progress_display(as_json=as_json) as display:
        yield RunScreen(display)


class RunScreen:
    """The watcher of a run (see `RunWatcher`). It also learns what is about to run, and how far a download is."""

    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display
        self._name_width = 16
        self._pipeline = ""
        # what the component that runs is, since when, how far, and when a line last said so
        self._now, self._since, self._report, self._said = "", 0.0, "", 0.0

    def begin(self, job: Job) -> None:
        """The job is known; nothing has run yet."""
        request = job.request
        self._display.event(
            "run",
            pipeline=request.pipeline.name,
            experiment=job.experiment,
            steps=[each.name for each in request.components],
        )
        self._name_width = max(len(each.name) for each in request.components) + 2
        self._pipeline = job.request.pipeline.name

    def fetched(self, done: int, total: int | None) -> None:
        """So many bytes of a source have come."""
        self._display.moving(download_text(done, total))

    def started(self, step: Step) -> None:
        self._display.event("started", component=step.component, reason=step.reason)
        self._now, self._report = f"{step.component}: {step.reason}", ""
        self._since = self._said = monotonic()
        self._display.moving(self._now)

    def progressed(self, component: str, report: ProgressReport | None) -> None:
        now = monotonic()
        if report is not None:
            self._display.event("progress", component=component, **asdict(report))
            self._report = str(report)
        elapsed = elapsed_text(now - self._since)
        self._display.moving("   ".join(filter(None, (self._now, elapsed, self._report))))
        if now - self._said >= STILL:
            self._said = now
            words = f"{component:<{self._name_width}}{'still':<6}{elapsed:<12}{self._report}"
            self._display.still(words.rstrip())

    def ended(self, result: ComponentResult) -> None:
        self._display.event("ended", **_result_facts(result))
        self._display.line(self._result_line(result))
        if result.verdict is not None and result.action is Action.RUN:
            if result.verdict.passed:
                self._display.line(self._remark(result.verdict.reason))
            for line in _skip_lines(result.verdict):
                self._display.line(self._remark(line))

    def noted(self, message: str) -> None:
        self._display.event("noted", message=message)
        self._display.line(self._remark(message))

    def _result_line(self, result: ComponentResult) -> str:
        versions = "  ".join(within_pipeline(self._pipeline, str(each)) for each in result.outputs.values())
        duration = f"{result.seconds:.1f} s" if result.action is Action.RUN else ""
        action = style(f"{result.action:<6}", fg=_COLOURS[result.action])
        reason = shorten(result.reason, 38)
        return f"{result.component:<{self._name_width}}{action}{reason:<40}{versions:<46}{duration:>7}".rstrip()

    def _remark(self, text: str) -> str:
        """A sentence below a component's line."""
        return f"{'':<{self._name_width}}{text}"


def _result_facts(result: ComponentResult) -> dict[str, Any]:
    return {
        "component": result.component,
        "action": str(result.action),
        "reason": result.reason,
        "outputs": {name: str(version) for name, version in result.outputs.items()},
        "new": sorted(result.new),
        "seconds": round(result.seconds, 3),
        "metrics": dict(result.metrics),
        "verdict": result.verdict.to_json() if result.verdict else None,
    }


def finish(job: Job, outcome: RunOutcome, *, as_json: bool) -> None:
    """Print what the run made and skipped, its metrics, and the command that looks further."""
    if as_json:
        print_event(
            "finished",
            run=outcome.run_id,
            status=str(outcome.status),
            seconds=round(outcome.seconds, 3),
            metrics=outcome.metrics,
            error=_error_of_step(outcome.error) if outcome.error else None,
            lines=[asdict(each) for each in getattr(outcome.error, "lines", ())],
            inputs=list(getattr(outcome.error, "inputs", ())),
            settings=dict(getattr(outcome.error, "settings", {})),
            exit_status=outcome.exit_status,
            trackers=delivery_facts(outcome.deliveries),
        )
    else:
        for line in _closing_lines(job, outcome):
            say(line)
    # What can be done after an interruption stands in the closing lines.
    if outcome.error is not None and outcome.status is not Status.INTERRUPTED:
        say(f"relet: {_error_of_step(outcome.error)}", err=True)
        for line in offered_lines(job, outcome.error):
            say(line, err=True)
        for line in _code_lines(getattr(outcome.error, "lines", ())):
            say(f"  {line}", err=True)
        if inputs := getattr(outcome.error, "inputs", ()):
            taken = (within_pipeline(job.request.pipeline.name, each) for each in inputs)
            say(f"  its inputs were {', '.join(taken)}", err=True)


def _error_of_step(error: BaseException) -> str:
    """What an error says, after the name of the step that raised it, where it doesn't say that."""
    said, step = error_text(error), getattr(error, "step", "")
    return f"{step}: {said}" if step and step not in said else said


def _code_lines(lines: Sequence[CodeLine]) -> Iterator[str]:
    """The places that led to an error, each with its source; what recursion repeats, once."""
    for line, repeated in groupby(lines):
        times = len(list(repeated))
        yield f"{line.file}:{line.line}, in {line.function}{f', {times} times' if times > 1 else ''}"
        if line.source:
            yield f"    {line.source}"


def determinism_status(verdict: Verdict) -> int:
    """The exit status of a run whose steps were run a second time."""
    return 0 if verdict.passed else 3


def print_check(result: Check | Verdict, *, as_json: bool) -> None:
    """Print the result of the second run of one step (a Check) or of all steps (a Verdict)."""
    if as_json and isinstance(result, Verdict):
        print_event("determinism", **result.to_json(), exit_status=determinism_status(result))
    elif as_json:
        print_event("checked", **result.to_json())
    elif isinstance(result, Check):
        word = style("same" if result.passed else "differs", fg="green" if result.passed else "red")
        say(f"{result.name:<18}{word}{'' if result.passed else f'  {result.message}'}")
    else:
        word = style("deterministic" if result.passed else "not deterministic", bold=True)
        say(f"{word}: {result.reason if result.passed else result.reason.partition(':')[0]}")


def _closing_lines(job: Job, outcome: RunOutcome) -> Iterator[str]:
    yield ""
    yield _run_summary(outcome)
    for result in outcome.results:
        if result.verdict is not None and not result.verdict.passed:
            yield from _refusal_lines(result.component, result.verdict)
    yield from _metric_lines(outcome.metrics, _stored_curves(job, outcome))
    yield from map(delivery_line, outcome.deliveries)
    yield from _lock_warnings(outcome)
    yield from _next_steps(job, outcome)


def _lock_warnings(outcome: RunOutcome) -> Iterator[str]:
    """Why `relet reproduce` could not make again what just ran: what its lock lacks."""
    ran = (result for result in outcome.results if result.action is Action.RUN)
    caveats = [each for result in ran for each in result.caveats if each.kind in (LOCKFILE, LOCK)]
    faults = {each.what: each.kind for each in caveats}
    if NO_LOCK in faults:
        yield style(
            "there is no lock, and what ran can't be reproduced elsewhere; make one: relet lock", fg="yellow"
        )
        return
    for each in faults:
        yield style(f"the lock falls short: {each}", fg="yellow")
    if LOCK in faults.values():
        yield (
            "what ran can't be reproduced elsewhere until then; lock what is installed: relet lock --installed, "
            "or install what is locked: pip install -r requirements.lock"
        )
        if any(each.endswith(NOT_LOCKED) for each in faults):
            yield "name a package that stays out of the lock among the dependencies of pyproject.toml first"
    elif faults:
        yield "what ran can't be reproduced elsewhere until then; make the lock anew with: relet lock"


def _run_summary(outcome: RunOutcome) -> str:
    ran = sum(result.action is Action.RUN for result in outcome.results)
    skipped = sum(result.action is Action.SKIP for result in outcome.results)
    new = sum(len(result.new) for result in outcome.results)
    colour = "green" if outcome.status is Status.FINISHED else "red"
    status = style(str(outcome.status), fg=colour)
    return (
        f"{status} in {outcome.seconds:.1f} s: {ran} run, {skipped} skipped, "
        f"{count(new, 'new version')}  (run {outcome.run_id})"
    )


def _refusal_lines(component: str, verdict: Verdict) -> Iterator[str]:
    # the failed checks follow one by one; the verdict's own reason would repeat them
    failed = f"{len(verdict.failed)} of {len(verdict.checks)} checks failed"
    yield style(f"{component} says no: {failed if verdict.failed else verdict.reason}", fg="red")
    for check in verdict.failed:
        yield f"  {check.name}: {check.message}"
        for row in check.rows:
            yield f"      {_check_row_line(row)}"


def _skip_lines(verdict: Verdict) -> Iterator[str]:
    """The checks that were skipped: a line for each reason."""
    names: dict[str, list[str]] = {}
    for check in verdict.skipped:
        names.setdefault(check.message, []).append(check.name)
    for reason, skipped in names.items():
        yield f"skipped: {', '.join(skipped)} ({reason})"


def _check_row_line(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{name}={shorten(str(value), 40)}" for name, value in row.items())


def _stored_curves(job: Job, outcome: RunOutcome) -> dict[str, Curve]:
    """The metrics that are curves, by name."""
    from relet.store.curves import curves

    return {
        f"{result.metrics_prefix}{name}": curve
        for result in outcome.results
        for version in result.outputs.values()
        for name, curve in curves(job.store, version).items()
    }


def _metric_lines(metrics: Mapping[str, float], curves: Mapping[str, Curve]) -> Iterator[str]:
    """Each metric with the baseline's value, or with its curve where it is the last value of one."""
    rows = [
        (name, value, metrics.get(f"baseline_{name}", metrics.get(_step_baseline(name))))
        for name, value in metrics.items()
        if not name.startswith("baseline_") and "baseline_" not in name
    ]
    width = max([14, *(len(name) for name, *_ in rows)]) + 2
    if rows:
        yield f"{'metric':<{width}}{'model':>12}{'baseline':>12}"
    for name, value, baseline in rows:
        comparison = f"{baseline:>12.4g}" if baseline is not None else ""
        if name in curves:
            comparison = f"    {_curve_text(curves[name])}"
        yield f"{name:<{width}}{value:>12.4g}{comparison}"


def _step_baseline(metric: str) -> str:
    """The name of the baseline of a metric that has its step's name before it.

    >>> _step_baseline("train_b.mae")
    'train_b.baseline_mae'
    """
    step, _, name = metric.partition(".")
    return f"{step}.baseline_{name}"


def _curve_text(curve: Curve) -> str:
    first, last = curve.points[0][0], curve.points[-1][0]
    span = f"{first}" if first == last else f"{first} to {last}"
    return f"{sparkline(curve, width=CURVE_WIDTH)} {span} {curve.x}"


def delivery_line(delivery: Delivery) -> str:
    """What a tracker received, and what still waits for it."""
    if delivery.complete:
        return f"tracked in {delivery.tracker}"
    log = f"; its log is {delivery.log}" if delivery.log else ""
    waiting = f"{delivery.queued} records wait for `relet sync`: " if delivery.queued else ""
    return f"{delivery.tracker}: {waiting}{delivery.reason}{log}"


def delivery_facts(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [{"tracker": each.tracker, "queued": each.queued, "reason": each.reason} for each in deliveries]


def _next_steps(job: Job, outcome: RunOutcome) -> Iterator[str]:
    pipeline = job.request.pipeline.name
    match outcome.status:
        case Status.INTERRUPTED:
            yield "interrupted; every finished step is kept: the same command goes on from here"
        case Status.FAILED if isinstance(outcome.error, ComponentError):
            yield (
                "finished steps are kept; the whole traceback and what was printed: relet logs; look inside with: "
                f"relet run {pipeline} … --pdb"
            )
        case Status.STOPPED:
            yield from _refusal_advice(job, outcome)
        case Status.FINISHED:
            versions = [version for result in outcome.results for version in result.outputs.values()]
            models = [version for version in versions if version.type == "model"]
            shown = (models or versions)[-1:]
            if shown:
                also = "   relet ui" if has_interface() and "mlflow" in job.trackers else ""
                yield f"look further: relet artifacts show {shown[0]}   relet why {pipeline}{also}"
            yield from _page_hints(outcome)


def _refusal_advice(job: Job, outcome: RunOutcome) -> Iterator[str]:
    """The commands that show what a verdict refused, and the one that accepts it all the same."""
    refusals = [each for each in outcome.results if each.verdict is not None and not each.verdict.passed]
    for result in refusals:
        verdicts = [str(version) for version in result.outputs.values() if version.type == "verdict"]
        yield f"what was judged is stored; look at it with: relet artifacts show {verdicts[0]}"
    yield from _page_hints(outcome)
    for result in refusals:
        yield from _acceptance_advice(job, result)


def _acceptance_advice(job: Job, result: ComponentResult) -> Iterator[str]:
    """The command that makes a refused batch the reference, where the batch would pass then."""
    if result.verdict is None or result.verdict.deterministic_failures:
        return
    for each in job.request.pipeline.component(result.component).inputs:
        batch = result.inputs.get(each.stored.initially or "") if each.stored else None
        if batch and batch != result.inputs.get(each.name) and batch.metadata.get("rows") != 0:
            yield f'if it is as it should be: relet accept {batch} --why "…"'


def _page_hints(outcome: RunOutcome) -> Iterator[str]:
    """The commands that write this run's new pages where a browser can open them."""
    for result in outcome.results:
        for name, version in result.outputs.items():
            if (
                name in result.new
                and version.type == "file"
                and any(file.endswith(".html") for file in version.files)
            ):
                yield f"a page to open: relet artifacts get {version}"
