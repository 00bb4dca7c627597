"""`relet run`: run a pipeline, or one of its components alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import click

from relet.cli.terminal import say
from relet.core.component import MANAGERS
from relet.errors import SettingError

# Hydra's words for which configuration is meant: the run's, Hydra's own, or both.
CFG_WORDS = ("job", "hydra", "all")


@click.command(
    "run",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@click.argument("target", required=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[steps=a,b] [OVERRIDES]...")
@click.option(
    "-m",
    "--multirun",
    "multirun",
    is_flag=True,
    help="A sweep: a run for every combination of values such as a=1,2 b=range(1,10,2).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")
@click.option("--pdb", "debug", is_flag=True, help="Open the debugger in a step that fails.")
@click.option("--isolate", is_flag=True, help="Each step in an environment made from the lock.")
@click.option(
    "--env-manager",
    type=click.Choice(MANAGERS),
    help="What makes the environments of --isolate, which it implies (default: uv).",
)
@click.option(
    "--check-determinism",
    "twice",
    is_flag=True,
    help="Each step a second time under other circumstances; exit status 3 where one differs.",
)
@click.option("--here", is_flag=True, help="A repository's pipeline in this environment, not in its lock's.")
@click.option(
    "--cfg",
    is_flag=False,
    flag_value="job",
    metavar="[job|hydra|all]",
    help="Print the composed configuration, with where each value comes from; run nothing.",
)
@click.option("--package", metavar="SECTION", help="With --cfg: only that section.")
@click.option("-h", "--help", "wants_help", is_flag=True, help="This text; after a TARGET, what it takes.")
@click.pass_context
def command(
    ctx: click.Context,
    target: str | None,
    words: tuple[str, ...],
    multirun: bool,
    as_json: bool,
    debug: bool,
    isolate: bool,
    env_manager: str | None,
    twice: bool,
    here: bool,
    cfg: str | None,
    package: str | None,
    wants_help: bool,
) -> None:
    """Run a pipeline, or one of its components alone.

    TARGET is a pipeline (`nyc_rentals`), followed by steps=a,b and overrides in Hydra's syntax
    (`etl.max_price=300 model=random_forest`); or a component (`nyc_rentals.data_split`), followed by its own
    inputs and parameters (`clean_sample=clean_sample:v2 test_size=0.3`). After a git repository as the first
    word (`https://host/repository.git@1.0.0 nyc_rentals`), with a tag, branch or commit, it is that one's: run in
    an environment made from its lock, with the store of the current folder.

    With -m an override may name several values, in Hydra's syntax (`a=1,2`, `choice(a,b)`, `range(1,10,2)`, for a
    group `glob(*)`): each combination is a trial, run by one of workers=N processes (default: one for each
    processor), and the end is a table with the best one first, by search.metric.

    \b
    Exit status: 0 done, 1 a component failed, 2 wrong settings or bad data, 3 a verdict said no,
    130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: finished steps are kept.
    """
    target, words, cfg = _without_swallowed_word(target, words, cfg)
    if target is None:
        say(ctx.get_help())
        ctx.exit(0 if wants_help else 2)
    from relet.remote.address import find_address

    if address := find_address(target, words):
        from relet.remote.visit import visit

        visit(address, [*words, *_given_options(ctx)], here=here, tell=lambda line: say(line, err=True))
    if as_json:
        _check_without_person({"--pdb": debug, "--cfg": cfg})
    if here:
        raise SettingError("--here goes with a git repository as the first word; a run of this project is here")
    if wants_help:
        from relet.cli.describe import describe

        say(describe(target))
        return
    if package and not cfg:
        raise SettingError("--package says which section --cfg shows: add --cfg")
    if cfg:
        if multirun:
            raise SettingError(
                "--cfg shows the configuration of one run: leave -m out, and give one trial's values"
            )
        _print_configuration(target, words, cfg, package)
        return
    if multirun:
        _check_alone(
            {"--pdb": debug, "--isolate": isolate, "--env-manager": env_manager, "--check-determinism": twice}
        )
        _sweep_and_exit(target, words, as_json=as_json)
    if worker_words := [word for word in words if word.startswith("workers=")]:
        raise SettingError(f"{worker_words[0]} goes with a sweep: add -m")
    manager = env_manager or ("uv" if isolate else None)
    if debug and manager:
        raise SettingError("--pdb looks into this process, --isolate runs steps in others: leave one out")
    from relet.cli.screen import determinism_status, finish, print_check, run_screen
    from relet.engine import own_interpreter
    from relet.engine.run import execute
    from relet.project.order import read_order
    from relet.project.request import prepare

    order = read_order(target, words, ("relet", *sys.argv[1:]))
    with run_screen(as_json=as_json) as watch:
        first = None if manager else own_interpreter.start_early
        job = replace(prepare(order, progress=watch.fetched, at_first=first), manager=manager)
        watch.begin(job)
        outcome = execute(job, watch, debug=debug)
    finish(job, outcome, as_json=as_json)
    if twice and outcome.exit_status:
        say("determinism was not checked, since the run did not finish", err=True)
    if not twice or outcome.exit_status:
        sys.exit(outcome.exit_status)
    from relet.reproduction.determinism import judge_determinism

    verdict = judge_determinism(job, outcome, tell=lambda found: print_check(found, as_json=as_json))
    print_check(verdict, as_json=as_json)
    sys.exit(determinism_status(verdict))


def _without_swallowed_word(
    target: str | None, words: tuple[str, ...], cfg: str | None
) -> tuple[str | None, tuple[str, ...], str | None]:
    """The words, with the one back that stood behind a bare --cfg: it is an override or the target."""
    if cfg is None or cfg in CFG_WORDS:
        return target, words, cfg
    if "=" in cfg or cfg.startswith("~"):
        return target, (*words, cfg), "job"
    return cfg, words if target is None else (target, *words), "job"


def _print_configuration(target: str, words: Sequence[str], cfg: str, package: str | None) -> None:
    from relet.config.provenance import configured_text
    from relet.project.folder import open_project
    from relet.project.order import read_order

    if "." in target:
        raise SettingError(f"--cfg takes a pipeline, got the component {target}; write {target.partition('.')[0]}")
    if cfg in ("hydra", "all"):
        say("# Hydra's own settings have no effect here: relet runs the steps.")
    if cfg in ("job", "all"):
        project = open_project(target)
        overrides = read_order(target, words).overrides
        say(configured_text(project.pipeline, project.conf, overrides, package=package))


def _check_without_person(given: Mapping[str, object]) -> None:
    """Raise SettingError for an option that shows a person something that is no JSON."""
    for option in (name for name, value in given.items() if value):
        raise SettingError(f"{option} prints for a person, --json for a program: leave one out")


def _check_alone(given: Mapping[str, object]) -> None:
    """Raise SettingError for an option that looks at one run more closely: a sweep has many at once."""
    for option in (name for name, value in given.items() if value):
        raise SettingError(
            f"{option} looks at one run, -m has many at once: leave -m out, and give one trial's values"
        )


def _sweep_and_exit(target: str, words: Sequence[str], *, as_json: bool) -> NoReturn:
    from relet.cli.sweeps import finish_sweep, sweep_screen
    from relet.trials.sweep import prepare_sweep, read_sweep, run_sweep

    order, workers = read_sweep(target, words, ("relet", *sys.argv[1:]))
    with sweep_screen(as_json=as_json) as watch:
        sweep = prepare_sweep(order, workers, progress=watch.fetched)
        watch.begin(sweep)
        outcome = run_sweep(sweep, watch)
    finish_sweep(sweep, outcome, as_json=as_json)
    sys.exit(outcome.exit_status)


def _given_options(ctx: click.Context) -> Iterator[str]:
    """The options that were given, as words again."""
    for option in ctx.command.params:
        value = ctx.params.get(str(option.name))
        if isinstance(option, click.Option) and value and option.name != "here":
            yield option.opts[-1] if value is True else f"{option.opts[-1]}={value}"
