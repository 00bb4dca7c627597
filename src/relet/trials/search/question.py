"""What is searched: the space, the fixed settings, the steps that measure, and the name that all this gives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from relet.config import Settings, settings
from relet.config.binding import SearchSettings
from relet.config.own import wiring_of
from relet.config.space import (
    Dimension,
    Scalar,
    SearchOverrides,
    dimension,
    in_whole_numbers,
    read_space,
)
from relet.core.directions import Direction
from relet.core.override_words import override
from relet.core.pipeline import Pipeline
from relet.core.plan import key_parts
from relet.core.record import key_digest
from relet.errors import SettingError, nearest
from relet.experiments.experiment import FOLD
from relet.project.folder import Project, open_project
from relet.project.job import Job
from relet.project.order import Order
from relet.project.request import Progress, checked_settings, prepare
from relet.trials.group import chosen_direction

# The setting of the number of folds. Like the fold itself it feeds the component that measures.
FOLDS = "search.folds"
# The settings of the search itself: no trial may change them.
OWN_SETTINGS = (FOLD, FOLDS, *(f"search.{each.name}" for each in fields(SearchSettings)))
# The layout of the facts that name a search: another number gives every search another name.
FORMAT = 1
OWN_WORDS = ("trials", "timeout", "workers")
UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}


@dataclass(frozen=True, kw_only=True)
class SearchDefinition:
    """What is searched. Every field but `order`, `job` and `anew` decides the trials, and so the name `id`.

    `component` measures one fold; `dimensions` are sorted by their settings; `defaults` are the configured values,
    which the first trial has; `id` is the digest of `facts`, which a person can read. Where the first study of
    that name does not count any more, `id` has a number behind it, and `anew` says in words what changed.
    """

    order: Order
    job: Job
    component: str
    dimensions: tuple[Dimension, ...]
    defaults: Mapping[str, Scalar]
    metric: str
    direction: Direction
    seed: int
    batch: int
    folds: int
    prune: bool
    base: Settings
    facts: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    anew: str = ""

    @property
    def project(self) -> Project:
        return self.job.project

    @property
    def better(self) -> int:
        """-1 where less is better, else 1."""
        return -1 if self.direction is Direction.MINIMIZE else 1

    @property
    def default_fits(self) -> bool:
        """Whether the configured values are a point of the space."""
        return all(each.has(self.defaults[each.setting]) for each in self.dimensions)

    def overrides(self, values: Mapping[str, Scalar]) -> tuple[str, ...]:
        """A point of the space, in Hydra's syntax."""
        return tuple(override(each.setting, values[each.setting]) for each in self.dimensions)


@dataclass(frozen=True, kw_only=True)
class SearchLimits:
    """How many trials a search has, by how many processes, for how many seconds: none of it changes a trial."""

    trials: int
    workers: int | None = None
    timeout: float | None = None


def read_question(
    target: str,
    words: Sequence[str],
    command: Sequence[str] = (),
    *,
    start: Path | None = None,
    progress: Progress | None = None,
) -> tuple[SearchDefinition, SearchLimits]:
    """A search from the words of a command line; nothing has run yet.

    Raises SettingError for a space that is empty or wrong, a setting that nothing measured depends on, and a
    pipeline that has no component to measure a fold.
    """
    if "." in target:
        raise SettingError(f"relet tune takes a pipeline, got {target!r}: write {target.partition('.')[0]}")
    limits, overrides = _limits_and_overrides(words)
    project = open_project(target, start)
    component = _measuring_component(project.pipeline)
    space = read_space(overrides, project.conf)
    base = settings(project.pipeline, project.conf, space.overrides)
    configured = base.search
    dimensions = _dimensions(project.conf, base, space)
    steps = project.pipeline.upstream(component)
    _check_dimensions(dimensions, project, space.overrides, base, steps)
    order = Order(pipeline=target, steps=steps, overrides=(*space.overrides, f"{FOLD}=1"), command=tuple(command))
    question = SearchDefinition(
        order=replace(order, overrides=space.overrides),
        job=prepare(order, start=start, progress=progress),
        component=component,
        dimensions=dimensions,
        defaults={each.setting: base.value(each.setting) for each in dimensions},
        metric=configured.metric,
        direction=chosen_direction(configured),
        seed=configured.seed,
        batch=_at_least(configured.batch, 1, "search.batch"),
        folds=_at_least(base.value(FOLDS), 1, FOLDS),
        prune=configured.prune,
        base=base,
    )
    _at_least(configured.seed, 0, "search.seed")
    facts = _search_facts(question)
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    search_limits = SearchLimits(
        trials=_at_least(limits.get("trials", configured.trials), 1, "trials"),
        workers=_at_least(limits["workers"], 1, "workers") if "workers" in limits else None,
        timeout=limits.get("timeout"),
    )
    return replace(question, facts=facts, id=sha256(text.encode()).hexdigest()[:16]), search_limits


def _limits_and_overrides(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of trials=, workers= and timeout=, and the other words."""
    limits: dict[str, Any] = {}
    overrides = []
    for word in words:
        name, _, value = word.partition("=")
        if name == "steps":
            raise SettingError(f"{word}: a search runs the steps that its measure needs; leave it out")
        if name == FOLD:
            raise SettingError(f"{word}: a search measures every fold; set {FOLDS}, or leave it out")
        if name == "timeout":
            limits[name] = timeout_seconds(value)
        elif name in OWN_WORDS:
            if not value.isdigit():
                raise SettingError(f"{name} takes a whole number, got {value!r}; write {name}=2")
            limits[name] = int(value)
        else:
            overrides.append(word)
    return limits, overrides


def timeout_seconds(text: str) -> float:
    """A span of time: 90, 90s, 10m or 2h.

    >>> timeout_seconds("10m"), timeout_seconds("1.5h")
    (600.0, 5400.0)
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text)
    if not found or not float(found[1]):
        raise SettingError(f"timeout takes a span of time above 0, got {text!r}; write timeout=10m, 90s or 2h")
    return float(found[1]) * UNITS[found[2]]


def _at_least(value: Any, least: int, setting: str) -> int:
    if not isinstance(value, int) or value < least:
        raise SettingError(f"{setting} must be at least {least}, got {value!r}; set {setting}")
    return value


def _measuring_component(pipeline: Pipeline) -> str:
    """The component that measures a fold: the one that `search.fold` feeds."""
    found = list(dict.fromkeys(each.component for each in wiring_of(pipeline).reach(FOLD).fed))
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingError(
            f"{FOLD} feeds {' and '.join(found)}, and a search takes its measure from one component; say in "
            f'pipeline.py which: settings={{"{FOLD}": "{found[0]}.fold"}}'
        )
    raise SettingError(
        f"{pipeline.name} has no component that measures settings on a fold; write one that takes fold (from 1 to "
        "folds) and folds, divides its rows by relet.segregation.split_fold, and returns Metrics"
    )


def _dimensions(conf: Path, base: Settings, space: SearchOverrides) -> tuple[Dimension, ...]:
    """The space of the files, without the settings that the command line fixes, and with those that it varies."""
    dimensions = {}
    for setting, words in base.search.space.items():
        if not any(setting == each or setting.startswith(f"{each}.") for each in space.fixed):
            dimensions[setting] = dimension(str(setting), words)
    dimensions |= space.dimensions
    if not dimensions:
        option = base.choices.get("model")
        spaces = sorted(path.stem for path in conf.glob("search/*.yaml"))
        also = f", or search=NAME of {', '.join(spaces)}" if spaces else ""
        raise SettingError(
            f"there is nothing to search{f' with model={option}' if option else ''}: name what a setting may be "
            f"(modeling.rate='interval(0.01, 0.3)'){also}; a space of its own stands in conf/search/NAME.yaml"
        )
    return tuple(in_whole_numbers(dimensions[setting], base.value(setting)) for setting in sorted(dimensions))


def _check_dimensions(
    dimensions: Sequence[Dimension],
    project: Project,
    overrides: Sequence[str],
    base: Settings,
    steps: Sequence[str],
) -> None:
    """Raise SettingError where a setting does not exist, refuses a value, or changes nothing that is measured."""
    for each in dimensions:
        if each.setting in OWN_SETTINGS:
            raise SettingError(
                f"the search's space, {each}: that is the search's own, which no trial changes; give it one value"
            )
    for place in range(max(len(each.ends) for each in dimensions)):
        point = [override(each.setting, each.ends[min(place, len(each.ends) - 1)]) for each in dimensions]
        try:
            checked_settings(project, (*overrides, *point))
        except SettingError:
            _blame_dimension(dimensions, project, overrides)
            raise
    for each in dimensions:
        origins = {origin for step in steps for origin in base.origins[step].values()}
        origins |= {each.setting for fed in base.fed_by(each.setting) if fed.component in steps}
        if not any(each.setting == origin or each.setting.startswith(f"{origin}.") for origin in origins):
            raise SettingError(
                f"the search's space, {each}: nothing that {steps[-1]} measures depends on it; leave it out"
            )


def _blame_dimension(dimensions: Sequence[Dimension], project: Project, overrides: Sequence[str]) -> None:
    """Raise SettingError for the first dimension that is wrong by itself."""
    for each in dimensions:
        for value in each.ends:
            try:
                checked_settings(project, (*overrides, override(each.setting, value)))
            except SettingError as error:
                hint = ""
                if "takes a whole number" in str(error):
                    hint = f"; write {each.setting}='int(interval({int(each.low)}, {int(each.high)}))'"
                raise SettingError(f"the search's space, {each}: {error}{hint}") from None


def _search_facts(question: SearchDefinition) -> dict[str, Any]:
    """All that decides the trials and their results: for the steps, their code, settings and sources."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        optuna = version("optuna")
    except PackageNotFoundError:
        raise SettingError("relet tune needs optuna: pip install 'relet[tune]'") from None
    request = question.job.request
    # Without the pipeline, which stands beside them: a search that an older relet began goes on.
    steps = [replace(key_parts(each, request, {}), pipeline="") for each in request.components]
    return {
        "format": FORMAT,
        "pipeline": question.order.pipeline,
        "space": [asdict(each) for each in question.dimensions],
        "first": dict(question.defaults),
        "metric": question.metric,
        "direction": str(question.direction),
        "seed": question.seed,
        "batch": question.batch,
        "folds": question.folds,
        "prune": question.prune,
        "steps": {each.name: key_digest(step) for each, step in zip(request.components, steps, strict=True)},
        "optuna": optuna,
    }


def is_still_asked(question: SearchDefinition) -> bool:
    """Whether the steps are what they were when the search began: somebody may have edited them meanwhile."""
    order = question.order
    job = prepare(replace(order, overrides=(*order.overrides, f"{FOLD}=1")), start=question.project.root)
    return _search_facts(replace(question, job=job)) == question.facts


def unknown_metric(metric: str, known: Mapping[str, float], component: str) -> SettingError:
    return SettingError(
        f"search.metric is {metric!r}, which {component} does not measure: {nearest(metric, known)}; set it"
    )
