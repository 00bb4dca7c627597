"""Records runs as W&B's runs and artifacts on this machine, from where `wandb sync` uploads them.

Offline and online runs are recorded in the same way, and a server that hangs keeps nobody waiting.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relet.core.artifact import Curve, Reference, Version, in_pipeline
from relet.core.record import RunRecord
from relet.core.wording import count
from relet.errors import DamagedError, NotFoundError, ReletError, TrackerError
from relet.store.curves import curves
from relet.store.reproductions import RunVerdicts
from relet.tracking.naming import pipeline_of_alias
from relet.tracking.tracker import RefusedError
from relet.tracking.wandb import ledger
from relet.tracking.wandb.mapping import IMAGES, WandbArtifact, WandbRun, artifact_in_wandb, wandb_view
from relet.tracking.wandb.upload import is_logged_in, upload

if TYPE_CHECKING:
    from wandb import Run

    from relet.store import Store

MISSING = "wandb is not installed, which tracking=wandb needs: pip install 'relet[wandb]'"

# Settings of W&B: print nothing, send nothing but runs. What the user has set wins.
ENVIRONMENT = {"WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}

# Seconds that W&B's own process has to start and answer, that an upload after a run has, and that one has which a
# person asked for.
ANSWER, AFTER_A_RUN, ASKED = 15, 15, 900

# The steps of curves are logged below this name, such as "steps/rounds", where no metric lies.
AXIS = "steps"


class WandbMode(StrEnum):
    """Whether runs are not recorded, recorded on this machine, or recorded and uploaded."""

    DISABLED = "disabled"
    OFFLINE = "offline"
    ONLINE = "online"


class WandbTracker:
    """Records runs in W&B's own format in `folder`, each under its `relet.run_id` as W&B's run id.

    Where `mode` is None, runs are uploaded if somebody is logged in. Not safe to share between threads or, without
    the outbox's lease, between processes.
    """

    def __init__(self, folder: Path, *, mode: WandbMode | None = None, name: str = "wandb") -> None:
        self.name = name
        self.folder = folder
        self.mode = mode
        self._verdicts = RunVerdicts()

    def connect(self) -> None:
        if self.mode is not WandbMode.DISABLED:
            with self._translated_errors():
                _wandb().setup()

    def send(self, record: RunRecord, store: Store) -> None:
        if self.mode is WandbMode.DISABLED:
            return
        with self._translated_errors(f"run {record.id}"):
            if record.parent and ledger.entry(self.folder, record.parent) is None:
                with suppress(NotFoundError):
                    self._send(store.run(record.parent), store)
            self._send(record, store)

    def mirror_aliases(self, store: Store) -> None:
        """Record each alias that moved: the run that made the version is recorded again, with the alias."""
        if self.mode is WandbMode.DISABLED or not self.folder.is_dir():
            return
        with self._translated_errors("aliases"):
            known = ledger.aliases(self.folder)
            for version in self._moved_versions(store, known):
                with suppress(NotFoundError):
                    record = store.run(version.producer or "")
                    if ledger.entry(self.folder, record.id):
                        self._send(record, store, again=True)

    def pass_on(self, *, asked: bool) -> str:
        """Upload the recorded runs, where a person asked for it or the mode says so."""
        kept = len(ledger.waiting_entries(self.folder))
        if not kept or self.mode is WandbMode.DISABLED or not (asked or self.mode is not WandbMode.OFFLINE):
            return ""
        if not is_logged_in():
            advice = "log in with `wandb login` and send them with `relet sync`"
            if self.mode is WandbMode.ONLINE:
                raise TrackerError(
                    f"WANDB_MODE is online, and nobody is logged in: {_kept_runs_text(kept, self)}; {advice}"
                )
            return f"{_kept_runs_text(kept, self)}; {advice}" if asked else ""
        _check_installed()
        found = upload(self.folder, patience=ASKED if asked else AFTER_A_RUN)
        if found.left:
            raise TrackerError(
                f"wandb sync uploaded {found.done} of {kept} runs: {found.reason}; "
                f"{_kept_runs_text(found.left, self)} for `relet sync`"
            )
        return f"{count(found.done, 'run')} uploaded by wandb sync"

    def _send(self, record: RunRecord, store: Store, *, again: bool = False) -> None:
        wanted = self._run_view(record, store)
        known = ledger.entry(self.folder, record.id)
        if known and known.sent == wanted.digest and not again:
            return
        lost = self._lay_out_objects(wanted, store)
        recorded = _record_run(wanted, self.folder, store, lost)
        made = [each for each in wanted.artifacts if not each.used]
        used = [each for each in wanted.artifacts if each.used]
        ledger.note_entry(
            self.folder,
            ledger.LedgerEntry(
                run_id=record.id,
                folder=recorded,
                sent=wanted.digest,
                made=tuple(each.content for each in made),
                used=tuple(each.content for each in used),
                objects=tuple(sorted(wanted.objects - lost)),
            ),
        )
        moved = {_alias(wanted.project, each.name, alias): each.version for each in made for alias in each.aliases}
        ledger.note_aliases(self.folder, moved)

    def _run_view(self, record: RunRecord, store: Store) -> WandbRun:
        versions: dict[str, Version] = {}
        aliases: dict[str, tuple[str, ...]] = {}
        for link in (*record.inputs.values(), *record.outputs.values()):
            version = store.find(Reference.parse(link.version))
            if version is not None:
                versions[link.version] = version
                at = _aliases(store, in_pipeline(record.pipeline, version.name))
                aliases[link.version] = tuple(sorted(a for a, number in at.items() if number == version.number))
        return wandb_view(
            record,
            versions,
            aliases=aliases,
            reproduced=self._verdicts.latest(store, record.id),
            project=_project(record.pipeline),
            curves={
                name: curve
                for link in record.outputs.values()
                if link.version in versions
                for name, curve in curves(store, versions[link.version]).items()
            },
        )

    def _moved_versions(self, store: Store, known: Mapping[str, str]) -> Iterator[Version]:
        """The versions that an alias is set to and was not last recorded for."""
        names = store.names()
        for name in names:
            for alias, number in _aliases(store, name).items():
                version = store.find(Reference(name, f"v{number}"))
                pipeline = pipeline_of_alias(name, names, version, store)
                if version is None or not version.producer or pipeline is None:
                    continue
                shown = artifact_in_wandb(pipeline, name)
                if known.get(_alias(_project(pipeline), shown, alias)) != str(version):
                    yield version

    def _lay_out_objects(self, wanted: WandbRun, store: Store) -> set[str]:
        """Write the files of a run's artifacts where W&B reads them, each once; the digests that are lost."""
        lost = set()
        for digest in wanted.objects:
            path = ledger.object_path(self.folder, digest)
            if not path.exists():
                try:
                    store.fetch_object(digest, path)
                except (NotFoundError, DamagedError):
                    lost.add(digest)
        return lost

    @contextmanager
    def _translated_errors(self, about: str = "") -> Iterator[None]:
        """Turn each error of W&B into a TrackerError, or a RefusedError where it refused this one run."""
        try:
            yield
        except (ReletError, KeyboardInterrupt):
            raise
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            if about and (isinstance(error, TypeError | ValueError) or type(error).__name__ == "UsageError"):
                raise RefusedError(f"wandb refused {about}: {reason}") from error
            raise TrackerError(
                f"wandb can't record in {self.folder}: {reason}; set WANDB_DIR to a folder where it can, and send "
                "what waits with `relet sync`"
            ) from error


def _wandb() -> Any:
    """The library wandb; its settings are set before the import."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _check_installed()
    import wandb

    return wandb


def _check_installed() -> None:
    if importlib.util.find_spec("wandb") is None:
        raise TrackerError(MISSING)


def _record_run(wanted: WandbRun, folder: Path, store: Store, lost: set[str]) -> str:
    """Write a run in W&B's format, and return the name of its folder below `folder`."""
    wandb = _wandb()
    # Where W&B can't write to the folder, it takes a temporary one, and nobody would find the run again.
    ledger.make_recording_folder(folder)
    settings = wandb.Settings(
        mode="offline",
        root_dir=str(folder.parent),
        use_dot_wandb=False,
        console="off",
        silent=True,
        quiet=True,
        disable_git=True,
        git_commit=wanted.commit,
        git_remote_url=wanted.repository,
        disable_code=True,
        save_code=False,
        disable_job_creation=True,
        # The record has the machine and the installed packages. This process is not the one that ran.
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        init_timeout=ANSWER,
        x_service_wait=ANSWER,
        finish_timeout=ANSWER,
        finish_timeout_raises=True,
    )
    run = wandb.init(
        project=wanted.project,
        id=wanted.run_id,
        name=wanted.name,
        group=wanted.group,
        job_type=wanted.job_type,
        notes=wanted.notes or None,
        tags=wanted.tags,
        config=dict(wanted.config),
        settings=settings,
        reinit="create_new",
    )
    try:
        _log_curves(run, wanted.curves)
        run.summary.update(dict(wanted.summary))
        for each in wanted.artifacts:
            if not lost & set(each.files.values()):
                _publish(run, _artifact(each, folder), each)
        _log_media(run, wanted.media, store)
        _save_documents(run, wanted.documents, store)
    finally:
        run.finish(exit_code=wanted.exit_code)
    return Path(run.settings.sync_dir).name


def _artifact(shared: WandbArtifact, folder: Path) -> Any:
    artifact = _wandb().Artifact(
        shared.name,
        type=shared.type,
        description=shared.description or None,
        metadata=dict(shared.metadata),
    )
    for path, digest in sorted(shared.files.items()):
        # With these options W&B copies nothing, and reads the file where it lies when it uploads.
        source = ledger.object_path(folder, digest)
        artifact.add_file(str(source), name=path, policy="immutable", skip_cache=True)
    return artifact


def _publish(run: Run, artifact: Any, shared: WandbArtifact) -> None:
    """Add an artifact to a run, as its output or as its input.

    W&B's public calls don't fit: `log_artifact` always moves the alias `latest`, even for an old version that got
    another alias, and `use_artifact` refuses to work offline. Both make this call in the end. At the upload W&B
    recognises equal content, so that an input becomes the version that another run made.
    """
    artifact.finalize()
    interface: Any = run._interface
    interface.publish_artifact(
        run, artifact, list(shared.aliases), is_user_created=shared.used, use_after_commit=shared.used
    )


def _log_curves(run: Run, drawn: Mapping[str, Curve]) -> None:
    """Log each curve as rows of the run's history, over an axis of its own, since W&B's own steps count rows."""
    rows: dict[str, dict[int, dict[str, float]]] = {}
    for name, curve in drawn.items():
        axis = f"{AXIS}/{curve.x}"
        run.define_metric(axis, hidden=True, summary="none")
        run.define_metric(name, step_metric=axis, summary="last")
        for step, value in curve.points:
            rows.setdefault(axis, {}).setdefault(step, {})[name] = value
    for axis, steps in rows.items():
        for step in sorted(steps):
            run.log({axis: step, **steps[step]})


def _log_media(run: Run, media: Mapping[str, tuple[str, str]], store: Store) -> None:
    """Log figures and pages. W&B's images consist of pixels, so an SVG is logged as a page."""
    wandb = _wandb()
    shown: dict[str, Any] = {}
    for key, (suffix, digest) in media.items():
        with suppress(NotFoundError, DamagedError):
            content = store.read_object(digest)
            if suffix not in IMAGES:
                text = content.decode("utf-8", errors="replace")
                shown[key] = wandb.Html(text, inject=False, data_is_not_path=True)
            elif importlib.util.find_spec("PIL"):
                path = Path(run.dir) / "images" / f"{digest}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                shown[key] = wandb.Image(str(path))
    if shown:
        run.log(shown)


def _save_documents(run: Run, documents: Mapping[str, str], store: Store) -> None:
    for path, digest in documents.items():
        with suppress(NotFoundError, DamagedError):
            to = Path(run.dir) / path
            store.fetch_object(digest, to)
            run.save(str(to), base_path=run.dir, policy="now")


def _project(pipeline: str) -> str:
    return os.environ.get("WANDB_PROJECT") or pipeline


def _aliases(store: Store, name: str) -> dict[str, int]:
    """Alias → number; where the store has no alias `latest`, it is the newest version's."""
    newest = store.find(Reference(name))
    return ({"latest": newest.number} if newest else {}) | store.aliases(Reference(name))


def _alias(project: str, artifact: str, alias: str) -> str:
    return f"{project}/{artifact}:{alias}"


def _kept_runs_text(kept: int, tracker: WandbTracker) -> str:
    return f"{count(kept, 'run')} {'is' if kept == 1 else 'are'} kept in {tracker.folder}"
